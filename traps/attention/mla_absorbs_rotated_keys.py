"""Why latent attention carries a rotary key of its own

Multi-head latent attention caches a latent per token and absorbs the key's up-projection into the query.
Why does RoPE not fit in there, and how many numbers per token does DeepSeek-V2 cache with the way around
it?

Answer: RoPE turns the key after its up-projection, by an angle of its own position, so for each distance
    between tokens a different matrix stands between query and latent: nothing can be absorbed once and
    for all. DeepSeek-V2 leaves the latent part without positions and adds one key of 64 for all heads,
    which is rotated and cached as it is. That makes 512 + 64 = 576 numbers per token and layer, where 128
    heads of 128 would cache 32,768.
Verdict: not judged: a trap of our own
Asked: nowhere yet
Source: DeepSeek-AI 2024, "DeepSeek-V2", section 2.1.3 and table 1: RoPE decoupled, and a cache as large
    as that of GQA with 2.25 groups, https://arxiv.org/abs/2405.04434
Terms: MLA, multi-head latent attention, latent attention, decoupled RoPE, rotary key, weight absorption,
    KV cache, KV cache size, bytes per token, DeepSeek-V2, DeepSeek-V3, MQA
Right when: Positions are left out, or added elsewhere: then the whole key can be absorbed.
Limits: Outputs and sizes, and no quality. Numbers are counted, whatever their precision. FLOPs of
    absorption are the page mla_fuses_its_projections. The paper was read in reproductions of its
    sections.
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st

from fixtures import claim, observe
from fixtures.latent import absorbed
from fixtures.meters import nbytes
from fixtures.nets import rotate


def rotated_query_absorbed(q, latents, up_k, positions):
    """Rotate the query by its position, then absorb: all that is left to the key is its latent."""
    return (rotate(q, positions[-1:]) @ up_k.T @ latents.T)[0]


def latents_rotated(q, latents, up_k, positions):
    """Rotate what is cached, the latents, by their positions, and the query absorbed by its own."""
    return (rotate(q @ up_k.T, positions[-1:]) @ rotate(latents, positions).T)[0]


def distance_in_the_query(q, latents, up_k, positions):
    """RoPE depends on the distance alone, so rotate the query by its mean distance and absorb."""
    distance = positions[-1:] - positions.to(q.dtype).mean()
    return (rotate(q, distance) @ up_k.T @ latents.T)[0]


def one_absorbed_query_per_token(q, latents, up_k, positions):
    """A query of its own for each cached token: rotated by the distance to that token, then absorbed.

    The rotation stands between query and up-projection and differs from token to token. So absorption
    saves nothing: up-projecting each key costs as much.
    """
    rotated = rotate(q.expand(len(positions), -1), positions[-1] - positions)
    return (rotated @ up_k.T * latents).sum(1)


def keys_and_values_of_all_heads(heads, rank, dim, rotary):
    """A key and a value per head, as attention needs them."""
    return 2 * heads * dim


def rotary_key_per_head(heads, rank, dim, rotary):
    """The latent, and for each head its rotated key."""
    return rank + heads * rotary


def latent_for_each(heads, rank, dim, rotary):
    """A latent for keys and one for values, and the rotary key."""
    return 2 * rank + rotary


def latent_and_one_rotary_key(heads, rank, dim, rotary):
    """One latent for keys and values alike, and one rotary key.

    That makes 512 + 64 = 576. Heads do not count, as each has its own up-projections of the same latent.
    """
    return rank + rotary


@claim(
    wrong=(rotated_query_absorbed, latents_rotated, distance_in_the_query),
    right=one_absorbed_query_per_token,
)
@example(dim=8, rank=4, context=5, start=0, seed=0)
@given(
    dim=st.sampled_from([2, 4, 8]),
    rank=st.sampled_from([2, 4, 6]),
    context=st.integers(2, 12),
    start=st.integers(0, 1000),
    seed=st.integers(0, 9999),
)
def test_rope_scores_from_latents(answer, dim, rank, context, start, seed):
    """Scores of keys that are rotated after their up-projection take an absorbed query per distance.

    rank: width of the cached latent
    start: position of the first token
    q: query of the last token, [1, dim]
    latents: cached latents, [context, rank]
    up_k: up-projection of the key, [rank, dim]
    positions: positions of the tokens
    """
    random = torch.Generator().manual_seed(seed)
    shapes = (1, dim), (context, rank), (rank, dim)
    q, latents, up_k = (torch.randn(shape, dtype=torch.float64, generator=random) for shape in shapes)
    positions = torch.arange(start, start + context)

    weights = answer(q, latents, up_k, positions).softmax(-1)
    # With the identity for values torch's attention returns its weights.
    keys, identity = rotate(latents @ up_k, positions), torch.eye(context, dtype=torch.float64)
    expected = F.scaled_dot_product_attention(rotate(q, positions[-1:]), keys, identity, scale=1.0)[0]
    assert observe(difference=(weights - expected).abs().max().item()) < 1e-9


@claim(
    wrong=(keys_and_values_of_all_heads, rotary_key_per_head, latent_for_each),
    right=latent_and_one_rotary_key,
)
@example(heads=128, rank=512, dim=128, rotary=64)
@given(
    heads=st.integers(2, 8),
    rank=st.integers(1, 32),
    dim=st.integers(1, 16),
    rotary=st.sampled_from([2, 4, 8]),
)
def test_mla_cache_per_token(answer, heads, rank, dim, rotary):
    """From one latent and one rotary key per token decoding gives what explicit keys and values give.

    rank: width of the cached latent
    rotary: width of the key that carries RoPE
    """
    random = torch.Generator().manual_seed(rank)
    context, positions = 3, torch.arange(3)
    shapes = (
        *((heads, 1, dim), (heads, 1, rotary), (heads, rank, dim), (heads, rank, dim)),
        *((context, rank), (context, rotary)),
    )
    q, q_rotary, up_k, up_v, latents, key = (
        torch.randn(shape, dtype=torch.float64, generator=random) / shape[-1] ** 0.5 for shape in shapes
    )
    turned, cache = rotate(q_rotary, positions[-1:]), torch.cat([latents, rotate(key, positions)], -1)

    # What torch's attention gives on keys and values of each head, with the one rotary key in all of them.
    keys = torch.cat([latents @ up_k, rotate(key, positions).expand(heads, -1, -1)], -1)
    whole = F.scaled_dot_product_attention(torch.cat([q, turned], -1), keys, latents @ up_v, scale=1.0)
    decoded = absorbed(q, cache[:, :rank], up_k, up_v, turned @ cache[:, rank:].T)
    assert (decoded - whole).abs().max() < 1e-9
    assert observe(numbers_per_token=nbytes(cache) / 8 / context) == answer(heads, rank, dim, rotary)
