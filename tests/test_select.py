"""`-k` imports only pages whose text can match, selects whole claims, and knows the pages' terms."""

import subprocess
from itertools import product
from pathlib import Path

import pytest
import torch
from _pytest.mark.expression import Expression
from hypothesis import given, strategies as st

from fixtures.trial.expression import Word, listed, parse, possible, words
from fixtures.trial.near import near
from fixtures.trial.skim import Skim
from tests.corpus import SLUG, page

ROOT = Path(__file__).parents[1]
PAGE = f"traps/lists/{SLUG}.py"
WRONG, RIGHT = f"{PAGE}::test_length[wrong-as_long_as_one]", f"{PAGE}::test_length[right-as_long_as_both]"

UNIMPORTABLE = page(head="raise LookupError\n")


def selected(result):
    """The items of a collection, as they are listed."""
    return [line for line in result.outlines if "::" in line]


def write_tuples(corpus, **changed):
    """A second page, whose names share no word with the first."""
    text = page(**changed).replace("as_long_as_one", "of_one").replace("as_long_as_both", "of_pair")
    return corpus.write(text.replace("test_length", "test_size"), slug="tuples_are_kept", area="tuples")


@pytest.mark.parametrize(
    ("expression", "claims"),
    [
        ("joined_lists", 1),
        ("JOINED", 1),
        ("lists and length", 1),
        ("length and not size", 1),
        ("tuples or (lists and not joined)", 1),
        ("not (tuples or lists)", 0),
        ("as_long_as_both", 1),
        ("wrong", 2),
        ("not wrong", 0),
        ("right and lists", 1),
        ("exact", 2),
        ("trained", 0),
        ("traps", 2),
        ("test_length[wrong-as_long_as_one]", 1),
        (f"{SLUG}.py", 1),
        ("items", 0),
        ("hypothesis", 0),
    ],
)
def test_words_that_select(corpus, expression, claims):
    """A claim is found by its area, file, test, answers and marks, and with all of its answers."""
    corpus.write()
    write_tuples(corpus)
    result = corpus.run("--collect-only", "-q", "-k", expression)

    assert len(selected(result)) == 2 * claims


def test_answers_on_each_device(corpus, monkeypatch):
    """The answers of a claim are selected together on the device that is asked for, and on no other."""
    monkeypatch.setattr("fixtures.device.devices", lambda: (torch.device("cpu"), torch.device("cuda")))
    corpus.write(signature="answer, device, items")
    result = corpus.run("--collect-only", "-q", "-k", "cuda and as_long_as_one")

    assert selected(result) == [
        f"{PAGE}::test_length[cuda-wrong-as_long_as_one]",
        f"{PAGE}::test_length[cuda-right-as_long_as_both]",
    ]


def test_answer_by_its_node(corpus):
    """An answer that is named by its node id is tried alone, with a word that names its rival too."""
    corpus.write()

    assert selected(corpus.run(WRONG, "--collect-only", "-q")) == [WRONG]
    assert selected(corpus.run(WRONG, "--collect-only", "-q", "-k", "as_long_as_both")) == [WRONG]


@pytest.mark.parametrize(
    ("expression", "imported"),
    [
        ("tuples", False),
        ("tuples and not length", False),
        ("tuples and lists", False),
        ("not lists", False),
        ("lists", True),
        ("not tuples", True),
        ("tuples or as_long_as_one", True),
        ("right", True),
        ("not exact", True),
    ],
)
def test_pages_that_are_imported(corpus, expression, imported):
    """A page is imported unless its text tells that none of its claims can be selected."""
    corpus.write(UNIMPORTABLE)
    write_tuples(corpus)
    result = corpus.run("--collect-only", "-q", "-k", expression)

    assert ("LookupError" in result.stdout.str()) == imported


@pytest.mark.parametrize(
    "argument",
    ["traps/tuples", "traps/tuples/tuples_are_kept.py", "traps/tuples/tuples_are_kept.py::test_size"],
)
def test_paths_import_their_pages(corpus, argument):
    """A path, or a node id, imports no page that it does not name."""
    corpus.write(UNIMPORTABLE)
    write_tuples(corpus)
    result = corpus.run("--collect-only", "-q", argument)

    assert len(selected(result)) == 2
    assert result.ret == pytest.ExitCode.OK


def test_page_by_its_path(corpus):
    """A page that is named by its path is collected, and its claims are deselected, as pytest has it."""
    corpus.write()
    result = corpus.run("--collect-only", PAGE, "-k", "tuples")

    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "2 deselected" in result.stdout.str()


