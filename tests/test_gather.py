"""Gathering evidence: how records are merged, and what is refused with what to do."""

import json

import pytest

from fixtures.trial.page import pages
from fixtures.trial.record import SCHEMA
from tests.specimens import (
    CPU,
    FIRST,
    RIGHT,
    SECOND,
    TPU,
    add,
    read_page,
    run_of,
    runs_of,
    unverified,
    write_page,
    write_record,
)
from tools.gather import evidence_of, natural
from tools.sheet import main

NAME = "traps/inference/kvcache.py"


def gathered(root):
    return evidence_of(root, pages(root))


def run(root, column=CPU, answer=RIGHT):
    """The run that speaks for an answer in a column."""
    return gathered(root).runs[NAME, column, "test_heads", answer]


# Merging


def test_records_of_one_page_and_column_merge_by_lying_in_one_folder(repository):
    """Of two records that agree the first by file speaks, whatever its folder is called."""
    page = read_page(repository)
    write_record(repository, page, runs_of(page, right={"examples": 1000}), folder="a deep run/7")

    assert run(repository).examples == 1000
    assert gathered(repository).columns == (CPU,)


def test_what_one_machine_left_unverified_another_makes_good(repository):
    """A run that was verified speaks before one that was not, whichever file comes first."""
    write_record(repository, read_page(repository), unverified(read_page(repository)), folder="a shard")

    assert run(repository).outcome == "held"


def test_shards_cover_the_corpus_together(repository):
    """Pages whose records lie in different folders are one column."""
    page = write_page(repository, "scaling/halves")
    write_record(repository, page, folder="shard-2/cpu")

    assert {place[0] for place in gathered(repository).runs} == {NAME, "traps/scaling/halves.py"}


def test_columns_are_a_device_and_a_torch(repository):
    """The reference comes first, then the CPU's other versions as one counts, then other devices."""
    page = read_page(repository)
    write_record(repository, page, **TPU)
    for minor in ("2.9", "2.14"):
        write_record(repository, page, folder=f"cpu-{minor}", torch=f"{minor}.1")

    assert gathered(repository).columns == (CPU, "cpu, torch 2.9", "cpu, torch 2.14", "tpu, torch 2.11")


def test_natural_order_mixes_words_and_numbers():
    """Numbers sort by value."""
    assert sorted(["torch 2.13", "torch 2.9", "torch 10.0"], key=natural) == [
        "torch 2.9", "torch 2.13", "torch 10.0"
    ]  # fmt: skip


def test_an_older_record_of_another_column_is_left_out(repository):
    """What it says of another text of the page is stale: it is told, and not printed."""
    write_record(repository, read_page(repository), digest="older", **TPU)

    evidence = gathered(repository)

    assert evidence.stale == {(NAME, "tpu, torch 2.11")}
    assert {place[1] for place in evidence.runs} == {CPU}


def test_a_newer_record_beside_it_makes_a_stale_one_good(repository):
    """A column is stale only where nothing fits the page as it is."""
    write_record(repository, read_page(repository), digest="older", **TPU)
    write_record(repository, read_page(repository), **{**TPU, "folder": "another tpu"})

    assert gathered(repository).stale == frozenset()


def test_what_a_failed_run_left_is_no_record(repository):
    """`<slug>.failed.json` is there to be read, not to be printed."""
    failed = repository / "evidence/cpu/inference/kvcache.failed.json"
    failed.write_text("{")

    assert run(repository).outcome == "held"


# Refusals


def no_evidence(root):
    (root / "evidence/cpu/inference/kvcache.json").unlink()
    return "evidence/ holds no record. Take one of every page with `make facts`."


def no_folder(root):
    (root / "evidence").rename(root / "elsewhere")
    return "evidence/ holds no record."


def no_torch_is_pinned(root):
    (root / "constraints.txt").unlink()
    return "constraints.txt pins no torch. Pin the one whose records cover every page."


def a_page_without_a_record(root):
    write_page(root, "scaling/halves")
    return (
        f"evidence/ has no record of traps/scaling/halves.py on {CPU}. "
        "Take it with `pytest traps/scaling/halves.py --evidence=evidence`."
    )


def pages_without_a_record(root):
    for name in ("halves", "quarters", "thirds"):
        write_page(root, f"scaling/{name}")
    return f"no record of traps/scaling/halves.py and 2 more on {CPU}. Take them with `make facts`."


def only_another_version_has_a_record(root):
    (root / "constraints.txt").write_text("torch==2.14.1\n")
    return (
        f"evidence/ has no record of {NAME} on cpu, torch 2.14. Take it with `pytest {NAME} "
        f"--evidence=evidence`. Its record on {CPU} is of another torch than constraints.txt pins: install "
        "that."
    )


def only_another_device_has_a_record(root):
    write_record(root, write_page(root, "scaling/halves"), **TPU)
    return (
        f"evidence/ has no record of traps/scaling/halves.py on {CPU}. "
        "Take it with `pytest traps/scaling/halves.py --evidence=evidence`.\n"
    )


