"""A record has one definition, is read only if it is whole, and its file is replaced in one step."""

import json
import os
import runpy
import time

import jsonschema
import pytest

from fixtures.trial.record import (
    SCHEMA,
    Counterexample,
    Environment,
    Fit,
    Observation,
    Record,
    RecordError,
    Run,
    Samples,
    Spread,
    records,
    remove_drafts,
    schema,
    show,
    write_atomically,
)
from tests.corpus import ROOT

PAGE = "traps/memory/kvcache.py"


def run_of(answer, **changed):
    """A run as a claim might leave it."""
    words = {
        "claim": "test_bytes",
        "evidence": "exact",
        "outcome": "held",
        "quantity": "length",
        "reason": "",
    }
    seen = {"length": Observation(smallest=1, largest=2.5, last=[1, "inf", None])}
    samples = Samples(inputs={"n": [1, 2]}, observed={"length": [1, None]}, predicted={answer: [0.5, "nan"]})
    spread = Spread(smallest=0.5, median=1.0, largest=2.0)
    fits = {answer: Fit(agrees=1, of=2, raised=0, ratio=spread, off=None)}
    parts = {"examples": 2, "observed": seen, "samples": samples, "worked": None, "fits": fits}
    return Run(**{**words, **parts, "counterexample": None, "answer": answer, **changed})


FOUND = Counterexample(
    inputs={"n": 1, "word": "'ä'", "row": [1, "1/3"]}, observed=4, predicted=2, assertion="assert 4 == 2"
)


@pytest.fixture
def record():
    """A good record."""
    names = ("device", "device_name", "platform", "python", "torch", "hypothesis", "day")
    wrong = run_of("wrong-less", outcome="refuted", counterexample=FOUND, samples=None, fits={})
    return Record(
        schema_version=SCHEMA,
        page=PAGE,
        digest="0123",
        environment=Environment(**dict.fromkeys(names, "wörd")),
        runs=[wrong, run_of("right-all")],
    )


@pytest.fixture
def place(tmp_path, record):
    """Where the record lies, in a folder of records."""
    place = tmp_path / "cpu" / record.place
    write_atomically(place, record.text())
    return place


def test_one_run_a_line(record):
    """The text of a record has one run a line, sorted, so that a diff shows which run changed."""
    lines = record.text().splitlines()
    runs = [line for line in lines if line.startswith('{"answer"')]

    assert [line.split('"')[3] for line in runs] == ["right-all", "wrong-less"]
    assert len(lines) == len(runs) + 8
    assert "wörd" in record.text()


def test_place(record):
    """A record lies under its page's area and name, whatever the device's folder is called."""
    assert record.place == "memory/kvcache.json"


def test_written_as_read(place, record):
    """Reading a record and writing it loses nothing."""
    assert Record.read(place).text() == record.text()


def test_schema_is_committed():
    """The committed JSON Schema is the one that the record's definition yields."""
    committed = (ROOT / "fixtures" / "trial" / "record.schema.json").read_text(encoding="utf-8")

    assert committed == schema(), "run `python -m fixtures.trial.record > fixtures/trial/record.schema.json`"
    jsonschema.Draft202012Validator.check_schema(json.loads(committed))


def test_schema_is_printed(capsys):
    """`python -m fixtures.trial.record` prints the schema."""
    runpy.run_path(str(ROOT / "fixtures" / "trial" / "record.py"), run_name="__main__")

    assert capsys.readouterr().out == schema()


def test_record_fits_its_schema(record):
    """A record fits the JSON Schema."""
    jsonschema.validate(json.loads(record.text()), json.loads(schema()))


def test_every_committed_record_is_whole():
    """Each record of the corpus is read, fits the JSON Schema and is committed as it would be written."""
    contract = jsonschema.Draft202012Validator(json.loads(schema()))
    found = list(records(ROOT / "evidence"))

    for path, record in found:
        text = path.read_text(encoding="utf-8")
        contract.validate(json.loads(text))
        assert text == record.text(), path
    assert found


# Reading


def broken(record, *path, value):
    """A record's JSON with one value changed."""
    content = json.loads(record.text())
    at = content
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return content


BROKEN = {
    "an outcome unheard of": (["runs", 0, "outcome"], "won", "runs.0.outcome: Input should be 'held', "),
    "examples in words": (["runs", 1, "examples"], "many", "runs.1.examples: Input should be a valid int"),
    "no runs": (["runs"], None, "runs: Input should be a valid list"),
    "a field of its own": (["mood"], "good", "mood: Extra inputs are not permitted"),
    "a day in numbers": (["environment", "day"], 1, "environment.day: Input should be a valid string"),
    "no page": (["page"], "kvcache", "page: String should match pattern"),
    "a page elsewhere": (["page"], "traps/../../kvcache.py", "page: String should match pattern"),
}


