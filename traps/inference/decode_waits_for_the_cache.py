"""What a decode step reads: weights or KV cache

Decoding is said to starve on reads of the KV cache. When does a step read more cache than weights, and
does batching help?

Answer: When the tokens in flight, batch times context, outweigh the weights: 106,496 tokens for
    Llama-3-8B, 24,704 for Llama-2-7B. One request of 2048 tokens on Llama-3-70B reads 0.5 % cache and
    99.5 % weights. Batching shares the reads of weights, not those of caches: the arithmetic intensity of
    decode attention in bf16 is the number of query heads per KV head at any batch.
Says: Generation needs repeated full reads of the KV cache from high-bandwidth memory for each step, which
    starves the compute units.
Verdict: imprecise: below 106,496 tokens in flight of Llama-3-8B most of the reads are weights; above, it
    holds.
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 14
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 2
Source: Kwon et al. 2023, "Efficient Memory Management for Large Language Model Serving with
    PagedAttention", sections 2.2 and 2.3, https://arxiv.org/abs/2309.06180
Source: Agrawal et al. 2024, "Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve",
    section 3.1, https://arxiv.org/abs/2403.02310
Terms: KV cache, KV cache bandwidth, weight streaming, tokens in flight, arithmetic intensity, GQA, MHA,
    decode, memory-bound, HBM, bandwidth, batch size, roofline, long context
Right when: Contexts are long and batches large: requests of 2048 tokens make half of the reads cache at
    52 requests for Llama-3-8B, 204 for Llama-3-70B, 12 for Llama-2-7B.
Limits: Weights and cache are read once per step in bf16, as fused kernels read them; the embedding and
    the output head are left out. Requests share no prefix, whose cache a kernel can read once for all
    (cascade attention, Hydragen); MLA, which reads one latent for keys and values, is apart. Measured are
    caches alone, in fp32, read by two batched products.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.machines import LLAMA_2_7B, LLAMA_3_8B, LLAMA_3_70B, MODELS, QWEN_3_4B, counted_pass
from fixtures.meters import flops, nbytes
from fixtures.stack import attending


def read_once_for_the_batch(batch):
    """What a step reads serves the whole batch, so attention takes as long as for one request."""
    return 1.0


def read_for_each_request(batch):
    """Each request reads its own cache, so attention takes batch times as long.

    Weights are shared by the requests of a step; caches are not.
    """
    return batch


def the_cache_from_the_start(model, batch, context):
    """Each step reads the whole KV cache again, which is what starves the compute units."""
    return 1.0


def never_the_cache(model, batch, context):
    """A model is gigabytes and a token is kilobytes, so weights are all that counts."""
    return 0.0


def context_alone(model, batch, context):
    """The cache counts by the length of the context; a batch shares it."""
    return cache_over_all(model, 1, context)


def cache_over_all(model, batch, context):
    """The cache of all tokens in flight, over that and the weights, which are read once.

    A token in flight has 4 · kv_heads · dim bytes per layer, which has 2 · d · (heads + kv_heads) · dim
    + 3 · d · ffn weights of two bytes. The cache is half of all once batch times context reaches weights
    over cache per token.
    """
    queries, keys = model.heads * model.dim, model.kv_heads * model.dim
    weights = 2 * (2 * model.d * (queries + keys) + 3 * model.d * model.ffn)
    cache = 4 * keys * batch * context
    return cache / (cache + weights)


def grows_with_the_batch(group, new, batch):
    """Attention is batched like any layer: its intensity is the number of query tokens in the pass."""
    return group * new * batch


def one_per_new_token(group, new, batch):
    """Each request reads its own cache, and each head its own keys."""
    return new


def group_times_new_tokens(group, new, batch):
    """A cache serves its own request: the intensity is the group of query heads times its new tokens.

    A larger batch brings its own caches along. One new token without grouped heads is 1 FLOP per byte.
    """
    return group * new


def bf16(*shape):
    """A bf16 tensor on the meta device."""
    return torch.empty(*shape, dtype=torch.bfloat16, device="meta")


@claim(wrong=read_once_for_the_batch, right=read_for_each_request, evidence="measured")
@given(batch=st.sampled_from([1, 8]))
def test_decode_attention_time_of_a_batch(answer, device, batch):
    """Attention over eight caches takes eight times as long as over one."""
    many, one = seconds(*(attending(device, b, 4096) for b in (batch, 1)), device=device)
    ratio = observe(ratio=many / one)

    assert nearest(ratio, 1, 8) == answer(batch)


models = st.sampled_from([*MODELS, QWEN_3_4B])


@claim(
    wrong=(the_cache_from_the_start, never_the_cache, context_alone),
    right=cache_over_all,
    evidence="derived",
    examples=40,
)
@example(model=LLAMA_3_70B, batch=1, context=2048)
@example(model=LLAMA_3_8B, batch=52, context=2048)
@example(model=LLAMA_3_70B, batch=204, context=2048)
@example(model=LLAMA_2_7B, batch=12, context=2048)
@example(model=LLAMA_3_8B, batch=1, context=106_496)
@example(model=LLAMA_2_7B, batch=1, context=24_704)
@example(model=QWEN_3_4B, batch=1, context=2048)
@given(model=models, batch=st.integers(1, 256), context=st.integers(1, 131_072))
def test_decode_share_of_the_cache(answer, model, batch, context):
    """The share of the cache in what a decode step reads grows with batch times context."""
    step = counted_pass(model, batch, 1, context)

    assert observe(share=step.cache / step.bytes) == approx(answer(model, batch, context))


@claim(
    wrong=(grows_with_the_batch, one_per_new_token),
    right=group_times_new_tokens,
    evidence="derived",
    examples=60,
)
@example(batch=64, group=8, new=1, context=4096)
@example(batch=64, group=1, new=1, context=4096)
@given(
    batch=st.integers(1, 4096),
    group=st.sampled_from([1, 4, 8]),
    new=st.integers(1, 4),
    context=st.integers(2048, 131_072),
)
def test_decode_attention_on_the_roofline(answer, batch, group, new, context):
    """No batch raises the arithmetic intensity of decode attention."""
    q, keys, values = bf16(batch, group * new, 128), *bf16(2, batch, context, 128)
    count = flops(lambda: torch.bmm(torch.bmm(q, keys.mT), values))
    intensity = count / nbytes(q, keys, values, torch.empty_like(q))

    # Queries and results are left out of the answers: at most 32 rows of 2048 keys, 1.6 %.
    assert observe(flops_per_byte=intensity) == approx(answer(group, new, batch), rel=0.02)
