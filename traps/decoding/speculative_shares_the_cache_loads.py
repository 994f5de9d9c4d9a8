"""What a speculative check shares among its tokens

The target checks γ drafted tokens in one pass, where it would have written them in γ. The book says that
this amortises "KV cache loads" over the tokens. What grows with the tokens of a pass, and what do they share?

Verdict: refuted as stated: the FLOPs grow with every token, the bytes are read once for all, and those bytes
    are weights; the cache is half a percent of them for 70 billion weights at 2048 tokens
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 2
Source: Leviathan, Kalman and Matias 2022, "Fast Inference from Transformers via Speculative Decoding",
    section 3.4: weights and KV cache "can be read once per execution", https://arxiv.org/abs/2211.17192
Right when: Batch times context is large: from 418 000 tokens on the cache outweighs the layers' weights in
    Llama-3-70B, from 106 000 on in Llama-3-8B.
Limits: Weights and cache of the layers, as fused kernels read them; activations, the embedding and the output
    head are left out.
"""

from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.machines import MODELS, counted_pass


def each_token_is_a_pass(gamma):
    """A token costs what a token costs: γ + 1 of them compute and read γ + 1 times as much."""
    return [gamma + 1, gamma + 1]


def a_pass_is_a_pass(gamma):
    """All tokens go through in parallel, so a pass costs the same."""
    return [1, 1]


def more_work_on_the_same_bytes(gamma):
    """γ + 1 times the FLOPs, on bytes that are read once.

    Every token multiplies with every weight and meets every key. The weight and the key are there already.
    """
    return [gamma + 1, 1]


def cache_is_the_load(model, batch, context):
    """What a decode pass loads is its KV cache."""
    return 1.0


def no_cache_to_speak_of(model, batch, context):
    """The weights are gigabytes; next to them the cache disappears."""
    return 0.0


def cache_beside_the_weights(model, batch, context):
    """The cache's share grows with batch times context, and starts near nothing.

    Every pass reads all weights, whatever the batch. A token of cache is as small as 2·dim numbers a layer
    and key/value head.
    """
    cache = batch * context * 2 * model.kv_heads * model.dim
    weights = model.d * (2 * (model.heads + model.kv_heads) * model.dim + 3 * model.ffn)
    return cache / (cache + weights)


shapes = {"model": st.sampled_from(MODELS), "batch": st.integers(1, 64), "context": st.integers(512, 32_768)}


@claim(wrong=(each_token_is_a_pass, a_pass_is_a_pass), right=more_work_on_the_same_bytes, examples=15)
@given(gamma=st.integers(1, 16), **shapes)
def test_speculative_check_reads_once(answer, gamma, model, batch, context):
    """A check of γ drafts computes γ + 1 times as much as a decode step, on the same bytes."""
    step, check = (counted_pass(model, batch, new, context) for new in (1, gamma + 1))

    assert observe(grows=[check.flops / step.flops, check.bytes / step.bytes]) == answer(gamma)


@claim(wrong=(cache_is_the_load, no_cache_to_speak_of), right=cache_beside_the_weights, examples=25)
@given(**shapes)
def test_speculative_check_reads_weights(answer, model, batch, context):
    """The cache is the smaller part of what a pass reads until batch times context is large."""
    step = counted_pass(model, batch, 1, context)

    # The share is exact; a hundredth of room lets an argument refute, and not a token of cache.
    assert observe(share=step.cache / step.bytes) == approx(answer(model, batch, context), abs=0.01)
