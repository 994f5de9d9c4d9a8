"""What int8 weights save without saving a FLOP

A model's weights are stored in int8 and multiplied in bf16 as before: not one FLOP is saved. Is decoding
then no faster, or twice as fast, and up to which batch?

Verdict: holds if the batch is below the ridge: half the bytes are twice the speed up to half the ridge, and
    no gain above it
Asked: AI Interview Prep newsletter, LLM System Design #28
Source: Gholami et al. 2024, "AI and Memory Wall", IEEE Micro,
    https://arxiv.org/abs/2403.14123
Right when: Prefill and large batches: above the ridge int8 weights with bf16 arithmetic gain nothing.
Limits: The newsletter's abstract breaks off; only what is visible is judged. Weights alone, on a played
    machine at the peak of its data sheet; the conversion to bf16 rides along with the product, as in a fused
    kernel. Of Gholami et al. the abstract was read.
"""

from bisect import bisect_left
from functools import cache
from math import ceil, inf

import torch
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.machines import MACHINES, MODELS, Layer, play
from fixtures.meters import ColdReads, flops


def no_flops_no_gain(batch, ridge):
    """The arithmetic stays in bf16, so the FLOPs are the same, and so is the time."""
    return 1.0


def half_the_bytes_half_the_time(batch, ridge):
    """Decoding is memory-bound, so half the bytes are twice the speed."""
    return 2.0


def up_to_the_ridge(batch, ridge):
    """Twice the speed up to half the ridge, ridge/batch from there on, and nothing above the ridge."""
    return min(2.0, max(1.0, ridge / batch))


def always_memory(width, ridge):
    """Decoding is memory-bound at any batch, as each token waits for the weights."""
    return inf


def at_the_ridge(width, ridge):
    """A machine turns from memory to math at its ridge, whatever it reads."""
    return ceil(ridge)


def ridge_by_width(width, ridge):
    """The ridge counts FLOPs a byte: b bytes a weight serve 2 FLOPs a request, so ridge · b/2 requests.

    In bf16 that is 154 requests on an A100, 296 on an H100 and 207 on an H200; in int8 it is half as many.
    """
    return ceil(ridge * width / 2)


@cache
def counted(model, batch, width):
    """FLOPs and cold bytes of a layer's products, the weights stored in bytes of that width."""
    dtype = {1: torch.int8, 2: torch.bfloat16}[width]
    weights = [(w.new_empty(batch, len(w)), w.to(dtype)) for w in Layer(model).weights]
    with ColdReads(*(w for _, w in weights)) as cold:
        count = flops(lambda: [x @ w.to(torch.bfloat16) for x, w in weights])
    return count, cold.bytes


@claim(
    wrong=(no_flops_no_gain, half_the_bytes_half_the_time),
    right=up_to_the_ridge,
    evidence="simulated",
    examples=60,
)
@given(
    model=st.sampled_from(MODELS),
    batch=st.sampled_from([1, 64, 96, 128, 256, 512]),
    machine=st.sampled_from(MACHINES),
)
def test_decode_speed_up_of_int8_quantization(answer, model, batch, machine):
    """Weight-only int8 doubles the decode speed of small batches, without saving one FLOP."""
    bf16, int8 = (play(*counted(model, batch, width), machine) for width in (2, 1))

    # The played machine takes up to 1.6 % more than the slower of its engines.
    assert observe(speed_up=bf16 / int8) == approx(answer(batch, machine.ridge), rel=0.02)


@claim(wrong=(always_memory, at_the_ridge), right=ridge_by_width, examples=20)
@given(model=st.sampled_from(MODELS), width=st.sampled_from([2, 1]), machine=st.sampled_from(MACHINES))
def test_int8_weights_at_the_ridge(answer, model, width, machine):
    """The batch at which weights turn compute-bound halves with their width."""

    def intensity(batch):
        count, nbytes = counted(model, batch, width)
        return count / nbytes

    requests = range(1, 1024)
    first = bisect_left(requests, machine.ridge, key=intensity)

    assert observe(batch=requests[first]) == answer(width, machine.ridge)
