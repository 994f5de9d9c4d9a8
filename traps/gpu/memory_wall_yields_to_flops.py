"""The memory wall: what five times the FLOP/s buy

A new cluster has 5 times the FLOP/s of the old one, and the training job runs 1.2 times as fast. Which
hardware reality was not profiled?

Answer: The memory wall. A kernel below the ridge of the roofline waits for HBM, and more FLOP/s buy it
    nothing. A block 1024 wide gains 1.20 times with unfused attention over 11,264 tokens, as 22 % of its
    time is compute-bound, and 3.39 times with FlashAttention. Profile each kernel's arithmetic intensity
    first, then raise it: fusion, FlashAttention, larger matmuls, lower precision.
Says: A cluster with 5x the raw teraFLOPs raises throughput by barely 1.2x, as the job is stuck on the
    memory-bound slope of the roofline and waits for bytes from HBM; data loading is the wrong diagnosis.
Verdict: holds if about a fifth of the time was compute-bound and the bandwidth stayed: with the 1.64
    times that an H100 brings over an A100 even a step of 64 tokens, which waits for memory alone, gains
    1.64
Asked: AI Interview Prep newsletter, LLM System Design #42,
    https://aiinterviewprep.substack.com/p/llm-system-design-interview-42-the
Source: Williams, Waterman and Patterson 2009, "Roofline: An Insightful Visual Performance Model for
    Multicore Architectures", https://doi.org/10.1145/1498765.1498785
Source: Gholami et al. 2024, "AI and Memory Wall", abstract, https://arxiv.org/abs/2403.14123
Terms: memory wall, memory-bound, compute-bound, roofline, arithmetic intensity, HBM bandwidth, MFU,
    Amdahl, fusion, FlashAttention, H100 upgrade, profiling, data sheet
Right when: Every kernel is compute-bound on the old machine and stays so on the new: large matmuls alone.
Limits: The forward pass, kernel after kernel with operands from memory: no overlap, no data loading, no
    reuse in L2, but FlashAttention's keys and values are counted once, as if L2 held them. The post's
    stored text stops before its solution, and gives no derivation of the 85 % of the time that the
    processor idles: not judged. Not read: the roofline paper.
"""

from functools import cache

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.machines import A100, H100
from fixtures.meters import kernels, nbytes
from fixtures.stack import measured, stack


def peak_at_any_intensity(intensity, peak, bandwidth):
    """A kernel computes at the peak that the card is sold with."""
    return peak


def bandwidth_at_any_intensity(intensity, peak, bandwidth):
    """Everything is memory-bound today: FLOP/s are what the bandwidth feeds."""
    return intensity * bandwidth


def roofline(intensity, peak, bandwidth):
    """min(peak, intensity · bandwidth): below the ridge a higher peak changes nothing."""
    return min(peak, intensity * bandwidth)


def as_the_data_sheet_says(costs, compute, memory):
    """Five times the FLOP/s, five times the speed."""
    return compute


def amdahl_by_old_shares(costs, compute, memory):
    """Take the share of time that is compute-bound on the old machine, and apply Amdahl's law."""
    times = [(f / A100.peak, b / A100.bandwidth) for f, b in costs]
    math, total = sum(f for f, b in times if f > b), sum(max(f, b) for f, b in times)
    return total / (math / compute + (total - math) / memory)


def kernel_by_kernel(costs, compute, memory):
    """Each kernel takes the longer of its FLOPs and its bytes, before and after; add up, then divide.

    With more FLOP/s kernels pass the ridge, and the gain is not monotonic: at width 4096 it is 1.00 for
    64 tokens, 1.46 for 256, whose matmuls pass the ridge, 3.18 for 1024, and 1.54 for 16,384, whose
    unfused scores wait for HBM.
    """
    old = sum(max(f / A100.peak, b / A100.bandwidth) for f, b in costs)
    return old / sum(max(f / A100.peak / compute, b / A100.bandwidth / memory) for f, b in costs)


