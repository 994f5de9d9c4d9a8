"""Which kernels wait for memory

A kernel waits for memory if it does fewer FLOPs a byte than the machine has. Are matrix products always on
the safe side? And pointwise operations that follow each other at once, with their data still at hand?

Verdict: holds
Asked: AI Interview Prep newsletter, LLM System Design #42
Source: Williams, Waterman and Patterson 2009, "Roofline: An Insightful Visual Performance Model for Multicore
    Architectures", https://doi.org/10.1145/1498765.1498785
Source: Gholami et al. 2024, "AI and Memory Wall", abstract, https://arxiv.org/abs/2403.14123
Right when: Tensors fit into a cache. Or one kernel does the whole chain: then it moves two tensors.
Limits: Operations as torch issues them, with operands from memory. A tiled product reads its inputs more
    than once and needs a larger n. Only the visible abstract is judged; the roofline paper is read as
    others quote it.
"""

import torch
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.machines import MACHINES, Machine, play
from fixtures.meters import Traffic, flops, nbytes


def one_multiply_add_an_element(n, itemsize):
    """A multiplication and an addition for each element that is read."""
    return 2 / itemsize


def every_element_once(n, itemsize):
    """2·n³ FLOPs, and n² elements to read."""
    return 2 * n / itemsize


def two_read_one_written(n, itemsize):
    """2n/(3b) FLOPs a byte: n multiply-adds an element of the result, and three matrices to move."""
    return 2 * n / (3 * itemsize)


def at_any_width(ridge):
    """Matrix products are compute-bound."""
    return 2


def as_wide_as_the_ridge(ridge):
    """Once they are as wide as the machine has FLOPs a byte."""
    return int(ridge) + 1


def three_times_the_ridge(ridge):
    """Square bf16 products are compute-bound beyond n = 3 · ridge, 886 on an H100.

    With two bytes an element 2n/(3b) is n/3.
    """
    return int(3 * ridge) + 1


def cache_holds_it(operations):
    """The chain reads its input once and writes its result once; a cache holds the rest."""
    return 2


def still_on_the_chip(operations):
    """Each operation writes its result, and the next one finds it where it is."""
    return operations + 1


def in_and_out_each_time(operations):
    """2k tensors for k operations: each reads one and writes one.

    One kernel that does all of them moves two. That is what fusion is for.
    """
    return 2 * operations


def instructions_count(operations):
    """Each operation takes its time, and an exponential several times that of a change of sign."""
    return [operations, 4]


def cache_takes_no_time(operations):
    """Only the first of several operations on the same data waits for it."""
    return [1, 1]


def bytes_take_time(operations):
    """So many operations take so many times as long, and an exponential no longer than a change of sign.

    Its instructions run while the bytes travel.
    """
    return [operations, 1]


def square_product(n, dtype=torch.bfloat16):
    """FLOPs and bytes of the product of two square matrices."""
    a, b = torch.empty(2, n, n, dtype=dtype, device="meta")
    with Traffic() as traffic:
        _ = a @ b
    return flops(lambda: a @ b), traffic.bytes


def first_compute_bound(machine):
    """The first width at which twice the FLOP/s do more for a product than twice the bandwidth."""
    faster = Machine("faster", 2 * machine.peak, machine.bandwidth)
    wider = Machine("wider", machine.peak, 2 * machine.bandwidth)
    below, above = 1, 4096
    while above - below > 1:
        n = (below + above) // 2
        gains = play(*square_product(n), faster) < play(*square_product(n), wider)
        below, above = (below, n) if gains else (n, above)
    return above


@claim(wrong=(one_multiply_add_an_element, every_element_once), right=two_read_one_written)
@given(
    n=st.sampled_from([256, 512, 768, 1024, 4096, 16_384]),
    dtype=st.sampled_from([torch.bfloat16, torch.float32]),
)
def test_roofline_intensity_of_a_matmul(answer, n, dtype):
    """The FLOPs a byte of a square product grow with its width."""
    counted, moved = square_product(n, dtype)
    assert observe(flops_a_byte=counted / moved) == approx(answer(n, dtype.itemsize))


@claim(wrong=(at_any_width, as_wide_as_the_ridge), right=three_times_the_ridge, evidence="simulated")
@given(machine=st.sampled_from(MACHINES[::-1]))
def test_roofline_ridge_of_a_matmul(answer, machine):
    """Below three times the machine's ridge a square bf16 product waits for memory."""
    assert observe(n=first_compute_bound(machine)) == answer(machine.ridge)


@claim(wrong=(cache_holds_it, still_on_the_chip), right=in_and_out_each_time, examples=60)
@given(chain=st.lists(st.sampled_from(["relu", "exp", "neg", "sigmoid"]), min_size=1, max_size=12))
def test_bandwidth_of_a_chain(answer, device, chain):
    """In eager mode each pointwise operation of a chain moves two tensors."""
    x = y = torch.ones(256, device=device)
    with Traffic() as traffic:
        for operation in chain:
            y = getattr(y, operation)()

    assert observe(tensors=traffic.bytes / nbytes(x)) == answer(len(chain))


@claim(
    wrong=(instructions_count, cache_takes_no_time), right=bytes_take_time, evidence="measured", examples=2
)
@given(mi=st.sampled_from([256, 128]))
def test_bandwidth_of_pointwise_operations_on_a_gpu(answer, gpu, mi):
    """On a GPU pointwise operations over a large tensor take the time of their bytes."""
    x = torch.linspace(-1, 1, mi * 2**20, device=gpu)
    y = torch.empty_like(x)
    runs = [lambda: [x.neg_() for _ in range(8)], x.neg_]
    runs += [lambda f=f: f(x, out=y) for f in (torch.neg, torch.exp)]
    eight, one, neg, exp = seconds(*runs, device=gpu)
    repeated, dearer = observe(ratios=[eight / one, exp / neg])
    # Between 2 and e neighbours in fp32 are 2.4e-7 apart; an exponential may be off by two of them.
    assert observe(error=(y - x.double().exp()).abs().max().item()) < 1e-6
    assert [nearest(repeated, 1, 8), nearest(dearer, 1, 4)] == answer(8)
