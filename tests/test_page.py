"""A page is read from its text alone, and a text that cannot go to print names the line at fault."""

import re
import subprocess
import sys

import pytest

from fixtures.trial.page import (
    BLANK,
    ENTRIES,
    Page,
    PageError,
    Verdict,
    chapters,
    did_you_mean,
    page_paths,
    pages,
)
from tests.corpus import PARTS, ROOT, page

GRAMMAR = (
    "Write 'holds', 'holds if …', 'imprecise: <the precise statement>', "
    "'refuted by <wrong answer>: <the correct statement>' or 'not judged: <why>'."
)


@pytest.fixture
def read(tmp_path):
    """Read a page with some of its parts changed, or a text of one's own."""

    def read(text=None, **changed):
        path = tmp_path / "traps" / "lists" / "slug.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(**changed) if text is None else text, encoding="utf-8")
        return Page.read(path)

    return read


def test_a_good_page(read):
    """Title, question and colophon are read as a reader would take them."""
    found = read()

    assert found.title == "The length of two joined lists"
    assert found.question == "Two lists of n items each are joined. How many items has the result?"
    assert found.verdict == Verdict("holds")
    assert found.asked == ("Specimens, chapter 1",)
    assert found.sources == (PARTS["source"].removeprefix("Source: "),)
    assert (found.right_when, found.limits) == ("", "")
    assert (found.slug, found.area, found.name) == ("slug", "lists", "traps/lists/slug.py")


def test_every_entry(read):
    """Entries come in any order, some more than once, and run on in indented lines."""
    found = read(
        verdict="Verdict: refuted by as_long_as_one: the length is the sum\n    of both lengths",
        asked="Asked: A book, chapter 1\nAsked: A letter, number 2",
        source=f"Limits: it says nothing\n  of tuples\n{PARTS['source']}\nSource: Another, http://example.org",
        more="Right when:\n    one list is empty",
    )

    assert found.verdict == Verdict("refuted", "the length is the sum of both lengths", "as_long_as_one")
    assert found.asked == ("A book, chapter 1", "A letter, number 2")
    assert found.sources[1] == "Another, http://example.org"
    assert found.right_when == "one list is empty"
    assert found.limits == "it says nothing of tuples"


def test_question_of_several_paragraphs(read):
    """A question may have paragraphs: they are kept apart, their lines are joined."""
    assert read(question="Two lists\nare joined.\n\nHow long\nis it?").question == (
        "Two lists are joined.\n\nHow long is it?"
    )


def test_spaces_at_the_end_of_a_line(read):
    """What an editor leaves at the end of a line changes nothing."""
    assert read(verdict="Verdict: holds  ", title=f"{PARTS['title']} ") == read()


@pytest.mark.parametrize(
    ("text", "word", "statement", "faults"),
    [
        ("holds", "holds", "", False),
        ("holds if n is even", "holds if", "n is even", True),
        ("imprecise: it is n", "imprecise", "it is n", True),
        ("refuted by n_squared: it is n", "refuted", "it is n", True),
        ("not judged: it was not read", "not judged", "it was not read", False),
    ],
)
def test_verdicts(text, word, statement, faults):
    """A verdict is one of five; a plain `holds` and one that is not judged fault no source."""
    verdict = Verdict.parse(text)

    assert (verdict.word, verdict.statement, verdict.faults_the_source) == (word, statement, faults)


