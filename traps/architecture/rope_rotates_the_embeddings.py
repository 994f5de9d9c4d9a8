"""Where RoPE belongs

Rotary position embedding turns pairs of coordinates by an angle proportional to the position. A colleague
turns the token embeddings, once, at the bottom of the network. Is that the same?

Verdict: holds
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 16
Source: Su et al. 2021, "RoFormer: Enhanced Transformer with Rotary Position Embedding", section 3.2,
    https://arxiv.org/abs/2104.09864
Right when: W_q W_k^T commutes with the rotation: then rotating the embeddings is exactly right.
Limits: That exception is algebra and was not observed here.
"""

import torch
from hypothesis import given, strategies as st

from fixtures import claim, observe
from fixtures.nets import rotate


def rope_on_embeddings(x, wq, wk, positions):
    """Position is a property of the token, so rotate it once, at the bottom."""
    h = rotate(x, positions)
    return (h @ wq) @ (h @ wk).T


def sinusoid_added(x, wq, wk, positions):
    """Adding sines and cosines gives relative positions too: sin(a + b) expands into a and b."""
    h = x + rotate(torch.ones_like(x), positions)
    return (h @ wq) @ (h @ wk).T


def rope_on_queries_only(x, wq, wk, positions):
    """One rotation is enough to tell two positions apart."""
    return rotate(x @ wq, positions) @ (x @ wk).T


def no_position(x, wq, wk, positions):
    """The causal mask alone tells positions apart."""
    return (x @ wq) @ (x @ wk).T


def rope_after_projection(x, wq, wk, positions):
    """Rotate q and k after W_q and W_k: the angles meet in the product, and only their difference is left.

    Before the projection they would not: a weight matrix mixes the pairs, and does not commute with
    their rotation.
    """
    return rotate(x @ wq, positions) @ rotate(x @ wk, positions).T


# The last position of usual contexts: a table that wraps there would part the first two tokens.
contexts = st.sampled_from([512, 2048, 4096, 8192, 32_768, 131_072])


@claim(wrong=(rope_on_embeddings, sinusoid_added, rope_on_queries_only), right=rope_after_projection)
@given(
    tokens=st.integers(2, 6),
    pairs=st.integers(1, 4),
    shift=st.integers(1, 1000) | contexts.map(lambda context: context - 1),
    seed=st.integers(0, 50),
)
def test_rope_scores_do_not_move(answer, tokens, pairs, shift, seed):
    """Adding a constant to all positions changes no attention score."""
    random = torch.Generator().manual_seed(seed)
    d = 2 * pairs
    x, wq, wk = (torch.randn(n, d, generator=random, dtype=torch.float64) for n in (tokens, d, d))
    home = torch.arange(tokens)

    moved = answer(x, wq, wk, home + shift) - answer(x, wq, wk, home)

    # An angle of 131 072 is known to 3e-11 in float64, and scores are of order ten.
    assert observe(change=moved.abs().max().item()) <= 1e-8


@claim(wrong=(rope_on_embeddings, sinusoid_added), right=rope_after_projection)
@given(tokens=st.integers(2, 6), pairs=st.integers(1, 4), place=st.integers(1, 1000), seed=st.integers(0, 50))
def test_rope_at_one_place_changes_nothing(answer, tokens, pairs, place, seed):
    """Where all tokens stand at one position, the scores are those of plain attention."""
    random = torch.Generator().manual_seed(seed)
    d = 2 * pairs
    x, wq, wk = (torch.randn(n, d, generator=random, dtype=torch.float64) for n in (tokens, d, d))

    turned = answer(x, wq, wk, torch.full((tokens,), place)) - (x @ wq) @ (x @ wk).T

    # As above; the angles are below 1000 here.
    assert observe(change=turned.abs().max().item()) <= 1e-8


@claim(wrong=no_position, right=rope_after_projection)
@given(tokens=st.integers(2, 6), pairs=st.integers(1, 4), seed=st.integers(0, 50))
def test_rope_scores_know_the_order(answer, tokens, pairs, seed):
    """Reversing the positions changes the scores."""
    random = torch.Generator().manual_seed(seed)
    d = 2 * pairs
    x, wq, wk = (torch.randn(n, d, generator=random, dtype=torch.float64) for n in (tokens, d, d))
    home = torch.arange(tokens)

    turned = answer(x, wq, wk, home.flip(0)) - answer(x, wq, wk, home)

    assert observe(change=turned.abs().max().item()) > 1e-6
