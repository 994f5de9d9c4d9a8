"""What a decode step waits for

Decoding is said to starve on the reads of the KV cache, and small batches to leave the memory's bandwidth
unused. Does a decode step read more cache than weights, and is bandwidth what a small batch wastes?

Verdict: refuted as stated: a step reads more weights than cache until batch times context passes the bytes
    of the weights over the cache bytes of a token; and bandwidth is in full use from the first request on,
    what idles is the arithmetic
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 14
Source: Kwon et al. 2023, "Efficient Memory Management for Large Language Model Serving with
    PagedAttention", sections 2.2 and 2.3, https://arxiv.org/abs/2309.06180
Source: Agrawal et al. 2024, "Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve",
    section 3.1, https://arxiv.org/abs/2403.02310
Right when: Contexts are long and batches large: above 52 requests of 2048 tokens for Llama-3-8B, 204 for
    Llama-3-70B, 12 for Llama-2-7B.
Limits: Weights and cache are read once a step in bf16, as fused kernels read them; the embedding and the
    output head are left out. Bandwidth in use is that of a played machine, not of a measured one.
"""

from bisect import bisect_left
from math import inf

import torch
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.machines import MACHINES, MODELS, counted_pass, play
from fixtures.meters import Traffic, flops, nbytes


def from_the_first_token(model, batch):
    """Decode reads the KV cache again for every token, so the cache dominates from the start."""
    return 1


def at_no_context(model, batch):
    """A model is gigabytes and a token is kilobytes, so the weights always dominate."""
    return inf


def once_it_outweighs_them(model, batch):
    """The cache dominates once all tokens in flight outweigh the weights, which every step reads too.

    Tokens in flight are batch times context: 24 704 of Llama-2-7B, 106 496 of Llama-3-8B and 417 792 of
    Llama-3-70B. One request of 2048 tokens makes 0.5 % of the reads of the last.
    """
    queries, keys = model.heads * model.dim, model.kv_heads * model.dim
    weights = 2 * model.d * (queries + keys) + 3 * model.d * model.ffn
    return weights // (2 * keys * batch) + 1


def grows_with_the_batch(group, new, batch):
    """Attention is batched like any layer: the intensity is the number of query tokens in the pass."""
    return group * new * batch


def one_a_new_token(group, new, batch):
    """Each request reads its own cache, and each head its own keys."""
    return new


def group_times_new_tokens(group, new, batch):
    """A cache serves its own request: the intensity is the group of query heads times its new tokens.

    A larger batch brings its own caches along. One new token without grouped heads is 1 FLOP/B.
    """
    return group * new


def both_fill_up(engine, batch, ridge):
    """A small batch saturates neither compute nor bandwidth; both fill up as it grows."""
    return batch / ridge


def both_are_full(engine, batch, ridge):
    """A kernel that reads all the time computes all the time."""
    return 1.0


def only_the_math_idles(engine, batch, ridge):
    """Bandwidth is in full use from the first request; the math is busy for batch/ridge of the time."""
    return 1.0 if engine == "memory" else batch / ridge


def bf16(*shape):
    """A bf16 tensor on the meta device."""
    return torch.empty(*shape, dtype=torch.bfloat16, device="meta")


def outweighed(model, batch, context):
    """Whether a decode step reads more cache than weights."""
    step = counted_pass(model, batch, 1, context)
    return step.cache > step.weights


@claim(wrong=(from_the_first_token, at_no_context), right=once_it_outweighs_them, examples=6)
@given(model=st.sampled_from(MODELS), batch=st.sampled_from([1, 7, 256]))
def test_decode_reads_of_kvcache_and_weights(answer, model, batch):
    """A decode step reads more cache than weights only from a long context on."""
    contexts = range(1, 2**20)
    first = bisect_left(contexts, True, key=lambda context: outweighed(model, batch, context))

    assert observe(context=contexts[first]) == answer(model, batch)


@claim(wrong=(grows_with_the_batch, one_a_new_token), right=group_times_new_tokens, examples=60)
@given(
    batch=st.integers(1, 4096),
    group=st.sampled_from([1, 4, 8]),
    new=st.integers(1, 4),
    context=st.integers(2048, 131_072),
)
def test_decode_attention_on_the_roofline(answer, batch, group, new, context):
    """No batch raises the intensity of decode attention."""
    q, keys, values = bf16(batch, group * new, 128), *bf16(2, batch, context, 128)
    count = flops(lambda: torch.bmm(torch.bmm(q, keys.mT), values))
    intensity = count / nbytes(q, keys, values, torch.empty_like(q))

    # Queries and results are left out of the answers: 32 rows beside 2048 keys, at most 1.6 %.
    assert observe(flops_a_byte=intensity) == approx(answer(group, new, batch), rel=0.02)


@claim(wrong=(both_fill_up, both_are_full), right=only_the_math_idles, evidence="simulated", examples=60)
@given(
    engine=st.sampled_from(["memory", "math"]),
    batch=st.integers(1, 64),
    machine=st.sampled_from(MACHINES),
)
def test_bandwidth_of_a_small_batch(answer, engine, batch, machine):
    """A decode batch below the ridge saturates the memory's bandwidth, however small it is."""
    x, w = bf16(batch, 8192), bf16(8192, 28_672)
    with Traffic() as moved:
        count = flops(lambda: x @ w)
    work = moved.bytes / machine.bandwidth if engine == "memory" else count / machine.peak

    busy = observe(busy=work / play(count, moved.bytes, machine))

    # One tile of 64 is computed while nothing loads, and the activations weigh a little.
    assert busy == approx(answer(engine, batch, machine.ridge), abs=0.02)
