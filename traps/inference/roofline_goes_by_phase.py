"""Compute-bound or memory-bound

Prefill runs a whole prompt through the weights at once, decode one token a request. Is prefill therefore
compute-bound, and decode memory-bound?

Verdict: holds if the prompt has more tokens than the machine's ridge, and the decode batch fewer
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 14
Source: Kwon et al. 2023, "Efficient Memory Management for Large Language Model Serving with
    PagedAttention", sections 2.2 and 2.3, https://arxiv.org/abs/2309.06180
Source: Agrawal et al. 2024, "Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve",
    section 3.1, https://arxiv.org/abs/2403.02310
Right when: Prompts are of thousands of tokens and decode batches of dozens, as they mostly are.
Limits: A product reads its factors and writes its result once, in bf16; peak and bandwidth are those of
    the data sheet, which no kernel reaches. On a busy CPU core in fp32, 64 rows took 10 to 17 times as
    long as one, neither flat nor 64 times, so the clock is left to GPUs.
"""

from bisect import bisect_left
from math import ceil

import torch
from hypothesis import given, strategies as st

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.machines import MACHINES
from fixtures.meters import Traffic, flops


def by_phase(phase, tokens, d, n, ridge):
    """Prefill multiplies matrices and is bound by compute; decode multiplies vectors, bound by memory."""
    return "compute" if phase == "prefill" else "memory"


def by_tokens_alone(phase, tokens, d, n, ridge):
    """Each weight read serves every token of the pass, so the ridge is crossed at that many tokens."""
    return "compute" if tokens > ridge else "memory"


def by_all_three_sizes(phase, tokens, d, n, ridge):
    """The intensity of t tokens times d×n weights in bf16 is 1/(1/t + 1/d + 1/n) FLOP/B, in either phase.

    A product does 2·t·d·n FLOPs and moves t·d + d·n + t·n numbers of two bytes. The smallest size
    decides, which is t; but a narrow weight leaves the activations to count as well.
    """
    return "compute" if 1 / tokens + 1 / d + 1 / n < 1 / ridge else "memory"


def from_the_ridge_on(d, n, ridge):
    """A pass needs as many tokens as the machine has FLOPs a byte."""
    return ceil(ridge)


def after_what_enters(d, n, ridge):
    """The tokens themselves are read beside the weights, so it takes a few more than the ridge."""
    return ceil(1 / (1 / ridge - 1 / d))


def after_what_leaves_too(d, n, ridge):
    """A pass turns compute-bound at 1/(1/ridge - 1/d - 1/n) tokens, always later than at the ridge.

    A weight of 8192×8192 takes 159 tokens on an A100, 218 on an H200, 319 on an H100; one of 8192×1024,
    the key projection of Llama-3-70B, takes 438 on an H100.
    """
    return ceil(1 / (1 / ridge - 1 / d - 1 / n))


def rows_cost_their_flops(few, many):
    """Twice the rows are twice the FLOPs, and twice the time."""
    return many / few


def rows_ride_along(few, many):
    """The weights are read once whatever the rows, so these are free."""
    return 1.0


def flat_then_linear(few, many):
    """The time is flat in the rows up to the ridge, and linear in them above it."""
    # The ridges of A100, H200 and H100 are 153, 206 and 295.
    return max(many, 206) / max(few, 206)


def bf16(*shape):
    """A bf16 tensor on the meta device."""
    return torch.empty(*shape, dtype=torch.bfloat16, device="meta")


def intensity(x, w):
    """FLOPs a byte of x @ w, both counted."""
    with Traffic() as moved:
        count = flops(lambda: x @ w)
    return count / moved.bytes


def products(rows, gpu):
    """A run of rows times eight 8192×8192 weights, 1.07 GB in bf16: no cache of a GPU holds them."""
    random = torch.Generator(gpu).manual_seed(rows)
    w = torch.randn(8, 8192, 8192, dtype=torch.bfloat16, device=gpu, generator=random)
    x = torch.randn(rows, 8192, dtype=torch.bfloat16, device=gpu, generator=random)
    exact = x[:1].double() @ w[0].double()
    # The sums deviate by √8192, five times as much at most, and bf16 keeps 8 bits of them.
    if ((x @ w[0])[:1] - exact).abs().max() > 2**-8 * 5 * 8192**0.5:
        raise ArithmeticError("the products are wrong, so their time says nothing")
    return lambda: [x @ v for v in w]


@claim(wrong=(by_phase, by_tokens_alone), right=by_all_three_sizes)
@given(
    phase=st.sampled_from(["prefill", "decode"]),
    tokens=st.integers(100, 500),
    d=st.sampled_from([4096, 8192, 1024]),
    n=st.sampled_from([8192, 4096, 1024]),
    machine=st.sampled_from(MACHINES),
)
def test_roofline_of_prefill_and_decode(answer, phase, tokens, d, n, machine):
    """Prefill and decode lie on one roofline, at the number of their tokens."""
    x = bf16(1, tokens, d) if phase == "prefill" else bf16(tokens, 1, d)
    bound = "compute" if intensity(x, bf16(d, n)) > machine.ridge else "memory"

    assert observe(bound=bound) == answer(phase, tokens, d, n, machine.ridge)


@claim(wrong=(from_the_ridge_on, after_what_enters), right=after_what_leaves_too, examples=30)
@given(
    d=st.integers(4, 32).map(lambda i: 256 * i),
    n=st.integers(4, 32).map(lambda i: 256 * i),
    machine=st.sampled_from(MACHINES),
)
def test_roofline_crossing_of_a_linear_layer(answer, d, n, machine):
    """A linear layer becomes compute-bound some tokens above the ridge, a narrow one many."""
    tokens = range(1, 2048)
    first = bisect_left(tokens, machine.ridge, key=lambda t: intensity(bf16(t, d), bf16(d, n)))

    assert observe(tokens=tokens[first]) == answer(d, n, machine.ridge)


@claim(
    wrong=(rows_cost_their_flops, rows_ride_along), right=flat_then_linear, evidence="measured", examples=2
)
@given(rows=st.sampled_from([(1, 64), (1024, 4096)]))
def test_roofline_latency_of_a_batch_on_a_gpu(answer, gpu, rows):
    """On a GPU the rows of a batch are free up to the ridge, and paid for above it."""
    few, many = rows
    quick, slow = seconds(*(products(r, gpu) for r in rows), device=gpu)

    ratio = observe(ratio=slow / quick)

    assert nearest(ratio, 1, many / few) == answer(few, many)
