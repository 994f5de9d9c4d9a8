"""Does grouped-query attention decode faster, at equal FLOPs?

Two 70B models have the same parameters and the same FLOPs; one has a KV head for each of its 64 query
heads, the other 8. Are they equally fast?

Answer: No. Decode attention waits for keys and values, and GQA reads an eighth of them for the same
    FLOPs. What a whole step gains depends on how much of it is cache: nothing for a short chat, 1.51
    times with 32,768 tokens in flight, 1.95 with 65,536, and 8 in the limit. In the same memory it also
    holds 8 times as many tokens.
Says: Inference is dominated by memory bandwidth and not by FLOPs; sharing keys and values across groups,
    8 KV heads for 64 query heads, speeds decoding up.
Verdict: holds if the caches are a good part of what a step reads
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 15
Source: Ainslie et al. 2023, "GQA: Training Generalized Multi-Query Transformer Models from Multi-Head
    Checkpoints", table 1, https://arxiv.org/abs/2305.13245
Source: Touvron et al. 2023, "Llama 2: Open Foundation and Fine-Tuned Chat Models", appendix A.2.1,
    https://arxiv.org/abs/2307.09288
Terms: GQA, MQA, MHA, grouped-query attention, memory bandwidth, decode latency, KV heads, tokens per
    second, memory-bound, FLOPs, TPOT
Right when: The machine computes slower than it reads, as a CPU without bf16 arithmetic does in bf16;
    hence fp32 here.
Limits: Equal parameters are the trap's own premise: at equal width grouping takes away projections, which
    Llama 2's ablation makes up for by a wider MLP. The measurement decides only which of two laws is
    nearer; part of its factor is a matrix-vector product that becomes a matrix product. How many bytes
    the cache has is the page kvcache_counts_query_heads.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.machines import LLAMA_3_8B, LLAMA_3_70B, counted_pass


def flops_decide(group):
    """The same number of FLOPs takes the same time, whatever the heads share."""
    return 1


def bytes_decide(group):
    """Time goes by the bytes of keys and values, so the group divides it.

    Decode attention waits for them. Each number read is used for one multiply-add per query head of the
    group; a machine that can do more in the time of a read has nothing else to wait for.
    """
    return group


def equal_flops_equal_speed(weights, group, cache):
    """Both compute the same, so both take the same time."""
    return 1.0


def by_the_group(weights, group, cache):
    """An eighth of the cache, an eighth of the time."""
    return group


def by_what_is_cache(weights, group, cache):
    """Only caches shrink, and a step reads the weights too.

    With 131,072 tokens in flight it is 2.67 times as fast.
    """
    return (weights + group * cache) / (weights + cache)


@claim(wrong=flops_decide, right=bytes_decide, evidence="measured", examples=2)
@given(kv_heads=st.sampled_from([4, 5]))
def test_gqa_decode_latency(answer, device, kv_heads):
    """The time of decode attention follows the bytes of the cache."""
    heads = 8 * kv_heads
    # 4,096 tokens of 32 heads are 134 MB in fp32, and on a GPU 32 times as much: no cache holds them.
    batch = 1 if device.type == "cpu" else 32

    def step(kv_heads, group):
        """Attention of one new token per sequence, with keys and values of its KV heads."""
        q = torch.ones(batch, kv_heads, group, 128, device=device)
        k, v = torch.ones(2, batch, kv_heads, 4096, 128, device=device)
        return lambda: (q @ k.mT).softmax(-1) @ v

    steps = step(heads, 1), step(kv_heads, 8)
    many, few = seconds(*steps, device=device)

    # Averages of ones are ones, if the steps are what they are to be.
    assert observe(outputs=[run().unique().tolist() for run in steps]) == [[1.0], [1.0]]
    assert nearest(observe(ratio=many / few), 1, 8) == answer(8)


@claim(wrong=(equal_flops_equal_speed, by_the_group), right=by_what_is_cache, evidence="derived")
@example(model=LLAMA_3_70B, tokens=256)
@example(model=LLAMA_3_70B, tokens=32_768)
@example(model=LLAMA_3_70B, tokens=65_536)
@example(model=LLAMA_3_70B, tokens=131_072)
@given(
    model=st.sampled_from([LLAMA_3_70B, LLAMA_3_8B]),  # groups of 8 and of 4
    tokens=st.just(0) | st.integers(32_768, 10**7),
)
def test_gqa_speed_of_a_decode_step(answer, model, tokens):
    """At equal weights a decode step gains by the share of the cache in what it reads.

    weights: their bytes
    cache: bytes of all caches of grouped heads
    """
    grouped = counted_pass(model, 1, 1, tokens)
    group = model.heads // model.kv_heads

    ratio = (grouped.weights + group * grouped.cache) / grouped.bytes

    assert observe(times=ratio) == approx(answer(grouped.weights, group, grouped.cache))
