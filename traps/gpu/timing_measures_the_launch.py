"""Timing a GPU operation

A timer starts, calls a GPU operation, stops, and reads 5 µs for a product that takes 1000. The book adds a
synchronisation before the stop. Is the reading then the time of the operation?

Verdict: holds if the device is idle when the timer starts: otherwise the timer needs a synchronisation there
    too, or it reads whatever was queued before
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 22
Source: PyTorch documentation, "CUDA semantics", asynchronous execution,
    https://docs.pytorch.org/docs/stable/notes/cuda.html
Right when: Something waits anyway: `item()`, a copy to the host, `print`. On a CPU every operation waits.
Limits: One stream. Its first call, which loads libraries and picks kernels, is left out: warm up before. CUDA
    events, which the device itself stamps, need neither barrier and see no launch. The book's own source,
    Nickolls and Dally 2010, surveys architectures and was not read.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import torch
from hypothesis import given, strategies as st

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds, settled


def no_synchronisation(stream, n):
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


def one_after_each(stream, n):
    """Wait after every kernel, to be safe."""
    stream.synchronize()
    start = stream.clock()
    for _ in range(n):
        stream.launch(1)
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


class VirtualStream:
    """A device that runs kernels one after the other while the host goes on; its clock is the host's."""

    def __init__(self, launch, work):
        self.launching, self.work = launch, work
        self.now = self.idle_at = 0
        self.clock = lambda: self.now

    def launch(self, n):
        """Queue kernels; each begins when the one before it has ended."""
        for _ in range(n):
            self.now += self.launching
            self.idle_at = max(self.now, self.idle_at) + self.work

    def synchronize(self):
        """Wait until the device is idle."""
        self.now = max(self.now, self.idle_at)


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


@claim(
    wrong=(no_synchronisation, one_at_the_end, one_after_each), right=one_at_either_end, evidence="simulated"
)
@given(
    launch=st.sampled_from([5, 1, 10]),
    work=st.sampled_from([1000, 30, 0]),
    backlog=st.integers(0, 3),
    n=st.integers(1, 8),
)
def test_timing_of_a_stream(answer, launch, work, backlog, n):
    """A timer that synchronises before it starts and before it stops reads the time on an idle device."""
    idle, busy = VirtualStream(launch, work), VirtualStream(launch, work)
    idle.launch(n)
    busy.launch(backlog)

    assert observe(elapsed=idle.idle_at) == answer(busy, n)


@claim(wrong=(no_synchronisation, one_at_the_end), right=one_at_either_end, examples=20)
@given(backlog=st.integers(0, 3), n=st.integers(1, 4))
def test_timing_of_a_thread(answer, backlog, n):
    """Between its two readings exactly the products that are timed finish, on a real queue."""
    with ThreadStream() as stream:
        stream.launch(backlog)
        finished = answer(stream, n)

    assert observe(finished=finished) == n


@claim(wrong=(no_synchronisation, one_at_the_end), right=one_at_either_end, evidence="measured", examples=2)
@given(size=st.sampled_from([8192, 6144]))
def test_timing_on_a_gpu(answer, gpu, size):
    """On a GPU such a timer reads one product, though twenty are queued before it."""
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
