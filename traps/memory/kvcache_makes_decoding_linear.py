"""What the KV cache does to the cost of generation

Without a cache every new token runs the whole sequence again. With a cache it runs alone. Does generating
n tokens then cost O(n) instead of O(n²)?

Verdict: refuted as stated: the cache takes a step from O(n²) to O(n), and the whole generation from O(n³)
    to O(n²): the projections become linear, attention stays quadratic
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 6
Source: Pope et al. 2022, "Efficiently Scaling Transformer Inference", section 2,
    https://arxiv.org/abs/2211.05102
Right when: The sequence is short beside the width: attention overtakes the projections at n = 4d tokens,
    16 384 for a width of 4096.
Limits: FLOPs of one attention layer; the MLP is linear in n with and without a cache. Pope et al. were read
    as others quote them.
"""

import torch
from hypothesis import given, strategies as st

from fixtures import claim, observe
from fixtures.meters import flops


def quadratic_without(n, d):
    """Without a cache step t runs t tokens, so n tokens cost n²/2 times one."""
    return (8 * d * d + 4 * d) * n * (n + 1) // 2


def cubic_without(n, d):
    """Step t projects t tokens, 8·d² FLOPs each, and lets t meet t, 4·d FLOPs a meeting.

    Summed over the steps that is quadratic in the projections and cubic in attention.
    """
    return 4 * d * d * n * (n + 1) + 2 * d * n * (n + 1) * (2 * n + 1) // 3


def cache_makes_it_linear(n, d):
    """With a cache each token costs the same, so n tokens cost n times the first."""
    return n * (8 * d * d + 4 * d)


def cache_saves_projections_only(n, d):
    """The projections are cached; attention meets all tokens with all tokens as before."""
    return sum(8 * d * d + 4 * d * t * t for t in range(1, n + 1))


def linear_and_quadratic(n, d):
    """8·d²·n for the projections and 2·d·n·(n+1) for attention.

    The t-th token multiplies with the q, k, v and o weights once, 8·d² FLOPs, and then meets the t keys
    and t values of the cache, 4·t·d FLOPs. Memory saves repetition; it does not save the meeting.
    """
    return 8 * d * d * n + 2 * d * n * (n + 1)


def negligible_crossing(d):
    """Attention passes the projections at once, as it is the quadratic part."""
    return 1


def crossing_at_the_width(d):
    """Attention costs as much as the projections when the sequence is as long as the model is wide."""
    return d


def crossing_at_four_widths(d):
    """Attention has cost more than the projections from n = 4d tokens on.

    2·d·n·(n+1) passes 8·d²·n when n + 1 exceeds 4d.
    """
    return 4 * d


def generate(n, d):
    """Decode n tokens of one attention layer with a growing cache."""
    x, wq, wk, wv, wo = torch.zeros(1, d), *torch.zeros(4, d, d)
    keys, values = torch.zeros(2, 0, d)
    for _ in range(n):
        keys, values = torch.cat([keys, x @ wk]), torch.cat([values, x @ wv])
        x = ((x @ wq @ keys.T).softmax(-1) @ values) @ wo


def generate_anew(n, d):
    """Decode n tokens of the same layer, every step from the first token on."""
    tokens, (wq, wk, wv, wo) = torch.zeros(1, d), torch.zeros(4, d, d)
    for _ in range(n):
        mixed = ((tokens @ wq) @ (tokens @ wk).T).softmax(-1) @ (tokens @ wv)
        tokens = torch.cat([tokens, (mixed @ wo)[-1:]])


@claim(wrong=quadratic_without, right=cubic_without, examples=30)
@given(n=st.integers(1, 12), d=st.sampled_from([2, 8, 64]))
def test_flops_of_a_generation_without_kvcache(answer, n, d):
    """Generation without a cache is quadratic in the projections and cubic in attention."""
    assert observe(flops=flops(lambda: generate_anew(n, d))) == answer(n, d)


@claim(wrong=(cache_makes_it_linear, cache_saves_projections_only), right=linear_and_quadratic, examples=30)
@given(n=st.integers(1, 12), d=st.sampled_from([2, 8, 64]))
def test_kvcache_flops_of_a_generation(answer, n, d):
    """Generation with a KV cache is linear in the projections and quadratic in attention."""
    assert observe(flops=flops(lambda: generate(n, d))) == answer(n, d)


@claim(wrong=(negligible_crossing, crossing_at_the_width), right=crossing_at_four_widths, examples=8)
@given(d=st.integers(2, 9))
def test_kvcache_attention_overtakes_the_projections(answer, d):
    """The first length whose attention costs more than its projections is four times the width."""
    n, total, attention = 0, 0, 0
    while 2 * attention <= total:
        n += 1
        step = flops(lambda n=n: torch.zeros(1, d) @ torch.zeros(d, n) @ torch.zeros(n, d))
        attention += step
        total += step + flops(lambda: torch.zeros(1, d) @ torch.zeros(4, d, d))

    assert observe(tokens=n) == answer(d)
