"""Whatever happens to the folder or to the process, a record is the old one or the new one, and whole."""

import contextlib
import errno
import os
import shutil
import subprocess
import sys
import time

import pytest

from fixtures.trial.record import records
from tests.corpus import SLUG

PAGE = f"traps/lists/{SLUG}.py"

UNWRITABLE = {
    "a folder below a file": (
        "file/evidence",
        "cannot be written (Not a directory). Name a folder that can.",
    ),
    "a file for a folder": ("file", "cannot be written (File exists). Name a folder that can."),
    "a file of the first schema": (
        "evidence/cpu.json",
        "names a file, and each page has a record of its own. Name a folder.",
    ),
}


@pytest.mark.parametrize(("path", "reason"), UNWRITABLE.values(), ids=UNWRITABLE)
def test_unwritable_folder(corpus, path, reason):
    """A folder that cannot hold records is refused before anything runs."""
    corpus.write()
    (corpus.path / "file").touch()
    result = corpus.run(f"--evidence={path}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == [f"ERROR: --evidence {path}: {reason}"]
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


def test_retake_of_nothing(corpus):
    """--retake without a folder of records is refused."""
    result = corpus.run("--retake")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == [
        "ERROR: --retake replaces records, and none is taken. Add --evidence=evidence."
    ]


# What lies where a record is to be written

REPLACED = {
    "cut short": lambda text: text[: len(text) // 2],
    "cut short in its first line": lambda text: text[:5],
    "empty": lambda text: "",
    "merged in conflict": lambda text: f"<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> other\n",
    "changed by hand": lambda text: text.replace('"held"', '"won"'),
}


@pytest.mark.parametrize("damage", REPLACED.values(), ids=REPLACED)
def test_torn_record_is_taken_anew(corpus, damage):
    """A record that was cut short or damaged gives way to a new one."""
    corpus.write()
    text = corpus.record().text()
    corpus.place().write_text(damage(text))

    corpus.run("--evidence=evidence").stdout.fnmatch_lines(["*: 1 taken, 0 kept, 0 refused, 0 failed"])
    assert corpus.read().text() == text


FOREIGN = {
    "of another version": ('{"schema_version": 99}', "has schema version 99; this one reads 2. Remove it, *"),
    "foreign": ('{"name": "trapsheet"}', "is JSON, but no record of a run. Move it out of the folder."),
    "of another page": (None, "speaks of traps/lists/other.py. Move it to …/lists/other.json."),
}


@pytest.mark.parametrize(("text", "message"), FOREIGN.values(), ids=FOREIGN)
def test_foreign_file_is_left(corpus, text, message):
    """A file that is something else is left as it is, with what to do about it."""
    corpus.write()
    text = text or corpus.record().text().replace(SLUG, "other")
    corpus.place().parent.mkdir(parents=True, exist_ok=True)
    corpus.place().write_text(text)
    result = corpus.run("--evidence=evidence", "--retake")

    result.stdout.fnmatch_lines(
        [f"evidence: *{SLUG}.json: {message}", "evidence: *: 0 taken, 0 kept, 1 refused, 0 failed"]
    )
    assert corpus.place().read_text() == text


def test_folder_in_the_place_of_a_record(corpus):
    """A folder of a record's name is reported, and is no reason to lose the other pages."""
    corpus.write()
    corpus.write(slug="second")
    corpus.place().mkdir(parents=True)
    result = corpus.run("--evidence=evidence")

    result.stdout.fnmatch_lines(
        [
            f"evidence: *{SLUG}.json: cannot be read (Is a directory). *",
            "*: 1 taken, 0 kept, 1 refused, 0 failed",
        ]
    )
    assert corpus.read("second")


# Full disks


@pytest.fixture
def three(corpus):
    """Three pages, their records, and what these say; then the pages change."""
    slugs = (SLUG, "second", "third")
    for slug in slugs:
        corpus.write(slug=slug)
    corpus.run("--evidence=evidence")
    before = {slug: corpus.place(slug).read_bytes() for slug in slugs}
    for slug in slugs:
        corpus.write(slug=slug, given="items=st.integers(3, 20)")
    return before


def full(*arguments):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("step", ["os.replace", "os.chmod"])
def test_full_disk(corpus, three, monkeypatch, step):
    """Where nothing can be written the old records stay, no draft remains, and the run says so and fails."""
    monkeypatch.setattr(step, full)
    result = corpus.run("--evidence=evidence")

    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    assert [line for line in result.outlines if line.startswith("evidence: ")] == [
        f"evidence: evidence/cpu/lists/{SLUG}.json: cannot be written (No space left on device). "
        "What was there is as it was; make room, or name another folder",
        "evidence: evidence: 0 taken, 0 kept, 0 refused, 0 failed, 3 unwritten",
    ]
    assert {slug: corpus.place(slug).read_bytes() for slug in three} == three
    assert len(os.listdir(corpus.place().parent)) == 3


def test_disk_that_fills_up(corpus, three, monkeypatch):
    """What could be written is whole, what could not is as it was."""
    replace = os.replace
    monkeypatch.setattr(
        "os.replace", lambda draft, path: full() if "second" in draft else replace(draft, path)
    )
    result = corpus.run("--evidence=evidence")

    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    result.stdout.fnmatch_lines(["evidence: evidence: 2 taken, 0 kept, 0 refused, 0 failed, 1 unwritten"])
    assert corpus.place("second").read_bytes() == three["second"]
    assert corpus.read().digest == corpus.read("third").digest != corpus.read("second").digest


def test_disk_that_is_full_in_earnest(corpus, three):
    """On a small file system without a free page the old records stay, and no draft remains."""
    folder, saved = corpus.path / "evidence", corpus.path / "saved"
    shutil.move(folder, saved)
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", folder]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("only root mounts a file system")
    try:
        shutil.copytree(saved, folder, dirs_exist_ok=True)
        with (folder / "filling").open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        result = corpus.run("--evidence=evidence")
        kept = {slug: corpus.place(slug).read_bytes() for slug in three}
        left = os.listdir(corpus.place().parent)
    finally:
        subprocess.run(["umount", folder], check=True)

    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    result.stdout.fnmatch_lines(["*: cannot be written (No space left on device). *", "*, 3 unwritten"])
    assert kept == three
    assert len(left) == 3


# Processes that die, or meet

SLOW = """
import os
import time

replace = os.replace

def slowly(draft, path):
    if str(path).endswith(".json"):
        print("draft written", flush=True)
        time.sleep(float(os.environ["SLOWLY"]))
    replace(draft, path)

os.replace = slowly
"""


@pytest.fixture
def slow(corpus, three):
    """The three pages, in a corpus whose processes pause for SLOWLY seconds before they replace a record."""
    corpus.conftest(SLOW)
    return three


def start(corpus, *arguments, slowly):
    """A run of the corpus in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", "-s", "--evidence=evidence", *arguments],
        cwd=corpus.path,
        env={**os.environ, "SLOWLY": str(slowly)},
        stdout=subprocess.PIPE,
        text=True,
    )


def kill_at(process, text):
    """Kill a process as soon as it has said a text; an AssertionError if it never does."""
    with process.stdout:
        said = any(text in line for line in process.stdout)
        process.kill()
    process.wait()
    assert said


def test_killed_while_it_writes(corpus, slow, monkeypatch):
    """Killing a process while it writes leaves every record whole, and a later run removes its draft."""
    kill_at(start(corpus, slowly=60), "draft written")
    (draft,) = corpus.place().parent.glob(".*.draft")
    after = {slug: corpus.place(slug).read_bytes() for slug in slow}
    an_hour_ago = time.time() - 3600
    os.utime(draft, (an_hour_ago, an_hour_ago))
    monkeypatch.setenv("SLOWLY", "0")
    result = corpus.spawn("--evidence=evidence")

    assert after == slow
    result.stdout.fnmatch_lines(["evidence: evidence: 3 taken, 0 kept, 0 refused, 0 failed"])
    assert len(os.listdir(corpus.place().parent)) == len(list(records(corpus.path / "evidence"))) == 3


def test_killed_while_it_runs(corpus, three):
    """A process that is killed while it runs has changed nothing."""
    waits = "print('last page', flush=True)\n    import time\n    time.sleep(60)\n    observe(n=1)"
    corpus.write(slug="z_last", body=waits)
    kill_at(start(corpus, slowly=0), "last page")

    assert {slug: corpus.place(slug).read_bytes() for slug in three} == three
    assert len(os.listdir(corpus.place().parent)) == 3


def test_two_runs_at_once(corpus, slow):
    """Two runs that write into one folder at once leave whole records and no drafts."""
    both = [start(corpus, "--retake", slowly=0.2) for _ in range(2)]
    told = [process.communicate(timeout=120)[0] for process in both]

    assert [process.returncode for process in both] == [0, 0]
    assert all("evidence: evidence: 3 taken" in text for text in told)
    found = dict(records(corpus.path / "evidence"))
    assert {record.runs[1].counterexample.inputs["items"] for record in found.values()} == {3}
    assert len(os.listdir(corpus.place().parent)) == len(found) == 3
