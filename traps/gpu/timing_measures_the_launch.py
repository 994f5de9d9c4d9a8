"""Timing a CUDA kernel: where to synchronize

An intern claims a 1000 times faster matmul: a script calls it between two readings of `time.time()`. Why
is the result invalid, and does a synchronization before the second reading mend it?

Answer: Kernel launches are asynchronous: the call returns once the kernel is queued, so the timer reads a
    launch of 5 µs, though launch and kernel take 1005. Warm up, then synchronize before the start and
    before the stop, or use CUDA events. Synchronizing before the stop alone also times whatever was
    queued earlier.
Says: Insert a barrier such as `torch.cuda.synchronize()` before the end time is recorded, so that the
    host waits for the GPU to complete its work.
Verdict: holds if the device is idle when the timer starts
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 22
Source: PyTorch documentation, "CUDA semantics", asynchronous execution,
    https://docs.pytorch.org/docs/stable/notes/cuda.html
Terms: torch.cuda.synchronize, asynchronous execution, CUDA events, Event.elapsed_time, benchmarking,
    kernel launch latency, warm-up, time.time, perf_counter
Right when: Something waits anyway: `item()`, a copy to the host, `print`. On a CPU every operation waits.
Limits: One stream. The first call, which loads libraries and picks kernels, is left out. A
    synchronization after each kernel is no error but pessimistic: launches no longer overlap kernels. The
    book's own source, Nickolls and Dally 2010, was not read.
"""

import time
from types import SimpleNamespace

import torch
from hypothesis import example, given, strategies as st

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds, settled
from fixtures.streams import ThreadStream, VirtualStream


def no_synchronization(stream, n):
    """Read the clock, call the kernels, read the clock."""
    start = stream.clock()
    stream.launch(n)
    return stream.clock() - start


def warmed_up(stream, n):
    """What a first call costs is the trouble: run it once before the clock is read."""
    stream.launch(1)
    start = stream.clock()
    stream.launch(n)
    return stream.clock() - start


def one_at_the_end(stream, n):
    """Kernels are asynchronous, so wait for them before the clock is read again."""
    start = stream.clock()
    stream.launch(n)
    stream.synchronize()
    return stream.clock() - start


def one_at_either_end(stream, n):
    """Wait before either reading of the clock, and not in between.

    What was queued earlier is over, what is timed is complete, and launches overlap kernels as in use.
    """
    stream.synchronize()
    start = stream.clock()
    stream.launch(n)
    stream.synchronize()
    return stream.clock() - start


@claim(wrong=(no_synchronization, warmed_up, one_at_the_end), right=one_at_either_end, evidence="simulated")
@example(backlog=0, n=1)
@example(backlog=3, n=1)
@given(backlog=st.integers(0, 3), n=st.integers(1, 4))
def test_timing_of_a_thread(answer, backlog, n):
    """Between the readings just the timed products finish, on a queue that works while the host waits.

    stream: the device, with a clock and its launches, object
    backlog: products queued before the timer, number
    n: products that are timed, number
    """
    with ThreadStream() as stream:
        stream.launch(backlog)
        finished = answer(stream, n)

    assert observe(finished=finished) == n


@claim(wrong=(no_synchronization, warmed_up, one_at_the_end), right=one_at_either_end, evidence="simulated")
@example(launch=5, work=1000, backlog=0, n=1)  # the trap's own
@example(launch=5, work=1000, backlog=3, n=1)
@example(launch=5, work=0, backlog=0, n=1)  # nothing to wait for
@given(
    launch=st.sampled_from([5, 1, 10]),
    work=st.sampled_from([1000, 30, 10, 5, 1, 0]),
    backlog=st.integers(0, 3),
    n=st.integers(1, 8),
)
def test_timing_of_a_stream(answer, launch, work, backlog, n):
    """A timer that synchronizes before it starts and before it stops reads the time on an idle device.

    stream: the device, with a clock and its launches, object
    launch: time of the host per launch, µs
    work: time of the device per kernel, µs
    backlog: kernels queued before the timer, number
    n: kernels that are timed, number
    """
    idle, busy = VirtualStream(launch, work), VirtualStream(launch, work)
    idle.launch(n)
    busy.launch(backlog)

    assert observe(microseconds=idle.idle_at) == answer(busy, n)


@claim(
    wrong=(no_synchronization, warmed_up, one_at_the_end),
    right=one_at_either_end,
    evidence="measured",
    examples=2,
)
@given(size=st.sampled_from([8192, 6144]))
def test_timing_on_a_gpu(answer, gpu, size):
    """On a GPU such a timer reads one product, though twenty are queued before it.

    stream: the device, with a clock and its launches, object
    n: products that are timed, number
    size: rows and columns of the matrices, number
    """
    ones, sums = torch.ones(2, size, size, dtype=torch.bfloat16, device=gpu)
    stream = SimpleNamespace(clock=time.perf_counter, synchronize=torch.cuda.synchronize)
    stream.launch = lambda n: [torch.mm(ones, ones, out=sums) for _ in range(n)]
    (product,) = seconds(lambda: stream.launch(1), device=gpu)

    def reading():
        torch.cuda.synchronize()
        stream.launch(20)
        return [answer(stream, 1)]

    (read,) = settled(reading)
    assert observe(smallest=sums.min().item()) == size
    # The smaller product is 464 GFLOP, half a millisecond at 1000 TFLOP/s: a launch of 5 µs is a hundredth.
    assert nearest(observe(products=read / product), 0.01, 1, 21) == 1
