"""A long run says how far it is."""

import pytest

from fixtures.trial import progress


@pytest.fixture
def long(corpus, monkeypatch):
    """A corpus of two areas, each run of which counts as long."""
    monkeypatch.setattr(progress, "LONG", -1.0)
    corpus.write(slug="first", area="lists")
    corpus.write(slug="second", area="sets")
    return corpus


def test_each_area_is_told_when_it_is_through(long):
    """A line per area: what held and what was refuted, the areas and the time that are left."""
    long.run("traps").stdout.fnmatch_lines(
        [
            "lists: 1 held, 1 refuted; 1 area and about * s left",
            "sets: 1 held, 1 refuted; 0 areas and about 0 s left",
        ]
    )


@pytest.mark.parametrize("arguments", [["-q"], ["traps/lists"]], ids=["quiet", "one-area"])
def test_a_quiet_run_and_a_single_area_are_not_told(long, arguments):
    """`-q` asks for silence, and a single area is through when the run is."""
    assert "left" not in long.run(*arguments).stdout.str()


def test_a_short_run_is_not_told(corpus):
    """A run of some seconds shows pytest's own progress."""
    corpus.write(slug="first", area="lists")
    corpus.write(slug="second", area="sets")

    assert "left" not in corpus.run("traps").stdout.str()


def test_workers_are_counted_once(long):
    """Under -n every worker collects all claims, and each is tried once."""
    long.run("traps", "-n2").stdout.fnmatch_lines(["*1 held, 1 refuted; 0 areas and about 0 s left"])
