"""A page's record is written whole or not at all, and replaced only by one that says something new."""

import json
import os
import sys

import jsonschema
import pytest
import torch

from fixtures.trial.record import Record, records, schema, write_atomically
from tests.corpus import SLUG

PAGE = f"traps/lists/{SLUG}.py"
NODE = f"{PAGE}::test_length"
TAKEN = "evidence: evidence: 1 taken, 0 kept, 0 refused, 0 failed"
KEPT = "evidence: evidence: 0 taken, 1 kept, 0 refused, 0 failed"
REFUSED = "evidence: evidence: 0 taken, 0 kept, 1 refused, 0 failed"
FAILED = "evidence: evidence: 0 taken, 0 kept, 0 refused, 1 failed"


def state(path):
    """The bytes of a file, and when it was written."""
    return path.read_bytes(), path.stat().st_mtime_ns


@pytest.fixture
def taken(corpus):
    """A corpus of one page and its record: where that lies, and the state of the file."""
    corpus.write()
    corpus.run("--evidence=evidence")
    return corpus.place(), state(corpus.place())


def alter(place, **changed):
    """Change the environment in which a record says that it was taken."""
    old = Record.read(place)
    there = old.environment.model_copy(update=changed)
    write_atomically(place, old.model_copy(update={"environment": there}).text())


def test_whole_page(corpus):
    """A page that ran whole has a record of its own below its area, also where two areas share a name."""
    corpus.write()
    corpus.write(area="sets")
    result = corpus.run("--evidence=a/b")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["evidence: a/b: 2 taken, 0 kept, 0 refused, 0 failed"])
    found = [
        path.relative_to(corpus.path).as_posix() for path in corpus.path.glob("a/**/*") if path.is_file()
    ]
    assert sorted(found) == [f"a/b/cpu/lists/{SLUG}.json", f"a/b/cpu/sets/{SLUG}.json"]


def test_what_a_record_says(corpus, taken):
    """A record names its page and environment, and fits the JSON Schema."""
    content, _ = taken[1]
    record = corpus.read()

    assert (record.page, [run.key for run in record.runs]) == (
        PAGE,
        [("test_length", "right-as_long_as_both"), ("test_length", "wrong-as_long_as_one")],
    )
    assert record.environment.device == "cpu"
    assert record.environment.python == ".".join(map(str, sys.version_info[:3]))
    # Of some wheels the metadata leave out which CUDA they are for.
    assert record.environment.torch in (torch.__version__, torch.__version__.partition("+")[0])
    assert len(record.environment.day.split("-")) == 3
    assert all(record.environment.model_dump().values())
    jsonschema.validate(json.loads(content), json.loads(schema()))


def test_environment_is_each_records_own(corpus, taken):
    """A run of one page leaves the others' environment as it was."""
    alter(taken[0], day="2001-01-01", platform="Plan 9")
    corpus.write(slug="second")
    corpus.run("--evidence=evidence", "-k", "second")

    assert corpus.read().environment.platform == "Plan 9"
    assert corpus.read("second").environment.platform != "Plan 9"


def test_one_page_by_its_word(corpus, taken):
    """A run that a word selects takes the records of the pages that ran whole, and touches no other."""
    corpus.write(slug="second")
    corpus.write(slug="third")
    result = corpus.run("--evidence=evidence", "-k", "second")

    result.stdout.fnmatch_lines([TAKEN])
    assert state(taken[0]) == taken[1]
    assert not corpus.place("third").exists()


def test_kept_if_nothing_changed(corpus, taken):
    """A record that says the same stays untouched: no byte is written."""
    alter(taken[0], day="2001-01-01", device_name="arm64", torch=torch.__version__.split("+")[0])
    before = state(taken[0])
    result = corpus.run("--evidence=evidence")

    result.stdout.fnmatch_lines([KEPT])
    assert state(taken[0]) == before


def test_kept_if_prose_changed(corpus, taken):
    """A page whose sentences are polished keeps its record."""
    corpus.write(title="Joined", belief='"""It stays."""', body="# A comment.\n    " + "assert " + ASSERT)
    first = state(taken[0])
    corpus.run("--evidence=evidence")
    corpus.write(title="Other", belief='"""It does."""', body="# Another.\n    " + "assert " + ASSERT)
    second = state(taken[0])
    result = corpus.run("--evidence=evidence")

    assert first != second
    result.stdout.fnmatch_lines([KEPT])
    assert state(taken[0]) == second


