"""The KV cache of grouped-query attention

A model has 64 query heads and 8 KV heads, so groups of 8 share a key and a value. How many bytes does
each further token add to a layer's KV cache?

Answer: 2 × 8 KV heads × head_dim × 2 bytes, which for Llama-3-70B is 4,096 bytes per layer and token in
    bf16, where one pair per query head would take 32,768. The query heads of a group read the same key
    and value: they cost FLOPs and no cache. Take head_dim from the config, as it need not be hidden size
    / heads.
Says: Sharing keys and values across groups, 8 KV heads instead of 64 for example, shrinks the KV cache by
    factors of 4 to 8.
Verdict: holds if 4 to 8 query heads share a KV head: the factor is query heads over KV heads, 8 for 64 on
    8
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 15
Source: Ainslie et al. 2023, "GQA: Training Generalized Multi-Query Transformer Models from Multi-Head
    Checkpoints", section 2.2, https://arxiv.org/abs/2305.13245
Source: PyTorch documentation, torch.nn.functional.scaled_dot_product_attention, enable_gqa,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.scaled_dot_product_attention.html
Terms: GQA, MQA, MHA, grouped-query attention, multi-query attention, KV cache size, KV heads, head_dim,
    num_key_value_heads, bytes per token, enable_gqa, repeat_kv
Right when: Attention is multi-head: then each query head has a KV head of its own.
Limits: Keys and values of one width, all of them kept: no latent attention, no sliding window, no
    padding. How much of a decode step the cache is, is the page decode_waits_for_the_cache; whether a
    step gets faster gqa_is_no_faster_at_equal_flops.
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.meters import flops, nbytes


def one_pair_per_query_head(heads, kv_heads, dim, tokens):
    """Every attention head caches its own key and value."""
    return 2 * 2 * heads * dim * tokens


def one_vector_per_kv_head(heads, kv_heads, dim, tokens):
    """Each KV head keeps a vector of head_dim numbers per token, two bytes each."""
    return 2 * kv_heads * dim * tokens


def one_pair_per_kv_head(heads, kv_heads, dim, tokens):
    """A key and a value per KV head, two bytes per number in bf16.

    The query heads of a group read the same pair, so they cost arithmetic but no memory: 2,048 bytes per
    token and layer with 8 KV heads of 64 numbers, as in gpt-oss-20b, whose query heads are 64.
    """
    return 2 * 2 * kv_heads * dim * tokens


def every_so_many_heads(head, group, kv_heads):
    """KV heads are dealt out in turn, so query head h reads KV head h mod kv_heads."""
    return head % kv_heads


def heads_side_by_side(head, group, kv_heads):
    """A group is query heads side by side, so query head h reads KV head h // group.

    With groups of 8, head 10 reads KV head 1. Expanded with repeat_interleave the cache gives the same;
    tiled, heads would read each other's keys.
    """
    return head // group


def nothing_is_saved(heads, kv_heads):
    """The scores are as many as before, and so is the work."""
    return [1, 1]


def work_shrinks_with_the_heads(heads, kv_heads):
    """With fewer KV heads there is less to multiply."""
    return [heads // kv_heads, heads // kv_heads]


def bytes_shrink_alone(heads, kv_heads):
    """The FLOPs stay, and the bytes shrink by the group.

    Each query head still meets every key of its group; the group reads it once.
    """
    return [1, heads // kv_heads]


def bf16(*shape, device="meta"):
    """An empty bf16 tensor."""
    return torch.empty(*shape, dtype=torch.bfloat16, device=device)


groups = st.sampled_from([2, 4, 8])


@claim(wrong=(one_pair_per_query_head, one_vector_per_kv_head), right=one_pair_per_kv_head)
@example(kv_heads=8, group=8, dim=128, tokens=1)  # Llama-3-70B
@example(kv_heads=8, group=8, dim=64, tokens=1)  # gpt-oss-20b, whose hidden size / heads is 45
@example(kv_heads=1, group=64, dim=128, tokens=1)  # multi-query attention
@given(kv_heads=st.integers(1, 8), group=groups, dim=st.sampled_from([8, 64, 128]), tokens=st.integers(1, 8))
def test_bytes_of_the_cache(answer, device, kv_heads, group, dim, tokens):
    """The cache grows with KV heads; query heads add nothing to it."""
    random = torch.Generator().manual_seed(tokens)
    drawn = [torch.randn(2, 1, kv_heads, 1, dim, generator=random).bfloat16() for _ in range(tokens)]
    cache = torch.cat(drawn, dim=-2).to(device)
    q = torch.randn(1, kv_heads * group, 1, dim, generator=random).bfloat16().to(device)

    # Torch's attention reads no more of it than one in which each query head has a copy of its own.
    grouped = F.scaled_dot_product_attention(q, *cache, enable_gqa=True)
    copied = F.scaled_dot_product_attention(q, *cache.repeat_interleave(group, 2))
    assert (grouped - copied).abs().max().item() == 0
    assert observe(cache_bytes=nbytes(cache)) == answer(kv_heads * group, kv_heads, dim, tokens)


@claim(wrong=every_so_many_heads, right=heads_side_by_side)
@example(kv_heads=8, group=8, head=10)
@given(kv_heads=st.integers(1, 8), group=groups, head=st.integers(0, 63))
def test_gqa_kv_head_of_a_query_head(answer, device, kv_heads, group, head):
    """Neighboring query heads share a KV head in torch's own attention.

    head: one of the query heads
    """
    head %= kv_heads * group
    queries = torch.ones(1, kv_heads * group, 1, 4, device=device)
    keys = torch.ones(1, kv_heads, 3, 4, device=device)
    # Each KV head's values are its own number, so that is what a query head brings home.
    values = torch.arange(kv_heads, device=device).float().view(1, -1, 1, 1).expand(1, -1, 3, 4)

    out = F.scaled_dot_product_attention(queries, keys, values, enable_gqa=True)

    assert observe(kv_head=out[0, head].mean().item()) == approx(answer(head, group, kv_heads))


@claim(
    wrong=(nothing_is_saved, work_shrinks_with_the_heads),
    right=bytes_shrink_alone,
    evidence="derived",
    examples=60,
)
@example(kv_heads=8, group=8, batch=1, context=8192)
@given(kv_heads=st.integers(1, 8), group=groups, batch=st.integers(1, 64), context=st.integers(1, 10**6))
def test_gqa_flops_and_bytes_of_attention(answer, kv_heads, group, batch, context):
    """Grouping the heads of a decode step divides the bytes of its attention and not the FLOPs."""
    costs = []
    for kv, shared in ((kv_heads * group, 1), (kv_heads, group)):
        q, (keys, values) = bf16(batch, kv, shared, 128), bf16(2, batch, kv, context, 128)
        count = flops(lambda q=q, keys=keys, values=values: (q @ keys.mT).softmax(-1) @ values)
        costs.append((count, nbytes(keys, values)))
    ungrouped, grouped = costs

    shrinks = [a / b for a, b in zip(ungrouped, grouped, strict=True)]

    assert observe(shrinks=shrinks) == answer(kv_heads * group, kv_heads)
