"""Queries: what a page has to meet, read with care and told back when it cannot be read."""

import json
import re
import subprocess
import sys

import pytest
from hypothesis import given, strategies as st

from fixtures.trial.page import EVIDENCE, VERDICTS
from tests.corpus import ROOT
from tests.specimens import (
    CPU,
    TPU,
    examples,
    fit,
    read_page,
    runs_of,
    unverified,
    write_page,
    write_record,
)
from tools.facts import facts
from tools.fields import NUMBERS, TEXTS
from tools.query import (
    COMPARED,
    Among,
    Compared,
    Query,
    QueryError,
    Term,
    Text,
    Unverified,
    main,
    parse,
    select,
)
from tools.view import view


@pytest.fixture
def traps(repository):
    """Facts of three pages that differ in all that can be asked for."""
    root = repository
    worked = examples([512], [512], [6144], [0], heads=[8], group=[2])
    page = write_page(
        root,
        "inference/kvcache",
        rest="Answer: One per group.\nTerms: GQA, KV cache, chunked prefill",
        verdict="holds if heads are grouped",
    )
    write_record(root, page, runs_of(page, right={"worked": worked}))
    write_record(root, page, **TPU)
    page = write_page(
        root,
        "scaling/halves",
        title="Halves",
        question="What is a half, of eight heads?",
        verdict="refuted by too_few: four",
        asked=["Letters #3, https://example.org/3"],
        evidence="simulated",
    )
    fits = {"right-just_right": fit(100, off=None), "wrong-too_many": fit(off=(0.25, 0.5, 0.5))}
    write_record(root, page, runs_of(page, right={"fits": fits}))
    page = write_page(root, "gpu/streams", title="Streams", device="gpu", verdict="not judged: a toy")
    write_record(root, page, unverified(page))
    return facts(view(root))


FOUND = {
    "": "streams kvcache halves",
    "heads": "streams kvcache halves",
    "HALVES": "halves",
    '"a half, of"': "halves",
    "of half a": "halves",
    '"of half a"': "",
    "too_many -halves": "streams kvcache",
    '"too many"': "",
    "unverified": "streams",
    "-unverified": "kvcache halves",
    '"unverified"': "",
    "area:scaling,gpu": "streams halves",
    "area:scal": "",
    "area:Scaling": "halves",
    "-area:scaling,gpu": "kvcache",
    "verdict:refuted": "halves",
    'verdict:"holds if"': "kvcache",
    "verdict:holds-if,not_judged": "streams kvcache",
    "verdict:holds": "",
    "kind:simulated": "halves",
    "-kind:simulated": "streams kvcache",
    "asked:letters": "halves",
    'asked:"Book of Traps, chapter"': "streams kvcache",
    "source:noether": "streams kvcache halves",
    "term:gqa,nothing": "kvcache",
    'term:"chunked prefill"': "kvcache",
    "title:streams": "streams",
    "id:kv": "kvcache",
    "id:halves::test_heads": "halves",
    'verified:"tpu, torch 2.11"': "kvcache",
    "verified:cpu": "kvcache halves",
    "-verified:cpu": "streams",
    "wrong>2x": "kvcache halves",
    "wrong>8": "kvcache",
    "wrong=12x": "kvcache",
    "wrong<=4x": "halves",
    "wrong<4x": "",
    "-wrong>2": "streams",
    "claims>1": "",
    "claims=1 answers>=3": "streams kvcache halves",
    "lines<1e3 lines>10.5": "streams kvcache halves",
    "area:scaling kind:simulated wrong>2x -unverified": "halves",
}


@pytest.mark.parametrize(("query", "slugs"), FOUND.items())
def test_a_query_finds(traps, query, slugs):
    """Terms are joined by "and", values of a field by "or", and a minus turns a term round."""
    assert " ".join(page.id for page in select(traps, parse(query))) == slugs


def test_a_factor_that_tells_nothing_is_none(traps):
    """As on the sheet: a prediction of zero, or of another sign, is off by no factor."""
    fits = {"cpu": fit(off=(-3, 2, 8)), "gpu": fit(off=(0, 2, 8))}
    page = traps.pages[2]
    claim = page.claims[0]
    dumped = page.model_dump()
    dumped["claims"][0]["answers"][1]["fit"] = {name: one.model_dump() for name, one in fits.items()}
    dumped["claims"][0]["answers"][2]["fit"] = {}

    assert NUMBERS["wrong"].value(page) == 4
    assert NUMBERS["wrong"].value(type(page).model_validate(dumped)) is None
    assert claim.answers[1].fit