ASSERT = "observe(length=2 * items) == answer(items)"


def test_taken_if_the_code_changed(corpus, taken):
    """A page of another code has its record taken anew."""
    corpus.write(given="items=st.integers(3, 20)")
    result = corpus.run("--evidence=evidence")

    result.stdout.fnmatch_lines([TAKEN])
    assert corpus.read().runs[1].counterexample.inputs == {"items": 3}


@pytest.mark.parametrize("changed", [{"torch": "2.8.0"}, {"hypothesis": "6.0"}, {"python": "3.10.1"}])
def test_taken_if_a_version_changed(corpus, taken, changed):
    """A record of another torch, Hypothesis or minor of Python is taken anew."""
    alter(taken[0], **changed)

    corpus.run("--evidence=evidence").stdout.fnmatch_lines([TAKEN])
    assert state(taken[0])[0] == taken[1][0]


def test_taken_if_an_outcome_changed(corpus, taken):
    """A record in which a run ended otherwise is taken anew."""
    old = Record.read(taken[0])
    survived = old.runs[1].model_copy(update={"outcome": "survived"})
    write_atomically(taken[0], old.model_copy(update={"runs": [old.runs[0], survived]}).text())

    corpus.run("--evidence=evidence").stdout.fnmatch_lines([TAKEN])
    assert state(taken[0])[0] == taken[1][0]


def test_retake(corpus, taken):
    """With --retake a record is replaced though it says the same."""
    alter(taken[0], day="2001-01-01")

    corpus.run("--evidence=evidence", "--retake").stdout.fnmatch_lines([TAKEN])
    assert corpus.read().environment.day != "2001-01-01"


PARTS = {
    "all but one rival": ["--deselect", f"{NODE}[wrong-as_long_as_one]"],
    "one rival": [f"{NODE}[right-as_long_as_both]"],
    "one claim of two": [NODE],
}


@pytest.mark.parametrize("arguments", PARTS.values(), ids=PARTS)
def test_part_of_a_page(corpus, arguments):
    """A run that lacks a rival or a claim of the page leaves no record of it."""
    text = corpus.write().read_text()
    corpus.write(text + text[text.index("\n\n@claim") :].replace("test_length", "test_again"))
    result = corpus.run("--evidence=evidence", *arguments)

    result.stdout.fnmatch_lines([REFUSED])
    assert not corpus.place().exists()


def test_run_that_stops_at_the_first_failure(corpus, taken):
    """With -x a page that ran whole before the failure is recorded, and one after it is not."""
    corpus.write(slug="after")
    corpus.write(slug="before")
    corpus.write(slug="between", right="return items")
    names = [f"traps/lists/{slug}.py" for slug in ("before", "between", "after")]
    result = corpus.run("--evidence=evidence", "-x", *names)

    result.stdout.fnmatch_lines(["evidence: evidence: 1 taken, 0 kept, 0 refused, 1 failed"])
    assert corpus.place("before").exists()
    assert not corpus.place("after").exists()


def test_part_of_a_page_in_words(corpus, taken):
    """A refusal says what lacks and what to do, and leaves the record."""
    result = corpus.run("--evidence=evidence", "--retake", f"{NODE}[right-as_long_as_both]")

    assert (
        f"evidence: evidence/cpu/lists/{SLUG}.json: not all of the page ran "
        "(test_length[wrong-as_long_as_one] did not); select the page whole"
    ) in result.outlines
    result.stdout.fnmatch_lines([REFUSED])
    assert state(taken[0]) == taken[1]


def test_page_that_was_edited_meanwhile(corpus, taken):
    """A page that changes while it runs, so that two processes see two texts, is not whole."""
    corpus.conftest(
        "@pytest.hookimpl(tryfirst=True)\ndef pytest_runtest_logreport(report):\n"
        "    if 'right' in report.nodeid and hasattr(report, 'evidence'):\n"
        '        report.evidence = report.evidence.replace(\'"digest":"\', \'"digest":"x\')\n'
    )
    result = corpus.run("--evidence=evidence", "--retake")

    result.stdout.fnmatch_lines(["evidence: evidence: 0 taken, 0 kept, 2 refused, 0 failed"])
    assert state(taken[0]) == taken[1]


