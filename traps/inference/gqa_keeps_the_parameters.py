"""Grouped-query attention and the parameter count

Two models have the same width and depth; one has 64 key/value heads, the other 8. The book compares their
speed at "identical FLOPs and parameter counts". Are they identical?

Verdict: refuted as stated: at equal width grouping removes 2·d·dim·(H - Hkv) parameters a layer, 9.4 billion
    in a model of 70 billion, and twice as many FLOPs a token
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 15
Source: Touvron et al. 2023, "Llama 2: Open Foundation and Fine-Tuned Chat Models", appendix A.2.1,
    https://arxiv.org/abs/2307.09288
Right when: The feed-forward width is raised to make up for it: Llama 2's ablation widens it 1.3 times for
    grouped and 1.33 times for single key/value heads.
"""

import torch
from hypothesis import given, strategies as st
from torch import nn

from fixtures import claim, observe
from fixtures.meters import flops


def identical(layers, d, dim, heads, kv_heads):
    """Grouping shares keys and values; the model is as large as before."""
    return 0


def only_keys(layers, d, dim, heads, kv_heads):
    """The heads share their key projection."""
    return layers * d * dim * (heads - kv_heads)


def keys_and_values(layers, d, dim, heads, kv_heads):
    """Each key/value head that goes takes d·dim weights of two projections with it.

    Llama-3-70B's shape (80 layers, width 8192, heads of 128) loses 9.4 billion from 64 heads to 8.
    """
    return layers * 2 * d * dim * (heads - kv_heads)


def same_flops(d, dim, heads, kv_heads):
    """The scores are computed for every query head, so the FLOPs are identical."""
    return 0


def two_a_parameter(d, dim, heads, kv_heads):
    """Every parameter that goes saves a multiplication and an addition a token.

    The scores cost what they did; the projections that feed them do not.
    """
    return 2 * 2 * d * dim * (heads - kv_heads)


class Attention(nn.Module):
    """The four projections of grouped-query attention."""

    def __init__(self, d, dim, heads, kv_heads, device):
        super().__init__()
        self.q = nn.Linear(d, heads * dim, bias=False, device=device)
        self.k = nn.Linear(d, kv_heads * dim, bias=False, device=device)
        self.v = nn.Linear(d, kv_heads * dim, bias=False, device=device)
        self.o = nn.Linear(heads * dim, d, bias=False, device=device)
        self.shape = (kv_heads, heads // kv_heads, dim)

    def forward(self, x):
        """Tokens [n, d], each attending to all."""
        q, k, v = self.q(x).unflatten(-1, self.shape), self.k(x), self.v(x)
        q = q.permute(1, 2, 0, 3).flatten(1, 2)
        k, v = (h.unflatten(-1, self.shape[::2]).transpose(0, 1) for h in (k, v))
        mixed = (q @ k.transpose(-1, -2)).softmax(-1) @ v
        return self.o(mixed.unflatten(1, (self.shape[1], -1)).permute(2, 0, 1, 3).flatten(1))


@claim(wrong=(identical, only_keys), right=keys_and_values, examples=60)
@given(
    layers=st.integers(1, 4),
    dim=st.sampled_from([8, 64, 128]),
    kv_heads=st.integers(1, 8),
    group=st.sampled_from([2, 4, 8]),
)
def test_gqa_parameters(answer, layers, dim, kv_heads, group):
    """At equal width a grouped model has fewer parameters."""
    heads = kv_heads * group
    d = heads * dim

    def parameters(kv_heads):
        model = nn.ModuleList(Attention(d, dim, heads, kv_heads, "meta") for _ in range(layers))
        return sum(p.numel() for p in model.parameters())

    removed = parameters(heads) - parameters(kv_heads)

    assert observe(removed=removed) == answer(layers, d, dim, heads, kv_heads)


@claim(wrong=same_flops, right=two_a_parameter, examples=30)
@given(
    tokens=st.integers(2, 64),
    dim=st.sampled_from([8, 64, 128]),
    kv_heads=st.integers(1, 8),
    group=st.sampled_from([2, 4, 8]),
)
def test_gqa_flops(answer, tokens, dim, kv_heads, group):
    """At equal width a grouped model also computes less."""
    heads = kv_heads * group
    d = heads * dim
    x = torch.empty(tokens, d, device="meta")
    many, few = (flops(lambda kv=kv: Attention(d, dim, heads, kv, "meta")(x)) for kv in (heads, kv_heads))

    assert observe(saved=(many - few) / tokens) == answer(d, dim, heads, kv_heads)
