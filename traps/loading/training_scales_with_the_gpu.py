"""A faster GPU at the same iteration rate

You moved training to larger GPUs. The instances run, and the iteration rate is what it was. Why?

Answer: The GPU waits for data. With workers a step takes the longer of computing and loading over
    workers, and with num_workers=0, the default, their sum. Where loading takes 13 ms and computing 9, a
    GPU that takes 3 leaves a step at 13 ms with one worker; without workers it brings 16 instead of 22.
    Measure the time inside next(loader) first; then workers, prefetching, fewer and larger files, and
    decoding on the GPU.
Says: Faster GPU instances do not raise the iteration rate; the hidden cause is starvation by I/O.
Verdict: holds if workers load, and a batch takes each of them longer than their number times what the old
    GPU computed on it
Asked: AI Interview Prep newsletter, Advanced Deep Learning #4
Source: Mohan et al. 2021, "Analyzing and Mitigating Data Stalls in DNN Training", abstract,
    https://arxiv.org/abs/2007.06775
Source: PyTorch documentation 2025, "torch.utils.data": single- and multi-process data loading,
    https://docs.pytorch.org/docs/stable/data.html
Terms: DataLoader, num_workers, data loading bottleneck, io_bound, I/O bound, data stall, input pipeline,
    prefetch_factor, GPU utilization, starvation
Right when: Loading is no bottleneck: then a step is as fast as the GPU.
Limits: Storage and device are waits, as both leave the CPU alone; torch's loader with real worker
    processes lies between. Workers that decode compete for cores. The newsletter's stored text stops
    before the cure. Of Mohan et al. the abstract was read.
"""

import time
from statistics import median

import torch
from hypothesis import example, given, strategies as st
from torch.utils.data import Dataset

from fixtures import claim, observe
from fixtures.clocks import Undecided, nearest
from fixtures.workers import loading


def as_fast_as_the_gpu(load, compute, workers):
    """Training is computing: a faster GPU is a faster step."""
    return compute


def one_after_the_other(load, compute, workers):
    """Each step loads its batch and then computes on it, so the two times add up."""
    return load + compute


def longer_of_both(load, compute, workers):
    """Loading and computing overlap, so the longer one counts."""
    return max(compute, load / max(1, workers))


def workers_overlap(load, compute, workers):
    """The longer of computing and loading over workers; without workers, their sum.

    At 13 ms of loading and 3 of computing that is 13 ms with one worker, and 16 without.
    """
    return max(compute, load / workers) if workers else load + compute


class Storage(Dataset):
    """Batches that take a while to be read."""

    def __init__(self, batches, load):
        self.batches, self.load = batches, load

    def __len__(self):
        return self.batches

    def __getitem__(self, index):
        return asleep(self.load)


def asleep(milliseconds):
    """Sleep, and say for how many milliseconds it really was."""
    start = time.perf_counter()
    time.sleep(milliseconds / 1000)
    return 1000 * (time.perf_counter() - start)


def milliseconds(load, compute, workers):
    """A step on batches of a loader, after 8 that start the workers and fill their queues.

    Of 24 steps the 8 in a row that take least, as other processes only add. Raises Undecided where
    sleeping itself takes a fifth longer than it should.
    """
    steps, takes, loads, computes = 32, [], [], []
    with loading(Storage(steps, load), workers) as batches:
        for _ in range(steps):
            start = time.perf_counter()
            loads.append(float(next(batches)))
            computes.append(asleep(compute))
            takes.append(1000 * (time.perf_counter() - start))
    if max(median(loads) / load, median(computes) / compute) > 1.2:
        raise Undecided("the machine is too busy to sleep for as long as it is told")
    return torch.tensor(takes[8:]).unfold(0, 8, 1).mean(1).min().item()


@claim(
    wrong=(as_fast_as_the_gpu, one_after_the_other, longer_of_both),
    right=workers_overlap,
    evidence="measured",
)
@example(load=13, compute=3, workers=1)
@example(load=13, compute=3, workers=0)
@example(load=13, compute=9, workers=0)
@example(load=13, compute=9, workers=1)
@given(
    load=st.just(13),
    compute=st.sampled_from([3, 9]),
    workers=st.sampled_from([0, 1, 2]),
)
def test_step_time_behind_a_loader(answer, load, compute, workers):
    """A step waits for what its loader brings, by as many batches at a time as there are workers.

    load: milliseconds to read a batch
    compute: milliseconds of the device per batch
    workers: processes that load
    """
    laws = {compute, load + compute, max(compute, load / max(1, workers))}
    step = observe(milliseconds=milliseconds(load, compute, workers))
    assert nearest(step, *laws) == answer(load, compute, workers)
