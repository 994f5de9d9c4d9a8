"""What ZeRO stage 1 sends

Adam's state fills your GPUs under data parallelism, so you propose ZeRO stage 1, which shards it. Does
that not make a bottleneck of the network?

Answer: No: Adam's states never leave their rank, and gradients and weights are sent. An all-reduce is a
    reduce-scatter and an all-gather; ZeRO-1 puts the optimizer between the two: reduce-scatter the
    gradients, update your shard, all-gather the weights. Per step each of 4 ranks sends 1.5 times the
    model's bytes either way, 2(n - 1)/n. Only where gradients are still all-reduced and weights gathered
    on top it is 3(n - 1)/n, 2.25 times, as in PyTorch's ZeroRedundancyOptimizer under DDP.
Says: The bandwidth penalty that one fears of sharding Adam's states by ZeRO-1 is an illusion.
Verdict: holds if gradients are reduce-scattered
Asked: AI Interview Prep newsletter, LLM System Design #46
Source: Rajbhandari et al. 2020, "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models",
    section 7.1, https://arxiv.org/abs/1910.02054
Source: awgu 2021, "ZeroRedundancyOptimizer", PyTorch issue 69591: all-reduce and broadcast,
    https://github.com/pytorch/pytorch/issues/69591
Terms: ZeRO-1, ZeRO stage 1, ZeRO, all-reduce, allreduce, reduce_scatter, reduce-scatter, all-gather, DDP,
    FSDP, DeepSpeed, ZeroRedundancyOptimizer, communication volume
Right when: Gradients are all-reduced in full, and the weights are gathered or broadcast on top.
Limits: A ring between threads of one process, over gloo's send and receive, in fp32; bytes of the
    messages, without headers, and no time. What is freed is the page zero1_frees_all_memory. The issue
    was read in a summary, the paper in a reproduction.
"""

from datetime import timedelta
from threading import Thread

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def one_gather_more(scheme, n):
    """All-reduce the gradients, and gather the new weights on top: half as much again."""
    return 2 * (n - 1) / n if scheme == "all-reduce" else 3 * (n - 1) / n


def always_as_much(scheme, n):
    """The all-reduce is decomposed, so sharding never costs anything."""
    return 2 * (n - 1) / n


def grows_with_the_ranks(scheme, n):
    """Each rank sends its gradients to all others."""
    return n - 1.0


def by_passes_of_the_ring(scheme, n):
    """Two passes of the ring, as for an all-reduce, and three only with one gather more.

    A pass sends all chunks but one, (n - 1)/n of the model: with 4 ranks that makes 1.5 and 2.25 times
    the model.
    """
    return (3 if scheme == "all-reduce and gather" else 2) * (n - 1) / n


class Ring:
    """A rank among n that counts the bytes which it sends to the next one."""

    def __init__(self, group, rank, n):
        self.group, self.rank, self.n, self.sent, self.tag = group, rank, n, 0, 0

    def turn(self, chunks, first, add):
        """Pass chunks around, from chunk `first` of each rank on; a received one is added or taken over."""
        for step in range(self.n - 1):
            out, back = ((first + self.rank - step - late) % self.n for late in (0, 1))
            received = torch.empty_like(chunks[back])
            sending = self.group.send([chunks[out].clone()], (self.rank + 1) % self.n, self.tag)
            self.group.recv([received], (self.rank - 1) % self.n, self.tag).wait()
            sending.wait()
            self.sent, self.tag = self.sent + chunks[out].nbytes, self.tag + 1
            chunks[back].copy_(chunks[back] + received if add else received)

    def reduce_scatter(self, chunks):
        """Sum up over the ranks; each ends with the sum of the chunk after its own."""
        self.turn(chunks, 0, add=True)

    def all_gather(self, chunks):
        """Hand on what each rank has of the chunk after its own."""
        self.turn(chunks, 1, add=False)


def trained(scheme, ring, weights, gradients):
    """A step of SGD with momentum on weights [size], from the gradients of this rank."""
    new, summed = weights.clone(), gradients.clone()
    chunks, parts = summed.tensor_split(ring.n), new.tensor_split(ring.n)
    ring.reduce_scatter(chunks)
    own = (ring.rank + 1) % ring.n
    if scheme != "ZeRO-1":
        ring.all_gather(chunks)
    for part, chunk in (
        zip(parts, chunks, strict=True) if scheme == "all-reduce" else [(parts[own], chunks[own])]
    ):
        part -= 0.1 * chunk / ring.n
    if scheme != "all-reduce":
        ring.all_gather(parts)
    return new


@claim(wrong=(one_gather_more, always_as_much, grows_with_the_ranks), right=by_passes_of_the_ring)
@example(scheme="all-reduce", n=4, size=1000)
@example(scheme="ZeRO-1", n=4, size=1000)
@example(scheme="all-reduce and gather", n=4, size=1000)
@given(
    scheme=st.sampled_from(["all-reduce", "ZeRO-1", "all-reduce and gather"]),
    n=st.integers(1, 4),
    size=st.sampled_from([1000, 1001, 1203]),
)
def test_zero1_bytes_sent(answer, scheme, n, size):
    """ZeRO-1 by reduce-scatter and all-gather sends as much as an all-reduce.

    scheme: what is sent in a step of data-parallel training
    n: ranks
    size: weights of the model
    """
    from torch.distributed import HashStore, ProcessGroupGloo

    random = torch.Generator().manual_seed(size)
    weights, gradients = torch.randn(size, generator=random), torch.randn(n, size, generator=random)
    store, results = HashStore(), {}

    def run(rank):
        ring = Ring(ProcessGroupGloo(store, rank, n, timedelta(seconds=20)), rank, n)
        results[rank] = trained(scheme, ring, weights, gradients[rank]), ring.sent

    threads = [Thread(target=run, args=(rank,)) for rank in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # Every rank has the weights that one device would have.
    alone = weights - 0.1 * gradients.mean(0)
    assert max((new - alone).abs().max().item() for new, _ in results.values()) < 1e-6
    sent = sum(sent for _, sent in results.values()) / n / (4 * size)
    assert observe(model_sizes=sent) == approx(answer(scheme, n), rel=1e-9)
