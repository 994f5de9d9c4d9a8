"""An IterableDataset with several workers

The dataset is an IterableDataset of 20 samples, and you set num_workers to 2. How many samples does an
epoch have?

Answer: 40, if its __iter__ knows nothing of workers: each has its own copy of the dataset and yields all
    of it. With a dataset that shards itself by get_worker_info() it is 20; a map-style dataset is split
    by its sampler and needs nothing. In batches with drop_last each worker that shards drops its own last
    batch: of 20 samples in batches of 8 three workers leave none, where a map-style dataset leaves 16.
Verdict: not judged: a trap of our own
Asked: nowhere yet
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
    """The loader deals the samples out to its workers, so 20 stay 20."""
    return samples


def once_per_worker(kind, samples, workers):
    """Each worker runs the dataset, of whatever kind, so with two of them 20 samples make 40."""
    return samples * max(1, workers)


def unsharded_streams_repeat(kind, samples, workers):
    """A stream that does not shard itself comes once per worker, 40 of 20 with two; all else once.

    With no worker the process itself iterates, once.
    """
    return samples * max(1, workers) if kind == "stream" else samples


def last_batch_of_the_epoch(kind, samples, workers, batch):
    """Drop_last drops the last batch of the epoch if it is not full: of 20 in batches of 8 it leaves 16."""
    return samples // batch * batch


def last_batch_of_each_worker(kind, samples, workers, batch):
    """Of a stream that workers share each drops its own: none is left of 20 in batches of 8 by 3 workers.

    The loader makes batches of a map-style dataset, and workers make those of a stream.
    """
    shares = (
        [samples]
        if kind == "map-style" or not workers
        else [len(range(w, samples, workers)) for w in range(workers)]
    )
    return sum(share // batch * batch for share in shares)


@claim(wrong=(loader_splits_it, once_per_worker), right=unsharded_streams_repeat)
@example(kind="stream", samples=20, workers=2)
@example(kind="stream that shards itself", samples=20, workers=2)
@given(
    kind=st.sampled_from(["stream", "stream that shards itself", "map-style"]),
    samples=st.sampled_from([1, 5]),
    workers=st.integers(0, 3),
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


@claim(wrong=last_batch_of_the_epoch, right=last_batch_of_each_worker, examples=12)
@example(kind="stream that shards itself", samples=20, workers=3, batch=8)
@example(kind="map-style", samples=20, workers=3, batch=8)
@given(
    kind=st.sampled_from(["stream that shards itself", "map-style"]),
    samples=st.sampled_from([7, 20]),
    workers=st.integers(0, 3),
    batch=st.sampled_from([1, 3, 8]),
)
def test_loader_samples_with_drop_last(answer, kind, samples, workers, batch):
    """With drop_last each worker of a sharded stream drops its own last batch.

    kind: of the dataset
    samples: of the dataset
    workers: processes that load
    """
    dataset = Items(samples) if kind == "map-style" else Stream(samples, True)
    with loading(dataset, workers, batch_size=batch, drop_last=True) as loaded:
        kept = sum(len(samples_of_a_batch) for samples_of_a_batch in loaded)

    assert observe(samples=kept) == answer(kind, samples, workers, batch)
