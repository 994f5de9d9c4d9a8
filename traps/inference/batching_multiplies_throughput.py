"""What batching does to latency and throughput

Ops want 8 times the decode batch to cut cost. Why is that dangerous for users, and where does it stop
paying before memory runs out?

Answer: A step reads the weights once and one KV cache per request, so latency is affine in the batch and
    throughput is concave: it saturates and never turns down. Llama-3-8B with 8192 tokens per request on
    an H200 goes from 8 to 64 requests with 3.67 times the TPOT for 2.18 times the throughput; with 512
    tokens 1.26 times for 6.35. Stop where the caches weigh as much as the weights, 13 requests of 8192
    tokens, at the ridge if that comes first, or where TPOT meets its SLO.
Says: The growing reads of KV caches saturate memory bandwidth, so that latency per iteration eventually
    rises in proportion to the batch and throughput reaches a hump where it plateaus or declines; increase
    the batch only up to the peak of the curve.
Verdict: imprecise: throughput plateaus and does not decline, so there is no peak to stop at; beyond 13
    requests of 8192 tokens a doubling costs more TPOT than it brings throughput.
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 18
Source: Agrawal et al. 2024, "Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve",
    sections 2.2 to 3.2, https://arxiv.org/abs/2403.02310
Terms: batch size, throughput-latency tradeoff, throughput, latency, TPOT, SLO, continuous batching,
    tokens per second, cost per token, KV cache bandwidth, saturation, goodput, hump, decode
Right when: Caches far outweigh the weights: then latency is all but proportional to the batch.
Limits: Decode steps alone, no head, no embedding, no preemption in a full memory, which can lower
    throughput. Clocks decide in fp32 between few laws; a CPU core is compute-bound too soon to show the
    affine part.
"""

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.machines import H200, LLAMA_3_8B, MACHINES, MODELS, counted_pass
from fixtures.meters import nbytes
from fixtures.stack import attending, measured, stack


def linear_for_ever(batch, times, knee, fill):
    """Decoding is memory-bound, so requests ride along and throughput grows with the batch."""
    return times


def latency_in_proportion(batch, times, knee, fill):
    """A larger batch takes longer in proportion, so that throughput stays as it is."""
    return 1.0


def down_behind_the_knee(batch, times, knee, fill):
    """Throughput has a hump: behind the knee the caches crowd the bandwidth, and it falls as it had grown."""
    before, after = (min(b, knee**2 / b) for b in (batch, times * batch))
    return after / before


def flat_behind_the_knee(batch, times, knee, fill):
    """A roofline: throughput grows with the batch up to the knee, and is exhausted there."""
    return min(batch * times, knee) / min(batch, knee)


def concave_in_the_batch(batch, times, knee, fill):
    """Requests share the weights and not their caches: throughput rises ever less and never falls.

    A step takes max(1, B/fill) + B/knee times one read of the weights, and throughput is B over
    that. The weights' term and the caches' add, as both come over one bus. At the knee of 13
    requests the caches have doubled the step; from there on a larger batch buys mostly latency.
    """
    before, after = (max(1, b / fill) + b / knee for b in (batch, times * batch))
    return times * before / after


def gain_by_the_clock(device, batch, times, knee):
    """The law of the gain and the measured one, of caches that are weights / knee bytes per request."""
    # A token of 8 KV heads of 128 numbers is 8192 bytes in fp32, and a row does half a FLOP per byte read.
    context, fill = nbytes(stack(device).weights) // 8192 // knee, 2 * measured(device).ridge
    taken = [max(1, requests / fill) + requests / knee for requests in (batch, times * batch)]

    def step(requests):
        products, attention = stack(device).passing(requests, 1), attending(device, requests, context)
        return lambda: (products(), attention())

    before, after = seconds(step(batch), step(times * batch), device=device)
    return times * taken[0] / taken[1], times * before / after, fill


@claim(wrong=(linear_for_ever, latency_in_proportion), right=concave_in_the_batch, evidence="measured")
@given(times=st.sampled_from([128]))
def test_batch_throughput_by_the_clock(answer, device, times):
    """Throughput grows with the batch, and by far less than the batch once its FLOPs fill the machine.

    times: the factor by which the batch grows
    knee: requests whose caches weigh as much as the weights
    fill: requests that take as long to compute in the weights as these take to be read
    """
    law, gain, fill = gain_by_the_clock(device, 1, times, knee=times)

    assert nearest(observe(gain=gain), law, times, 1) == approx(answer(1, times, times, fill))


@claim(wrong=(linear_for_ever, down_behind_the_knee), right=concave_in_the_batch, evidence="measured")
@given(knee=st.sampled_from([4]))
def test_batch_throughput_behind_the_knee(answer, device, knee):
    """Throughput does not fall where caches outweigh the weights, nor does it grow with the batch.

    knee: requests whose caches weigh as much as the weights
    times: the factor by which the batch grows
    fill: requests that take as long to compute in the weights as these take to be read
    """
    law, gain, fill = gain_by_the_clock(device, 2, 8, knee)

    # Behind a hump at 4 requests throughput would fall by half from 2 requests to 16.
    assert nearest(observe(gain=gain), law, 8, 1 / 2) == approx(answer(2, 8, knee, fill))


@claim(
    wrong=(linear_for_ever, latency_in_proportion, down_behind_the_knee, flat_behind_the_knee),
    right=concave_in_the_batch,
    evidence="derived",
    examples=60,
)
@example(model=LLAMA_3_8B, machine=H200, batch=8, times=8, context=8192)
@example(model=LLAMA_3_8B, machine=H200, batch=8, times=8, context=512)
@example(model=LLAMA_3_8B, machine=H200, batch=13, times=8, context=8192)
@example(model=LLAMA_3_8B, machine=H200, batch=256, times=2, context=512)  # above the ridge, 206
@given(
    model=st.sampled_from([m for m in MODELS if m.d == 4096]),
    machine=st.sampled_from(MACHINES[::-1]),
    batch=st.integers(1, 64),
    times=st.sampled_from([8, 2, 3]),
    context=st.sampled_from([8192, 512, 2048, 16_384]),
)
def test_batch_throughput_at_full_size(answer, model, machine, batch, times, context):
    """By the data sheet throughput is concave in the batch.

    times: the factor by which the batch grows
    knee: requests whose caches weigh as much as the weights
    fill: requests that take as long to compute in the weights as these take to be read
    """
    bare, one = counted_pass(model, 1, 1, 0), counted_pass(model, 1, 1, context)
    read, cache = one.weights / machine.bandwidth, one.cache / machine.bandwidth
    taken = [max(read, n * bare.flops / machine.peak) + n * cache for n in (batch, times * batch)]
    before, after = observe(tpot_ms=[1e3 * step for step in taken])
    knee = observe(knee=one.weights / one.cache)
    observe(latency=after / before)

    assert observe(gain=times * before / after) == approx(answer(batch, times, knee, machine.ridge))
