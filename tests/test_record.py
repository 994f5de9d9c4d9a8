"""The record of a run is written whole or not at all, and read only if it is one."""

import json
import os
import runpy
import sys
from pathlib import Path

import jsonschema
import pytest
import torch

from fixtures.trial.record import (
    SCHEMA,
    Environment,
    Observation,
    Record,
    RecordError,
    Run,
    Samples,
    schema,
    show,
    write_atomically,
)
from tests.corpus import ROOT, SLUG

PAGE = f"traps/lists/{SLUG}.py"
SECOND = "traps/lists/second.py"


@pytest.fixture
def whole(corpus):
    """A corpus of two pages, and the bytes of its whole record."""
    corpus.write()
    corpus.write(slug="second")
    corpus.run("--evidence=evidence")
    return (corpus.path / "evidence" / "cpu.json").read_bytes()


def written(corpus):
    return (corpus.path / "evidence" / "cpu.json").read_bytes()


# Writing


def test_whole_record(corpus, whole):
    """A whole run has a file of its device's name: one run a line, sorted, to the last newline."""
    record = corpus.read()
    lines = whole.decode().split("\n")

    assert not record.partial
    assert [run.key for run in record.runs] == [
        (PAGE, "test_length", "right-as_long_as_both"),
        (PAGE, "test_length", "wrong-as_long_as_one"),
        (SECOND, "test_length", "right-as_long_as_both"),
        (SECOND, "test_length", "wrong-as_long_as_one"),
    ]
    assert sum(line.startswith('{"answer": ') for line in lines) == 4
    assert lines[-1] == ""
    assert whole.decode() == record.text()
    jsonschema.validate(json.loads(whole), json.loads(schema()))


def test_environment(corpus, whole):
    """The header says where a run took place."""
    found = corpus.read().environment

    assert found.device == "cpu"
    assert found.python == ".".join(map(str, sys.version_info[:3]))
    assert found.torch == torch.__version__
    assert len(found.day.split("-")) == 3
    assert all(found.model_dump().values())


def test_where_it_was_written(corpus):
    """A run says which file it wrote, with how many runs, and may be asked for one by name."""
    corpus.write()
    result = corpus.run("--evidence=a/b/mine.json")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(["evidence: a/b/mine.json: 2 runs"])
    assert len(Record.read(corpus.path / "a" / "b" / "mine.json").runs) == 2


def test_no_draft_is_left(corpus, whole):
    """Beside the record nothing is left of its writing."""
    assert os.listdir(corpus.path / "evidence") == ["cpu.json"]


NUMBERED = """
LIMIT = 4711
SHARE = 0.123456
WORD = "{slug}"
"""

SHUFFLE = """
import random

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    random.Random(5).shuffle(items)
"""


def runs_in(text):
    """What a record says of its runs, without what it says of their day and place."""
    return text[text.index('"runs"') :]


@pytest.fixture
def varied(corpus):
    """Three pages with constants of their own and wide regimes, and the record of a run in this process."""
    for slug in ("first", "second", "third"):
        corpus.write(
            slug=slug,
            head=NUMBERED.format(slug=slug).replace("4711", str(4711 + len(slug))),
            given="items=st.integers(2, 9999), share=st.floats(0, 1), "
            "words=st.frozensets(st.sampled_from(['a', 'b', 'c', 'd']))",
            signature="answer, items, share, words",
            body="observe(many=words)\n    assert observe(length=len(range(items)) * 2) == answer(items)",
        )
    corpus.run("--evidence=evidence")
    return written(corpus).decode()


def test_same_bytes_in_two_processes(corpus, varied):
    """A run in parallel leaves the same record."""
    corpus.spawn("-n2", "--evidence=evidence")

    assert runs_in(written(corpus).decode()) == runs_in(varied)


def test_same_bytes_in_any_order(corpus, varied):
    """A run in another order leaves the same record."""
    corpus.conftest(SHUFFLE)
    result = corpus.run("-v", "--evidence=evidence")
    tried = [line.split("[")[0] for line in result.outlines if "::" in line]

    assert tried != sorted(tried)
    assert runs_in(written(corpus).decode()) == runs_in(varied)


def test_same_bytes_alone(corpus, varied):
    """A page that runs alone, in a process that loads no other, leaves the same lines as among others."""
    corpus.spawn("traps/lists/second.py", "--evidence=alone")
    alone = (corpus.path / "alone" / "cpu.json").read_text().splitlines()
    runs = [line.rstrip(",") for line in alone if line.startswith('{"answer"')]

    assert len(runs) == 2
    assert runs == [line.rstrip(",") for line in varied.splitlines() if "second.py" in line]


