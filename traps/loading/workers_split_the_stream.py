"""An IterableDataset with several workers

The dataset is an IterableDataset of 20 samples, and you set num_workers to 2. How many samples does an
epoch have?

Answer: An epoch has 40. Each worker has its own copy of the dataset and yields all of it, so every sample
    comes once per worker, unless the dataset shards itself by get_worker_info(): then it is 20. A
    map-style dataset is split by its sampler and needs nothing. With workers that shard, nothing is lost
    if there are more of them than samples.
Verdict: not judged: the stored text stops before it says anything of workers
Asked: AI Interview Prep newsletter, LLM System Design #33
Source: PyTorch documentation 2025, "torch.utils.data": IterableDataset and multi-process data loading,
    https://docs.pytorch.org/docs/stable/data.html
Terms: DataLoader, num_workers, IterableDataset, get_worker_info, duplicate data, sharding,
    worker_init_fn, streaming, map-style dataset
Right when: The dataset shards itself, or is map-style.
Limits: Forked workers on one machine. Ranks of data parallelism need the same care, which is not run.
    Memory of workers is not measured.
"""

import torch
from hypothesis import example, given, strategies as st
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from fixtures import claim, observe
from fixtures.workers import loading


class Stream(IterableDataset):
    """Numbers from zero on, all of them from each worker, or each nth if sharded."""

    def __init__(self, samples, sharded):
        self.samples, self.sharded = samples, sharded

    def __iter__(self):
        worker = get_worker_info() if self.sharded else None
        return iter(range(worker.id, self.samples, worker.num_workers) if worker else range(self.samples))


class Items(Dataset):
    """The same numbers by index."""

    def __init__(self, samples):
        self.samples = samples

    def __len__(self):
        return self.samples

    def __getitem__(self, index):
        return index


def loader_splits_it(kind, samples, workers):
    """The loader deals the samples out to its workers."""
    return samples


def once_per_worker(kind, samples, workers):
    """Each worker runs the dataset, of whatever kind."""
    return samples * max(1, workers)


def unsharded_streams_repeat(kind, samples, workers):
    """Each sample once per worker of a stream that does not shard itself: 40 of 20 with two; else once.

    With no worker the process itself iterates, once.
    """
    return samples * max(1, workers) if kind == "stream" else samples


@claim(wrong=(loader_splits_it, once_per_worker), right=unsharded_streams_repeat)
@example(kind="stream", samples=20, workers=2)
@example(kind="stream that shards itself", samples=20, workers=2)
@given(
    kind=st.sampled_from(["stream", "stream that shards itself", "map-style"]),
    samples=st.sampled_from([1, 5]),
    workers=st.integers(0, 2),
)
def test_loader_samples_of_an_epoch(answer, kind, samples, workers):
    """Without sharding an IterableDataset yields every sample once per worker.

    kind: of the dataset
    samples: of the dataset
    workers: processes that load
    """
    dataset = Items(samples) if kind == "map-style" else Stream(samples, kind != "stream")
    with loading(dataset, workers) as loaded:
        yielded = torch.tensor([int(sample) for sample in loaded])

    # None is missing.
    assert set(yielded.tolist()) == set(range(samples))
    assert observe(samples=len(yielded)) == answer(kind, samples, workers)
