"""Which biases do anything in a transformer

Somebody wants the bias terms back in a transformer that was trained without them. Which of them in
attention and in the MLP can change what the model computes?

Answer: A key bias does nothing in plain softmax attention: it adds the same to all scores of a query. A
    value bias is an output bias by another name. A query bias acts in every direction, and under RoPE so
    does a key bias, as the rotation makes it depend on the position. In an MLP biases place the kinks: 8
    ReLUs bend a line in up to 8 places, and without biases in 1.
Says: Biases are thought to improve representational power; at billion-parameter scale they cause
    volatility.
Verdict: not judged: the stored text stops before its reason, and no small net shows what happens at that
    scale
Asked: AI Interview Prep newsletter, LLM System Design #35
Source: Chowdhery et al. 2022, "PaLM", section 2: no biases in dense kernels or layer norms, "increased
    training stability for large models", without an ablation, https://arxiv.org/abs/2204.02311
Source: Bai et al. 2023, "Qwen Technical Report", section 2.3: no biases except in the QKV layer of
    attention, for extrapolation, https://arxiv.org/abs/2309.16609
Terms: bias, biases, bias terms, linear bias, QKV bias, key bias, query bias, value bias, no bias, addmm,
    RoPE, attention, PaLM, Qwen
Right when: The bias is that of a query, of a key under RoPE, or of an MLP.
Limits: One head of self-attention without dropout, ALiBi or additive terms per key. RoPE rotates all
    coordinates after the bias is added; where it rotates some, a key bias lives in those. The MLP is run
    without norms. PaLM was read in a summary and the Qwen report was not read. The stored text stops at
    "volatile,".
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from torch import nn

from fixtures import claim, observe
from fixtures.nets import rotate


def every_bias(which, rope, dim):
    """A bias shifts what its layer computes, so each of its numbers adds power."""
    return dim


def queries_alone(which, rope, dim):
    """Softmax ignores what is added to all scores, so a key bias is dead, with RoPE as without."""
    return dim if which == "query" else 0


def no_bias(which, rope, dim):
    """Biases are redundant: what they do, the weights do as well."""
    return 0


def queries_and_rotated_keys(which, rope, dim):
    """A query bias adds power, a key bias only under RoPE, and a value bias is an output bias.

    In a head 4 wide that is all 4 directions of a query bias, and of a key bias under RoPE; otherwise 0.
    q·(k + b) adds q·b to all scores of a query, which softmax cancels. Rotated by the key's position, b
    no longer adds the same to all. Weights of attention sum to 1, so a value bias passes unchanged.
    """
    return dim if which == "query" or (which == "key" and rope) else 0


def one_place_per_unit(bias, width):
    """A ReLU bends where its input is zero, and each unit has a place of its own."""
    return width


def shift_of_the_output(bias, width):
    """A bias shifts the output up or down and bends nothing."""
    return 1


def one_place_per_bias(bias, width):
    """With biases there are as many places as units, and without them only the origin.

    Of 8 units that makes 8 places, or one. Without biases f(c·x) = c·f(x) for c > 0, so the net is a ray
    to either side of zero.
    """
    return width if bias else 1


@claim(wrong=(every_bias, queries_alone, no_bias), right=queries_and_rotated_keys)
@example(which="key", rope=False, dim=4, more=2, causal=True, seed=0)
@example(which="key", rope=True, dim=4, more=2, causal=True, seed=0)
@example(which="value", rope=False, dim=4, more=2, causal=True, seed=0)
@example(which="query", rope=False, dim=4, more=2, causal=True, seed=0)
@given(
    which=st.sampled_from(["query", "key", "value"]),
    rope=st.booleans(),
    dim=st.sampled_from([2, 4, 6]),
    more=st.integers(2, 5),
    causal=st.booleans(),
    seed=st.integers(0, 299),
)
def test_bias_directions_in_attention(answer, which, rope, dim, more, causal, seed):
    """A key bias changes nothing without RoPE, a value bias nothing that an output bias could not.

    which: the layer that has a bias
    rope: whether queries and keys are rotated by their positions
    more: tokens beyond the width of the head, so that every direction can show
    causal: whether the attention is causal
    """
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(dim + more, dim, dtype=torch.float64, generator=random)
    weights = torch.randn(3, dim, dim, dtype=torch.float64, generator=random) / dim**0.5

    def beyond_an_output_bias(bias):
        q, k, v = (
            x @ weight + (bias if name == which else 0)
            for name, weight in zip(("query", "key", "value"), weights, strict=True)
        )
        if rope:
            q, k = (rotate(part, torch.arange(dim + more)) for part in (q, k))
        (y,) = F.scaled_dot_product_attention(q[None], k[None], v[None], is_causal=causal)
        return y - y[0]

    bias = torch.zeros(dim, dtype=torch.float64)
    slopes = torch.autograd.functional.jacobian(beyond_an_output_bias, bias).view(-1, dim)

    # Singular values of dead directions are below 1e-14, of live ones above 1e-8, with 700 seeds.
    live = int((torch.linalg.svdvals(slopes) > 1e-12).sum())
    assert observe(live_directions=live) == answer(which, rope, dim)


@claim(wrong=(one_place_per_unit, shift_of_the_output), right=one_place_per_bias)
@example(bias=True, width=8, seed=0)
@example(bias=False, width=8, seed=0)
@given(bias=st.booleans(), width=st.integers(2, 12), seed=st.integers(0, 9999))
def test_bias_places_the_kinks(answer, bias, width, seed):
    """Without biases an MLP of ReLUs on one input bends at the origin alone.

    bias: whether the hidden layer has biases
    """
    torch.manual_seed(seed)
    into, out = nn.Linear(1, width, bias=bias), nn.Linear(width, 1, bias=False)
    if bias:
        # Units of integer biases and weights of 1 or -1 turn on at different integers.
        into.weight.data.sign_()
        into.bias.data = -into.weight.data[:, 0] * (torch.randperm(21)[:width] - 10)
    x = (torch.arange(-11, 11) + 0.5)[:, None].requires_grad_()
    (slopes,) = torch.autograd.grad(out(F.relu(into(x))).sum(), x)

    # Slopes differ by a weight of the output, or not at all but for rounding.
    kinks = int((slopes[1:] - slopes[:-1]).abs().gt(1e-6).sum())
    assert observe(kinks=kinks) == answer(bias, width)
