"""Timing many GPU operations without a synchronization

Without a synchronization a timer reads 5 µs for a kernel of 1000 µs. Is a loop over 10,000 kernels off by
the same factor?

Answer: No: the launch queue is finite. Once it is full, the host waits for the device, and a long loop
    reads nearly the true time: with 1,024 places 5,000 µs of a second for 1000 kernels, but 8,976,005 µs of
    ten seconds for 10,000. So an artefact of 200 times takes few kernels, as a benchmark of one operation
    has. Synchronize in any case.
Says: Timing captures only the negligible kernel launch latency.
Verdict: holds if fewer kernels are pending than the queue holds
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 22
Source: PyTorch documentation, "CUDA semantics", asynchronous execution,
    https://docs.pytorch.org/docs/stable/notes/cuda.html
Source: Stack Overflow 2018, "CUDA stream is blocked when launching many kernels (>1000)", question 53970187,
    https://stackoverflow.com/questions/53970187
Terms: launch queue, asynchronous launch, stream, host blocking, back pressure, kernel launch overhead, 1024
    launches, benchmarking, synchronize, timing
Right when: There are fewer launches than the queue holds, as in a benchmark of one operation.
Limits: One stream, in a simulation: no GPU has been asked yet. No documented number of places was found:
    "about 1000 kernel" and "4~5us" per launch are what the author of the question measured.
"""

import time

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds, settled


def launches_alone(n, launch, work, places):
    """Launches are all that the host ever does, so n of them are all that a timer reads."""
    return n * launch


def all_but_the_last(n, launch, work, places):
    """The device works from the first launch on; what a timer misses is the last kernel."""
    return launch + (n - 1) * work


def launches_or_waiting(n, launch, work, places):
    """The launches, or what the queue cannot hold, (n - places)·work, whichever is longer.

    Launch number n finds a place when kernel n - places has ended: 5,000 µs are read after 1000 kernels and
    8,976,005 after 10,000.
    """
    return max(n * launch, launch + (n - places) * work)


def one_more_than_places(launch, work, places):
    """The first launch too many is number places + 1."""
    return places + 1


def when_the_queue_is_full(launch, work, places):
    """The host waits first when launches have outrun the kernels by as many as the queue holds.

    While it launches the device works the queue off, one kernel in work/launch launches.
    """
    return (places * work - launch) / (work - launch)


class Stream:
    """A device that runs kernels in their order, and a host that waits while the queue is full."""

    def __init__(self, launch, work, places):
        self.costs = launch, work
        self.places = places
        self.now = self.waited = 0
        self.ends = []

    def launch(self):
        """Queue a kernel; the place that it takes is free again at its end."""
        launch, work = self.costs
        self.now += launch
        if len(self.ends) >= self.places:
            wait = max(0, self.ends[-self.places] - self.now)
            self.now, self.waited = self.now + wait, self.waited + wait
        self.ends.append(max(self.now, *self.ends[-1:], 0) + work)


def first_wait(stream):
    """The number of the first launch that waits."""
    while not stream.waited:
        stream.launch()
    return len(stream.ends)


@claim(wrong=(launches_alone, all_but_the_last), right=launches_or_waiting, evidence="simulated", examples=60)
@example(n=1000, launch=5, work=1000, places=1024)
@example(n=10_000, launch=5, work=1000, places=1024)
@given(
    n=st.integers(1, 200),
    launch=st.integers(1, 10),
    work=st.integers(0, 50).map(lambda tens: 500 - 10 * tens),
    places=st.sampled_from([64, 16, 4]),
)
def test_timing_of_a_long_loop(answer, n, launch, work, places):
    """An unsynchronized timer reads the launches until the queue is full, and the kernels from then on.

    n: kernels
    launch: time that the host takes per launch, in µs
    work: time that a kernel takes, in µs
    places: launches that the queue holds
    """
    stream = Stream(launch, work, places)
    for _ in range(n):
        stream.launch()

    assert observe(reading=stream.now) == answer(n, launch, work, places)


@claim(wrong=one_more_than_places, right=when_the_queue_is_full, evidence="simulated", examples=60)
@given(launch=st.integers(1, 10), slower=st.integers(2, 40), places=st.sampled_from([64, 16, 4]))
def test_timing_until_the_host_waits(answer, launch, slower, places):
    """A launch waits when kernels have fallen behind by as many as the queue holds.

    launch: time that the host takes per launch, in µs
    work: time that a kernel takes, in µs
    slower: how much longer a kernel takes than its launch, in µs
    places: launches that the queue holds
    """
    stream = Stream(launch, launch + slower, places)

    law = answer(launch, launch + slower, places)
    # The law is the last number, not always a whole one, at which no launch has to wait.
    assert law < observe(launches=first_wait(stream)) <= law + 1


@claim(wrong=launches_alone, right=launches_or_waiting, evidence="measured", examples=1)
@given(n=st.just(8000))
def test_timing_of_a_long_loop_on_a_gpu(answer, gpu, n):
    """On a GPU an unsynchronized loop over 8,000 products reads most of their time.

    n: products
    launch: time that the host takes per launch
    work: time that a product takes
    places: launches that the queue holds
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
