"""The KV cache of grouped-query attention

A model has 64 query heads and 8 key/value heads. How many bytes does each
further token of context add to one layer's cache?

Verdict: holds
Asked: Top 25 LLM System Design Questions, chapter 15
Source: Ainslie et al. 2023, "GQA", section 2.2, https://arxiv.org/abs/2305.13245
"""

import torch
from hypothesis import given
from hypothesis import strategies as st

from fixtures import claim, observe
from fixtures.meters import nbytes


def one_pair_per_query_head(heads: int, kv_heads: int, dim: int, tokens: int) -> int:
    """Every attention head caches its own key and value."""
    return 2 * 2 * heads * dim * tokens


def one_pair_per_kv_head(heads: int, kv_heads: int, dim: int, tokens: int) -> int:
    """A key and a value per key/value head, two bytes a number in bf16.

    The query heads of a group read the same pair, so they cost arithmetic but no memory.
    """
    return 2 * 2 * kv_heads * dim * tokens


def decode(kv_heads, dim, tokens, device):
    """Grow a cache token by token, as a decoder does."""
    cache = torch.empty(2, 0, kv_heads, dim, dtype=torch.bfloat16, device=device)
    for _ in range(tokens):
        cache = torch.cat([cache, torch.ones(2, 1, kv_heads, dim, dtype=torch.bfloat16, device=device)], 1)
    return cache


@claim(wrong=one_pair_per_query_head, right=one_pair_per_kv_head)
@given(kv_heads=st.integers(1, 8), group=st.integers(2, 8), dim=st.integers(8, 64), tokens=st.integers(1, 8))
def test_bytes_of_the_cache(answer, device, kv_heads, group, dim, tokens):
    """The cache grows with key/value heads; query heads add nothing to it."""
    cache = decode(kv_heads, dim, tokens, device)

    assert observe(cache_bytes=nbytes(cache)) == answer(kv_heads * group, kv_heads, dim, tokens)
