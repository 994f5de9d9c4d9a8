"""How far RoPE sees

Rotary position embedding is said to enforce a decay of attention with distance. Is a key far away bound to
score less than a near one, and how far apart do positions stay distinct?

Verdict: refuted as stated: RoPE enforces no decay; for every distance there is a key that scores highest
    exactly there. What ends is arithmetic: in bf16 neighbours coincide from position 256 on
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 16
Source: Barbero et al. 2024, "Round and Round We Go! What makes Rotary Positional Encodings useful?",
    abstract, https://arxiv.org/abs/2410.06205
Source: Su et al. 2021, "RoFormer: Enhanced Transformer with Rotary Position Embedding", section 3.4.3,
    https://arxiv.org/abs/2104.09864
Source: transformers, pull request 29285, "RoPE loses precision for Llama / Gemma",
    https://github.com/huggingface/transformers/pull/29285
Right when: What decays is an upper bound on the score, as Su et al. derive it and plot it, not the score.
Limits: Of Barbero et al. the abstract was read, of the pull request its description.
"""

import torch
from hypothesis import given, strategies as st

from fixtures import claim, observe
from fixtures.nets import rotate


def decays(distance, d):
    """The score falls with distance, so any key scores highest right here."""
    return 0


def peaks_anywhere(distance, d):
    """A key that is the query turned back by r positions meets it again at distance r, in every pair.

    The score is a sum of cosines of (distance - r); all of them are 1 at distance r, and nowhere else.
    """
    return distance


def one_apart(dtype, position):
    """Neighbours are one apart, wherever they are."""
    return 1


def fp16_like_bf16(dtype, position):
    """16-bit positions coincide from 256 on, 32-bit ones from 2^24 on."""
    bits = 24 if dtype is torch.float32 else 8
    return stored(position + 1, bits) - stored(position, bits)


def apart_as_stored(dtype, position):
    """Positions are rounded to p significant bits: neighbours are 0 or 2 apart from 2^p on.

    p is 8 in bf16, 11 in fp16, 24 in fp32: the last position with a right neighbour is 255, 2047 or
    16 777 215.
    """
    bits = BITS[dtype]
    return stored(position + 1, bits) - stored(position, bits)


# Significant bits with the hidden one (IEEE 754-2019, table 3.5; bf16 is the upper half of binary32).
BITS = {torch.bfloat16: 8, torch.float16: 11, torch.float32: 24}


def stored(position, bits):
    """A position in a format of so many significant bits, ties to even."""
    gap = 2 ** max(0, position.bit_length() - bits)
    return round(position / gap) * gap


@claim(wrong=decays, right=peaks_anywhere)
@given(distance=st.integers(0, 64), pairs=st.integers(1, 16), seed=st.integers(0, 50))
def test_rope_scores_peak_anywhere(answer, distance, pairs, seed):
    """For every distance there is a key whose score is highest at that distance."""
    query = torch.randn(1, 2 * pairs, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    key = rotate(query, torch.tensor([distance]))
    distances = torch.arange(65)

    scores = rotate(key.expand(65, -1), 64 - distances) @ rotate(query, torch.tensor([64])).T

    assert observe(peak=scores.argmax().item()) == answer(distance, 2 * pairs)


@claim(wrong=(one_apart, fp16_like_bf16), right=apart_as_stored)
@given(dtype=st.sampled_from(list(BITS)), beyond=st.integers(-40, 40))
def test_rope_positions_in_low_precision(answer, dtype, beyond):
    """Neighbouring positions stay one apart up to 2^p and no further."""
    position = 2 ** BITS[dtype] + beyond
    positions = torch.tensor([position, position + 1]).to(dtype)

    # One pair of coordinates turns by one radian a position: the angle between neighbours is their distance.
    turned = torch.view_as_complex(rotate(torch.tensor([[1.0, 0.0]] * 2, dtype=torch.float64), positions))
    apart = (turned[1] / turned[0]).angle().item()

    assert observe(apart=round(apart, 6)) == answer(dtype, position)
