"""The bench grows a corpus that stays a corpus, and measures processes."""

import subprocess

import pytest

from fixtures.trial.page import Page, page_paths
from tools.bench import WORD, cpu_seconds, grow, main, table


def test_corpus_that_is_grown(corpus, tmp_path):
    """Pages that match are not copied, others are under new names, and all can be printed."""
    corpus.write(slug="kvcache_counts")
    corpus.write(slug="lists_grow")
    grow(corpus.path, tmp_path, copies=3)

    slugs = [path.stem for path in page_paths(tmp_path)]
    assert slugs == ["kvcache_counts", "lists_grow", "lists_grow_0", "lists_grow_1", "lists_grow_2"]
    assert {claim.name for path in page_paths(tmp_path) for claim in Page.read(path).claims} == {
        "test_length",
        "test_length_0",
        "test_length_1",
        "test_length_2",
    }


def test_copies_match_nothing(corpus, tmp_path, monkeypatch):
    """The copies of a corpus leave the claims that its word selects as they are."""
    corpus.write(slug="kvcache_counts")
    corpus.write(slug="lists_grow")
    before = corpus.run("--collect-only", "-q", "-k", WORD).outlines
    grow(corpus.path, tmp_path, copies=3)
    monkeypatch.chdir(tmp_path)
    after = corpus.run("--collect-only", "-q", "-k", WORD).outlines

    assert [line for line in before if "::" in line] == [line for line in after if "::" in line]


def test_cpu_seconds(tmp_path):
    """The CPU time of a process is its own, and a process that waits takes next to none."""
    busy = "import time\nwhile time.process_time() < 0.3: pass"

    assert cpu_seconds(["-c", busy], tmp_path) >= 0.3
    assert cpu_seconds(["-S", "-c", "import time; time.sleep(0.5)"], tmp_path) < 0.3


def test_process_that_fails(tmp_path):
    """A process that fails is not measured: its command and what it said are shown."""
    with pytest.raises(subprocess.CalledProcessError) as caught:
        cpu_seconds(["-c", "raise LookupError('gone')"], tmp_path)

    assert b"LookupError: gone" in caught.value.output


def test_table():
    """The table gives ratios to the floor, and milliseconds for each page that was added."""
    seconds = {"floor": 2.0, "collect": 2.2, "among copies": 2.6, "verdict": 3.0}

    floor, collect, among, verdict = table(seconds, copies=1000)
    assert floor.endswith("2.00 s   the floor")
    assert collect.endswith("2.20 s   1.10 floors; the aim is at most 1.25")
    assert among.endswith("2.60 s   0.40 ms for each; the aim is at most 1.0")
    assert verdict.endswith("3.00 s   1.50 floors; the aim is at most 1.6")


@pytest.mark.parametrize("arguments", [["--runs=0"], ["--copies=0"]])
def test_nothing_to_measure(capsys, arguments):
    """A bench without runs or copies is refused."""
    with pytest.raises(SystemExit):
        main(arguments)

    assert "Give --runs and --copies of 1 or more." in capsys.readouterr().err


def test_bench(capsys, monkeypatch):
    """The bench prints what each process took, the first run of each left out."""
    took = iter([9.0] * 4 + [2.0, 2.2, 2.6, 3.0])
    monkeypatch.setattr("tools.bench.cpu_seconds", lambda arguments, folder: next(took))

    assert main(["--runs=1", "--copies=2"]) == 0
    assert capsys.readouterr().out.splitlines() == table(
        {"floor": 2.0, "collect": 2.2, "among copies": 2.6, "verdict": 3.0}, copies=2
    )


def test_bench_of_a_corpus_that_fails(capsys, monkeypatch):
    """Where a process fails there are no figures, but what it said."""

    def fail(arguments, folder):
        raise subprocess.CalledProcessError(2, ["python", *arguments], b"no claim")

    monkeypatch.setattr("tools.bench.cpu_seconds", fail)

    assert main(["--runs=1", "--copies=2"]) == 1
    assert "failed:\nno claim" in capsys.readouterr().err