BROKEN = {
    "no question": (
        {"question": None},
        2,
        "the page asks nothing. Put a question that ends in '?' between the title and the colophon.",
    ),
    "a statement for a question": (
        {"question": "Two lists are joined."},
        4,
        "the page asks nothing. Put a question that ends in '?' between the title and the colophon.",
    ),
    "a title of two lines": (
        {"title": "The length\nof two joined lists"},
        1,
        "the title is not one line. Leave an empty line below it.",
    ),
    "no verdict": (
        {"verdict": None},
        7,
        "the colophon has no 'Verdict' entry. Add a line 'Verdict: …' at the end of the page's docstring.",
    ),
    "no asked": (
        {"asked": None},
        7,
        "the colophon has no 'Asked' entry. Add a line 'Asked: …' at the end of the page's docstring.",
    ),
    "no source": (
        {"source": None},
        7,
        "the colophon has no 'Source' entry. Add a line 'Source: …' at the end of the page's docstring.",
    ),
    "an unknown entry": (
        {"more": "Limit: it says nothing of tuples"},
        9,
        "unknown colophon entry 'Limit'. Did you mean 'Limits'?",
    ),
    "an unknown entry like no other": (
        {"more": "Xyzzy: it says nothing of tuples"},
        9,
        f"unknown colophon entry 'Xyzzy'. Known are {', '.join(ENTRIES)}.",
    ),
    "a line that is no entry": (
        {"more": "and more"},
        9,
        "'and more' is not a colophon entry. Write 'Verdict: holds' and the like, "
        "and indent lines that continue.",
    ),
    "an entry twice": (
        {"more": "Verdict: holds"},
        9,
        "'Verdict' stands twice. Keep one.",
    ),
    "an empty entry": (
        {"more": "Limits:"},
        9,
        "'Limits' says nothing. Write it on the same line.",
    ),
    "a verdict outside the grammar": (
        {"verdict": "Verdict: holds mostly"},
        6,
        f"'holds mostly' is no verdict. {GRAMMAR}",
    ),
    "a verdict that breaks off": (
        {"verdict": "Verdict: refuted by n_squared:"},
        6,
        f"'refuted by n_squared:' is no verdict. {GRAMMAR}",
    ),
    "a source without address": (
        {"source": "Source: hearsay"},
        8,
        "the source 'hearsay' has no URL. End it with the address where a reader finds it.",
    ),
    "the second source without address": (
        {"more": "Source: hearsay"},
        9,
        "the source 'hearsay' has no URL. End it with the address where a reader finds it.",
    ),
    "an empty term": (
        {"more": "Terms: lists,, joining"},
        9,
        "a term is empty. Write each once, with commas between.",
    ),
    "terms that no comma parts": (
        {"more": "Terms: lists; joining"},
        9,
        "the terms hold a semicolon. Put commas between them.",
    ),
    "a term twice": (
        {"more": "Terms: Lists, joining, lists"},
        9,
        "Lists and lists are one term. Keep one.",
    ),
    "a kind of evidence that there is not": (
        {"claim": 'wrong=as_long_as_one, right=as_long_as_both, evidence="exakt"'},
        31,
        "evidence='exakt' is no kind of evidence. Did you mean 'exact'?",
    ),
    "a rival from elsewhere": (
        {
            "head": "from elsewhere import other",
            "claim": "wrong=(as_long_as_one, other), right=as_long_as_both",
        },
        31,
        "the rival other is not a function of this page. Define it here, above the claim: "
        "its text is printed.",
    ),
    "a rival made on the spot": (
        {"claim": "wrong=as_long_as_one, right=twice(int)"},
        31,
        "the rival twice(int) is not a function of this page. Define it here, above the claim: "
        "its text is printed.",
    ),
    "no wrong answer": (
        {"claim": "right=as_long_as_both"},
        31,
        "the claim has no wrong answer. Name it: wrong=….",
    ),
}


@pytest.mark.parametrize(("changed", "line", "message"), BROKEN.values(), ids=BROKEN)
def test_refusals(read, changed, line, message):
    """A page that cannot go to print names its line, what was seen there, and what to do."""
    with pytest.raises(PageError) as error:
        read(**changed)

    path, _, rest = str(error.value).partition("slug.py:")
    assert path.endswith("traps/lists/")
    assert rest == f"{line}: {message}"


@pytest.mark.parametrize("text", ["", "x = 1\n", '""""""\n', '"""   \n"""\n'])
def test_no_docstring(read, text):
    """A page without a docstring is told what to open with."""
    with pytest.raises(PageError, match=r"slug\.py:1: the page has no docstring\. Open it with a title"):
        read(text)


def test_docstring_that_opens_with_an_empty_line(read):
    """The line at fault is counted from where the docstring opens, not from its first word."""
    with pytest.raises(PageError, match=r"slug\.py:8: 'mostly' is no verdict"):
        read("# A page\n" + page(title=f"\n{PARTS['title']}", verdict="Verdict: mostly"))