# Reading

words = st.text(min_size=1)
choices = {"verdict": st.sampled_from([*VERDICTS]), "kind": st.sampled_from([*EVIDENCE])}
among = st.sampled_from([*TEXTS]).flatmap(
    lambda field: st.builds(
        Among, st.just(field), st.lists(choices.get(field, words), min_size=1, max_size=3).map(tuple)
    )
)
compared = st.builds(
    Compared, st.sampled_from([*NUMBERS]), st.sampled_from([*COMPARED]), st.floats(0, allow_infinity=False)
)
terms = st.builds(Term, st.builds(Text, words) | among | compared | st.just(Unverified()), st.booleans())
queries = st.lists(terms).map(lambda some: Query(tuple(some)))


@given(query=queries)
def test_a_query_that_is_printed_reads_as_itself(query):
    """Whatever it holds: blanks, quotes, minus signs, names of fields."""
    assert parse(str(query)) == query


pieces = st.sampled_from([*TEXTS, *NUMBERS, *COMPARED, *VERDICTS, "unverified", *':,"\\- 2x', "e9", "1e999"])


@given(text=st.text() | st.lists(pieces).map("".join))
def test_any_text_is_a_query_or_is_told_why_not(text):
    """No input makes another error; what is read reads as itself, and what is not is shown where."""
    try:
        query = parse(text)
    except QueryError as error:
        seen, shown, mark, known = str(error).split("\n")
        assert re.match(r".+\. .+", seen)
        assert len(mark) <= len(shown) + 1
        assert mark.strip(" ^") == ""
        assert "^" in mark
        assert known.startswith("Fields are area, verdict, ")
    else:
        assert parse(str(query)) == query


REFUSED = {
    "aera:memory": ("aera", "'aera' is no field. Did you mean 'area'?"),
    "x kind:exact hue:red": ("hue", "'hue' is no field. Quote it to search for it"),
    "https://example.org": ("https", "'https' is no field. Quote it to search for it"),
    "area>2": ("area>", "'area' is text, which '>' does not compare. Write area:…"),
    "wrong:2": ("wrong:", "'wrong' is a number. Compare it, as in wrong>2"),
    "wrong>": ("wrong>", "'wrong' is compared with no number. Write one, as in wrong>2"),
    "lines<=many": ("lines<=many", "'lines' is compared with no number. Write one, as in lines<=2"),
    "lines>1e999": ("lines>1e999", "'lines' is compared with no number. Write one, as in lines>2"),
    "claims>2y": ("claims>2y", "'claims' is compared with no number. Write one, as in claims>2"),
    "verdict:refutd": ("refutd", "'refutd' is no verdict. Did you mean 'refuted'?"),
    "kind:exact,seen": ("seen", "'seen' is no kind. Known are exact, measured, trained, simulated, derived"),
    "area:memory,gqu": ("gqu", "'gqu' is no area. Did you mean 'gpu'?"),
    "area:": (":", "Nothing follows ':'. Write a value"),
    "area:gpu, x": (",", "Nothing follows ','. Write a value"),
    "- x": ("-", "Nothing follows '-'. Put it before a term, without a blank"),
    "--x": ("-", "'--' negates twice. Leave it out, or quote a word that begins so"),
    'a "b': ('"b', 'The quotes do not end. Close them with "'),
    'title:"b\\"': ('"b\\"', 'The quotes do not end. Close them with "'),
    '""': ('""', "The quotes hold nothing. Write what to look for"),
    'foo"bar"': ('"', "'\"' follows without a blank. Put one, or quote it all"),
    '"foo"bar': ("b", "'b' follows without a blank. Put one, or quote it all"),
}