UNWRITABLE = {
    "a folder below a file": ("file/evidence", "Not a directory"),
    "a file for a folder": ("file", "File exists"),
    "a folder for a file": ("folder.json", "it is a folder"),
    "a file of another kind": ("package.json", "it holds something that is no record"),
}


@pytest.mark.parametrize(("path", "reason"), UNWRITABLE.values(), ids=UNWRITABLE)
def test_unwritable_path(corpus, path, reason):
    """A record that could not be written is refused before anything runs."""
    corpus.write()
    (corpus.path / "file").touch()
    (corpus.path / "folder.json").mkdir()
    (corpus.path / "package.json").write_text('{"name": "other"}')
    result = corpus.run(f"--evidence={path}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == [
        f"ERROR: --evidence {path}: cannot be written ({reason}). Name a path that can."
    ]
    assert result.outlines == []


@pytest.mark.parametrize("option", ["--runxfail", f"--answer={PAGE}:as_long_as_both"])
def test_what_is_no_record(corpus, option):
    """A run that is no plain run leaves no record."""
    corpus.write()
    result = corpus.run("--evidence=evidence", option)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == [
        f"ERROR: --evidence and {option.split('=')[0]} exclude each other. Record a plain run."
    ]
    assert not (corpus.path / "evidence").exists()


def test_interrupted_run(corpus, whole):
    """An interrupted run leaves the old record byte for byte, and says that it wrote none."""
    corpus.write(slug="second", body="observe(length=1)\n    raise KeyboardInterrupt")
    result = corpus.run("--evidence=evidence")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["evidence: the session did not finish; no record was written"])
    assert written(corpus) == whole


def test_nothing_ran(corpus, whole):
    """A run of no claim leaves the old record too."""
    result = corpus.run("--evidence=evidence", "-k", "xyzzy")

    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    result.stdout.fnmatch_lines(["evidence: no claim ran; no record was written"])
    assert written(corpus) == whole


def break_a_page(corpus):
    corpus.write("import torhc\n", slug="third")


def unprint_a_page(corpus):
    corpus.write(slug="third", question=None)


def misspell_a_page(corpus):
    corpus.write(slug="third", right="return 2 *")


def miscode_a_page(corpus):
    file = corpus.write(slug="third", title="Längen")
    file.write_bytes(file.read_text(encoding="utf-8").encode("latin-1"))


def fail_a_page(corpus):
    corpus.write(slug="a_failure", right="return items")


PARTIAL = {
    "by -k": (None, ["-k", "second"]),
    "by the side of an answer": (None, ["-k", "right"]),
    "by a node": (None, [f"{PAGE}::test_length"]),
    "by a file": (None, [PAGE]),
    "by a page that is not imported": (break_a_page, []),
    "by a page that is not printed": (unprint_a_page, []),
    "by a page that is not Python": (misspell_a_page, []),
    "by a page that is not UTF-8": (miscode_a_page, []),
    "by -x": (fail_a_page, ["-x"]),
}


@pytest.mark.parametrize(("change", "arguments"), PARTIAL.values(), ids=PARTIAL)
def test_partial_record(corpus, whole, change, arguments):
    """A run that lacks a rival of some page is marked partial, and never replaces a whole record."""
    if change:
        change(corpus)
    result = corpus.run("--evidence=evidence", *arguments)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(
        [
            "evidence: evidence/cpu.json holds a whole run and this one is partial; it was left as it is. "
            "Run without a selection, or name another path"
        ]
    )
    assert written(corpus) == whole


def test_partial_record_elsewhere(corpus, whole):
    """Where there is no whole record a partial one is written, and marked as that."""
    result = corpus.run("--evidence=elsewhere", "-k", "second")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines(
        ["evidence: elsewhere/cpu.json: 2 runs, partial: the fact sheet will refuse it"]
    )
    assert Record.read(corpus.path / "elsewhere" / "cpu.json").partial


def test_partial_record_is_replaced(corpus):
    """A partial record gives way to another partial one, and to a whole one."""
    corpus.write()
    corpus.write(slug="second")
    first = corpus.record("-k", "second")
    other = corpus.record("-k", SLUG)
    whole = corpus.record()

    assert [record.partial for record in (first, other, whole)] == [True, True, False]
    assert first.runs != other.runs
    assert len(whole.runs) == 4


