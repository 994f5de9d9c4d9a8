"""Does a chain of sigmoids always shrink the gradient?

A sigmoid's slope is a quarter at most. Does its gradient therefore shrink by four per layer, whatever the
weights?

Answer: No: a layer multiplies the gradient by its weight as well, so a chain passes at most the product
    of |w|/4. At |w| = 4 and a sigmoid in its middle nothing is lost, at 8 the gradient doubles. But a
    large weight drives a sigmoid away from its middle, which is why such chains vanish all the same.
Verdict: not judged: the source's point is the forward pass
Asked: AI Interview Prep newsletter, Advanced Deep Learning #7
Source: Hochreiter 1998, "The Vanishing Gradient Problem During Learning Recurrent Neural Nets and Problem
    Solutions", section 3: no global error flow if |w| is below 4,
    https://doi.org/10.1142/S0218488598000094
Terms: vanishing gradient, exploding gradient, sigmoid, chain rule, slope, saturation, recurrent network,
    RNN
Right when: No weight is larger than 1 in size, as in a derivation that forgets them.
Limits: Arithmetic of the chain rule, one unit per layer, biases that put each sigmoid at its middle. A
    wide layer at random weights is the page vanishing_gradient_spares_relu. Hochreiter's paper was read
    as others quote it.
"""

from math import prod

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def quarter_per_layer(weights):
    """Each sigmoid takes a quarter: L of them leave at most 4^-L."""
    return 4.0 ** -len(weights)


def weight_over_four(weights):
    """It passes at most the product of |w|/4, which can also explode.

    A layer shrinks the gradient below |w| = 4 and enlarges it above. The steepest input is the one that
    puts every sigmoid at its middle.
    """
    return prod(abs(w) / 4 for w in weights)


@claim(wrong=quarter_per_layer, right=weight_over_four, evidence="derived")
@example(weights=[4, 4, 4])
@example(weights=[8])
@given(weights=st.lists(st.sampled_from([8, 4, 2, 1, -3, -6]), min_size=1, max_size=8))
def test_vanishing_gradient_of_a_sigmoid_chain(answer, weights):
    """A chain of sigmoids passes at most the product of |w|/4, and that much at its middle.

    weights: the weight in front of each sigmoid
    """
    x = y = torch.linspace(-8, 8, 65, dtype=torch.float64, requires_grad=True)
    for layer, w in enumerate(weights):
        y = torch.sigmoid(w * (y - 0.5 * (layer > 0)))  # the middle of a sigmoid's output is a half

    (slope,) = torch.autograd.grad(y.sum(), x)

    assert observe(steepest=slope.abs().max().item()) == approx(answer(weights))
