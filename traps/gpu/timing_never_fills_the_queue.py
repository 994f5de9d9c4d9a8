"""Timing many GPU operations without a synchronisation

A timer without synchronisation reads the launches, 5 µs each, and not the kernels, 1000 µs each: 200 times
too little. Is the error as large for a loop over 10 000 kernels?

Verdict: holds if fewer kernels are launched than the queue holds: beyond that the host waits for the device,
    and a long loop reads nearly the true time with no synchronisation at all
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 22
Source: PyTorch documentation, "CUDA semantics", asynchronous execution,
    https://docs.pytorch.org/docs/stable/notes/cuda.html
Source: Stack Overflow 2018, "CUDA stream is blocked when launching many kernels (>1000)", question 53970187,
    https://stackoverflow.com/questions/53970187
Right when: There are fewer launches than the queue holds, as in a benchmark of one operation. A
    synchronisation is right in any case.
Limits: One stream. No documented depth was found: "about 1000 kernel" and "4~5us" a launch are what the
    author of the question measured. A queue of 1024 and launches of 5 µs stand for them here.
"""

import time

import torch
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds, settled


def launches_alone(n, launch, work, depth):
    """Launches are all that the host ever does, so n of them are all that a timer reads."""
    return n * launch


def all_but_the_last(n, launch, work, depth):
    """The device works from the first launch on; what a timer misses is the last kernel."""
    return launch + (n - 1) * work


def launches_or_waiting(n, launch, work, depth):
    """The launches, or what the queue cannot hold, (n - depth)·work, whichever is longer.

    Launch number n finds a place when kernel n - depth has ended. With 5 µs, 1000 µs and 1024 places a
    timer reads 5 ms of 1 s after 1000 kernels, 76 ms of 1.1 s after 1100, and 9 of 10 s after 10 000.
    """
    return max(n * launch, launch + (n - depth) * work)


def one_more_than_places(launch, work, depth):
    """The first launch too many is number depth + 1."""
    return depth + 1


def when_the_queue_is_full(launch, work, depth):
    """The host waits first when launches have outrun the kernels by the depth of the queue.

    While it launches the device works the queue off, one kernel in work/launch launches.
    """
    return (depth * work - launch) // (work - launch) + 1


class Stream:
    """A device that runs kernels in their order, and a host that waits while the queue is full."""

    def __init__(self, launch, work, depth):
        self.costs = launch, work
        self.depth = depth
        self.now = self.waited = 0
        self.ends = []

    def launch(self):
        """Queue a kernel; the place that it takes is free again at its end."""
        launch, work = self.costs
        self.now += launch
        if len(self.ends) >= self.depth:
            wait = max(0, self.ends[-self.depth] - self.now)
            self.now, self.waited = self.now + wait, self.waited + wait
        self.ends.append(max(self.now, *self.ends[-1:], 0) + work)


def first_wait(stream):
    """The number of the first launch that waits."""
    while not stream.waited:
        stream.launch()
    return len(stream.ends)


@claim(wrong=(launches_alone, all_but_the_last), right=launches_or_waiting, evidence="simulated", examples=60)
@given(
    n=st.integers(1, 200),
    launch=st.integers(1, 10),
    work=st.integers(0, 50).map(lambda tens: 500 - 10 * tens),
    depth=st.sampled_from([64, 16, 4]),
)
def test_timing_of_a_long_loop(answer, n, launch, work, depth):
    """An unsynchronised timer reads the launches until the queue is full, and the kernels from then on."""
    stream = Stream(launch, work, depth)
    for _ in range(n):
        stream.launch()

    assert observe(reading=stream.now) == answer(n, launch, work, depth)


@claim(wrong=one_more_than_places, right=when_the_queue_is_full, evidence="simulated", examples=60)
@given(launch=st.integers(1, 10), slower=st.integers(2, 40), depth=st.sampled_from([64, 16, 4]))
def test_timing_until_the_host_waits(answer, launch, slower, depth):
    """A launch waits when kernels have fallen behind by as many as the queue holds."""
    stream = Stream(launch, launch + slower, depth)

    assert observe(launches=first_wait(stream)) == answer(launch, launch + slower, depth)


@claim(wrong=launches_alone, right=launches_or_waiting, evidence="measured", examples=1)
@given(n=st.just(8000))
def test_timing_of_a_long_loop_on_a_gpu(answer, gpu, n):
    """On a GPU an unsynchronised loop over 8000 products reads most of their time."""
    ones = torch.ones(4096, 4096, dtype=torch.bfloat16, device=gpu)
    sums = torch.empty_like(ones)

    def unsynchronised(launches):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(launches):
            torch.mm(ones, ones, out=sums)
        return time.perf_counter() - start

    (work,) = seconds(lambda: torch.mm(ones, ones, out=sums), device=gpu)
    (launches,) = settled(lambda: [unsynchronised(500)])  # fewer than the queue holds
    launch = launches / 500
    share = observe(share=unsynchronised(n) / (n * work))

    assert observe(smallest=sums.min().item()) == 4096
    law = nearest(share, launch / work, 1 - 1024 / n)
    assert law == approx(answer(n, launch, work, 1024) / (n * work), rel=0.01)
