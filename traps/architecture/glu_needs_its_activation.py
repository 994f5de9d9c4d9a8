"""What a gated linear unit computes

Leave the activation out of SwiGLU, and a hidden unit is the product of two linear maps. Is that a linear
layer, and what do the blocks of the GLU family compute that no ReLU MLP of their size does?

Answer: No, a quadratic one: two hidden units of SwiGLU give x·y exactly, as silu(x) - silu(-x) = x, so 3
    and -2 give -6. Far from the origin a gate that grows with its input makes the block quadratic, degree
    2, with an activation or without one, as bilinear shows. MLPs of ReLU, GELU or Swish are of degree 1
    there, and so is the first GLU, as its sigmoid saturates.
Says: SwiGLU's gate selectively amplifies or attenuates features; the paper attributes its success to
    unexplained factors.
Verdict: holds
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 17
Source: Shazeer 2020, "GLU Variants Improve Transformer", sections 2 and 4: the bilinear layer, and no
    explanation of why the variants work, https://arxiv.org/abs/2002.05202
Source: Dauphin et al. 2016, "Language Modeling with Gated Convolutional Networks", section 2: the sigmoid
    gate, https://arxiv.org/abs/1612.08083
Terms: GLU, SwiGLU, GEGLU, ReGLU, bilinear layer, bilinear, gated linear unit, gate, sigmoid gate, Swish,
    SiLU, multiplicative interaction, activation function
Limits: Why language models gain by it the paper leaves open, and so does this page: what blocks can
    compute, and not what they learn, which is the page swiglu_wins_by_its_swish. Dauphin et al. were not
    read, and of Shazeer's paper the abstract and reproductions of table 1 were.
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe

GATES = {"SwiGLU": F.silu, "GEGLU": F.gelu, "ReGLU": F.relu, "GLU": torch.sigmoid, "bilinear": lambda x: x}
PLAIN = {"ReLU": F.relu, "GELU": F.gelu, "Swish": F.silu}


def hidden(design, x, into, up):
    """Hidden units of a block on x [..., d]; one without a gate has no use for the map `up`."""
    return PLAIN[design](x @ into) if design in PLAIN else GATES[design](x @ into) * (x @ up)


def share_of_the_feature(x, y):
    """A gate lets a share of the feature through, between nothing and all of it."""
    return y / (1 + torch.tensor(-x).exp().item())


def feature_if_open(x, y):
    """The gate passes x times the feature if it is open, and nothing if x is negative."""
    return max(x, 0) * y


def product(x, y):
    """The product of both, as silu(x)·y - silu(-x)·y = x·y.

    At 3 and -2 the two units give -6.
    """
    return x * y


def needs_an_activation(design):
    """The nonlinearity makes the block: without one it is a linear map, far out and everywhere."""
    return 2 if design in ("SwiGLU", "GEGLU", "ReGLU") else 1


def every_gate_multiplies(design):
    """A gate is a product of two maps of x, so all of the GLU family grow with the square."""
    return 1 if design in PLAIN else 2


def a_gate_that_grows(design):
    """A block grows with the square if its gate grows with x, with an activation or without.

    SwiGLU, GEGLU, ReGLU and bilinear are of degree 2, the others of degree 1. The sigmoid of the first
    GLU saturates, and leaves the other map alone.
    """
    return 1 if design in PLAIN or design == "GLU" else 2


quarters = st.integers(-40, 40).map(lambda n: n / 4)


@claim(wrong=(share_of_the_feature, feature_if_open), right=product)
@example(x=3.0, y=-2.0)
@given(x=quarters, y=quarters)
def test_swiglu_of_two_units(answer, x, y):
    """Two hidden units of SwiGLU compute the product of two inputs.

    x: the first input
    y: the second
    """
    inputs = torch.tensor([x, y], dtype=torch.float64)
    into, up = torch.tensor([[[1, -1], [0, 0]], [[0, 0], [1, 1]]], dtype=torch.float64)
    computed = hidden("SwiGLU", inputs, into, up) @ torch.tensor([1, -1], dtype=torch.float64)

    assert observe(output=computed.item()) == approx(answer(x, y), abs=1e-12)


@claim(wrong=(needs_an_activation, every_gate_multiplies), right=a_gate_that_grows)
@example(design="SwiGLU", d=8, width=20, seed=0)
@example(design="bilinear", d=8, width=20, seed=0)
@example(design="GLU", d=8, width=20, seed=0)
@example(design="ReLU", d=8, width=20, seed=0)
@given(
    design=st.sampled_from([*PLAIN, *GATES]),
    d=st.integers(2, 16),
    width=st.integers(8, 32),
    seed=st.integers(0, 9999),
)
def test_glu_growth(answer, design, d, width, seed):
    """Far from the origin a gate that grows with its input makes a block grow with the square.

    design: the block
    """
    random = torch.Generator().manual_seed(seed)
    into, up = torch.randn(2, d, width, dtype=torch.float64, generator=random)
    x = torch.randn(64, d, dtype=torch.float64, generator=random)
    # Two distances at which no gate is half open any more.
    near, far = (hidden(design, distance * x, into, up).norm() for distance in (1e6, 2e6))

    assert observe(degree=(far / near).log2().item()) == approx(answer(design), abs=0.01)
