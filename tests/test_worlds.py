"""The virtual clock proves itself on schedules whose length is known."""

import asyncio
import time
from fractions import Fraction

import pytest

from fixtures.worlds import LONGEST, Deadlock, duration


async def in_turn(*delays):
    for delay in delays:
        await asyncio.sleep(delay)


async def at_once(*delays):
    await asyncio.gather(*map(asyncio.sleep, delays))


async def in_lanes(lanes, *delays):
    free = asyncio.Semaphore(lanes)

    async def job(delay):
        async with free:
            await asyncio.sleep(delay)

    await asyncio.gather(*map(job, delays))


@pytest.mark.parametrize(
    ("work", "expected"),
    [
        (in_turn(), 0),
        (in_turn(0), 0),
        (in_turn(3, 4), 7),
        (at_once(3, 4), 4),
        (in_lanes(1, 3, 4, 5), 12),
        (in_lanes(2, 3, 4, 5), 8),
        (in_lanes(3, 3, 4, 5), 5),
        (in_turn(Fraction(1, 3), Fraction(1, 6)), Fraction(1, 2)),
    ],
    ids=["nothing", "yield", "in-turn", "at-once", "one-lane", "two-lanes", "three-lanes", "fractions"],
)
def test_duration_of_a_schedule(work, expected):
    """Sleeps add up in turn, overlap at once, and queue for lanes; whole numbers and fractions stay exact."""
    assert duration(work) == expected


def test_nobody_waits():
    """A month of sleep is over at once."""
    start = time.monotonic()

    assert duration(in_turn(2_592_000)) == 2_592_000
    assert time.monotonic() - start < 5


def test_the_clock_holds_until_its_last_second():
    """Near the longest duration a timer still rings, and after all that lies before it."""
    assert duration(in_lanes(2, LONGEST - 0.1, LONGEST - 0.3, 0.2)) == pytest.approx(LONGEST - 0.1)


@pytest.mark.parametrize("delays", [(LONGEST + 1,), (LONGEST, 1)], ids=["one", "sum"])
def test_a_time_beyond_the_longest_is_refused(delays):
    """Where asyncio would spin for ever, as it can no longer tell that a timer is due, an error says so."""
    with pytest.raises(OverflowError, match="larger unit"):
        duration(in_turn(*delays))


def test_two_worlds_share_no_clock():
    """Each duration starts at 0."""
    assert [duration(in_turn(2)), duration(in_turn(2))] == [2, 2]


def test_timers_ring_in_the_order_of_their_times():
    """Who sleeps for less wakes first; of two who wake together, the first to sleep."""
    woken = []

    async def sleeper(name, delay):
        await asyncio.sleep(delay)
        woken.append(name)

    async def work():
        await asyncio.gather(sleeper("c", 3), sleeper("a", 1), sleeper("d", 3), sleeper("b", 2))

    duration(work())
    assert woken == ["a", "b", "c", "d"]


def test_a_timeout_ends_the_wait():
    """A deadline of 5 cuts a sleep of 9 short, and the cancelled timer is not waited for."""

    async def work():
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.sleep(9)

    assert duration(work()) == 5


def test_waiting_for_ever_is_refused():
    """Where a real loop would hang, the virtual one says so, and when."""

    async def work():
        await asyncio.sleep(2)
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="at 2 every task waits"):
        duration(work())


def test_an_error_of_the_work_comes_out():
    """What a coroutine raises is the caller's to see."""

    async def work():
        await asyncio.sleep(1)
        raise LookupError("no such feature")

    with pytest.raises(LookupError, match="no such feature"):
        duration(work())
