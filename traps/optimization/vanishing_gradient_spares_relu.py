"""Vanishing gradients: sigmoid, ReLU and the first weights

A sigmoid's slope is a quarter at most, so its gradient shrinks by four a layer; a ReLU has slope 1 and
preserves distances. Does replacing sigmoid by ReLU therefore cure the vanishing gradient?

Verdict: refuted as stated: the weights decide as well; ReLU multiplies the gradient's mean square by half of
    n·Var(w), which vanishes below 2 and explodes above, and it keeps distances on one side of 0 only
Asked: AI Interview Prep newsletter, Advanced Deep Learning #7
Source: He, Zhang, Ren and Sun 2015, "Delving Deep into Rectifiers", section 2.2,
    https://arxiv.org/abs/1502.01852
Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks",
    section 4.2, https://proceedings.mlr.press/v9/glorot10a.html
Right when: The weights start at n·Var(w) = 2, as in He et al.: then a ReLU keeps the gradient. Below 16 any
    sigmoid shrinks it, as its squared slope is at most a sixteenth.
Limits: The newsletter's abstract breaks off; only what is visible is judged. One layer at random weights, on
    inputs of mean 0: no training, and no deep net of tanh, which can beat ReLU.
"""

from math import inf, log, prod
from statistics import NormalDist

import torch
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe


def relu_passes_it_whole(activation, variance):
    """A ReLU's slope is 1, so only the weights scale the gradient."""
    return variance * (1.0 if activation == "relu" else mean_square_slope(activation, variance))


def sigmoid_quarters_it(activation, variance):
    """A sigmoid's slope is a quarter: its square takes a sixteenth."""
    return variance * (1 / 16 if activation == "sigmoid" else mean_square_slope(activation, variance))


def weights_times_mean_square_slope(activation, variance):
    """A layer multiplies the mean square by n·Var(w) times the mean of the squared slope; of ReLU, a half.

    With Xavier's n·Var(w) = 1 a ReLU net loses half a layer, 2^-20 in twenty layers; He's 2 keeps it.
    """
    return variance * mean_square_slope(activation, variance)


def quarter_a_layer(weights):
    """Each sigmoid takes a quarter: L of them leave at most 4^-L."""
    return 4.0 ** -len(weights)


def weight_over_four(weights):
    """At the steepest a chain passes the product of |w|/4: it can shrink, and from |w| = 4 on explode.

    The steepest input is the one that puts every sigmoid at its middle.
    """
    return prod(abs(w) / 4 for w in weights)


def never_quite_one(dtype):
    """A sigmoid comes near 1 and never reaches it."""
    return inf


def one_for_all(dtype):
    """It saturates at 16.6, where e^-x is lost beside 1 in fp32."""
    return 24 * log(2)


def when_the_rest_is_lost(dtype):
    """From 6.2 on in bf16, 8.3 in fp16, 16.6 in fp32 it is 1, and its gradient exactly 0.

    A 16-bit result is rounded from fp32: it is 1 where e^-x is a quarter of eps, half the gap below 1. In
    fp32 the sum 1 + e^-x is rounded first, and its gap is twice as wide.
    """
    eps = torch.finfo(dtype).eps
    return -log(eps / 2) if dtype in (torch.float32, torch.float64) else -log(eps / 4)


def distance_kept(a, b):
    """ReLU has slope 1: it keeps the distance of any two inputs."""
    return abs(a - b)


def distance_above_zero(a, b):
    """ReLU keeps the distance of what lies above 0; below it all points become one."""
    return abs(max(a, 0) - max(b, 0))


ACTIVATIONS = {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}
NORMAL = torch.tensor([NormalDist().inv_cdf((i + 0.5) / 1000) for i in range(1000)])


def slopes(activation, z):
    """The activation's slope at each z, by autograd."""
    z = z.clone().requires_grad_()
    return torch.autograd.grad(ACTIVATIONS[activation](z).sum(), z)[0]


def mean_square_slope(activation, variance):
    """The mean of the squared slope over a normal distribution of mean 0."""
    return slopes(activation, variance**0.5 * NORMAL).square().mean().item()


@claim(
    wrong=(relu_passes_it_whole, sigmoid_quarters_it),
    right=weights_times_mean_square_slope,
    evidence="simulated",
    examples=30,
)
@given(
    activation=st.sampled_from(["relu", "sigmoid", "tanh"]),
    variance=st.sampled_from([1.0, 2.0, 0.5, 4.0]),
    seed=st.integers(0, 20),
)
def test_vanishing_gradient_of_a_layer(answer, activation, variance, seed):
    """A wide layer scales the gradient by its weights and by the mean square of its slope."""
    random, n = torch.Generator().manual_seed(seed), 256
    x, first, second, arriving = torch.randn(4, n, n, generator=random)
    before = (x @ first * (variance / n) ** 0.5).requires_grad_()
    after = ACTIVATIONS[activation](before) @ second * (variance / n) ** 0.5

    (leaving,) = torch.autograd.grad(after, before, arriving)

    # Over seeds it strays by 1.2 % from the law of infinite width: five standard deviations.
    gain = (leaving.square().mean() / arriving.square().mean()).item()
    assert observe(gain=gain) == approx(answer(activation, variance), rel=0.06)


@claim(wrong=quarter_a_layer, right=weight_over_four)
@given(weights=st.lists(st.sampled_from([8, 4, 2, 1, -3, -6]), min_size=1, max_size=8))
def test_vanishing_gradient_of_a_sigmoid_chain(answer, weights):
    """A chain of sigmoids passes at most the product of |w|/4, and that much at its middle."""
    x = y = torch.linspace(-8, 8, 65, dtype=torch.float64, requires_grad=True)
    for layer, w in enumerate(weights):
        y = torch.sigmoid(w * (y - 0.5 * (layer > 0)))  # the middle of a sigmoid's output is a half

    (slope,) = torch.autograd.grad(y.sum(), x)

    assert observe(steepest=slope.abs().max().item()) == approx(answer(weights))


@claim(wrong=(never_quite_one, one_for_all), right=when_the_rest_is_lost)
@given(dtype=st.sampled_from([torch.float32, torch.bfloat16, torch.float16, torch.float64]))
def test_sigmoid_saturates_exactly(answer, dtype):
    """From some x on, far sooner in bf16, a sigmoid is exactly 1 and its gradient exactly 0."""
    x = (torch.arange(0, 320, dtype=dtype) / 8).requires_grad_()
    y = torch.sigmoid(x)
    (slope,) = torch.autograd.grad(y.sum(), x)

    assert observe(saturates_from=x[(y == 1) & (slope == 0)].min().item()) == approx(answer(dtype), abs=1 / 8)


@claim(wrong=distance_kept, right=distance_above_zero)
@given(a=st.integers(-9, 9), b=st.integers(-9, 9))
def test_relu_keeps_distances_above_zero(answer, device, a, b):
    """ReLU preserves the distance of two inputs only where both are positive."""
    points = torch.tensor([a, b], device=device).relu()

    assert observe(distance=points.diff().abs().item()) == answer(a, b)
