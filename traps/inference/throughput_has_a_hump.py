"""What batching does to throughput

The throughput of a server grows with its decode batch. Is there a batch beyond which it declines, because the
caches crowd the memory's bandwidth, so that the best one lies on top of a hump?

Verdict: refuted as stated: throughput is concave in the batch and never declines; it climbs towards the
    bandwidth over the cache of one request, and has half of that when all caches weigh as much as the weights
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 18
Source: Agrawal et al. 2024, "Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve",
    sections 2.2 to 3.2, https://arxiv.org/abs/2403.02310
Right when: Batches are so small that throughput looks linear: up to a tenth of the knee, 20 requests of 2048
    tokens for Llama-3-70B, it is so within a tenth.
Limits: Decode steps below the ridge, on a played machine at its data sheet's peak, one card for all models;
    above the ridge throughput is flat. What a full memory does, preemption, is left out.
"""

from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.machines import MACHINES, MODELS, counted_pass


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

    With b = W/k, throughput is B/(W + B·k) of the bandwidth. What latency loses is the other factor of x.
    """
    return times * (knee + batch) / (knee + times * batch)


def full_at_the_knee(batch, knee):
    """A roofline: throughput rises up to the knee, and runs flat under its roof from there on."""
    return min(1.0, batch / knee)


def half_at_the_knee(batch, knee):
    """B/(b + B) of the roof, which is the bandwidth over a request's cache: half of it at b = W/k requests.

    A roofline has a corner as two engines work at once. Weights and caches come over one bus, one after the
    other.
    """
    return batch / (knee + batch)


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
    context=st.sampled_from([8192, 16_384]),
)
def test_throughput_of_a_larger_batch(answer, model, machine, times, batch, context):
    """Throughput gains from a larger batch even where the caches outweigh the weights."""
    before, after = (n / counted_pass(model, n, 1, context).seconds(machine) for n in (batch, times * batch))
    one = counted_pass(model, 1, 1, context)

    # The played machine takes up to 1.6 % more than the slower of its engines.
    assert observe(gain=after / before) == approx(answer(batch, times, one.weights / one.cache), rel=0.02)


@claim(wrong=full_at_the_knee, right=half_at_the_knee, evidence="simulated", examples=40)
@given(
    model=st.sampled_from(MODELS),
    machine=st.sampled_from(MACHINES),
    knees=st.integers(1, 4),
    context=st.sampled_from([8192, 16_384]),
)
def test_throughput_below_its_roof(answer, model, machine, knees, context):
    """Throughput climbs to the bandwidth over a request's cache without a corner: at the knee it has half."""
    one = counted_pass(model, 1, 1, context)
    knee = one.weights / one.cache
    batch = round(knees * knee)
    throughput = batch / counted_pass(model, batch, 1, context).seconds(machine)

    assert observe(share=throughput / (machine.bandwidth / one.cache)) == approx(
        answer(batch, knee), rel=0.02
    )