def test_page_that_is_not_collected(corpus, taken):
    """A page that cannot be imported leaves its record, and the other pages theirs."""
    corpus.write("import torhc\n")
    corpus.write(slug="second")
    result = corpus.run("--evidence=evidence")

    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines([TAKEN])
    assert state(taken[0]) == taken[1]


# Failures, and what was unverified


def test_failed_run(corpus, taken):
    """A run in which a claim fails never replaces a record: it leaves its own beside it, for its author."""
    corpus.write(right="return items")
    result = corpus.run("--evidence=evidence", "--retake")
    failed = taken[0].with_suffix(".failed.json")

    assert (
        f"evidence: evidence/cpu/lists/{SLUG}.json: test_length[right-as_long_as_both] failed; "
        f"what stood in {SLUG}.json is as it was"
    ) in result.outlines
    result.stdout.fnmatch_lines([FAILED])
    assert state(taken[0]) == taken[1]
    assert [run.outcome for run in Record.model_validate_json(failed.read_text()).runs] == [
        "failed",
        "refuted",
    ]
    assert [path for path, _ in records(corpus.path / "evidence")] == [taken[0]]


@pytest.mark.parametrize("again", [[], ["--retake"]], ids=["kept", "taken"])
def test_failure_that_was_mended(corpus, taken, again):
    """What a failed run left goes away with the next good one, whether that is taken or kept."""
    corpus.write(right="return items")
    corpus.run("--evidence=evidence")
    corpus.write()
    corpus.run("--evidence=evidence", *again)

    assert os.listdir(taken[0].parent) == [taken[0].name]


def test_toothless_run_is_no_record(corpus):
    """A wrong answer that survives is a failure as well."""
    corpus.write(given="items=st.just(0)")

    assert [run.outcome for run in corpus.failed().values()] == ["held", "survived"]


@pytest.mark.parametrize("again", [[], ["--retake"]], ids=["plain", "retake"])
def test_unverified_never_replaces_verified(corpus, taken, again):
    """A run in which a claim is unverified leaves a record in which it was verified."""
    corpus.conftest(
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_runtest_call(item):\n    if 'right' in item.name:\n        pytest.skip('not here')\n"
    )
    result = corpus.run("--evidence=evidence", *again)

    result.stdout.fnmatch_lines(
        [f"evidence: */{SLUG}.json: test_length was verified there and is unverified here", KEPT]
    )
    assert state(taken[0]) == taken[1]


def test_verified_replaces_unverified(corpus, monkeypatch):
    """A claim that could be tried at last is taken."""
    corpus.write(
        head="import os\n\nimport pytest",
        body=f"if 'SKIP' in os.environ:\n        pytest.skip('busy')\n    assert {ASSERT}",
    )
    monkeypatch.setenv("SKIP", "1")
    corpus.run("--evidence=evidence")
    unverified = {run.outcome for run in corpus.read().runs}
    monkeypatch.delenv("SKIP")
    corpus.run("--evidence=evidence")

    assert unverified == {"unverified"}
    assert {run.outcome for run in corpus.read().runs} == {"held", "refuted"}


def test_interrupted_session(corpus, taken):
    """An interrupted session leaves every record byte for byte, and says that it wrote none."""
    corpus.write(slug="a_good_one")
    corpus.write(slug="z_interrupted", body="observe(length=1)\n    raise KeyboardInterrupt")
    result = corpus.run("--evidence=evidence", "--retake")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["evidence: the session did not finish; nothing was written"])
    assert state(taken[0]) == taken[1]
    assert os.listdir(taken[0].parent) == [taken[0].name]


def test_nothing_ran(corpus, taken):
    """A run of no claim writes nothing."""
    result = corpus.run("--evidence=evidence", "--collect-only")

    result.stdout.fnmatch_lines(["evidence: no claim ran; nothing was written"])
    assert state(taken[0]) == taken[1]