def test_no_unicode(tmp_path):
    """A page in another encoding is refused at the line where it shows."""
    path = tmp_path / "slug.py"
    path.write_bytes(page().encode().replace(b"of two", "für zwei".encode("latin-1")))

    with pytest.raises(PageError, match=r"slug\.py:1: the page is not UTF-8\. Save it in that encoding\."):
        Page.read(path)


def test_blanks_are_listed(read):
    """A page begun and not written lists everything its author owes, line by line."""
    with pytest.raises(PageError) as error:
        read(
            question=f"{BLANK}: the question, ending in '?'",
            wrong=f"raise NotImplementedError  # {BLANK}: the tempting result",
        )

    path, _, rest = str(error.value).partition("slug.py:")
    assert path
    assert rest.splitlines()[:3] == [
        "3: 2 places wait to be filled in. Write them:",
        "    line 3: the question, ending in '?'",
        "    line 18: the tempting result",
    ]


def test_claims(read):
    """Claims are read without importing the page: names, regime as written, sentence, rivals, kind."""
    (claim,) = read(
        claim='wrong=(as_long_as_one, as_long_as_none), right=as_long_as_both, evidence="simulated"',
        given="items=st.integers(2, 20),\n    share=st.sampled_from([1, 2])",
        signature="answer, device, items, share",
        sentence='"""The joined list\n    holds both."""',
        helpers='\ndef as_long_as_none(items: int) -> int:\n    """Nothing\n    is left."""\n',
    ).claims

    assert claim.name == "test_length"
    assert claim.sentence == "The joined list holds both."
    assert claim.evidence == "simulated"
    assert claim.regime == ("items=st.integers(2, 20)", "share=st.sampled_from([1, 2])")
    assert claim.parameters == ("answer", "device", "items", "share")
    assert [rival.name for rival in claim.wrong] == ["as_long_as_one", "as_long_as_none"]
    assert claim.wrong[1].sentence == "Nothing is left."
    assert claim.right.sentence == "Each list hands over every item it has."
    assert claim.right.reason == "The result is a list of its own."
    assert list(claim.rivals) == ["wrong-as_long_as_one", "wrong-as_long_as_none", "right-as_long_as_both"]


def test_claim_lines(read):
    """A claim's line is that of its test, and its kind is exact unless it says otherwise."""
    found = read()
    (claim,) = found.claims

    assert found.path.read_text().splitlines()[claim.line - 1] == "def test_length(answer, items):"
    assert claim.evidence == "exact"


def test_functions_that_are_no_claims(read):
    """Helpers and plain tests on a page are none of its claims."""
    helpers = "def helper():\n    pass\n\n\n@given(st.none())\ndef test_other(x):\n    pass\n"

    assert [claim.name for claim in read(helpers=helpers).claims] == ["test_length"]


@pytest.mark.parametrize(
    ("signature", "cpu", "gpu"),
    [
        ("answer, items", True, False),
        ("answer, device, items", True, True),
        ("answer, gpu, items", False, True),
    ],
)
def test_where_a_claim_runs(read, signature, cpu, gpu):
    """A claim runs on the CPU alone, on every device, or on a GPU alone, by what its test names."""
    (claim,) = read(signature=signature).claims

    assert (claim.runs_on("cpu"), claim.runs_on("nvidia-h200")) == (cpu, gpu)


PROSE = {
    "docstrings": {"belief": '"""Another\n    belief."""', "sentence": '"""Another sentence."""'},
    "colophon": {"more": "Limits: it says nothing of tuples", "title": "Another title"},
    "comments": {"head": "# A comment\n"},
    "comments beside code": {"right": "return 2 * items  # both"},
    "empty lines": {"helpers": "\n\n\n"},
}


@pytest.mark.parametrize("changed", PROSE.values(), ids=PROSE)
def test_digest_of_other_prose(read, changed):
    """Prose may be polished without taking the evidence again."""
    assert read(**changed).digest == read().digest


CODE = {
    "an answer": {"right": "return items * 2"},
    "the regime": {"given": "items=st.integers(2, 51)"},
    "a helper": {"helpers": "FACTOR = 2"},
    "a sign in a string": {"helpers": 'MARK = "# a comment"'},
    "another sign in a string": {"helpers": 'MARK = "# another"'},
    "an indent": {"right": "if items:\n        pass\n    return 2 * items"},
    "another indent": {"right": "if items:\n        pass\n        return 2 * items"},
}