@pytest.mark.parametrize(("path", "value", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_field(place, record, path, value, message):
    """A field that breaks the schema is named, by the reader as by the JSON Schema."""
    damaged = broken(record, *path, value=value)
    place.write_text(json.dumps(damaged))

    with pytest.raises(RecordError) as error:
        Record.read(place)
    assert str(error.value).startswith(f"{place}: breaks the schema at {message}")
    assert str(error.value).endswith(". Take it again with `make facts`.")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(damaged, json.loads(schema()))


UNREADABLE = {
    "cut short": ('{"schema_version": 2, ', "is not JSON (Expecting property name", True),
    "empty": ("", "is not JSON (Expecting value", True),
    "merged in conflict": ("<<<<<<< HEAD\n{}", "is not JSON (Expecting value", True),
    "nested without end": ("[" * 100_000, "is not JSON (maximum recursion", True),
    "a list": ("[1]", "is JSON, but no record of a run. Move it out of the folder.", False),
    "foreign": ('{"name": "trapsheet"}', "is JSON, but no record of a run. Move it", False),
    "of the next version": ('{"schema_version": 3}', "has schema version 3; this one reads 2. Remove", False),
    "of no version": ('{"schema_version": "two"}', "has schema version 'two'; this one reads 2.", False),
}


@pytest.mark.parametrize(("text", "message", "torn"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_record(place, text, message, torn):
    """A file that is no record says what it is and what to do, and may be replaced if it was one."""
    place.write_text(text)

    with pytest.raises(RecordError) as error:
        Record.read(place)
    assert str(error.value).startswith(f"{place}: {message}")
    assert str(error.value).endswith(".")
    assert error.value.torn == torn


def test_single_file_of_the_first_schema(tmp_path):
    """The one file that held all pages is refused with what to do."""
    old = tmp_path / "cpu.json"
    old.write_text('{"environment": {}, "partial": false, "schema_version": 1, "runs": []}')

    with pytest.raises(RecordError) as error:
        list(records(tmp_path))
    assert str(error.value) == (
        f"{old}: has schema version 1; this one reads 2. Remove it, and take the records anew with "
        "`make facts`: one file per page and device."
    )


def test_missing_record(tmp_path):
    """A record that is not there cannot be read."""
    with pytest.raises(RecordError, match=r"a\.json: cannot be read \(No such file or directory\)\. Take"):
        Record.read(tmp_path / "a.json")


def test_record_that_is_no_text(place):
    """A file of other bytes is no JSON."""
    place.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(RecordError, match=r"kvcache\.json: is not JSON \("):
        Record.read(place)


@pytest.mark.parametrize("where", ["memory/other.json", "inference/kvcache.json", "kvcache.json"])
def test_record_in_a_wrong_place(place, where):
    """A record that lies under another page's name or area is told where it belongs."""
    moved = place.parents[1] / where
    moved.parent.mkdir(exist_ok=True)
    place.rename(moved)

    with pytest.raises(RecordError) as error:
        Record.read(moved)
    assert str(error.value) == f"{moved}: speaks of {PAGE}. Move it to …/memory/kvcache.json."
    assert not error.value.torn


def test_run_that_stands_twice(place, record):
    """A record that a merge left with two lines of one run is no record."""
    twice = record.model_copy(update={"runs": [*record.runs, run_of("right-all", outcome="failed")]})
    place.write_text(twice.text())

    with pytest.raises(RecordError, match=r"kvcache\.json: holds test_bytes\[right-all\] twice\. Take it"):
        Record.read(place)


def test_records_of_a_folder(place, record):
    """Records are read by path, from as many folders as there are, and what a failure left is none."""
    elsewhere = place.parents[2] / "nvidia-h200" / record.place
    write_atomically(elsewhere, record.text())
    place.with_suffix(".failed.json").write_text("{")
    (place.parent / ".kvcache.json.abc.draft").write_text("{")

    assert [path for path, _ in records(place.parents[2])] == [place, elsewhere]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (0.5, "0.5"), (None, "None"), (True, "True"), ("'a'", "'a'"), ([1, "'a'"], "[1, 'a']")],
)
def test_show(value, text):
    """A recorded value is shown as Python prints it."""
    assert show(value) == text


def test_at():
    """A counterexample reads as the inputs it was found at."""
    assert FOUND.at == "n=1, word='ä', row=[1, 1/3]"


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"torch": "2.13.0+cu126"}, True),
        ({"torch": "2.13.1+cpu"}, False),
        ({"python": "3.11.12"}, True),
        ({"python": "3.12.0"}, False),
        ({"hypothesis": "6.170.16"}, False),
        ({"day": "2027-01-01", "device_name": "arm64", "platform": "Darwin"}, True),
    ],
)
def test_versions(record, changed, same):
    """A run is worth recording anew for another torch, Hypothesis or minor of Python, not for a build."""
    here = record.environment.model_copy(
        update={"torch": "2.13.0+cpu", "python": "3.11.7", "hypothesis": "6.170.15"}
    )

    assert (here.model_copy(update=changed).versions == here.versions) == same


# Writing a file


def test_write_atomically(tmp_path):
    """A file is made, with its folders, and replaced; others may read it."""
    file = tmp_path / "a" / "b.txt"
    write_atomically(file, "one")
    write_atomically(file, "zwei – 二")

    assert file.read_text(encoding="utf-8") == "zwei – 二"
    assert file.stat().st_mode & 0o777 == 0o644
    assert os.listdir(file.parent) == ["b.txt"]


@pytest.mark.parametrize("step", ["replace", "chmod"])
@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_failed_write(place, record, monkeypatch, step, error):
    """A write that fails leaves the old file, and no draft beside it."""

    def fail(*arguments):
        raise error

    monkeypatch.setattr(f"os.{step}", fail)

    with pytest.raises(type(error)):
        write_atomically(place, "new")
    assert place.read_text(encoding="utf-8") == record.text()
    assert os.listdir(place.parent) == ["kvcache.json"]


def test_unwritten_text(place, record):
    """A text that cannot be encoded leaves the old file, and no draft beside it."""
    with pytest.raises(UnicodeEncodeError):
        write_atomically(place, "\ud800")
    assert place.read_text(encoding="utf-8") == record.text()
    assert os.listdir(place.parent) == ["kvcache.json"]


def test_old_drafts_go(place):
    """What a process that was killed left of its writing goes, and what another one is writing stays."""
    left, written = (place.parent / f".kvcache.json.{name}.draft" for name in ("left", "written"))
    left.touch()
    written.touch()
    os.utime(left, (time.time() - 3600,) * 2)
    remove_drafts(place.parents[2])

    assert sorted(os.listdir(place.parent)) == [written.name, "kvcache.json"]
