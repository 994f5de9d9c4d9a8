"""Attention's compute at ten million tokens

With the n² scores gone from memory, is attention's O(N²) compute negligible for a context of ten million
tokens?

Answer: It is the bottleneck then. Attention outgrows the FLOPs of all weights of a layer at weights/(2 ·
    query width) tokens, 26,624 for Llama-3-8B, if its scores are counted in full, and at twice as many if
    the mask skips half. At ten million tokens it is 375.6 times the weights. FlashAttention takes away
    the traffic and not the FLOPs, so that attention over twice the length takes four times the time.
Says: O(N²) compute is the wrong bottleneck to focus on at ten million tokens; FlashAttention makes
    attention compute-bound again, and long contexts possible.
Verdict: holds if the question is what stops plain attention first; behind FlashAttention compute is the
    limit
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 9
Source: Dao et al. 2022, "FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness",
    theorem 1, https://arxiv.org/abs/2205.14135
Source: Grattafiori et al. 2024, "The Llama 3 Herd of Models", table 3, https://arxiv.org/abs/2407.21783
Terms: long context, 10M tokens, attention FLOPs, quadratic compute, causal mask, sequence parallelism,
    ring attention, compute-bound, FlashAttention, prefill
Right when: Contexts are short relative to weights/(2 · query width): at 2,000 tokens attention is 0.075
    of the weights' FLOPs.
Limits: Prefill of one prompt, forward. The cache that ten million tokens take is the page
    kvcache_counts_query_heads, what a causal mask saves flops_causal_mask_saves_half, what the backward
    pass adds flash_computes_less.
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx
from torch.nn.attention import SDPBackend, sdpa_kernel

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.machines import LLAMA_3_8B, LLAMA_3_70B, MODELS, QWEN_3_4B, Layer
from fixtures.meters import flops


def negligible_next_to_the_weights(weights, query_width, tokens):
    """The weights of a layer dwarf everything else."""
    return 0.0


def linear_since_flash(weights, query_width, tokens):
    """FlashAttention is linear in n, as the weights are: the share stays what it is in a tile of 128."""
    return 2 * 128 * query_width / weights


def beyond_the_width(weights, query_width, tokens):
    """Attention costs as much as the weights once there are more tokens than the model is wide."""
    return tokens / query_width


def grows_with_the_length(weights, query_width, tokens):
    """2·n·d over the weights: a token meets every weight once and every other token.

    Both cost 2 FLOPs per multiply-add. With the keys and with the values it multiplies n·d numbers each,
    so at weights/(2d) tokens the ratio is 1: 26,624 for Llama-3-8B, 52,224 for the 70B.
    """
    return 2 * tokens * query_width / weights


def linear_time(n):
    """Linear in memory, linear in time: twice the length takes twice as long."""
    return 2


def quadratic_time(n):
    """Twice the length takes four times as long: waiting is gone, the FLOPs are not."""
    return 4


def flash(n, device):
    """FlashAttention, by torch's kernel, over 4 heads of width 64, ready to run; in bf16 on a GPU."""
    torch.manual_seed(0)
    dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
    q, k, v = torch.randn(3, 1, 4, n, 64, device=device, dtype=dtype)

    def run():
        with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
            return F.scaled_dot_product_attention(q, k, v)

    exact = (q[:, :1].double() @ k[:, :1].double().mT / 8).softmax(-1) @ v[:, :1].double()
    # bf16 has 8 bits: scores up to 4 are off by 2^-7 at most, and so are weights by less than a hundredth.
    if (run()[:, :1] - exact).norm() > 0.02 * exact.norm():
        raise ArithmeticError("the flash kernel is off by more than bf16 explains")
    return run


@claim(
    wrong=(negligible_next_to_the_weights, linear_since_flash, beyond_the_width),
    right=grows_with_the_length,
    evidence="derived",
)
@example(model=LLAMA_3_8B, tokens=2000)
@example(model=LLAMA_3_8B, tokens=26_624)
@example(model=LLAMA_3_70B, tokens=52_224)
@example(model=LLAMA_3_8B, tokens=10_000_000)
@given(model=st.sampled_from([*MODELS, QWEN_3_4B]), tokens=st.integers(2000, 10_000_000))
def test_flash_flops_over_those_of_the_weights(answer, model, tokens):
    """Attention's FLOPs grow with the square of the length, and pass those of all weights of a layer.

    weights: numbers in the matrices of a layer
    query_width: query heads times head_dim
    """
    layer = Layer(model)
    x = layer.tokens(1, tokens)
    alone = flops(lambda: layer(x, layer.cache(1, 0)))
    attention = flops(lambda: layer(x, layer.cache(1, tokens))) - alone
    weights = sum(weight.numel() for weight in layer.weights)

    assert observe(ratio=attention / alone) == approx(answer(weights, model.heads * model.dim, tokens))


@claim(wrong=linear_time, right=quadratic_time, evidence="measured", examples=2)
@given(n=st.sampled_from([1024, 1536]))
def test_flash_time_at_twice_the_length(answer, device, n):
    """The time of FlashAttention grows with the square of the length.

    n: tokens
    """
    n *= 1 if device.type == "cpu" else 16  # a GPU has more parts to keep busy
    twice, once = seconds(flash(2 * n, device), flash(n, device), device=device)

    assert nearest(observe(ratio=twice / once), 2, 4) == answer(n)
