"""Timing a long loop of kernels without a synchronization

Without a synchronization a timer reads 5 µs for a kernel of 1000 µs, 200 times too little. Is a loop over
10,000 kernels off by the same factor?

Answer: No: the launch queue is finite. Once it is full the host waits for the device, and a long loop reads
    nearly the true time. If the queue holds 1024 launches, 1000 kernels read 5000 µs of their second, and
    10,000 read 8,976,005 µs of 10 s. So such an artefact takes few, long kernels; synchronize anyway.
Says: Timing without a synchronization captures only the negligible launch latency.
Verdict: holds if fewer kernels are pending than the queue holds
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 22
Source: PyTorch documentation, "CUDA semantics", asynchronous execution,
    https://docs.pytorch.org/docs/stable/notes/cuda.html
Source: Stack Overflow 2018, "CUDA stream is blocked when launching many kernels (>1000)", question 53970187,
    https://stackoverflow.com/questions/53970187
Terms: launch queue, asynchronous launch, CUDA stream, back pressure, kernel launch overhead, benchmarking
Right when: There are fewer launches than the queue holds, as in a benchmark of one operation.
Limits: One stream. No documented depth was found: "about 1000 kernel" and "4~5us" per launch are what the
    author of the question measured. A queue of 1024 and launches of 5 µs stand for them here.
"""

import time

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds, settled
from fixtures.streams import VirtualStream


def launches_alone(n, launch, work, places):
    """Launches are all that the host ever does, so n of them are all that a timer reads."""
    return n * launch


def all_but_the_last(n, launch, work, places):
    """The device works from the first launch on; what a timer misses is the last kernel."""
    return launch + (n - 1) * work


def launches_or_waiting(n, launch, work, places):
    """The launches, or what the queue cannot hold, (n - places)·work, whichever is longer.

    Launch number n finds a place when kernel n - places has ended. With 5 µs, 1000 µs and 1024 places a
    timer reads 76,005 µs of 1.1 s after 1100 kernels.
    """
    return max(n * launch, launch + (n - places) * work)


def as_many_as_places(launch, work, places):
    """A launch waits once there have been as many as the queue has places."""
    return places


def when_the_queue_is_full(launch, work, places):
    """A launch waits once as many are still pending as the queue has places.

    While it launches the device works the queue off, one kernel in work/launch launches.
    """
    return (places * work - launch) / (work - launch)


def first_wait(stream):
    """The number of the first launch that waits."""
    while not stream.waited:
        stream.launch()
    return len(stream.ends)


@claim(wrong=(launches_alone, all_but_the_last), right=launches_or_waiting, evidence="simulated")
@example(n=1000, launch=5, work=1000, places=1024)  # the trap's own
@example(n=1100, launch=5, work=1000, places=1024)
@example(n=10_000, launch=5, work=1000, places=1024)
@example(n=1100, launch=5, work=5, places=1024)  # kernels that keep up
@given(
    n=st.integers(1, 200),
    launch=st.integers(1, 10),
    work=st.sampled_from([500, 100, 10, 5, 1, 0]),
    places=st.sampled_from([64, 16, 4, 1]),
)
def test_timing_of_a_long_loop(answer, n, launch, work, places):
    """An unsynchronized timer reads the launches until the queue is full, and the kernels from then on.

    n: kernels that are launched, number
    launch: time of the host per launch, µs
    work: time of the device per kernel, µs
    places: kernels that the queue holds, the running one included, number
    """
    stream = VirtualStream(launch, work, places)
    stream.launch(n)

    assert observe(microseconds=stream.clock()) == answer(n, launch, work, places)


@claim(wrong=as_many_as_places, right=when_the_queue_is_full, evidence="simulated", examples=60)
@example(launch=5, work=1000, places=1024)
@given(launch=st.integers(1, 10), work=st.integers(11, 50), places=st.sampled_from([64, 16, 4, 1]))
def test_timing_until_the_host_waits(answer, launch, work, places):
    """A launch waits when kernels have fallen behind by as many as the queue holds.

    launch: time of the host per launch, µs
    work: time of the device per kernel, µs
    places: kernels that the queue holds, the running one included, number
    """
    crossing = answer(launch, work, places)

    # Launches are whole: the first that waits is the next after the real-valued crossing, or its own number.
    assert crossing <= observe(launches=first_wait(VirtualStream(launch, work, places))) <= crossing + 1


@claim(wrong=launches_alone, right=launches_or_waiting, evidence="measured", examples=1)
@given(n=st.just(8000))
def test_timing_of_a_long_loop_on_a_gpu(answer, gpu, n):
    """On a GPU an unsynchronized loop over 8000 products reads most of their time.

    n: kernels that are launched, number
    launch: time of the host per launch, seconds
    work: time of the device per kernel, seconds
    places: kernels that the queue holds, number
    """
    ones = torch.ones(4096, 4096, dtype=torch.bfloat16, device=gpu)
    sums = torch.empty_like(ones)

    def unsynchronized(launches):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(launches):
            torch.mm(ones, ones, out=sums)
        return time.perf_counter() - start

    (work,) = seconds(lambda: torch.mm(ones, ones, out=sums), device=gpu)
    (launches,) = settled(lambda: [unsynchronized(500)])  # fewer than the queue holds
    launch = launches / 500
    share = observe(share=unsynchronized(n) / (n * work))

    assert observe(smallest=sums.min().item()) == 4096
    law = nearest(share, launch / work, 1 - 1024 / n)
    assert law == approx(answer(n, launch, work, 1024) / (n * work), rel=0.01)
