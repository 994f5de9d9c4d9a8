"""Clocks prove themselves on readings that are known: steady, spiked, drifting, disturbed, stopped."""

import itertools
import json
import time

import pytest
import torch

from fixtures.clocks import ROUNDS, Law, Undecided, nearest, seconds, settled

CPU = torch.device("cpu")

NOISE = [1.0, 1.6, 1.2, 1.9, 1.4, 1.8, 1.1, 2.0, 1.5]
"""Readings of which the middle half, 1.2 to 1.8, spans 40 % of the median."""


def reading(*columns):
    """A read of prepared readings, one of each column at a time."""
    rounds = zip(*columns, strict=False)
    return lambda: next(rounds)


def test_steady_readings_settle_at_once():
    """Readings that agree are read no more often than in the first attempt."""
    rounds = itertools.count()

    assert settled(lambda: [3.0, 1.0 + 0 * next(rounds)], patience=60) == [3.0, 1.0]
    assert next(rounds) == ROUNDS


def test_a_spike_changes_nothing():
    """Two rounds of nine that were disturbed leave the medians as they are."""
    slow, quick = [8.0, 8.0, 800.0, 8.0, 8.0, 8.0, 80.0, 8.0, 8.0], [1.0] * 9

    assert settled(reading(slow, quick), patience=0) == [8.0, 1.0]


def test_what_slows_every_reading_alike_is_no_disagreement():
    """A clock that drifts by half over the rounds still tells how many times longer one run takes."""
    drift = [1.0 + n / 16 for n in range(9)]

    slow, quick = settled(reading([4 * d for d in drift], drift), patience=0)

    assert slow == 4 * quick


def test_a_single_reading_may_not_drift():
    """Alone, the same readings do not agree, as nothing tells the drift from the run."""
    with pytest.raises(Undecided, match=r"^the clock varies by 21 % here$"):
        settled(reading([1.0 + n / 15 for n in range(9)]), patience=0)


def test_readings_that_never_agree():
    """A neighbour that keeps slowing one of two runs leaves them undecided, and it is told by how much."""
    with pytest.raises(Undecided, match=r"^the clock varies by 40 % here$"):
        settled(reading([1.0] * 9, NOISE), patience=0)


def test_the_widest_spread_counts():
    """One of several runs that is disturbed is enough to disagree."""
    with pytest.raises(Undecided, match="varies by 40 %"):
        settled(reading([1.0] * 9, [2.0] * 9, NOISE), patience=0)


def test_disagreement_is_forgotten():
    """After a disturbed attempt twice as many rounds are taken, and only these count."""
    slow = [8 * n for n in NOISE] + [4.0] * 18

    assert settled(reading(slow, [1.0] * 27), patience=60) == [4.0, 1.0]


def test_patience_ends():
    """A clock that never agrees is read for as long as the patience lasts."""
    noise = itertools.cycle(NOISE)

    def read():
        time.sleep(0.001)
        return [next(noise)]

    start = time.monotonic()
    with pytest.raises(Undecided):
        settled(read, patience=0.05)

    assert time.monotonic() - start > 0.05


@pytest.mark.parametrize("columns", [([0.0] * 9,), ([1.0] * 9, [0.0, *[1.0] * 8])])
def test_a_clock_that_stands_still(columns):
    """A run that is over before the clock ticks is undecided, and divides nothing by zero."""
    with pytest.raises(Undecided, match=r"^the clock does not tick within a run here$"):
        settled(reading(*columns), patience=60)


def spin(cpu_seconds):
    """Keep this process busy for some CPU time."""
    end = time.process_time() + cpu_seconds
    while time.process_time() < end:
        pass


def test_seconds_are_cpu_time():
    """A run that waits takes what it computes, not what it waits."""
    waiting, busy = seconds(lambda: (time.sleep(0.01), spin(0.001)), lambda: spin(0.004), device=CPU)

    assert 0.001 <= waiting < 0.004 <= busy < 0.01


def test_seconds_take_the_runs_in_turn():
    """Two rounds warm up, and in every round each run is taken once."""
    turns = []

    def run(name):
        turns.append(name)
        spin(0.001)

    seconds(lambda: run("a"), lambda: run("b"), device=CPU)

    assert turns == ["a", "b"] * (len(turns) // 2)
    assert (len(turns) // 2 - 2) % ROUNDS == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_seconds_on_cuda_wait_for_the_device():
    """A product of 64 times the work takes longer, although its launch does not."""
    cuda = torch.device("cuda")
    small, large = torch.ones(512, 512, device=cuda), torch.ones(8192, 8192, device=cuda)

    quick, slow = seconds(lambda: small @ small, lambda: large @ large, device=cuda)

    assert slow > 4 * quick


@pytest.mark.parametrize(
    ("measured", "laws", "law"),
    [
        (1.7, (1, 4), 1),
        (2.4, (1, 4), 4),
        (0.1, (1, 4), 1),
        (50.0, (1, 4), 4),
        (4.2, (8, 1), 8),
        (2.5, (1, 2.63, 16), 2.63),
        (0.45, (1, 1 / 8), 1),
    ],
)
def test_nearest_goes_by_the_ratio(measured, laws, law):
    """A law is as near as the ratio to it is to 1, whatever the order of the laws."""
    assert nearest(measured, *laws) == law


@pytest.mark.parametrize(
    ("measured", "laws", "between"),
    [
        (2.0, (1, 4), "2 decides nothing between 1 and 4"),
        (1.8, (1, 4), "1.8 decides nothing between 1 and 4"),
        (2.2, (4, 1), "2.2 decides nothing between 1 and 4"),
        (2.4, (1, 8), "2.4 decides nothing between 1 and 8"),
        (3.4, (1, 8), "3.4 decides nothing between 1 and 8"),
        (6.5, (1, 2.63, 16), "6.5 decides nothing between 2.63 and 16"),
        (12345.0, (1, 8), "12,300 decides nothing between 1 and 8"),
    ],
)
def test_nearest_decides_nothing_in_the_middle(measured, laws, between):
    """In the middle fifth between two laws, by their logarithms, and far from both, none is nearest."""
    with pytest.raises(Undecided, match=f"^the measured {between}$"):
        nearest(measured, *laws)


def test_a_law_prints_what_was_measured():
    """A failed comparison shows the measurement, and which laws it was held against."""
    assert repr(nearest(4.1832, 1, 8)) == "8 (measured 4.18, nearer to 8 than to 1)"
    assert repr(nearest(24123.4, 1200, 26000, 90000)) == (
        "26,000 (measured 24,100, nearer to 26,000 than to 90,000 or 1,200)"
    )


def test_a_law_is_a_number():
    """A law computes, compares and is written down like the number it is."""
    law = nearest(4.2, 1, 8)

    assert isinstance(law, Law)
    assert (law + 1, law == 8, law == pytest.approx(8.0), json.dumps(law)) == (9, True, True, "8.0")
