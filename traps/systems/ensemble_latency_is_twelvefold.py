"""The latency of an ensemble of twelve

Twelve models won the leaderboard, and production shall serve the average of their answers. How much longer
does a request take than with one model, if every member may have a device of its own?

Verdict: holds if the members share one busy device. With a device each, a request waits for the slowest
    member: 3.1 times the mean, if the times of twelve members are exponential
Asked: AI Interview Prep newsletter, Advanced Deep Learning #3
Source: Dean and Barroso 2013, "The Tail at Scale", CACM 56(2), pages 74-80, abstract,
    https://research.google/pubs/the-tail-at-scale/
Right when: One device runs the members in turn: then twelve take twelve times as long. All at once they take
    as long as one, if each of them always takes the same time.
Limits: Members of one size, one request at a time, independent times. The tail of a real service is not
    exponential, and wants measuring. The newsletter's abstract, which breaks off, says that an ensemble
    raises the latency dramatically, and names no device.
"""

import asyncio
from math import ceil

import torch
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.worlds import duration


def one_after_the_other(members, devices, milliseconds):
    """Twelve models take twelve times as long."""
    return members * milliseconds


def all_at_once(members, devices, milliseconds):
    """They run in parallel, so twelve take as long as one."""
    return milliseconds


def rounds_of_devices(members, devices, milliseconds):
    """A member's time, times the members divided by the devices and rounded up.

    Twelve members on five devices take three rounds, and so do they on four.
    """
    return ceil(members / devices) * milliseconds


def mean_time(members, mean):
    """In parallel a request takes what a member takes on average."""
    return mean


def sum_of_mean_times(members, mean):
    """Every member adds its mean."""
    return members * mean


def slowest_of_all(members, mean):
    """The slowest of n members with exponential times takes the mean times 1 + 1/2 + ... + 1/n.

    The first is done after mean/n. Exponential times have no memory, so the first of the n - 1 left takes
    mean/(n - 1) more, and so on to the last. Twelve members take 3.1 times the mean.
    """
    return mean * sum(1 / k for k in range(1, members + 1))


async def ensemble(members, devices, milliseconds):
    """Run every member on the first device that is free."""
    free = asyncio.Semaphore(devices)

    async def member():
        async with free:
            await asyncio.sleep(milliseconds)

    await asyncio.gather(*(member() for _ in range(members)))


@claim(wrong=(one_after_the_other, all_at_once), right=rounds_of_devices, evidence="simulated", examples=80)
@given(
    members=st.integers(2, 16),
    devices=st.integers(1, 16),
    milliseconds=st.integers(1, 10).map(lambda n: 10 * n),
)
def test_ensemble_latency_on_devices(answer, members, devices, milliseconds):
    """An ensemble takes as many rounds as its devices need for its members."""
    taken = duration(ensemble(members, devices, milliseconds))

    assert observe(milliseconds=taken) == answer(members, devices, milliseconds)


@claim(wrong=(mean_time, sum_of_mean_times), right=slowest_of_all, evidence="simulated", examples=40)
@given(members=st.integers(2, 16), mean=st.sampled_from([10, 25, 50]), seed=st.integers(0, 1000))
def test_ensemble_latency_of_the_slowest(answer, members, mean, seed):
    """An ensemble in parallel waits for its slowest member, and the more members the longer."""
    requests = 10_000
    random = torch.Generator().manual_seed(seed)
    times = torch.empty(requests, members).exponential_(1 / mean, generator=random)

    waits = times.amax(1).mean().item()

    # Five standard errors: the slowest of n deviates by mean·sqrt(1 + 1/4 + ... + 1/n²), less than 1.3 means.
    assert observe(milliseconds=waits) == approx(answer(members, mean), abs=5 * 1.3 * mean / requests**0.5)
