"""The floor of a decoded token

A card computes 312 TFLOP/s and a token costs 2 FLOPs a parameter. Do its tokens a second follow from that,
and is weight-only quantisation no faster, as it saves no FLOP?

Verdict: holds if the batch is below the ridge and the contexts are short: weights and bandwidth set the
    floor of a token only up to peak · bytes a weight / (2 · bandwidth) requests
Asked: AI Interview Prep newsletter, LLM System Design #28
Source: Gholami et al. 2024, "AI and Memory Wall", IEEE Micro,
    https://arxiv.org/abs/2403.14123
Source: Shazeer 2019, "Fast Transformer Decoding: One Write-Head is All You Need", section 2.3,
    https://arxiv.org/abs/1911.02150
Right when: Prefill and large batches: above the ridge it is the FLOPs that count, and int8 weights with
    bf16 arithmetic gain nothing.
Limits: The newsletter's abstract breaks off; only what is visible is judged. Weights alone, on a played
    machine at the peak of its data sheet: no caches, no activations, and a model of any size on one card.
    Of Gholami et al. the abstract was read; Shazeer was not re-read.
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


def flops_over_peak(params, batch, width, machine):
    """A token costs 2 FLOPs a parameter: a card makes its FLOP/s over 2P tokens a second."""
    return machine.peak / (2 * params)


def bytes_over_bandwidth(params, batch, width, machine):
    """Decoding is memory-bound: each request gets a token whenever the weights have been read."""
    return batch * machine.bandwidth / (params * width)


def the_slower_of_both(params, batch, width, machine):
    """As many tokens as requests each time the weights are read, until the FLOPs take longer than that.

    One request of a Llama-3-70B in bf16 gets 15 tokens a second from an A100, 24 from an H100 and 35 from
    an H200. By FLOPs alone it would be 2279, 7227 and 7227.
    """
    return min(batch * machine.bandwidth / (params * width), machine.peak / (2 * params))


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
    """FLOPs and cold bytes of every layer's products, the weights stored in bytes of that width."""
    dtype = {1: torch.int8, 2: torch.bfloat16}[width]
    weights = [(w.new_empty(batch, len(w)), w.to(dtype)) for w in Layer(model).weights]
    with ColdReads(*(w for _, w in weights)) as cold:
        count = flops(lambda: [x @ w.to(torch.bfloat16) for x, w in weights])
    return model.layers * count, model.layers * cold.bytes


def tokens_a_second(model, batch, width, machine):
    """What a machine makes of them: one token a request and step."""
    return batch / play(*counted(model, batch, width), machine)


def parameters(model):
    """How many weights all layers hold."""
    return model.layers * sum(w.numel() for w in Layer(model).weights)


widths = st.sampled_from([2, 1])
machines = st.sampled_from(MACHINES)
batches = st.sampled_from([1, 8, 64, 96, 128, 256, 512])


@claim(
    wrong=(flops_over_peak, bytes_over_bandwidth),
    right=the_slower_of_both,
    evidence="simulated",
    examples=60,
)
@given(model=st.sampled_from(MODELS), batch=batches, width=widths, machine=machines)
def test_decode_throughput(answer, model, batch, width, machine):
    """Decode waits for the bytes of the weights until the batch has passed the ridge."""
    throughput = observe(tokens_a_second=tokens_a_second(model, batch, width, machine))

    # The played machine takes up to 1.6 % more than the slower of its engines.
    assert throughput == approx(answer(parameters(model), batch, width, machine), rel=0.02)


@claim(
    wrong=(no_flops_no_gain, half_the_bytes_half_the_time),
    right=up_to_the_ridge,
    evidence="simulated",
    examples=60,
)
@given(model=st.sampled_from(MODELS), batch=batches, machine=machines)
def test_decode_speed_up_of_int8_weights(answer, model, batch, machine):
    """Weight-only int8 doubles the decode speed of small batches, without saving one FLOP."""
    wide, narrow = (tokens_a_second(model, batch, width, machine) for width in (2, 1))

    assert observe(speed_up=narrow / wide) == approx(answer(batch, machine.ridge), rel=0.02)


@claim(wrong=(always_memory, at_the_ridge), right=ridge_by_width, examples=20)
@given(model=st.sampled_from(MODELS), width=widths, machine=machines)
def test_decode_batch_at_the_ridge(answer, model, width, machine):
    """The batch at which weights turn compute-bound halves with their width."""

    def intensity(batch):
        count, nbytes = counted(model, batch, width)
        return count / nbytes

    requests = range(1, 1024)
    first = bisect_left(requests, machine.ridge, key=intensity)

    assert observe(batch=requests[first]) == answer(width, machine.ridge)
