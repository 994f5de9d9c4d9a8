"""How many tokens make a linear layer compute-bound

An H100 computes 295 FLOPs in bf16 in the time in which it reads a byte. Is a linear layer compute-bound
as soon as 295 tokens pass through it at once?

Answer: A few more are needed, as the tokens are read and the results written too. The crossing lies at
    1/(1/ridge - 1/d - 1/n) tokens per pass for a weight of d·n in bf16: 319 for 8192×8192 on an H100,
    where the ridge is 295, and 438 for a key projection of 8192×1024. One whose width is at the ridge or
    below never is, as 8192×128 under 8-way tensor parallelism. Prefill or decode makes no difference.
Verdict: not judged: what the book says of the two phases is judged on the page
    ttft_and_tpot_share_a_bottleneck
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 14
Source: Kwon et al. 2023, "Efficient Memory Management for Large Language Model Serving with
    PagedAttention", sections 2.2 and 2.3, https://arxiv.org/abs/2309.06180
Source: Agrawal et al. 2024, "Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve",
    section 3.1, https://arxiv.org/abs/2403.02310
Terms: roofline, ridge, ridge point, arithmetic intensity, operational intensity, compute-bound,
    memory-bound, matmul, GEMM, HBM, bandwidth, prefill, decode, critical batch size
Right when: Both widths of the weight are many times the ridge: of 32,768×32,768 the crossing is 301.
Limits: Each tensor is read or written once, in bf16, at the figures of the data sheet, which no kernel
    reaches. What the clock says is the page ttft_and_tpot_share_a_bottleneck.
"""

from bisect import bisect_left
from math import ceil, inf

import torch
from hypothesis import example, given, strategies as st

from fixtures import claim, observe
from fixtures.machines import H100, H200, MACHINES
from fixtures.meters import Traffic, flops


def from_the_ridge_on(d, n, ridge):
    """A pass needs as many tokens as the machine has FLOPs per byte."""
    return ridge


def after_what_enters(d, n, ridge):
    """The tokens are read as well as the weights, so it takes 1/(1/ridge - 1/d) of them, a few more."""
    return 1 / (1 / ridge - 1 / d) if d > ridge else inf


def after_what_leaves_too(d, n, ridge):
    """A product in bf16 turns compute-bound at 1/(1/ridge - 1/d - 1/n) tokens.

    Of t tokens and d·n weights its intensity is 1/(1/t + 1/d + 1/n) FLOPs per byte: what enters and what
    leaves counts too. On an H100 a weight of 8192×8192 takes 319 tokens, the narrow one of a key
    projection, 8192×1024, takes 438, and no number is enough for 8192×128.
    """
    rest = 1 / ridge - 1 / d - 1 / n
    return 1 / rest if rest > 0 else inf


def bf16(*shape):
    """A bf16 tensor on the meta device."""
    return torch.empty(*shape, dtype=torch.bfloat16, device="meta")


def intensity(tokens, d, n):
    """FLOPs per byte of a product of tokens and weights, both counted."""
    x, w = bf16(tokens, d), bf16(d, n)
    with Traffic() as moved:
        count = flops(lambda: x @ w)
    return count / moved.bytes


@claim(
    wrong=(from_the_ridge_on, after_what_enters), right=after_what_leaves_too, evidence="derived", examples=30
)
@example(d=8192, n=8192, machine=H100)
@example(d=8192, n=1024, machine=H100)
@example(d=8192, n=128, machine=H100)
@example(d=1024, n=256, machine=H200)  # both widths are above the ridge, 206, and it is never reached
@example(d=32_768, n=32_768, machine=H100)
@given(
    d=st.integers(4, 32).map(lambda i: 256 * i),
    n=st.sampled_from([128, 256]) | st.integers(4, 32).map(lambda i: 256 * i),
    machine=st.sampled_from(MACHINES),
)
def test_roofline_crossing_of_a_linear_layer(answer, d, n, machine):
    """A linear layer becomes compute-bound some tokens above the ridge, a narrow one many.

    n: width of what leaves the layer, numbers
    """
    tokens = range(1, 100_000)
    first = bisect_left(tokens, machine.ridge, key=lambda t: intensity(t, d, n))
    first = tokens[first] if first < len(tokens) else inf

    law = answer(d, n, machine.ridge)
    assert observe(tokens=first) == (ceil(law) if law < inf else inf)