def another_text_of_the_page(root):
    write_page(root, regime="st.integers(2, 9)")
    return (
        f"evidence/cpu/inference/kvcache.json: was taken of another text of {NAME}. "
        f"Take its record again with `pytest {NAME} --evidence=evidence`."
    )


def the_page_is_gone(root):
    add(root, "inference/other")
    (root / NAME).unlink()
    return f"evidence/cpu/inference/kvcache.json: is a record of {NAME}, which is no page. Remove the file."


def a_page_that_is_gone_on_another_device(root):
    write_record(root, write_page(root, "inference/gone"), **TPU)
    (root / "traps/inference/gone.py").unlink()
    return "evidence/tpu/inference/gone.json: is a record of traps/inference/gone.py, which is no page."


def an_unknown_answer(root):
    page = read_page(root)
    write_record(root, page, [*runs_of(page), run_of(page, "wrong-nobody")])
    return f"kvcache.json: speaks of test_heads[wrong-nobody], which {NAME} lacks. Take its record again"


def an_unknown_claim(root):
    page = read_page(root)
    write_record(root, page, runs_of(page, claim="test_tails"), **TPU)
    return f"evidence/tpu/inference/kvcache.json: speaks of test_tails[{RIGHT}], which {NAME} lacks."


def an_answer_is_missing(root):
    page = read_page(root)
    write_record(root, page, runs_of(page)[1:])
    return f"evidence/ lacks {NAME}::test_heads[{FIRST}] on {CPU}. Take its record again with `pytest"


def a_right_answer_failed(root):
    page = read_page(root)
    write_record(root, page, runs_of(page, right={"outcome": "failed"}))
    return f"kvcache.json: {NAME}::test_heads[{RIGHT}] failed. A sheet prints what holds: mend the page"


def a_wrong_answer_survived(root):
    page = read_page(root)
    write_record(root, page, runs_of(page, second={"outcome": "survived"}), **TPU)
    return f"evidence/tpu/inference/kvcache.json: {NAME}::test_heads[{SECOND}] survived."


def a_wrong_answer_held(root):
    page = read_page(root)
    write_record(root, page, runs_of(page, first={"outcome": "held"}))
    return f"{NAME}::test_heads[{FIRST}] held."


def records_disagree(root):
    page = read_page(root)
    write_record(root, page, runs_of(page, right={"outcome": "failed"}), folder="other")
    return (
        "evidence/cpu/inference/kvcache.json and evidence/other/inference/kvcache.json disagree on "
        f"{NAME}::test_heads[{RIGHT}]: held and failed. Try the page again"
    )


def truncated(root):
    path = root / "evidence/cpu/inference/kvcache.json"
    path.write_text(path.read_text()[:500])
    return "kvcache.json: is not JSON"


def foreign(root):
    (root / "evidence/notes.json").write_text('{"a": 1}')
    return "notes.json: is JSON, but no record of a run. Move it out of the folder."


def the_old_single_file(root):
    (root / "evidence/cpu.json").write_text(json.dumps({"schema_version": 1, "runs": []}))
    return f"cpu.json: has schema version 1; this one reads {SCHEMA}. Remove it, and take the records anew"


def in_the_wrong_place(root):
    (root / "evidence/cpu/inference/kvcache.json").rename(root / "evidence/cpu/inference/other.json")
    return f"other.json: speaks of {NAME}. Move it to …/inference/kvcache.json."


@pytest.mark.parametrize(
    "spoil",
    [
        no_evidence,
        no_folder,
        no_torch_is_pinned,
        a_page_without_a_record,
        pages_without_a_record,
        only_another_version_has_a_record,
        only_another_device_has_a_record,
        another_text_of_the_page,
        the_page_is_gone,
        a_page_that_is_gone_on_another_device,
        an_unknown_answer,
        an_unknown_claim,
        an_answer_is_missing,
        a_right_answer_failed,
        a_wrong_answer_survived,
        a_wrong_answer_held,
        records_disagree,
        truncated,
        foreign,
        the_old_single_file,
        in_the_wrong_place,
    ],
)
def test_evidence_that_does_not_fit_is_refused(repository, capsys, spoil):
    """Exit status 2 and one line: what was seen, what to do."""
    expected = spoil(repository)

    assert main(["--root", str(repository)]) == 2

    said = capsys.readouterr()
    assert expected in said.err
    assert len(said.err.splitlines()) == 1
    assert said.err.rstrip().endswith(".")
    assert not (repository / "FACTSHEET.md").exists()


def test_a_claim_about_a_gpu_is_not_due_on_the_cpu(repository):
    """A record of the CPU covers such a page although it knows of some of its answers only."""
    page = write_page(repository, "gpu/streams", device="gpu")
    write_record(repository, page, unverified(page)[:1])

    assert ("traps/gpu/streams.py", CPU, "test_heads", SECOND) not in gathered(repository).runs