@pytest.mark.parametrize(("query", "place", "said"), [(q, *told) for q, told in REFUSED.items()])
def test_a_bad_query_is_told_where_and_what_to_do(query, place, said):
    """What was seen and what to do, the place, and the fields that there are."""
    with pytest.raises(QueryError) as error:
        parse(query, areas=["gpu", "memory"])

    seen, shown, mark, known = str(error.value).split("\n")
    assert seen == said
    assert shown == f"  {query}"
    assert mark[2:].lstrip().startswith("^")
    assert shown[mark.index("^") :].startswith(place)
    assert all(name in known for name in [*TEXTS, *NUMBERS])


# From the terminal


def told(root, capsys, *arguments):
    """Exit status, output and errors of a query."""
    status = main([*arguments, "--root", str(root)])
    return status, *capsys.readouterr()


def test_a_page_is_told_in_a_line(repository, capsys):
    """Its file, title and verdict, and the numbers that were compared."""
    assert told(repository, capsys, "wrong>2x lines>1 claims=1") == (
        0,
        "traps/inference/kvcache.py: Heads of the cache (holds, wrong 8x, "
        f"lines {len(read_page(repository).text.splitlines())}, claims 1)\n",
        "",
    )


def test_a_page_is_told_to_machines(repository, capsys):
    """With `--json` a list of objects, whose ids are those of facts.json."""
    status, output, _ = told(repository, capsys, "wrong>2x", "--json")

    assert status == 0
    assert json.loads(output) == [
        {
            "id": "kvcache",
            "title": "Heads of the cache",
            "verdict": "holds",
            "file": "traps/inference/kvcache.py",
            "matched": {"wrong": 8.0},
        }
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["-kind:derived", "heads"],
        ["heads", "-unverified"],
        ["-unverified heads"],
        [],
        ["-halves"],
        ["heads", "--json", "-hoang", "cache"],
    ],
)
def test_terms_are_words_of_the_shell_or_one(repository, capsys, arguments):
    """A term with a minus is no option, wherever it stands; without a term all are listed."""
    assert told(repository, capsys, *arguments)[0] == 0


@pytest.mark.parametrize(("form", "output"), [([], ""), (["--json"], "[]\n")])
def test_where_nothing_is_found_the_status_is_1(repository, capsys, form, output):
    """As with grep."""
    assert told(repository, capsys, "nowhere", *form) == (1, output, "query: no page meets nowhere.\n")


def a_bad_query(root):
    return ["verdict:refutd"], "query: 'refutd' is no verdict. Did you mean 'refuted'?"


def an_area_that_is_not_there(root):
    return ["area:memory"], "query: 'memory' is no area. Known are inference"


def no_record(root):
    (root / "evidence/cpu/inference/kvcache.json").unlink()
    return [], "query: evidence/ holds no record."


def a_syntax_error(root):
    (root / "traps/inference/kvcache.py").write_text('"""Title"""\ndef (\n')
    return [], "kvcache.py:2: invalid syntax. Mend the page first."


@pytest.mark.parametrize("spoil", [a_bad_query, an_area_that_is_not_there, no_record, a_syntax_error])
def test_what_cannot_be_read_is_refused(repository, capsys, spoil):
    """Exit status 2, and nothing on the output."""
    query, expected = spoil(repository)

    status, output, errors = told(repository, capsys, *query)

    assert (status, output) == (2, "")
    assert expected in errors


def test_a_reader_that_has_seen_enough_is_no_error():
    """`| head -1` ends in silence."""
    ask = f"{sys.executable} -m tools.query | head -1"

    run = subprocess.run(["bash", "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True)

    assert run.stdout.startswith("traps/")
    assert run.stderr == ""


def test_help_says_what_each_field_means(capsys):
    """The same words as the table in the README."""
    with pytest.raises(SystemExit):
        main(["--help"])

    output = " ".join(capsys.readouterr().out.split())
    assert all(field.meaning in output for field in [*TEXTS.values(), *NUMBERS.values()])


def test_the_readme_lists_every_field():
    """A row for each, in its own words."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z]+)[:<>][^|]*\| (.+) \|$", readme, re.MULTILINE))

    assert rows == {name: field.meaning for name, field in [*TEXTS.items(), *NUMBERS.items()]}


def test_columns_are_named_as_on_the_sheet(traps):
    """`verified:` takes the name of a column, which holds a comma and so stands in quotes."""
    assert [page.id for page in select(traps, parse(f'verified:"{CPU}"'))] == ["kvcache", "halves"]