def test_damaged_record_is_replaced(corpus, whole):
    """A file that is no record any more gives way even to a partial one."""
    (corpus.path / "evidence" / "cpu.json").write_text("<<<<<<< HEAD\n")

    assert corpus.record("-k", "second").partial


def test_failing_run_is_whole(corpus):
    """A run in which a claim fails is recorded in full, failure and all."""
    corpus.write(right="return items")
    record = corpus.record()

    assert not record.partial
    assert [run.outcome for run in record.runs] == ["failed", "refuted"]


@pytest.fixture
def two_devices(monkeypatch):
    """A machine with a GPU, as far as pytest can tell."""
    monkeypatch.setattr("fixtures.device.devices", lambda: (torch.device("cpu"), torch.device("cuda")))
    monkeypatch.setattr("torch.cuda.get_device_name", lambda device=None: "NVIDIA H200")


def test_a_record_for_each_device(corpus, two_devices):
    """Each device has a record of its own, whole if it holds what such a device can run."""
    corpus.write()
    corpus.write(slug="anywhere", signature="answer, device, items")
    corpus.write(slug="on_a_gpu", signature="answer, gpu, items")
    result = corpus.run("--evidence=evidence")
    cpu, gpu = corpus.read("cpu"), corpus.read("nvidia-h200")

    result.stdout.fnmatch_lines(
        ["evidence: evidence/cpu.json: 4 runs", "evidence: evidence/nvidia-h200.json: 4 runs"]
    )
    assert (cpu.partial, gpu.partial) == (False, False)
    assert {run.page for run in cpu.runs} == {PAGE, "traps/lists/anywhere.py"}
    assert {run.page for run in gpu.runs} == {"traps/lists/anywhere.py", "traps/lists/on_a_gpu.py"}
    assert {run.device for run in gpu.runs} == {"nvidia-h200"}
    assert gpu.environment.device_name == "NVIDIA H200"


def test_one_file_for_two_devices(corpus, two_devices):
    """Two devices do not fit into one file."""
    corpus.write(signature="answer, device, items")
    result = corpus.run("--evidence=one.json")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(
        ["evidence: one.json is one file, and cpu, nvidia-h200 ran. Name a folder; no record was written"]
    )
    assert not (corpus.path / "one.json").exists()


def test_refutations_on_two_devices(corpus, two_devices):
    """Under -v each device's figures stand apart, the CPU's first."""
    corpus.write(signature="answer, device, items")

    corpus.run("-v").stdout.fnmatch_lines(
        [
            "        assert 4 == 2    at items=2",
            "    as_long_as_both: held on 19 examples",
            "        assert 4 == 2    at items=2 on nvidia-h200",
            "    as_long_as_both: held on 19 examples on nvidia-h200",
        ],
        consecutive=False,
    )


# Reading


def run_of(answer, **changed):
    """A run as a claim might leave it."""
    words = dict.fromkeys(("page", "claim", "device", "digest", "evidence", "assertion", "reason"), "word")
    seen = {"length": Observation(smallest=1, largest=2.5, last=[1, "inf", None])}
    samples = Samples(inputs={"n": [1, 2]}, observed={"length": [1, None]}, predicted=[0.5, 2])
    parts = {"outcome": "held", "examples": 2, "observed": seen, "samples": samples, "counterexample": None}
    return Run(**{**words, **parts, "answer": answer, **changed})


@pytest.fixture
def content():
    """A good record as JSON."""
    names = ("device", "device_name", "platform", "python", "torch", "hypothesis", "day")
    runs = [run_of("right"), run_of("wrong", outcome="refuted", counterexample={"word": "'ä'"})]
    place = Environment(**dict.fromkeys(names, "word"))
    record = Record(schema_version=SCHEMA, partial=False, environment=place, runs=runs)
    return json.loads(record.text())


def test_schema():
    """The committed JSON Schema is the one that the record's definition yields."""
    committed = (ROOT / "fixtures" / "trial" / "record.schema.json").read_text(encoding="utf-8")

    assert committed == schema(), "run `python -m fixtures.trial.record > fixtures/trial/record.schema.json`"
    jsonschema.Draft202012Validator.check_schema(json.loads(committed))


