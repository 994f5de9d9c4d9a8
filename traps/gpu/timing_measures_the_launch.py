"""Timing a GPU operation

An intern claims a matrix product that is 1000 times as fast; the script reads `time.time()` before the call
and after it. Why is the result invalid?

Answer: Kernel launches are asynchronous: the second reading comes when the launch is queued, whatever the
    kernel takes, so that none of it is timed. Synchronize before the start and before the stop, and warm
    up. A synchronization at the end alone also charges what was queued before: with 3 products pending it
    reads 4 for one.
Says: Timers around the call capture the launch latency only; insert a barrier such as
    torch.cuda.synchronize() before the end time is read. Warm-up and perf_counter are minor.
Verdict: holds if the device is idle when the timer starts
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 22
Source: PyTorch documentation, "CUDA semantics", asynchronous execution,
    https://docs.pytorch.org/docs/stable/notes/cuda.html
Terms: torch.cuda.synchronize, synchronize, asynchronous execution, CUDA events, benchmarking, kernel launch
    latency, warm-up, time.time, perf_counter, elapsed_time, timing
Right when: Something waits anyway: `item()`, a copy to the host, `print`. On a CPU every operation waits.
Limits: One stream, on a thread: no GPU has been asked yet. The first call of an
    operation, which loads libraries and picks kernels, is left out. CUDA events, which the device itself
    stamps, see no launch. That one_after_each adds the gaps between kernels makes it pessimistic, not
    invalid. The book's own source, Nickolls and Dally 2010, was not read.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import torch
from hypothesis import example, given, strategies as st

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds, settled


def no_synchronization(stream, n):
    """Read the clock, call the kernels, read the clock."""
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


class ThreadStream(ThreadPoolExecutor):
    """A thread that works only while the host waits, on any machine; its clock counts finished products."""

    def __init__(self):
        super().__init__(max_workers=1)
        self.gate = threading.Event()
        self.kernels = []
        self.clock = lambda: sum(kernel.done() for kernel in self.kernels)

    def __exit__(self, *error):
        self.gate.set()
        return super().__exit__(*error)

    def launch(self, n):
        """Queue products."""
        self.kernels += [self.submit(self.multiply) for _ in range(n)]

    def multiply(self):
        """A product of ones, 64 sums of 8 each, behind the gate."""
        return self.gate.wait() and (torch.ones(8, 8) @ torch.ones(8, 8)).sum().item()

    def synchronize(self):
        """Let the thread work, and wait for it."""
        self.gate.set()
        if {kernel.result() for kernel in self.kernels} - {512}:
            raise ArithmeticError("a kernel finished without its product")
        self.gate.clear()


@claim(wrong=(no_synchronization, one_at_the_end), right=one_at_either_end, examples=20)
@example(backlog=3, n=1)
@given(backlog=st.integers(0, 3), n=st.integers(1, 4))
def test_timing_of_a_thread(answer, backlog, n):
    """Between its two readings exactly the products that are timed finish, on a real queue.

    stream: launches kernels, synchronizes, and has a clock
    backlog: products queued before
    n: products that are timed
    """
    with ThreadStream() as stream:
        stream.launch(backlog)
        finished = answer(stream, n)

    assert observe(finished=finished) == n


@claim(wrong=(no_synchronization, one_at_the_end), right=one_at_either_end, evidence="measured", examples=2)
@given(size=st.sampled_from([8192, 6144]))
def test_timing_on_a_gpu(answer, gpu, size):
    """On a GPU such a timer reads one product, though twenty are queued before it.

    stream: launches products, synchronizes, and has a clock
    n: products that are timed
    size: width of the matrices
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