def test_page_that_cannot_be_read(corpus):
    """A page that is not UTF-8 is collected whatever is asked for, so that its error shows."""
    file = corpus.write(title="Längen")
    file.write_bytes(file.read_text(encoding="utf-8").encode("latin-1"))
    result = corpus.run("--collect-only", "-q", "-k", "xyzzy")

    assert "'utf-8' codec can't decode" in result.stdout.str()


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ('@pytest.mark.parametrize("items", [2], ids=["pair"])', "pair"),
        ("@pytest.mark.pair", "pair"),
    ],
)
def test_names_that_the_text_does_not_tell(corpus, more, word):
    """A page with parameters or marks of its own is imported: its text does not tell all of its names."""
    corpus.conftest('def pytest_configure(config):\n    config.addinivalue_line("markers", "pair: of two")\n')
    corpus.write(page(head="import pytest\n") + f"\n\n{more}\ndef test_more(items=2):\n    pass\n")
    result = corpus.run("--collect-only", "-q", "-k", word)

    assert len(selected(result)) == 1


def test_other_tests_keep_their_names(corpus):
    """Tests that are on no page are selected by pytest itself, by any part of their names."""
    corpus.write()
    (corpus.path / "tests").mkdir()
    (corpus.path / "tests" / "test_aside.py").write_text("def test_one(): pass\n", encoding="utf-8")
    result = corpus.run("--collect-only", "-q", "traps", "tests", "-k", "sid")

    assert selected(result) == ["tests/test_aside.py::test_one"]


TERMS = "Terms: RAG, chunked prefill, multi-query\n    attention, N+1 queries, rope"


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("rag", True),
        ("RAG", True),
        ("chunked_prefill", True),
        ("prefill", True),
        ("efill", True),
        ("chunked-prefill", True),
        ("multi_query_attention", True),
        ("multi-query", True),
        ("query_attention", True),
        ("n+1", True),
        ("n_1_queries", True),
        ("ttention", True),
        ("ra", False),
    ],
)
def test_terms_of_a_page(corpus, word, found):
    """A page is found by each of its terms, with `_` for what stands between the words of one."""
    corpus.write(more=TERMS)
    result = corpus.run("--collect-only", "-q", "-k", word)

    assert selected(result) == [WRONG, RIGHT] * found


@pytest.mark.parametrize(
    ("word", "pages"),
    [
        ("rag", ["tuples_are_kept"]),
        ("rope", ["tuples_are_kept"]),
        ("prop", [SLUG]),
        ("verage", [SLUG]),
        ("one", [SLUG, "tuples_are_kept"]),
        ("on", []),
    ],
)
def test_words_that_are_no_part_of_others(corpus, word, pages):
    """A short word, and a term of any page, is found as a word; a longer one also within others."""
    changed = page().replace("as_long_as_both", "average_property")
    corpus.write(changed)
    write_tuples(corpus, more=TERMS)
    result = corpus.run("--collect-only", "-q", "-k", word)

    assert sorted({Path(line.split("::")[0]).stem for line in selected(result)}) == pages


def test_terms_for_pytest_itself(corpus):
    """The terms are pytest's own extra keywords: without the plugin they are found all the same."""
    corpus.write(more=TERMS)
    result = corpus.run("--collect-only", "-q", "-p", "no:fixtures.trial.select", "-k", "chunked_prefill")

    assert selected(result) == [WRONG, RIGHT]


NOT_WRITTEN_SO = {
    "two words": ("kv cache", 'nothing joins the words. Write -k "kv and cache".'),
    "two words and more": (
        "kv cache or (not paged attention)",
        'nothing joins the words. Write -k "kv and cache or (not paged and attention)".',
    ),
    "no end": ("kv and", "expected not OR left parenthesis OR identifier; got end of input at column 7. "
               "Join words with and, or, not and parentheses."),
    "a sign": ("kv & cache", 'unexpected character "&" at column 4. '
               "Join words with and, or, not and parentheses."),
    "arguments": ("kv(cache=1)", "a word takes no arguments. Write it alone."),
}  # fmt: skip


