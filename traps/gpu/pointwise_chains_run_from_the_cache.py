"""Memory-bound kernels and fusion

Eight pointwise operations follow each other on one large tensor. Does the GPU's cache hold the tensor in
between, and what does fusion save?

Answer: No: in eager mode each kernel reads the tensor from HBM and writes it back, so 8 operations move
    16 tensors and take 8 times as long as one. It is memory that they wait for: slice by slice, with
    slices that fit a cache, the same chain takes less than half of that on a CPU core. A fused kernel
    keeps what lies between in registers and moves 2, as those of torch.compile do, where hardswish in 4
    operations moves 9 and takes 4.5 times as long; for a large matmul, which is compute-bound, fusion
    gains next to nothing.
Says: Kernel tiling and operator fusion keep the data in fast SRAM and so avoid the latency of global
    memory.
Verdict: holds if the kernels are memory-bound, as pointwise chains are
Asked: AI Interview Prep newsletter, LLM System Design #42,
    https://aiinterviewprep.substack.com/p/llm-system-design-interview-42-the
Source: PyTorch documentation, "torch.compiler: Getting Started",
    https://docs.pytorch.org/docs/stable/torch.compiler_get_started.html
Terms: kernel fusion, operator fusion, fused kernel, eager mode, torch.compile, pointwise, elementwise,
    memory-bound, bandwidth, HBM, SRAM, L2 cache, registers, tiling, hardswish
Right when: The tensor fits into a cache: then each operation finds it there, and its arithmetic counts.
Limits: Tensors are counted as an operation names them; a CPU also reads what it is about to overwrite. On
    one CPU core an exponential is compute-bound; on a GPU neither was that tried nor the slices. Tiling
    is the page flash_reads_everything_once. The post's stored text is its subtitle.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.meters import kernels, nbytes
from fixtures.stack import stack


def cached_in_between(order, operations, cached):
    """The first operation brings the tensor into the cache, where the others find it."""
    return 1 + (operations - 1) * cached


def arithmetic_of_each(order, operations, cached):
    """Each operation computes as much as the first, wherever its numbers are."""
    return operations


def cached_if_it_fits(order, operations, cached):
    """A slice stays in the cache between its operations, and the whole tensor does not."""
    return operations if order == "whole" else 1 + (operations - 1) * cached


def cache_holds_it(operations):
    """The chain reads its input once and writes its result once; the cache holds the rest."""
    return 2


def still_on_the_chip(operations):
    """Each operation writes its result, and the next one finds it where it is."""
    return operations + 1


def in_and_out_each_time(operations):
    """Each kernel reads its input from memory and writes its result back.

    So k operations move 2k tensors, 8 move 16: a large one has left the cache in between.
    """
    return 2 * operations


def as_many_instructions(instructions, moved):
    """Time goes by instructions: fused or not, the arithmetic is the same, and more of it takes longer."""
    return instructions


def as_many_bytes(instructions, moved):
    """A memory-bound kernel takes the time of its bytes, and its instructions run while these travel."""
    return moved


def four_operations(x, y, z):
    """Hardswish, x · min(max(x + 3, 0), 6) / 6, an operation at a time."""
    torch.add(x, 3, out=y)
    torch.clamp(y, 0, 6, out=z)
    torch.div(z, 6, out=y)
    return torch.mul(x, y, out=z)


def moved_by(run):
    """Bytes that the kernels of a run move."""
    return sum(kernel.bytes for kernel in kernels(run))


@claim(wrong=(cached_in_between, arithmetic_of_each), right=cached_if_it_fits, evidence="measured")
@given(order=st.sampled_from(["whole", "in slices"]))
def test_pointwise_time_of_a_chain(answer, device, order):
    """Eight operations on a large tensor each take as long as one, and less over slices that fit a cache.

    order: each operation on the whole tensor in turn, or all of them on a slice before the next slice
    operations: pointwise operations in a row
    cached: time of an operation that finds its numbers in the cache, in those of one that does not
    """
    x = torch.ones_like(stack(device).weights)
    # Of 256 KiB on a CPU; on a GPU of 16 MiB, which take longer than a launch.
    slices = x.view(-1).chunk(192 if device.type == "cpu" else 16)
    parts = [x] if order == "whole" else slices

    def eight_each():
        return [part.neg_() for part in parts for _ in range(8)]

    chain, again, one = seconds(eight_each, lambda: [slices[0].neg_() for _ in slices], x.neg_, device=device)

    cached = observe(cached=again / one)
    assert nearest(observe(times_one=chain / one), 8, 1 + 7 * cached) == approx(answer(order, 8, cached))


@claim(wrong=(cache_holds_it, still_on_the_chip), right=in_and_out_each_time, evidence="derived", examples=40)
@example(chain=["relu"])
@example(chain=["neg", "exp"] * 4)
@given(chain=st.lists(st.sampled_from(["relu", "exp", "neg", "sigmoid"]), min_size=1, max_size=12))
def test_pointwise_tensors_of_a_chain(answer, device, chain):
    """In eager mode each pointwise operation of a chain moves two tensors.

    chain: pointwise operations in turn
    operations: how many these are
    """
    x = torch.ones(256, device=device)

    def run():
        y = x
        for operation in chain:
            y = getattr(y, operation)()

    assert observe(tensors=moved_by(run) / nbytes(x)) == answer(len(chain))


@claim(wrong=as_many_instructions, right=as_many_bytes, evidence="measured")
@given(compared=st.sampled_from(["four operations to fused", "fused to negation"]))
def test_fusion_of_hardswish(answer, device, compared):
    """Fused, a hardswish takes the time of a change of sign, and as four operations that of their bytes.

    compared: the two ways to compute something of which the times are compared
    instructions: those of the first over those of the second
    moved: bytes of the first over those of the second
    """
    x = stack(device).weights
    y, z = torch.empty(2, *x.shape, device=device)
    eager, fused, negation = (
        lambda: four_operations(x, y, z),
        lambda: torch.ops.aten.hardswish(x, out=z),
        lambda: torch.neg(x, out=z),
    )
    assert eager().mean().item() == approx(fused().mean().item(), rel=1e-3)
    first, second = (fused, negation) if compared == "fused to negation" else (eager, fused)
    # A fused hardswish adds, clamps, divides and multiplies; a negation is one instruction.
    instructions = 4 if second is negation else 1
    moved = observe(moved=moved_by(first) / moved_by(second))

    slow, quick = seconds(first, second, device=device)

    assert nearest(observe(ratio=slow / quick), 1, 4.5) == approx(answer(instructions, moved))