def test_digest_of_other_code(read):
    """Whatever code is changed, the evidence must be taken again."""
    digests = [read().digest, *(read(**changed).digest for changed in CODE.values())]

    assert len(set(digests)) == len(digests)


def test_reading_in_another_process(read):
    """A page is read without torch, and has the same short digest in every process."""
    found = read()
    program = (
        "import pathlib, sys, fixtures.trial.page, fixtures.trial.record; "
        "print(fixtures.trial.page.Page.read(pathlib.Path(sys.argv[1])).digest, 'torch' in sys.modules)"
    )
    command = [sys.executable, "-c", program, str(found.path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)

    assert re.fullmatch(r"[0-9a-f]{12}", found.digest)
    assert done.stdout == f"{found.digest} False\n"


@pytest.mark.parametrize(
    ("word", "repair"),
    [
        ("sources", "Did you mean 'Source'?"),
        ("Right", "Did you mean 'Right when'?"),
        ("xyzzy", "Known are Answer, Says, Verdict, Asked, Source, Terms, Right when, Limits"),
    ],
)
def test_did_you_mean(word, repair):
    """A misspelt word is answered with its nearest neighbour, else with all that is known."""
    assert did_you_mean(word, ENTRIES) == repair


def test_the_corpus_in_order(tmp_path):
    """Pages come by area and name; an area's opening and files beside the areas are no pages."""
    for name in ("b/a.py", "a/z.py", "a/b.py", "a/__init__.py", "stray.py", "a/deep/er.py"):
        path = tmp_path / "traps" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(), encoding="utf-8")

    assert [p.name for p in pages(tmp_path)] == ["traps/a/b.py", "traps/a/z.py", "traps/b/a.py"]
    assert [p.stem for p in page_paths(tmp_path)] == ["b", "z", "a"]


def test_chapters(tmp_path):
    """An area opens with the docstring of its `__init__.py`, on one line."""
    init = tmp_path / "traps" / "lists" / "__init__.py"
    init.parent.mkdir(parents=True)
    init.write_text('"""What lists hold,\nand for how long."""\n', encoding="utf-8")

    assert chapters(tmp_path) == {"lists": "What lists hold, and for how long."}


def test_chapter_without_opening(tmp_path):
    """An area without an opening sentence is refused by name."""
    init = tmp_path / "traps" / "lists" / "__init__.py"
    init.parent.mkdir(parents=True)
    init.write_text("", encoding="utf-8")

    with pytest.raises(PageError, match=r"__init__\.py:1: the area has no opening sentence\. Write one as"):
        chapters(tmp_path)


UNREADABLE = {
    "no question": (page(question=None), "broken.py:2: the page asks nothing."),
    "syntax": (page(right="return 2 *"), "broken.py*line 27*SyntaxError: invalid syntax"),
    "import": (page(head="import torhc"), "broken.py:15: in <module>*No module named 'torhc'"),
}


@pytest.mark.parametrize(("text", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_other_pages_run(corpus, text, message):
    """A page that cannot be read is an error of its own; every other page runs."""
    corpus.write()
    corpus.write(text, slug="broken")
    result = corpus.run()

    result.assert_outcomes(passed=1, errors=1)
    assert "1 refuted" in result.stdout.str()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.no_fnmatch_line("*Interrupted*")
    assert re.search(".*".join(map(re.escape, message.split("*"))), result.stdout.str(), re.DOTALL)
    assert "fixtures/" not in result.stdout.str()
    assert "_pytest/" not in result.stdout.str()


def test_the_regime_carries_the_definitions_it_names(read):
    """What `@given` refers to is part of the regime, and so is what that refers to."""
    found = read(
        given="items=few, more=st.integers(1, MOST)",
        helpers="MOST = 8\nUNUSED = 9\nLOW, HIGH = 1, 4\nfew = st.integers(LOW, HIGH)",
    )

    assert found.claims[0].definitions == ("MOST = 8", "LOW, HIGH = 1, 4", "few = st.integers(LOW, HIGH)")
