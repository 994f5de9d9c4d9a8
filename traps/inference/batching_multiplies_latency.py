"""What batching does to the latency of a step

Twice the requests in a decode batch: does a step take twice as long? And does a batch that fills the memory
slow it down beyond use?

Verdict: refuted as stated: a step takes the time of the weights and of one cache a request; latency doubles
    before memory ends only if that holds twice the weights
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 18
Source: Agrawal et al. 2024, "Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve",
    sections 2.2 to 3.2, https://arxiv.org/abs/2403.02310
Right when: The caches far outweigh the weights, where latency is indeed all but proportional.
Limits: Decode steps below the ridge, on a played machine at its data sheet's peak, one card for all models;
    above the ridge the weights' share grows with the batch as well. Preemption is left out.
"""

import torch
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.machines import MACHINES, MODELS, counted_pass
from fixtures.meters import nbytes


def proportional_to_the_batch(batch, weights, kvcache, bandwidth):
    """A step serves the whole batch, so its latency rises in proportion."""
    return batch * (weights + kvcache) / bandwidth * 1e3


def free_of_charge(batch, weights, kvcache, bandwidth):
    """The weights are read once for all, so batching is free."""
    return (weights + kvcache) / bandwidth * 1e3


def affine_in_the_batch(batch, weights, kvcache, bandwidth):
    """The weights are read once, and one cache a request: (W + B·k) over the bandwidth.

    The time of the weights has doubled at W/k requests: 204 of 2048 tokens for Llama-3-70B, 52 for the 8B.
    """
    return (weights + batch * kvcache) / bandwidth * 1e3


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


def decode_step(batch, weights, kvcache):
    """Products and attention of a decode step on ones, ready to run, and the largest error of its outputs."""
    x = torch.ones(batch, weights.shape[1], dtype=weights.dtype, device=weights.device)
    keys, values = (cache[:batch].flatten(0, 1) for cache in kvcache)
    q = torch.ones(len(keys), 8, keys.shape[-1], dtype=x.dtype, device=x.device)

    def run():
        return torch.stack([x @ w for w in weights]), torch.bmm(torch.bmm(q, keys.mT).softmax(-1), values)

    sums, means = run()
    error = max((sums / len(weights[0]) - 1).abs().max().item(), (means - 1).abs().max().item())
    return run, error


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
    context=st.sampled_from([2048, 8192, 16_384]),
)
def test_batch_latency(answer, model, machine, batch, context):
    """The latency of a decode step is affine in the batch."""
    one, step = (counted_pass(model, requests, 1, context) for requests in (1, batch))
    latency = observe(milliseconds=1e3 * step.seconds(machine))

    # The played machine takes up to 1.6 % more than the slower of its engines.
    assert latency == approx(answer(batch, one.weights, one.cache, machine.bandwidth), rel=0.02)


@claim(wrong=(full_at_twice, full_before_it_is_felt), right=memory_over_weights, examples=30)
@given(
    model=st.sampled_from(MODELS),
    cards=st.integers(2, 8),
    context=st.sampled_from([128, 512]),
)
def test_batch_latency_with_full_memory(answer, model, cards, context):
    """How far batching slows a step down, before memory ends it, is memory over weights."""
    # Llama-3-70B needs two cards of 80 GB for its weights.
    memory, one = cards * 80e9, counted_pass(model, 1, 1, context)
    fits = int((memory - one.weights) // one.cache)

    slow_down = counted_pass(model, fits, 1, context).bytes / one.weights

    # The rest of the memory, less than one request, is up to 2 % of the weights.
    assert observe(slow_down=slow_down) == approx(answer(memory, one.weights), rel=0.02)


@claim(
    wrong=(proportional_to_the_batch, free_of_charge),
    right=affine_in_the_batch,
    evidence="measured",
    examples=2,
)
@given(batch=st.sampled_from([24, 16]))
def test_batch_latency_on_a_gpu(answer, gpu, batch):
    """On a GPU, too, a step takes the time of the weights and of one cache a request."""
    # Eight 8192×8192 weights are 1.07 GB in bf16, and 32 768 tokens of 8 key/value heads 134 MB a request.
    weights = torch.ones(8, 8192, 8192, dtype=torch.bfloat16, device=gpu)
    kvcache = torch.ones(2, batch, 8, 32_768, 128, dtype=torch.bfloat16, device=gpu)
    (one, _), (step, error) = (decode_step(requests, weights, kvcache) for requests in (1, batch))
    quick, slow = seconds(one, step, device=gpu)

    sizes = nbytes(weights), nbytes(kvcache) / batch
    affine = (sizes[0] + batch * sizes[1]) / sum(sizes)
    slow_down = observe(slow_down=slow / quick)

    # bf16 has 8 bits, and adds up in more.
    assert observe(error=error) < 2**-7
    law = nearest(slow_down, 1, affine, batch)
    assert law == approx(answer(batch, *sizes, 1) / answer(1, *sizes, 1))
