"""FlashAttention at ten million tokens

FlashAttention took away the n² scores in memory. The book concludes that attention's O(N²) compute is the
wrong bottleneck to fear at ten million tokens. Is it, beside the weights of a layer?

Verdict: refuted as stated: once the scores are gone their FLOPs are the bottleneck; they pass those of all
    weights of a layer at n = weights/(2d), 26 624 tokens for Llama-3-8B and 52 224 for the 70B
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 9
Source: Dao et al. 2022, "FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness",
    theorem 1, https://arxiv.org/abs/2205.14135
Source: Grattafiori et al. 2024, "The Llama 3 Herd of Models", table 3, https://arxiv.org/abs/2407.21783
Right when: Contexts are short beside weights/(2d). At 2000 tokens attention is 8 % of the weights' work for
    the 8B.
Limits: Scores counted in full; a kernel that skips the future does half and crosses at twice the length. Even
    so Llama-3-70B needs 1.3e20 FLOPs for the attention of ten million tokens, 37 hours of an H100 at its full
    989.4 TFLOP/s, and a cache of 3.28 TB in bf16.
"""

import torch
import torch.nn.functional as F
from hypothesis import given, strategies as st
from pytest import approx
from torch.nn.attention import SDPBackend, sdpa_kernel

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.machines import MODELS, Layer
from fixtures.meters import flops


def negligible_beside_the_weights(weights, width, tokens):
    """The weights of a layer dwarf everything else."""
    return 0.0


def linear_since_flash(weights, width, tokens):
    """FlashAttention is linear in n, as the weights are: the share stays what it is in a tile of 128."""
    return 2 * 128 * width / weights


def grows_with_the_length(weights, width, tokens):
    """2·n·d over the weights: a token meets every weight once and every other token.

    Both cost 2 FLOPs a multiply-add. With the keys and with the values it multiplies n·d numbers each.
    """
    return 2 * tokens * width / weights


def beyond_the_width_of_the_model(weights, width):
    """Once there are more tokens than the model is wide."""
    return width + 1


def beyond_weights_over_two_widths(weights, width):
    """Attention has more FLOPs than all weights of a layer beyond n = weights/(2d).

    4·n²·d FLOPs for scores and mixing pass 2·n·weights there, at six and a half widths in Llama 3.
    """
    return weights // (2 * width) + 1


def flops_take_the_time(n, rows, dim):
    """As many scores, as many FLOPs: the same time as the plain form."""
    return 1


def moves_take_the_time(n, rows, dim):
    """By 2·rows/d: the plain form moves 4·n² numbers, tiles of so many rows 2·n²·d/rows."""
    return 2 * rows // dim


def linear_time(n):
    """Linear in memory, linear in time: twice the length takes twice as long."""
    return 2


def quadratic_time(n):
    """Twice the length takes four times as long: the waiting is gone, the FLOPs are not."""
    return 4


def forward_flops(model, tokens):
    """FLOPs of a layer over a prompt: of its weights, and of its attention."""
    layer = Layer(model)
    x = layer.tokens(1, tokens)
    weights = flops(lambda: layer(x, layer.cache(1, 0)))
    return weights, flops(lambda: layer(x, layer.cache(1, tokens))) - weights


def first_crossing(model):
    """The fewest tokens of a prompt with which attention has more FLOPs than the weights, by bisection."""
    below, above = 0, 2**17
    while above - below > 1:
        tokens = (below + above) // 2
        weights, attention = forward_flops(model, tokens)
        below, above = (below, tokens) if attention > weights else (tokens, above)
    return above


def size(model):
    """Weights of a layer."""
    return sum(weight.numel() for weight in Layer(model).weights)


def plain(q, k, v):
    """Attention in three operations in the dtype of q, where torch's math backend computes in fp32."""
    return (q / q.shape[-1] ** 0.5 @ k.mT).softmax(-1) @ v


def flash(q, k, v):
    """Attention by torch's FlashAttention."""
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        return F.scaled_dot_product_attention(q, k, v)


def ready(attention, n, device):
    """Attention of 4 heads of width 64, ready to run; in bf16 on a GPU."""
    random = torch.Generator().manual_seed(0)
    dtype = torch.float32 if device.type == "cpu" else torch.bfloat16
    qkv = torch.randn(3, 1, 4, n, 64, generator=random).to(device, dtype)
    exact = plain(*qkv[:, :, :1].double())
    # bf16 has 8 bits: scores up to 4 are off by 2^-7 at most, and so are weights by less than a hundredth.
    if (attention(*qkv)[:, :1] - exact).norm() > 0.02 * exact.norm():
        raise ArithmeticError(f"{attention.__name__} is off by more than bf16 explains")
    return lambda: attention(*qkv)


@claim(wrong=(negligible_beside_the_weights, linear_since_flash), right=grows_with_the_length)
@given(model=st.sampled_from(MODELS), tokens=st.sampled_from([10_000_000, 100_000, 2000]))
def test_flash_flops_beside_the_weights(answer, model, tokens):
    """Attention's FLOPs grow with the square of the length, and pass everything else."""
    weights, attention = forward_flops(model, tokens)

    assert observe(ratio=attention / weights) == approx(answer(size(model), model.heads * model.dim, tokens))


@claim(wrong=beyond_the_width_of_the_model, right=beyond_weights_over_two_widths)
@given(model=st.sampled_from(MODELS))
def test_flash_flops_pass_the_weights(answer, model):
    """Attention costs more than all weights of a layer from a length on that the shape decides."""
    assert observe(tokens=first_crossing(model)) == answer(size(model), model.heads * model.dim)


@claim(wrong=flops_take_the_time, right=moves_take_the_time, evidence="measured", examples=2)
@given(n=st.sampled_from([8192, 4096]))
def test_flash_beside_plain_on_a_gpu(answer, gpu, n):
    """On a GPU FlashAttention is faster than the plain form, though it computes as much."""
    slow, quick = seconds(ready(plain, n, gpu), ready(flash, n, gpu), device=gpu)

    # Width 64, for which torch's kernel takes tiles of 128 rows.
    assert nearest(observe(ratio=slow / quick), 1, 4) == answer(n, 128, 64)


@claim(wrong=linear_time, right=quadratic_time, evidence="measured", examples=2)
@given(n=st.sampled_from([512, 640]))
def test_flash_time_at_twice_the_length(answer, device, n):
    """The time of FlashAttention grows with the square of the length."""
    n *= 1 if device.type == "cpu" else 16  # a GPU has more parts to keep busy
    twice, once = seconds(ready(flash, 2 * n, device), ready(flash, n, device), device=device)
    assert nearest(observe(ratio=twice / once), 2, 4) == answer(n)
