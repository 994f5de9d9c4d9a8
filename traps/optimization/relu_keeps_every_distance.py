"""ReLU, sigmoid and distances in the forward pass

Swapping sigmoid for ReLU is said to cure vanishing gradients. What does it change in the forward pass?

Answer: A ReLU passes on how far a positive input is from its boundary, and a sigmoid squashes it: the
    distance of 5 between 5 and 10 becomes 0.0066. Ten random sigmoid layers leave 1e-6 of the distance
    between two similar inputs, ReLU layers all of it. But a ReLU erases what is negative, and tanh keeps
    inputs apart as well.
Says: The real advantage of ReLU is in the forward pass: it preserves the scalar distance from decision
    boundaries, whereas sigmoid compresses it into binary-like values.
Verdict: holds if the input is on the positive side of the boundary
Asked: AI Interview Prep newsletter, Advanced Deep Learning #7
Source: Nair and Hinton 2010, "Rectified Linear Units Improve Restricted Boltzmann Machines", abstract:
    unlike binary units, rectified linear units preserve information about relative intensities,
    https://www.cs.toronto.edu/~fritz/absps/reluICML.pdf
Source: Poole et al. 2016, "Exponential expressivity in deep neural networks through transient chaos",
    section 2, https://arxiv.org/abs/1606.05340
Terms: ReLU, sigmoid, tanh, forward pass, squashing, saturation, decision boundary, distance, dying ReLU,
    representation collapse, mean field, activation function, expressiveness
Right when: Both inputs are positive: there a ReLU is the identity.
Limits: Random nets without biases or norms, no training: what a net makes of the distances is not shown.
    Of the distance of inputs that are not alike ReLU layers lose a part as well, and tanh hardly any.
    That ReLU merely cures gradients is what the source hears from candidates; the gradient is the page
    vanishing_gradient_spares_relu. The end of the sentence was read in a summary of the newsletter.
"""

from math import exp, sqrt

import torch
from hypothesis import example, given, strategies as st
from pytest import approx
from torch import nn

from fixtures import claim, observe
from fixtures.gaussian import NORMAL


def only_the_gradient_changes(activation, a, b):
    """The activation matters for the gradient; forward, a net works with either."""
    return kept_above_zero("sigmoid", a, b)


def every_distance_is_kept(activation, a, b):
    """A ReLU is linear, so it keeps the distance of any two inputs."""
    return b - a if activation == "relu" else kept_above_zero(activation, a, b)


def squash(x):
    """A sigmoid."""
    return 1 / (1 + exp(-x))


def kept_above_zero(activation, a, b):
    """A ReLU keeps the distance of positive inputs, and makes negative ones equal.

    Of the distance from 5 to 10 it keeps 5, and a sigmoid 0.0066. Of that from -5 to -1 a ReLU keeps
    nothing.
    """
    return max(b, 0) - max(a, 0) if activation == "relu" else squash(b) - squash(a)


def depth_changes_nothing(activation, gain, depth):
    """With weights of the right size the inputs stay as far apart as they were."""
    return 1.0


def relu_alone_keeps_apart(activation, gain, depth):
    """A ReLU keeps inputs apart; what saturates, tanh or sigmoid, brings them together."""
    return 1.0 if activation == "relu" else layer_by_layer("sigmoid", gain, depth)


def gain_makes_up_for_it(activation, gain, depth):
    """A sigmoid's slope is a quarter, so weights four times as large, a gain of 16, keep the inputs apart."""
    return 1.0 if activation == "sigmoid" and gain == 16 else layer_by_layer(activation, gain, depth)


def layer_by_layer(activation, gain, depth):
    """By the root of E[slope²] · Var / E[output²] per layer, where E is over inputs of this variance.

    For a ReLU that is 1 whatever the gain. A sigmoid's outputs are nearly alike, as all are around a
    half, and what differs is a small part of them. tanh has no such mean.
    """
    left, variance = 1.0, gain
    for _ in range(depth):
        y = FUNCTIONS[activation](variance**0.5 * NORMAL)
        left *= (SLOPES[activation](y).square().mean() * variance / y.square().mean()).item() ** 0.5
        variance = gain * y.square().mean()
    return left


FUNCTIONS = {"relu": torch.relu, "sigmoid": torch.sigmoid, "tanh": torch.tanh}
SLOPES = {"relu": lambda y: 1.0 * (y > 0), "sigmoid": lambda y: y - y**2, "tanh": lambda y: 1 - y**2}


def random_net(activation, gain, depth, random):
    """Layers of WIDTH units, weights of variance gain / WIDTH, no biases."""
    layers = []
    for _ in range(depth):
        linear = nn.Linear(WIDTH, WIDTH, bias=False, dtype=torch.float64)
        nn.init.normal_(linear.weight, std=sqrt(gain / WIDTH), generator=random)
        layers += [linear, MODULES[activation]()]
    return nn.Sequential(*layers)


def apart(pair):
    """The distance between two batches relative to the size of one."""
    return ((pair[0] - pair[1]).norm() / pair[0].norm()).item()


WIDTH = 256
MODULES = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


@claim(wrong=(every_distance_is_kept, only_the_gradient_changes), right=kept_above_zero, evidence="derived")
@example(activation="relu", a=5, b=10)
@example(activation="sigmoid", a=5, b=10)
@example(activation="relu", a=-5, b=-1)
@given(activation=st.sampled_from(["relu", "sigmoid"]), a=st.integers(-9, 9), b=st.integers(-9, 9))
def test_distance_behind_an_activation(answer, device, activation, a, b):
    """A ReLU preserves the distance of positive inputs, and a sigmoid that of none.

    a: an input of the activation
    b: another one
    """
    outputs = MODULES[activation]()(torch.tensor([a, b], dtype=torch.float64, device=device))

    assert observe(difference=outputs.diff().item()) == approx(answer(activation, a, b))


@claim(
    wrong=(depth_changes_nothing, relu_alone_keeps_apart, gain_makes_up_for_it),
    right=layer_by_layer,
    evidence="simulated",
    examples=12,
)
@example(activation="sigmoid", gain=1, depth=10, seed=0)
@example(activation="sigmoid", gain=16, depth=10, seed=0)
@example(activation="relu", gain=2, depth=10, seed=0)
@example(activation="tanh", gain=1, depth=10, seed=0)
@example(activation="tanh", gain=16, depth=4, seed=0)
@given(
    activation=st.sampled_from(["tanh", "sigmoid", "relu"]),
    gain=st.sampled_from([1, 2, 16]),
    depth=st.integers(1, 4),
    seed=st.integers(0, 9999),
)
def test_distance_left_by_a_random_net(answer, activation, gain, depth, seed):
    """Random sigmoid layers bring similar inputs together, and ReLU or tanh layers do not.

    gain: variance of a weight times the width of its layer
    """
    random = torch.Generator().manual_seed(seed)
    x, other = torch.randn(2, 16, WIDTH, generator=random, dtype=torch.float64)
    near = torch.stack([x, x + 1e-4 * other])

    outputs = random_net(activation, gain, depth, random)(near)

    # Over 50 seeds one layer lies from 0.92 to 1.06 times the law of infinite width, six from 0.70 to 1.32.
    left = observe(left=apart(outputs) / apart(near))
    assert left == approx(answer(activation, gain, depth), rel=0.2 * sqrt(depth))
