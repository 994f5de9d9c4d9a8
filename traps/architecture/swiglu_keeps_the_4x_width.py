"""Swapping in SwiGLU at equal cost

The ReLU feed-forward network of a transformer is 4·d wide. You replace it with SwiGLU and keep the 4x
expansion. What does that cost, and how wide does SwiGLU have to be so that nothing changes?

Answer: SwiGLU has three matrices instead of two, so at the same width 1.5 times the weights and FLOPs.
    Make it 8/3·d wide, 2,048 for T5-base's 3,072, and both are equal again. That holds where input and
    output are equally wide: for a projector from 1,024 to 4,096 at width 4,096 it is 3,413. Training
    memory is not equal: at the same weights SwiGLU keeps 8,960 numbers per token for the backward pass
    and ReLU 3,840.
Says: The trap is that SwiGLU introduces a third weight matrix, which inflates the FFN's parameter count
    if the classic 4x expansion is kept.
Verdict: holds
Asked: AI Interview Prep newsletter, LLM System Design #36
Source: Shazeer 2020, "GLU Variants Improve Transformer", section 2: d_ff from 3072 to 2048,
    https://arxiv.org/abs/2002.05202
Source: Touvron et al. 2023, "LLaMA", section 2.2: 2/3 · 4d instead of 4d,
    https://arxiv.org/abs/2302.13971
Terms: SwiGLU, GEGLU, GLU, FFN, MLP, expansion factor, intermediate_size, d_ff, hidden dimension, two
    thirds, 8/3, parameter count, activation memory, saved tensors
Limits: No biases. What autograd keeps is counted in eager mode: a fused kernel or recomputation keeps
    less. Whether SwiGLU is worth it is the page swiglu_wins_by_its_swish. The stored text stops at
    "inflating the FFN parameter count by". Of both papers reproductions were read.
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx
from torch import nn

from fixtures import claim, observe
from fixtures.meters import flops, nbytes, saved_bytes


class MLP(nn.Module):
    """A feed-forward network without biases: ReLU, GELU or SwiGLU."""

    def __init__(self, kind, d, ffn, d_out, device="meta"):
        super().__init__()
        self.kind = kind
        self.up, self.down = (
            nn.Linear(*ends, bias=False, device=device) for ends in ((d, ffn), (ffn, d_out))
        )
        self.gate = nn.Linear(d, ffn, bias=False, device=device) if kind == "SwiGLU" else None

    def forward(self, x):
        """[tokens, d] to [tokens, d_out]."""
        if self.gate:
            return self.down(F.silu(self.gate(x)) * self.up(x))
        return self.down((F.relu if self.kind == "ReLU" else F.gelu)(self.up(x)))


def an_activation(d, d_out, ffn, glu):
    """SwiGLU is an activation function: swap it in and nothing else changes."""
    return glu / ffn


def half_of_it_more(d, d_out, ffn, glu):
    """Three matrices instead of two: half as much again at the same width, the same at two thirds."""
    return 1.5 * glu / ffn


def gate_of_half_the_width(d, d_out, ffn, glu):
    """Gate and value share the hidden layer half and half, so nothing is added."""
    return (d + d_out / 2) * glu / (d + d_out) / ffn


def two_inputs_and_an_output(d, d_out, ffn, glu):
    """Two of the three matrices read the input and one writes the output, so both widths count.

    Per hidden unit that is (2d + d_out) / (d + d_out) times as much: 1.5 times where both are equal, so 1
    at a width of 2,048 instead of 3,072.
    """
    return (2 * d + d_out) * glu / ((d + d_out) * ffn)


def as_much_as_relu(kind, d, ffn):
    """Equal weights and equal FLOPs: equal activations."""
    return d + ffn


def two_hidden_layers(kind, d, ffn):
    """SwiGLU keeps its gate and its value, the others their hidden layer."""
    return d + ffn * (2 if kind == "SwiGLU" else 1)


def what_each_derivative_needs(kind, d, ffn):
    """Per hidden unit ReLU keeps one number, GELU two and SwiGLU four.

    All keep the input as well. SwiGLU keeps the gate for silu's derivative, silu of it, the value, and
    their product.
    """
    return d + ffn * {"ReLU": 1, "GELU": 2, "SwiGLU": 4}[kind]


sizes = st.integers(1, 64)


@claim(wrong=(an_activation, half_of_it_more, gate_of_half_the_width), right=two_inputs_and_an_output)
@example(d=768, d_out=768, ffn=3072, glu=3072)
@example(d=768, d_out=768, ffn=3072, glu=2048)
@example(d=4096, d_out=4096, ffn=16384, glu=11008)
@example(d=1024, d_out=4096, ffn=4096, glu=3413)
@given(d=sizes, d_out=sizes, ffn=st.integers(1, 256), glu=st.integers(1, 256))
def test_swiglu_cost_relative_to_relu(answer, d, d_out, ffn, glu):
    """Two matrices of SwiGLU read the input and one writes the output: weights and FLOPs grow accordingly.

    d_out: width of what the network writes, which in a transformer is d
    glu: width of SwiGLU's hidden layer
    """
    x = torch.empty(1, d, device="meta")
    relu, swiglu = MLP("ReLU", d, ffn, d_out), MLP("SwiGLU", d, glu, d_out)
    weights = nbytes(*swiglu.parameters()) / nbytes(*relu.parameters())
    assert flops(lambda: swiglu(x)) / flops(lambda: relu(x)) == weights

    assert observe(times=weights) == approx(answer(d, d_out, ffn, glu))


@claim(wrong=(as_much_as_relu, two_hidden_layers), right=what_each_derivative_needs)
@example(kind="ReLU", d=768, ffn=3072, tokens=1)
@example(kind="SwiGLU", d=768, ffn=2048, tokens=1)
@example(kind="GELU", d=768, ffn=3072, tokens=1)
@given(
    kind=st.sampled_from(["ReLU", "GELU", "SwiGLU"]),
    d=sizes,
    ffn=st.integers(1, 256),
    tokens=st.integers(1, 16),
)
def test_swiglu_saved_activations(answer, kind, d, ffn, tokens):
    """For the backward pass SwiGLU keeps four numbers per hidden unit and token, ReLU one.

    kind: the network
    """
    net = MLP(kind, d, ffn, d)
    x = torch.empty(tokens, d, device="meta", requires_grad=True)
    kept = saved_bytes(lambda: net(x), besides=net.parameters()) / 4

    assert observe(numbers_per_token=kept / tokens) == answer(kind, d, ffn)
