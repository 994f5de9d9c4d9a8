"""What five times the FLOPs buy

A new GPU has five times the FLOP/s of the old one, and the model runs 1.2 times as fast. Where did the rest
go, and what should have been expected?

Verdict: holds if a fifth of the time was compute-bound, or the bandwidth grew 1.2 times: as a general figure
    the 1.2 is an illustration. A block that decodes gains nothing, one of 512 tokens 2.4 times
Asked: AI Interview Prep newsletter, LLM System Design #42
Source: Williams, Waterman and Patterson 2009, "Roofline: An Insightful Visual Performance Model for Multicore
    Architectures", https://doi.org/10.1145/1498765.1498785
Source: Gholami et al. 2024, "AI and Memory Wall", abstract, https://arxiv.org/abs/2403.14123
Right when: Every kernel is compute-bound on the old machine and on the new: then FLOP/s are all that counts.
Limits: Kernels one after the other, each with its operands from memory: no overlap, no second-level cache, no
    launches. The newsletter's abstract breaks off; only what is visible is judged. The roofline paper was
    read as others quote it.
"""

from functools import cache

import torch
import torch.nn.functional as F
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.machines import A100, Machine, play
from fixtures.meters import Traffic, flops


def as_the_data_sheet_says(kernels, compute, bandwidth):
    """Five times the FLOP/s, five times the speed."""
    return compute


def amdahl_with_the_old_shares(kernels, compute, bandwidth):
    """The share of time that was compute-bound speeds up by the FLOPs, the rest by the bandwidth."""
    times = [(f / A100.peak, b / A100.bandwidth) for f, b in kernels]
    total = sum(map(max, times))
    math = sum(f for f, b in times if f > b)
    return total / (math / compute + (total - math) / bandwidth)


def one_roofline_for_all(kernels, compute, bandwidth):
    """All FLOPs over the peak or all bytes over the bandwidth, whichever takes longer."""
    total_flops, total_bytes = map(sum, zip(*kernels, strict=True))
    old = max(total_flops / A100.peak, total_bytes / A100.bandwidth)
    return old / max(total_flops / A100.peak / compute, total_bytes / A100.bandwidth / bandwidth)


def kernel_by_kernel(kernels, compute, bandwidth):
    """Each kernel takes the longer of its FLOPs over the peak and its bytes over the bandwidth; add those up.

    With more FLOP/s kernels pass from one side of the ridge to the other. At width 4096 five times the
    FLOP/s buy nothing for 64 tokens and 2.4 for 512 or more.
    """

    def time(compute, bandwidth):
        return sum(max(f / A100.peak / compute, b / A100.bandwidth / bandwidth) for f, b in kernels)

    return time(1, 1) / time(compute, bandwidth)


class Trace(Traffic):
    """FLOPs and bytes of each operation of a `with` block: in eager mode each is a kernel."""

    def __init__(self):
        super().__init__()
        self.kernels = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run one operation and write it down if it moves anything."""
        before = self.bytes
        result = super().__torch_dispatch__(func, types, args, kwargs)
        if self.bytes > before:
            self.kernels.append((flops(lambda: func(*args, **kwargs or {})), self.bytes - before))
        return result


def bf16(*shape):
    """An empty bf16 tensor of any size."""
    return torch.empty(*shape, dtype=torch.bfloat16, device="meta")


@cache
def kernels_of_a_block(tokens, d):
    """The kernels of a transformer block with a gated MLP, heads of 128, and no cache."""
    x, wq, wk, wv, wo, up, gate, down = bf16(tokens, d), *bf16(4, d, d), *bf16(2, d, 4 * d), bf16(4 * d, d)
    with Trace() as trace:
        h = F.layer_norm(x, (d,))
        q, k, v = ((h @ w).view(tokens, -1, 128).transpose(0, 1) for w in (wq, wk, wv))
        mixed = (q @ k.transpose(1, 2)).softmax(-1) @ v
        x = x + mixed.transpose(0, 1).reshape(tokens, d) @ wo
        h = F.layer_norm(x, (d,))
        _ = x + (F.silu(h @ gate) * (h @ up)) @ down
    return trace.kernels


def seconds_of(kernels, machine):
    """The time of kernels that run one after the other."""
    return sum(play(*kernel, machine) for kernel in kernels)


@claim(
    wrong=(as_the_data_sheet_says, amdahl_with_the_old_shares, one_roofline_for_all),
    right=kernel_by_kernel,
    evidence="simulated",
    examples=60,
)
@given(
    tokens=st.sampled_from([1, 8, 64, 256, 512, 1024, 4096]),
    d=st.sampled_from([4096, 1024]),
    compute=st.sampled_from([5, 3, 2, 1]),
    bandwidth=st.sampled_from([1, 1.2, 1.6]),
)
def test_roofline_of_a_block(answer, tokens, d, compute, bandwidth):
    """More FLOP/s and more bandwidth speed a block up kernel by kernel."""
    kernels = kernels_of_a_block(tokens, d)
    new = Machine("new", compute * A100.peak, bandwidth * A100.bandwidth)
    speed_up = seconds_of(kernels, A100) / seconds_of(kernels, new)

    # The machine that plays a kernel takes up to 1.6 % more than the slower of its engines.
    assert observe(speed_up=speed_up) == approx(answer(kernels, compute, bandwidth), rel=0.02)
