"""The KV cache of grouped-query attention

A model has 64 query heads and 8 key/value heads, so groups of 8 share a key and a value. How many bytes
does each further token add to a layer's cache, and how much less does a decode step read?

Verdict: holds if the cache outweighs the weights: batch times context must be comparable with the bytes of
    the weights over the cache bytes of a token
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 15
Source: Ainslie et al. 2023, "GQA: Training Generalized Multi-Query Transformer Models from Multi-Head
    Checkpoints", section 2.2, https://arxiv.org/abs/2305.13245
Right when: The group factor is right for the cache alone, and in the limit of large batch times context.
Limits: Persistent tensors only, as fused kernels read them. Without fusion the score matrix joins the
    traffic: with one key/value head for 64 query heads it is as large as the cache.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.meters import ColdReads, flops, nbytes


def one_pair_per_query_head(heads, kv_heads, dim, tokens):
    """Every attention head caches its own key and value."""
    return 2 * 2 * heads * dim * tokens


def one_pair_per_kv_head(heads, kv_heads, dim, tokens):
    """A key and a value per key/value head, two bytes a number in bf16.

    The query heads of a group read the same pair, so they cost arithmetic but no memory.
    """
    return 2 * 2 * kv_heads * dim * tokens


def nothing_is_saved(heads, kv_heads):
    """The scores are as many as before, and so is the work."""
    return [1, 1]


def work_shrinks_with_the_heads(heads, kv_heads):
    """With fewer key/value heads there is less to multiply."""
    return [heads // kv_heads, heads // kv_heads]


def bytes_shrink_alone(heads, kv_heads):
    """The FLOPs stay and the bytes of keys and values shrink by the group.

    Each query head still meets every key of its group; the group reads it once.
    """
    return [1, heads // kv_heads]


def by_the_group(d, ffn, dim, heads, kv_heads, tokens):
    """Eight query heads a group: a decode step reads an eighth."""
    return heads / kv_heads


def not_at_all(d, ffn, dim, heads, kv_heads, tokens):
    """The FLOPs are equal, so a step costs the same."""
    return 1.0


def weights_stay(d, ffn, dim, heads, kv_heads, tokens):
    """The weights are read as before, and the cache shrinks by the group."""
    weights = 4 * d * heads * dim + 3 * d * ffn
    return (weights + tokens * 2 * heads * dim) / (weights + tokens * 2 * kv_heads * dim)


def weights_and_cache(d, ffn, dim, heads, kv_heads, tokens):
    """Weights and cache together shrink: little at first, by the group only in the limit.

    Llama-3-70B (64 heads on 8): 1.14 at a batch times context of 256, 2.07 at 65 536, 4.96 at 524 288.
    The key and value projections shrink too.
    """

    def reads(kv_heads):
        return 2 * d * dim * (heads + kv_heads) + 3 * d * ffn + tokens * 2 * kv_heads * dim

    return reads(heads) / reads(kv_heads)


def bf16(*shape, device="meta"):
    """An empty bf16 tensor."""
    return torch.empty(*shape, dtype=torch.bfloat16, device=device)


def decode(kv_heads, dim, tokens, device):
    """Cache a key and a value per token, as a decoder does."""
    return torch.cat([bf16(2, 1, kv_heads, dim, device=device) for _ in range(tokens)], dim=1)


def attend(q, keys, values):
    """Scores and mixing of one new token: q [batch, kv_heads, group, dim] on caches of the same heads."""
    return (q @ keys.transpose(-1, -2)).softmax(-1) @ values


def step_bytes(d, ffn, dim, heads, kv_heads, batch, context):
    """Cold reads of one layer's decode step: seven weights and the cache, at full size."""
    wq, wo, up, gate, down = bf16(d, heads * dim), bf16(heads * dim, d), *bf16(2, d, ffn), bf16(ffn, d)
    wk, wv = bf16(d, kv_heads * dim), bf16(d, kv_heads * dim)
    keys, values = bf16(batch, kv_heads, context, dim), bf16(batch, kv_heads, context, dim)
    with ColdReads(wq, wk, wv, wo, up, gate, down, keys, values) as meter:
        x = bf16(batch, d)
        q, _, _ = (x @ wq).view(batch, kv_heads, -1, dim), x @ wk, x @ wv
        x = attend(q, keys, values).view(batch, -1) @ wo
        _ = ((x @ up) * (x @ gate)) @ down
    return meter.bytes


groups = st.sampled_from([2, 4, 8])


@claim(wrong=one_pair_per_query_head, right=one_pair_per_kv_head)
@example(kv_heads=8, group=8, dim=128, tokens=1)  # one layer of Llama-3-70B
@given(kv_heads=st.integers(1, 8), group=groups, dim=st.sampled_from([8, 64, 128]), tokens=st.integers(1, 8))
def test_bytes_of_the_cache(answer, device, kv_heads, group, dim, tokens):
    """The cache grows with key/value heads; query heads add nothing to it."""
    cache = decode(kv_heads, dim, tokens, device)

    assert observe(cache_bytes=nbytes(cache)) == answer(kv_heads * group, kv_heads, dim, tokens)


@claim(wrong=(nothing_is_saved, work_shrinks_with_the_heads), right=bytes_shrink_alone, examples=60)
@given(kv_heads=st.integers(1, 8), group=groups, batch=st.integers(1, 64), context=st.integers(1, 10**6))
def test_gqa_flops_and_bytes_of_attention(answer, kv_heads, group, batch, context):
    """Grouping the heads of a decode step divides the bytes of its attention and not the FLOPs."""
    costs = []
    for kv, shared in ((kv_heads * group, 1), (kv_heads, group)):
        q, cache = bf16(batch, kv, shared, 128), bf16(2, batch, kv, context, 128)
        costs.append((flops(lambda q=q, cache=cache: attend(q, *cache)), nbytes(cache)))
    ungrouped, grouped = costs

    shrinks = [a / b for a, b in zip(ungrouped, grouped, strict=True)]

    assert observe(shrinks=shrinks) == answer(kv_heads * group, kv_heads)


@claim(wrong=(by_the_group, not_at_all, weights_stay), right=weights_and_cache, examples=60)
@given(
    kv_heads=st.integers(1, 8),
    group=groups,
    dim=st.sampled_from([64, 128]),
    ratio=st.integers(2, 4),
    batch=st.integers(1, 256),
    context=st.integers(1, 32_768),
)
def test_gqa_bytes_of_a_whole_step(answer, kv_heads, group, dim, ratio, batch, context):
    """A whole decode step shrinks by less than the group, as most of it may be weights."""
    heads = kv_heads * group
    d = heads * dim
    many, few = (step_bytes(d, ratio * d, dim, heads, kv, batch, context) for kv in (heads, kv_heads))

    assert observe(shrinks=many / few) == approx(answer(d, ratio * d, dim, heads, kv_heads, batch * context))
