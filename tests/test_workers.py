"""A loader that leaves nothing behind."""

import multiprocessing
import threading

import pytest
import torch
from torch.utils.data import TensorDataset

from fixtures.workers import loading


@pytest.mark.parametrize("workers", [0, 2])
def test_nothing_of_a_loader_is_left(workers):
    """Whether it was read to its end or not, its processes and threads are gone."""
    for read in (1, 5):
        with loading(TensorDataset(torch.arange(5)), workers) as samples:
            first = [next(samples)[0].item() for _ in range(read)]
        assert first == [0, 1, 2, 3, 4][:read]
        assert not multiprocessing.active_children()
        assert not [thread for thread in threading.enumerate() if thread.name == "QueueFeederThread"]


def test_a_failure_inside_leaves_nothing_either():
    """What goes wrong with the samples is raised, and the workers are gone."""

    def fail():
        with loading(TensorDataset(torch.arange(5)), 2) as samples:
            next(samples)
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert not multiprocessing.active_children()