@cache
def costs_of_a_block(tokens, d, fused):
    """FLOPs and bytes of each kernel of a transformer block in bf16, with heads of 128 and a gated MLP."""
    shapes = (tokens, d), *[(d, d)] * 4, (d, 4 * d), (d, 4 * d), (4 * d, d)
    x, *qkv, out, up, gate, down = (torch.empty(s, dtype=torch.bfloat16, device="meta") for s in shapes)

    def block():
        flash = torch.ops.aten._scaled_dot_product_flash_attention
        h = F.layer_norm(x, (d,))
        q, k, v = ((h @ w).view(1, tokens, -1, 128).transpose(1, 2) for w in qkv)
        mixed = flash(q, k, v)[0] if fused else (q @ k.mT).softmax(-1) @ v
        y = x + mixed.transpose(1, 2).reshape(tokens, d) @ out
        h = F.layer_norm(y, (d,))
        return y + (F.silu(h @ gate) * (h @ up)) @ down

    return [(kernel.flops, kernel.bytes) for kernel in kernels(block)]


@claim(wrong=(peak_at_any_intensity, bandwidth_at_any_intensity), right=roofline, evidence="measured")
@given(rows=st.sampled_from([0, 128]))
def test_memory_wall_of_a_kernel(answer, device, rows):
    """A pointwise kernel runs at what the bandwidth feeds, a product of 128 rows at the peak.

    rows: multiplied with each weight; 0 is a pointwise operation on the weights
    intensity: arithmetic intensity, FLOPs per byte
    """
    machine, weights = measured(device), stack(device).weights
    out = torch.empty_like(weights)
    run, count, moved = stack(device).passing(rows), 2 * rows * out.numel(), nbytes(weights)
    if not rows:
        run, count, moved = lambda: torch.mul(weights, 0.5, out=out), out.numel(), nbytes(weights, out)

    (taken,) = seconds(run, device=device)
    intensity = count / moved

    speed = nearest(observe(flops_per_second=count / taken), machine.peak, intensity * machine.bandwidth)
    assert speed == approx(answer(intensity, machine.peak, machine.bandwidth), rel=1e-9)


@claim(wrong=(as_the_data_sheet_says, amdahl_by_old_shares), right=kernel_by_kernel, evidence="derived")
@example(tokens=11_264, d=1024, fused=False, compute=5, memory=1)
@example(tokens=11_264, d=1024, fused=True, compute=5, memory=1)
@example(tokens=64, d=4096, fused=False, compute=5, memory=1)
@example(tokens=1024, d=4096, fused=False, compute=5, memory=1)
@example(tokens=16_384, d=4096, fused=False, compute=5, memory=1)
@example(tokens=256, d=4096, fused=False, compute=5, memory=1)
@example(tokens=64, d=4096, fused=False, compute=5, memory=H100.bandwidth / A100.bandwidth)
@given(
    tokens=st.sampled_from([1, 8, 64, 256, 512, 1024, 4096, 16_384]),
    d=st.sampled_from([4096, 1024]),
    fused=st.booleans(),
    compute=st.sampled_from([5, 3, 2, 1]),
    memory=st.sampled_from([1, 1.64]),
)
def test_memory_wall_of_a_block(answer, tokens, d, fused, compute, memory):
    """A block gains kernel by kernel from a machine with more FLOP/s or more bandwidth than an A100.

    fused: whether attention is one kernel, as FlashAttention is
    compute: FLOP/s of the new machine over the old
    memory: bytes per second of the new machine over the old
    costs: FLOPs and bytes of each kernel, in turn
    """
    costs = costs_of_a_block(tokens, d, fused)
    times = [(f / A100.peak, b / A100.bandwidth) for f, b in costs]
    old, new = (sum(max(f / c, b / m) for f, b in times) for c, m in ((1, 1), (compute, memory)))
    observe(compute_bound=sum(f for f, b in times if f > b) / old)

    assert observe(speed_up=old / new) == approx(answer(costs, compute, memory), rel=1e-9)
