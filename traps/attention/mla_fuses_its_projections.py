"""Absorbing the up-projection of multi-head latent attention

Multi-head latent attention caches a latent instead of keys and values, and keys are projected up from it.
How do you take the cost of the up-projection out of decoding?

Answer: By associativity: apply the key's up-projection to the query and attend to the latents, at run
    time. Do not store the product of the two matrices: at DeepSeek's widths, 1,536 to 128 to 512, it
    would take 3 times the FLOPs and weights. Absorb while new tokens are few, as in decoding: from 164 on
    at a context of 4,096 it is cheaper to expand keys and values once, as prefill does.
Says: The inference cost of the up-projection is removed by the associative property of matrix
    multiplication: pre-compute and fuse the projections.
Verdict: imprecise: associativity moves the up-projection from the cached tokens to the new ones, which
    pays while those are few; fused into one stored matrix it costs more at the model's own widths
Asked: AI Interview Prep newsletter, LLM System Design #41
Source: DeepSeek-AI 2024, "DeepSeek-V2", sections 2.1.2 and 3.1.2: W_UK absorbed into W_Q, and widths of
    1,536, 512 and 128, https://arxiv.org/abs/2405.04434
Terms: MLA, multi-head latent attention, latent attention, weight absorption, absorb, up-projection, W_UK,
    low-rank KV compression, DeepSeek-V2, DeepSeek-V3, associativity, prefill, decode
Right when: Heads are wider than 384 at these ranks: then the stored product is the smaller one.
Limits: FLOPs of the matrix products alone, without the rotary part, which both forms share (the page
    mla_absorbs_rotated_keys). No time is measured, and only the key's side is fused. The stored text
    stops at "pre-compute and fuse the". The paper was read in reproductions of its sections.
"""

from math import inf

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.latent import absorbed, expanded
from fixtures.meters import flops


def one_product_less(q_rank, rank, dim):
    """One product instead of two."""
    return 0.5


def up_projection_gone(q_rank, rank, dim):
    """The up-projection is folded away, and what is left is the query's own."""
    return q_rank / (q_rank + rank)


def by_the_bottleneck(q_rank, rank, dim):
    """A narrow head is a bottleneck, without which the fused matrix is larger.

    Fused it takes q_rank · rank / (dim · (q_rank + rank)) times the FLOPs: 3 times at 1,536 and 512
    around a head of 128; at 384 it is 1.
    """
    return q_rank * rank / (dim * (q_rank + rank))


def always_absorb(context, rank, dim, values):
    """Absorbed is what the model was made for: keys and values are never expanded."""
    return inf


def decode_alone(context, rank, dim, values):
    """One new token absorbs, and as soon as several attend together keys are shared: expand."""
    return 2


def whatever_the_context(context, rank, dim, values):
    """As many for any context, rank·(dim + values)/(2·rank - dim - values): all of it grows with that."""
    return rank * (dim + values) / (2 * rank - dim - values)


def expansion_against_wider_scores(context, rank, dim, values):
    """Where expanding the context costs as much as wider scores and sums, and passing each query through.

    At rank 512 and heads of 128: 128 new tokens on a context of 512, 164 on 4,096, 171 on 65,536.
    """
    expansion = rank * (dim + values)
    return context * expansion / (context * (2 * rank - dim - values) + expansion)


widths = st.integers(1, 64)


@claim(wrong=(one_product_less, up_projection_gone), right=by_the_bottleneck)
@example(q_rank=1536, rank=512, dim=128)
@example(q_rank=1536, rank=512, dim=384)
@given(q_rank=widths, rank=widths, dim=widths)
def test_mla_fused_projection_flops(answer, q_rank, rank, dim):
    """The product of both projections, stored, costs more than the two in turn unless heads are wide.

    q_rank: width of the latent that queries are projected up from
    rank: width of the cached latent
    """
    query, up_q, up_k = (
        torch.empty(*shape, device="meta") for shape in ((1, q_rank), (q_rank, dim), (dim, rank))
    )
    fused = up_q @ up_k

    times = flops(lambda: query @ fused) / flops(lambda: query @ up_q @ up_k)
    assert observe(times=times) == approx(answer(q_rank, rank, dim))


@claim(wrong=(always_absorb, decode_alone, whatever_the_context), right=expansion_against_wider_scores)
@example(context=512, rank=512, dim=128, values=128)
@example(context=4096, rank=512, dim=128, values=128)
@example(context=65536, rank=512, dim=128, values=128)
@given(
    context=st.integers(1, 8192),
    rank=st.sampled_from([64, 128, 512]),
    dim=st.sampled_from([16, 32, 48]),
    values=st.sampled_from([16, 32, 64]),
)
def test_mla_absorbed_or_expanded(answer, context, rank, dim, values):
    """Expanded keys and values are shared by all new tokens, so they win once there are enough of these.

    rank: width of the cached latent
    values: width of a head's values
    """

    def cost(form, new):
        shapes = (1, new, dim), (context, rank), (1, rank, dim), (1, rank, values)
        return flops(lambda: form(*(torch.empty(shape, device="meta") for shape in shapes)))

    # Far above rank · (48 + 64) / (2 · rank - 48 - 64), which is 448 at most.
    low, high = 1, 4096
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if cost(absorbed, middle) >= cost(expanded, middle) else (middle + 1, high)

    assert (
        answer(context, rank, dim, values) <= observe(new_tokens=low) < answer(context, rank, dim, values) + 1
    )
