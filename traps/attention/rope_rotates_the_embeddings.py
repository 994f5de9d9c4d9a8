"""Where RoPE is applied

An engineer implements RoPE by adding a rotational embedding to the token embeddings, once, at the bottom of
the network. What is misunderstood about how and where rotary position embedding is applied?

Answer: RoPE is neither added nor put at the input. In every layer q and k are rotated by an angle
    proportional to the position, after W_q and W_k and before the dot product; v is not rotated. Then the
    score depends on content and relative distance only: moving all tokens by 1000 positions changes nothing.
    Before the projections, W_q and W_k mix the rotated pairs, and the angles no longer cancel.
Says: RoPE is multiplicative: it rotates q and k in each layer after their projections, so that the score
    depends on content and relative distance. Added at the input, the projections distort it.
Verdict: holds
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 16
Source: Su et al. 2021, "RoFormer: Enhanced Transformer with Rotary Position Embedding", section 3.2,
    https://arxiv.org/abs/2104.09864
Terms: RoPE, rotary position embedding, relative position, query, key, sinusoidal, positional encoding,
    RoFormer, attention score, shift invariance
Right when: W_q W_k^T commutes with the rotation: then rotating the embeddings is right as well.
Limits: That exception is algebra and was not observed here. One head of one layer, without a causal mask.
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st

from fixtures import claim, observe
from fixtures.nets import rotate


def sinusoid_added(x, wq, wk, wv, positions):
    """Adding sines and cosines gives relative positions too: sin(a + b) expands into a and b."""
    h = x + rotate(torch.ones_like(x), positions)
    return F.scaled_dot_product_attention(h @ wq, h @ wk, x @ wv)


def rope_on_embeddings(x, wq, wk, wv, positions):
    """Position is a property of the token, so rotate it once, at the bottom."""
    h = rotate(x, positions)
    return F.scaled_dot_product_attention(h @ wq, h @ wk, x @ wv)


def rope_on_queries_only(x, wq, wk, wv, positions):
    """One rotation is enough to tell two positions apart."""
    return F.scaled_dot_product_attention(rotate(x @ wq, positions), x @ wk, x @ wv)


def rope_on_values_too(x, wq, wk, wv, positions):
    """Whatever comes out of a projection is rotated: q, k and v."""
    q, k, v = (rotate(x @ w, positions) for w in (wq, wk, wv))
    return F.scaled_dot_product_attention(q, k, v)


def no_position(x, wq, wk, wv, positions):
    """Attention reads its tokens in order, so it knows their positions."""
    return F.scaled_dot_product_attention(x @ wq, x @ wk, x @ wv)


def rope_after_projection(x, wq, wk, wv, positions):
    """Rotate q and k after W_q and W_k: then only the distance counts.

    The angles meet in the product, and only their difference is left. Before the projection they would
    not: a weight matrix mixes the pairs, and does not commute with their rotation.
    """
    return F.scaled_dot_product_attention(rotate(x @ wq, positions), rotate(x @ wk, positions), x @ wv)


def drawn(tokens, d, dim, seed):
    """Tokens of width d, and projections to a head of width dim, scaled so that softmax is not saturated."""
    random = torch.Generator().manual_seed(seed)
    x, *weights = (
        torch.randn(shape, generator=random, dtype=torch.float64)
        for shape in ((tokens, d), (d, dim), (d, dim), (d, dim))
    )
    return [x, *(w / d**0.5 for w in weights)]


# The last position of usual contexts: a table that wraps there would part the first two tokens.
contexts = st.sampled_from([512, 2048, 4096, 8192, 32_768, 131_072])
evens = st.integers(1, 4).map(lambda pairs: 2 * pairs)


@claim(
    wrong=(sinusoid_added, rope_on_embeddings, rope_on_queries_only, rope_on_values_too),
    right=rope_after_projection,
)
@example(tokens=6, d=16, dim=8, shift=1000, seed=0)
@given(
    tokens=st.integers(2, 6),
    d=evens,
    dim=evens,
    shift=st.integers(1, 1000) | contexts.map(lambda context: context - 1),
    seed=st.integers(0, 50),
)
def test_rope_does_not_notice_a_shift(answer, tokens, d, dim, shift, seed):
    """Adding a constant to all positions changes no output of attention.

    x: the tokens, one row each
    wq: the projection to queries
    wk: the projection to keys
    wv: the projection to values
    positions: the position of each token
    shift: the constant, in positions
    """
    given_tokens = drawn(tokens, d, dim, seed)
    home = torch.arange(tokens)

    moved = answer(*given_tokens, home + shift) - answer(*given_tokens, home)

    # An angle of 131,072 is known to 3e-11 in float64, and outputs are of order one.
    assert observe(change=moved.abs().max().item()) <= 1e-8


@claim(wrong=(sinusoid_added, rope_on_embeddings, rope_on_values_too), right=rope_after_projection)
@example(tokens=6, d=16, dim=8, place=1000, seed=0)
@given(tokens=st.integers(2, 6), d=evens, dim=evens, place=st.integers(1, 1000), seed=st.integers(0, 50))
def test_rope_at_one_place_is_plain_attention(answer, tokens, d, dim, place, seed):
    """If all tokens stand at one position, the outputs are those of attention without positions.

    x: the tokens, one row each
    wq: the projection to queries
    wk: the projection to keys
    wv: the projection to values
    positions: the position of each token
    place: the one position
    """
    x, wq, wk, wv = drawn(tokens, d, dim, seed)
    plain = F.scaled_dot_product_attention(x @ wq, x @ wk, x @ wv)

    turned = answer(x, wq, wk, wv, torch.full((tokens,), place)) - plain

    # As above; the angles are at most 1000 here.
    assert observe(change=turned.abs().max().item()) <= 1e-8


@claim(wrong=no_position, right=rope_after_projection)
@example(tokens=6, d=16, dim=8, seed=0)
@given(tokens=st.integers(2, 6), d=evens, dim=evens, seed=st.integers(0, 50))
def test_rope_knows_the_order(answer, tokens, d, dim, seed):
    """Reversing the positions changes the outputs of attention.

    x: the tokens, one row each
    wq: the projection to queries
    wk: the projection to keys
    wv: the projection to values
    positions: the position of each token
    """
    given_tokens = drawn(tokens, d, dim, seed)
    home = torch.arange(tokens)

    turned = answer(*given_tokens, home.flip(0)) - answer(*given_tokens, home)

    assert observe(change=turned.abs().max().item()) > 1e-6
