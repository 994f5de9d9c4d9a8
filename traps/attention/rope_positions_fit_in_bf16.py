"""RoPE in bf16

A model runs in bf16, its table of RoPE's cosines and sines included. Up to which position does it tell
neighbors apart, and what is the cure?

Answer: Positions that are cast to bf16 are exact up to 256, and 257 is stored as 256; in fp16 the end is
    2,048. Worse are frequencies or angles in bf16, which are off from the first positions on, where cast
    positions are still exact; by 8,191 a sine can have the wrong sign. Compute positions and angles in
    fp32 and cast only cosines and sines, which are then off by about 0.002, as any number in bf16 is.
Verdict: not judged: a trap of our own
Asked: nowhere yet
Source: transformers, pull 29285 (2024), "RoPE loses precision for Llama / Gemma",
    https://github.com/huggingface/transformers/pull/29285
Source: Su et al. 2021, "RoFormer: Enhanced Transformer with Rotary Position Embedding", section 3.2,
    https://arxiv.org/abs/2104.09864
Terms: RoPE, rotary position embedding, bf16, position ids, inv_freq, cos, sin, fp32 angles, autocast,
    long context, precision, torch_dtype, Llama, Gemma
Right when: No context is longer than 256 tokens, and only the positions are cast.
Limits: Angles in fp32 end as well: in a table of 131,072 positions they are off by up to 0.008. What the
    errors do to a model's loss is not shown. Of the pull request the description was read.
"""

import torch
from hypothesis import assume, example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def one_apart(dtype, position):
    """Neighbors are one apart, wherever they are."""
    return 1


def fp16_like_bf16(dtype, position):
    """Positions of 16 bits coincide from 256 on, those of 32 bits from 2^24 on."""
    bits = 24 if dtype is torch.float32 else 8
    return stored(position + 1, bits) - stored(position, bits)


def apart_as_stored(dtype, position):
    """At p significant bits, from 2^p on, neighbors coincide or are a whole gap apart.

    The last position with its right neighbor is 255 in bf16, 2,047 in fp16 and 16,777,215 in fp32.
    """
    bits = BITS[dtype]
    return stored(position + 1, bits) - stored(position, bits)


# Significant bits with the hidden one (IEEE 754-2019, table 3.5; bf16 is the upper half of binary32).
BITS = {torch.bfloat16: 8, torch.float16: 11, torch.float32: 24}


def stored(position, bits):
    """A position in a format of so many significant bits, ties to even."""
    gap = 2 ** max(0, position.bit_length() - bits)
    return round(position / gap) * gap


def all_in_bf16(positions, inv_freq):
    """The model is in bf16, and so is the table: bf16 has the range of fp32."""
    angles = positions.bfloat16()[:, None] * inv_freq.bfloat16()
    return angles.cos(), angles.sin()


def inv_freq_in_bf16(positions, inv_freq):
    """Angles are computed in fp32; inv_freq is a buffer of the model and was cast with it."""
    angles = positions[:, None] * inv_freq.bfloat16().float()
    return angles.cos(), angles.sin()


def positions_in_bf16(positions, inv_freq):
    """Positions are whole numbers, which bf16 holds exactly; the rest is computed in fp32."""
    angles = positions.bfloat16().float()[:, None] * inv_freq
    return angles.cos(), angles.sin()


def cast_at_the_end(positions, inv_freq):
    """Positions, frequencies and angles are fp32; the cosines and sines alone are cast.

    An error of an angle is relative, so it grows with the position; one of a cosine is at most half a gap
    below 1, 0.00195 in bf16, at any position.
    """
    angles = positions[:, None] * inv_freq
    return angles.cos(), angles.sin()


@claim(
    wrong=(all_in_bf16, inv_freq_in_bf16, positions_in_bf16),
    right=cast_at_the_end,
)
@example(position=255, pairs=64)
@example(position=257, pairs=64)
@example(position=8191, pairs=64)
@given(
    position=st.integers(0, 300) | st.integers(0, 8191),
    pairs=st.sampled_from([1, 32, 64]),
)
def test_rope_table_in_bf16(answer, position, pairs):
    """RoPE's cosines and sines are as exact as bf16 allows if only they are cast to it.

    positions: the positions of a table, in order
    inv_freq: frequency of each pair of coordinates in fp32, in radians per position
    position: the one whose row is observed
    pairs: half of head_dim
    """
    inv_freq = 10_000.0 ** -(torch.arange(pairs, dtype=torch.float64) / pairs)
    exact = torch.stack([(position * inv_freq).cos(), (position * inv_freq).sin()])

    cosine, sine = answer(torch.tensor([position]), inv_freq.float())
    row = torch.cat([cosine, sine]).bfloat16()

    # Half a gap of bf16 below 1 is 2^-9; fp32 angles add 2^-11 at most up to position 8,191.
    assert observe(error=(row.double() - exact).abs().max().item()) <= 2**-9 + 2**-11


@claim(wrong=(one_apart, fp16_like_bf16), right=apart_as_stored)
@example(dtype=torch.bfloat16, position=255)
@example(dtype=torch.bfloat16, position=256)
@example(dtype=torch.float16, position=2047)
@example(dtype=torch.float16, position=2048)
@example(dtype=torch.float32, position=16_777_215)
@given(
    dtype=st.sampled_from(list(BITS)),
    position=st.tuples(st.sampled_from([2**8, 2**11, 2**24]), st.integers(-40, 40)).map(sum),
)
def test_rope_positions_in_low_precision(answer, dtype, position):
    """Neighboring positions stay one apart up to 2^p and no further.

    position: the left one of the two neighbors
    """
    assume(position < torch.finfo(dtype).max - 1)  # fp16 holds no position beyond 65,504
    left, right = torch.tensor([position, position + 1]).to(dtype).double().tolist()

    assert observe(apart=right - left) == approx(answer(dtype, position))
