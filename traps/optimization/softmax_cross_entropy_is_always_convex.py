"""The landscape under a softmax: cross-entropy against squared error

Cross-entropy, they say, makes the loss landscape of a classifier convex, and squared error on its
probabilities makes it a plateau. Which of the two is true, and of what?

Verdict: refuted as stated: cross-entropy is convex in the logits, and so in the weights of a linear
    classifier, but of no network with a hidden layer; squared error is convex too, where p > 1/3
Asked: AI Interview Prep newsletter, Advanced Deep Learning #15
Source: Boyd and Vandenberghe 2004, "Convex Optimization", section 3.1.5 (log-sum-exp),
    https://web.stanford.edu/~boyd/cvxbook/
Source: Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural networks",
    section 4.1, https://proceedings.mlr.press/v9/glorot10a.html
Right when: The classifier is linear in its weights: a softmax over fixed features.
Limits: The newsletter's abstract breaks off; only what is visible is judged. Convexity is shown along the
    margin of one example, its other logits equal; the hidden layer is one of ReLU units on XOR, with weights
    set by hand. That a landscape is not convex does not say it is hard.
"""

from functools import cache
from math import exp, inf, log

import torch
import torch.nn.functional as F
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe


def convex_everywhere(loss, classes):
    """A loss is a bowl: both are convex in the logits."""
    return -inf


def convex_nowhere(loss, classes):
    """Squared error on a softmax is never convex, cross-entropy always."""
    return -inf if loss == "cross-entropy" else inf


def convex_once_right(loss, classes):
    """Squared error turns convex at the decision boundary, where the example is classified right."""
    return -inf if loss == "cross-entropy" else 0.0


def convex_from_a_third(loss, classes):
    """Cross-entropy is convex; squared error is from p = 1/3 on, at the margin ln((K-1)/2) of K classes.

    Its second derivative has the sign of 3p-1. With two classes it turns at -ln 2, with a thousand at 6.2,
    so that a fresh network starts in the concave part.
    """
    return -inf if loss == "cross-entropy" else log((classes - 1) / 2)


def same_distance(loss, behind):
    """Both losses fall all the way, so both walk the same distance: one a step."""
    return behind + 1


def linear_or_exponential(loss, behind):
    """A margin of -m is made good in m+1 steps by cross-entropy, in e^m/4 by squared error.

    Cross-entropy pulls with nearly 1. Squared error pulls with 4p, and p is about e^margin.
    """
    return behind + 1 if loss == "cross-entropy" else 0.25 * exp(behind)


def chord_lies_above(steepness):
    """Cross-entropy is convex: halfway between two equally good networks the loss is no higher."""
    return 0.0


def units_cancel(steepness):
    """Halfway between a network and itself with its hidden units swapped, the loss is c/4 higher.

    Swapping hidden units changes the weights and not the function. Their mean is another network: here its
    units cancel, and it answers the bias, -c/2, to all four points.
    """
    return steepness / 4


kinds = st.sampled_from(["squared error", "cross-entropy"])


def losses(loss, margins, classes):
    """The loss of examples whose true logit leads by these margins; the other logits are 0."""
    logits = F.pad(margins[:, None], (0, classes - 1))
    labels = torch.zeros(len(margins), dtype=torch.long)
    if loss == "cross-entropy":
        return F.cross_entropy(logits, labels, reduction="none")
    return F.mse_loss(logits.softmax(-1), F.one_hot(labels, classes).double(), reduction="none").sum(-1)


@cache
def descend(loss, behind):
    """Steps of gradient descent at a rate of 1 that bring the margin of two classes from -behind to 0."""
    margin, steps = torch.tensor([-float(behind)], dtype=torch.float64), 0
    while margin < 0:
        margin.requires_grad_()
        (gradient,) = torch.autograd.grad(losses(loss, margin, 2).sum(), margin)
        margin, steps = (margin - gradient).detach(), steps + 1
    return steps


@claim(wrong=(convex_everywhere, convex_nowhere, convex_once_right), right=convex_from_a_third, examples=30)
@given(loss=kinds, classes=st.sampled_from([2, 3, 10, 1000]))
def test_mse_is_convex_from_a_margin_on(answer, loss, classes):
    """Cross-entropy is convex in the margin everywhere, squared error from p = 1/3 on."""
    margins = torch.arange(-960, 961, dtype=torch.float64) / 64
    margins.requires_grad_()
    (slopes,) = torch.autograd.grad(losses(loss, margins, classes).sum(), margins, create_graph=True)
    (curvatures,) = torch.autograd.grad(slopes.sum(), margins)

    concave = margins[curvatures < 0].tolist()

    assert observe(convex_from=max(concave, default=-inf)) == approx(answer(loss, classes), abs=1 / 64)


@claim(wrong=same_distance, right=linear_or_exponential, examples=12)
@given(loss=kinds, behind=st.integers(6, 8))
def test_mse_steps_across_the_plateau(answer, loss, behind):
    """The plateau of squared error takes exponentially many steps to cross."""
    # In the limit of small steps squared error takes (e^m + 3m + 5/2)/4: 5 % more than e^m/4 at m = 6.
    assert observe(steps=descend(loss, behind)) == approx(answer(loss, behind), rel=0.08)


@claim(wrong=chord_lies_above, right=units_cancel)
@given(pairs=st.integers(1, 8), steepness=st.integers(1, 20))
def test_cross_entropy_between_two_equal_networks(answer, device, pairs, steepness):
    """Between two equally good networks of one hidden layer the cross-entropy rises."""
    points = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=torch.float64, device=device)
    xor = torch.tensor([0, 1, 1, 0], device=device)

    def loss_of(weights):
        # The units make |x1 - x2| out of x1 - x2 and x2 - x1; the logit is c/2 where XOR is 1, else -c/2.
        hidden = (points @ weights).relu().sum(1) / pairs
        logit = steepness * hidden - steepness / 2
        return F.cross_entropy(torch.stack([0 * logit, logit], dim=1), xor).item()

    network = points.new_tensor([[1, -1], [-1, 1]]).repeat(1, pairs)
    swapped = network.flip(1)
    rise = loss_of((network + swapped) / 2) - max(loss_of(network), loss_of(swapped))

    assert observe(rise=rise) == approx(answer(steepness))