def test_schema_is_printed(capsys):
    """`python -m fixtures.trial.record` prints the schema."""
    runpy.run_path(str(ROOT / "fixtures" / "trial" / "record.py"), run_name="__main__")

    assert capsys.readouterr().out == schema()


def test_record_fits_its_schema(content):
    """A record fits the JSON Schema."""
    jsonschema.validate(content, json.loads(schema()))


def broken(content, *path, value):
    """A copy of a record with one value changed."""
    copy = json.loads(json.dumps(content))
    at = copy
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return copy


BROKEN = {
    "an outcome unheard of": (["runs", 0, "outcome"], "won", "runs.0.outcome: Input should be 'held', "),
    "examples in words": (
        ["runs", 1, "examples"],
        "many",
        "runs.1.examples: Input should be a valid integer",
    ),
    "no runs": (["runs"], None, "runs: Input should be a valid list"),
    "a field of its own": (["mood"], "good", "mood: Extra inputs are not permitted"),
    "a day in numbers": (["environment", "day"], 1, "environment.day: Input should be a valid string"),
}


@pytest.mark.parametrize(("path", "value", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_field(tmp_path, content, path, value, message):
    """A field that breaks the schema is named, by the reader as by the JSON Schema."""
    damaged = broken(content, *path, value=value)
    file = tmp_path / "cpu.json"
    file.write_text(json.dumps(damaged))

    with pytest.raises(RecordError) as error:
        Record.read(file)
    assert str(error.value).startswith(f"{file}: breaks the schema at {message}")
    assert str(error.value).endswith(". Take it again with `make facts`.")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(damaged, json.loads(schema()))


UNREADABLE = {
    "malformed": ('{"schema_version": 1, ', "is not JSON (Expecting property name"),
    "no text": ("", "is not JSON (Expecting value"),
    "a list": ("[1]", "is JSON, but no record of a run."),
    "foreign": ('{"name": "trapsheet"}', "is JSON, but no record of a run."),
    "of another version": ('{"schema_version": 99}', "has schema version 99; this one reads 1."),
    "of an unknown version": ('{"schema_version": "two"}', "has schema version 'two'; this one reads 1."),
}


@pytest.mark.parametrize(("text", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_record(tmp_path, text, message):
    """A file that is no record says what it is and what to do."""
    file = tmp_path / "cpu.json"
    file.write_text(text)

    with pytest.raises(RecordError) as error:
        Record.read(file)
    assert str(error.value).startswith(f"{file}: {message}")
    assert str(error.value).endswith(" Take it again with `make facts`.")


def test_missing_record(tmp_path):
    """A record that is not there cannot be read."""
    with pytest.raises(RecordError, match=r"cpu\.json: cannot be read \(No such file or directory\)\. Take"):
        Record.read(tmp_path / "cpu.json")


def test_record_that_is_no_text(tmp_path):
    """A file of other bytes is no JSON."""
    file = tmp_path / "cpu.json"
    file.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(RecordError, match=r"cpu\.json: is not JSON \("):
        Record.read(file)


def test_record_is_written_as_it_was_read(tmp_path, content):
    """Reading a record and writing it loses nothing."""
    file = tmp_path / "cpu.json"
    file.write_text(json.dumps(content))

    assert json.loads(Record.read(file).text()) == content


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (0.5, "0.5"),
        (None, "None"),
        (True, "True"),
        ("'a'", "'a'"),
        ([1, "'a'"], "[1, 'a']"),
    ],
)
def test_show(value, text):
    """A recorded value is shown as Python prints it."""
    assert show(value) == text


def test_at():
    """A counterexample reads as the inputs it was found at."""
    run = run_of("right", counterexample={"n": 1, "word": "'a'", "row": [1, "1/3"]})

    assert run.at == "n=1, word='a', row=[1, 1/3]"
    assert run.model_copy(update={"counterexample": None}).at == ""


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
def test_failed_write(tmp_path, monkeypatch, step, error):
    """A write that fails leaves the old file, and no draft beside it."""

    def fail(*arguments):
        raise error

    file = tmp_path / "a.txt"
    file.write_text("old")
    monkeypatch.setattr(f"os.{step}", fail)

    with pytest.raises(type(error)):
        write_atomically(file, "new")
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_unwritten_text(tmp_path):
    """A text that cannot be encoded leaves the old file, and no draft beside it."""
    file = Path(tmp_path / "a.txt")
    file.write_text("old")

    with pytest.raises(UnicodeEncodeError):
        write_atomically(file, "\ud800")
    assert file.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]