@pytest.mark.parametrize(("expression", "message"), NOT_WRITTEN_SO.values(), ids=NOT_WRITTEN_SO)
def test_expression_that_is_none(corpus, expression, message):
    """What is no expression is told how to be one, before anything is imported."""
    corpus.write(UNIMPORTABLE)
    result = corpus.run("-k", expression)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == [f'ERROR: -k "{expression}": {message}']
    assert result.outlines == []


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("chunkd", [f'nothing on "chunkd"; near: chunked prefill ({SLUG})']),
        ("chunkd_prefil", [f'nothing on "chunkd_prefil"; near: chunked prefill ({SLUG})']),
        (
            "items and not lists",
            [
                'no claim is called by "items", which stands in the title or question of '
                f"{SLUG}, tuples_are_kept"
            ],
        ),
        ("xyzzy or plugh", ['nothing on "xyzzy"', 'nothing on "plugh"']),
        (
            "tuples and (joined or wrong)  and length",
            [
                'no claim fits -k "tuples and (joined or wrong)  and length"; alone, tuples finds 1 page, '
                "joined finds 1 page, wrong finds 2 pages, length finds 1 page"
            ],
        ),
    ],
)
def test_nothing_found(corpus, expression, said):
    """When nothing is selected the run names what is near, and the areas; its exit status is pytest's."""
    corpus.write(more="Terms: chunked prefill")
    write_tuples(corpus)
    result = corpus.run("-k", expression)

    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert [line for line in result.outlines if line][-len(said) - 2 : -1] == [*said, "areas: lists, tuples"]


def test_nothing_found_among_other_tests(corpus):
    """A run that is not about pages says nothing of them."""
    corpus.write()
    (corpus.path / "tests").mkdir()
    (corpus.path / "tests" / "test_aside.py").write_text("def test_one(): pass\n", encoding="utf-8")
    result = corpus.run("tests", "-k", "xyzzy")

    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.no_fnmatch_line("*xyzzy*")


def test_nothing_found_by_workers(corpus):
    """Several processes find nothing and say the same."""
    corpus.write()
    result = corpus.run("-n2", "-k", "xyzzy")

    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.fnmatch_lines(['nothing on "xyzzy"', "areas: lists"])


STALLS, FLASH = "batching_hides_stalls", "flash_attention_skips_work"
SPEAKING = [
    Skim(Path(f"traps/serving/{STALLS}.py"), '"""Chunks\n\nWhat is the MFU?\n\nTerms: TTFT\n"""'),
    Skim(Path(f"traps/gpu/{FLASH}.py"), '"""Speed\n\nDoes more quantization help?\n\nTerms: MFUs\n"""'),
]


@pytest.mark.parametrize(
    ("word", "neighbours"),
    [
        ("mfu", {"mfu": [STALLS], "MFUs": [FLASH]}),
        ("chunkd", {"chunks": [STALLS]}),
        ("quantize", {"quantization": [FLASH]}),
        ("flash-atention", {"flash": [FLASH], "attention": [FLASH]}),
        ("tfft", {"TTFT": [STALLS]}),
        ("moe", {}),
        ("xyzzy", {}),
    ],
)
def test_neighbours(word, neighbours):
    """A word's neighbours are terms and titles that are spelt alike, and what begins alike anywhere."""
    assert near(word, SPEAKING) == neighbours


ITEM = "test_length[cpu-wrong-as_long_as_one]"
PARTS = ["test_length", "as_long_as_one", "cpu", "wrong"]


@given(st.integers(0, len(ITEM)), st.integers(0, len(ITEM)), st.booleans())
def test_page_may_have_what_an_item_has(start, length, whole):
    """Whatever part of an item's name is asked for, the names of its page do not rule it out."""
    part = ITEM[start : start + length]
    word = Word(part, whole and bool(words(part)))

    assert not word.is_in(listed([ITEM])) or word.may_be_in(listed(PARTS))


expressions = st.recursive(
    st.sampled_from(["a", "b", "c"]),
    lambda inner: st.one_of(
        inner.map("not {}".format),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map("({0[0]} {0[1]} {0[2]})".format),
    ),
)


@given(expressions, st.fixed_dictionaries({word: st.sampled_from([True, False, None]) for word in "abc"}))
def test_what_is_possible(text, known):
    """An expression is possible if some choice for the words that are not known makes it true."""
    choices = [dict(zip("abc", values, strict=True)) for values in product([True, False], repeat=3)]
    agreeing = [c for c in choices if all(value in (None, c[word]) for word, value in known.items())]

    assert possible(parse(text), known.get) == any(
        Expression.compile(text).evaluate(choice.get) for choice in agreeing
    )


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ("kvcache", "kvcache"),
        ("kv cache size", "kv and cache and size"),
        ("kv and not gqa", "kv and not gqa"),
        ("(kv or gqa)", "(kv or gqa)"),
    ],
)
def test_words_for_make(said, asked):
    """`make check` joins words with `and`, and leaves an expression as it is."""
    command = ["make", "-n", "check", f"K={said}"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert f' -k "{asked}" ' in run.stdout
