"""What batching does to latency and throughput

Twice the requests in a decode batch: does a step take twice as long? And is there a batch beyond which
throughput declines, so that the best one lies on top of a hump?

Verdict: refuted as stated: a step takes the time of the weights and of one cache a request, throughput is
    concave and never declines; and latency doubles before memory ends only if that holds twice the weights
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 18
Source: Agrawal et al. 2024, "Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve",
    sections 2.2 to 3.2, https://arxiv.org/abs/2403.02310
Right when: The caches far outweigh the weights, where latency is indeed all but proportional.
Limits: Decode steps below the ridge, on a played machine at its data sheet's peak, one card for all models;
    above the ridge the weights' share grows with the batch as well. Preemption is left out.
"""

from functools import cache

from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.machines import MACHINES, MODELS, Layer, play
from fixtures.meters import ColdReads, flops, nbytes


def proportional_to_the_batch(batch, weights, kvcache, bandwidth):
    """A step serves the whole batch, so its latency rises in proportion."""
    return batch * (weights + kvcache) / bandwidth * 1e3


def free_of_charge(batch, weights, kvcache, bandwidth):
    """The weights are read once for all, so batching is free."""
    return (weights + kvcache) / bandwidth * 1e3


def affine_in_the_batch(batch, weights, kvcache, bandwidth):
    """The weights are read once, and one cache a request: (W + B·k) over the bandwidth.

    The weights' share has doubled at W/k requests: 204 of 2048 tokens for Llama-3-70B, 52 for Llama-3-8B.
    """
    return (weights + batch * kvcache) / bandwidth * 1e3


def linear_for_ever(batch, times, knee):
    """Decoding is memory-bound, so requests ride along and throughput grows with the batch."""
    return times


def flat_behind_the_knee(batch, times, knee):
    """Throughput grows with the batch up to a knee, and is exhausted there."""
    return min(batch * times, knee) / min(batch, knee)


def down_behind_the_knee(batch, times, knee):
    """Behind the knee the caches crowd the bandwidth, and throughput declines as it had grown."""
    before, after = (min(b, knee**2 / b) for b in (batch, times * batch))
    return after / before


def concave_in_the_batch(batch, times, knee):
    """Of x times the batch throughput gains x·(b + B)/(b + x·B), which lies between 1 and x.

    With b = W/k, throughput is B/(W + B·k) of the bandwidth: it climbs towards bandwidth/k and has half
    of that at b. What latency loses is the other factor of x.
    """
    return times * (knee + batch) / (knee + times * batch)


def full_at_twice(memory, weights):
    """Memory is full when the caches weigh as much as the weights, at twice the latency."""
    return 2.0


def full_before_it_is_felt(memory, weights):
    """Memory runs out before the caches are felt."""
    return 1.0


def memory_over_weights(memory, weights):
    """With its memory full, a step takes memory over weights times as long as for the weights alone.

    A step reads all that the memory holds, once, whatever the contexts. Llama-3-8B on 80 GB ends at 5.7
    times, Llama-3-70B on two such cards at 1.17.
    """
    return memory / weights


@cache
def step(model, batch, context):
    """FLOPs and cold bytes of a decode step, counted on one layer."""
    layer, kvcache = Layer(model), Layer(model).cache(batch, context)
    with ColdReads(*layer.weights, kvcache) as cold:
        count = flops(lambda: layer(layer.tokens(batch, 1), kvcache))
    return model.layers * count, model.layers * cold.bytes


def sizes(model, context):
    """Bytes of all weights, and of one request's cache."""
    layer = Layer(model)
    return model.layers * nbytes(*layer.weights), model.layers * nbytes(layer.cache(1, context))


@claim(
    wrong=(proportional_to_the_batch, free_of_charge),
    right=affine_in_the_batch,
    evidence="simulated",
    examples=40,
)
@given(
    model=st.sampled_from(MODELS),
    machine=st.sampled_from(MACHINES),
    batch=st.sampled_from([2, 8, 32, 128]),
    context=st.integers(2048, 16_384),
)
def test_batch_latency(answer, model, machine, batch, context):
    """The latency of a decode step is affine in the batch."""
    latency = observe(milliseconds=1e3 * play(*step(model, batch, context), machine))

    # The played machine takes up to 1.6 % more than the slower of its engines.
    assert latency == approx(answer(batch, *sizes(model, context), machine.bandwidth), rel=0.02)


@claim(
    wrong=(linear_for_ever, flat_behind_the_knee, down_behind_the_knee),
    right=concave_in_the_batch,
    evidence="simulated",
    examples=40,
)
@given(
    model=st.sampled_from(MODELS),
    machine=st.sampled_from(MACHINES),
    times=st.integers(2, 4),
    batch=st.integers(16, 32),
    context=st.integers(8192, 16_384),
)
def test_batch_throughput(answer, model, machine, times, batch, context):
    """Throughput gains from a larger batch even where the caches outweigh the weights."""
    before, after = (b / play(*step(model, b, context), machine) for b in (batch, times * batch))
    weights, kvcache = sizes(model, context)

    assert observe(gain=after / before) == approx(answer(batch, times, weights / kvcache), rel=0.02)


@claim(wrong=(full_at_twice, full_before_it_is_felt), right=memory_over_weights, examples=30)
@given(
    model=st.sampled_from(MODELS),
    cards=st.integers(2, 8),
    context=st.integers(128, 512),
)
def test_batch_latency_with_full_memory(answer, model, cards, context):
    """How far batching slows a step down, before memory ends it, is memory over weights."""
    # Llama-3-70B needs two cards of 80 GB for its weights.
    memory, (weights, kvcache) = cards * 80e9, sizes(model, context)
    fits = int((memory - weights) // kvcache)

    slow_down = step(model, fits, context)[1] / weights

    # The rest of the memory, less than one request, is up to 2 % of the weights.
    assert observe(slow_down=slow_down) == approx(answer(memory, weights), rel=0.02)
