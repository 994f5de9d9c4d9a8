"""Is cross-entropy convex, and squared error not?

Cross-entropy is said to make a classifier's loss convex, which squared error on the softmax is not. Convex in
what, the logits or the weights of a network?

Answer: In the logits cross-entropy is convex, and squared error is not: its Hessian is indefinite wherever
    the true class has less than a third, with three classes still in 71 % of the points at p = 0.35, and no
    longer from p = 0.5 on. So a linear classifier's cross-entropy is convex in its weights. No hidden layer
    leaves it so: midway between a network and itself with units swapped the loss is higher.
Verdict: not judged: what the newsletter says of squared error is judged on
    mse_on_softmax_breaks_the_optimizer
Asked: AI Interview Prep newsletter, Advanced Deep Learning #15
Source: Boyd and Vandenberghe 2004, "Convex Optimization", section 3.1.5 (log-sum-exp),
    https://web.stanford.edu/~boyd/cvxbook/
Terms: convex, convexity, non-convex, Hessian, cross-entropy, log-sum-exp, softmax, MSE, squared error, loss
    landscape, hidden layer, permutation symmetry, logistic regression
Right when: The classifier is linear in its weights, as a softmax over fixed features is.
Limits: The 71 % are of normal logits with a deviation of 2 for the wrong classes. The hidden layer is
    one of ReLU units on XOR, with weights set by hand. That a landscape is not convex does not say that it
    is hard.
"""

from math import log

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def convex_in_the_logits(loss, classes, p):
    """A loss is a bowl, and so both are convex in the logits."""
    return 0.0


def convex_from_a_third(loss, classes, p):
    """Squared error is concave in parts only as long as the true class has less than p = 1/3."""
    return 1.0 if loss == "squared error" and p < 1 / 3 else 0.0


def never_convex(loss, classes, p):
    """Squared error on a softmax is convex nowhere."""
    return 1.0 if loss == "squared error" else 0.0


def indefinite_off_the_line(loss, classes, p):
    """Cross-entropy never is; squared error is below a third, and a little above if wrong classes differ.

    Along the margin of one logit over equal others the second derivative has the sign of 3p - 1. Off that
    line, with three classes or more, there may be a direction among the wrong ones in which the loss bends
    down: at p = 0.35 in 0.71 of the points with three classes, 0.77 with four and 0.63 with ten.
    """
    if loss == "cross-entropy" or p >= 0.5:
        return 0.0
    return 1.0 if p < 1 / 3 else {2: 0.0, 3: 0.71, 4: 0.77, 10: 0.63}[classes]


def chord_lies_above(steepness):
    """Cross-entropy is convex: halfway between two equally good networks the loss is no higher."""
    return 0.0


def units_cancel(steepness):
    """Halfway between a network and itself with its hidden units swapped the loss is a quarter of c higher.

    Swapping hidden units changes the weights and not the function. Their mean is another network: here its
    units cancel, and it answers the bias, -c/2, to all four points. At c = 4 the rise is 1.0.
    """
    return steepness / 4


def hessians(loss, logits):
    """Hessians of the loss at some logits [points, classes], of which the first is the true class's."""
    logits.requires_grad_()
    labels = torch.zeros(len(logits), dtype=torch.long)
    if loss == "cross-entropy":
        total = F.cross_entropy(logits, labels, reduction="sum")
    else:
        total = (logits.softmax(-1) - F.one_hot(labels, logits.shape[1])).square().sum()
    (slopes,) = torch.autograd.grad(total, logits, create_graph=True)
    rows = [torch.autograd.grad(slope.sum(), logits, retain_graph=True)[0] for slope in slopes.T]
    return torch.stack(rows, dim=1)


@claim(
    wrong=(convex_in_the_logits, convex_from_a_third, never_convex),
    right=indefinite_off_the_line,
    evidence="simulated",
    examples=16,
)
@example(loss="squared error", classes=3, p=1 / 3 - 0.01, seed=0)
@example(loss="squared error", classes=2, p=0.35, seed=0)
@example(loss="squared error", classes=3, p=0.35, seed=0)
@example(loss="squared error", classes=4, p=0.35, seed=0)
@example(loss="squared error", classes=10, p=0.35, seed=0)
@example(loss="squared error", classes=10, p=0.5, seed=0)
@given(
    loss=st.sampled_from(["squared error", "cross-entropy"]),
    classes=st.sampled_from([3, 2, 4, 10]),
    p=st.sampled_from([0.35, 0.05, 1 / 3 - 0.01, 0.5, 0.9]),
    seed=st.integers(0, 9999),
)
def test_cross_entropy_hessian_in_the_logits(answer, loss, classes, p, seed):
    """Cross-entropy is convex in the logits; squared error is so neither below p = 1/3 nor at once above.

    loss: cross-entropy, or the squared error of the probabilities
    p: probability of the true class
    """
    torch.manual_seed(seed)
    logits = 2 * torch.randn(2000, classes, dtype=torch.float64)
    logits[:, 0] = logits[:, 1:].logsumexp(1) + log(p / (1 - p))

    indefinite = torch.linalg.eigvalsh(hessians(loss, logits))[:, 0] < -1e-12

    # Five standard errors of a share of 0.7 among 2,000 points are 0.05.
    assert observe(share=indefinite.double().mean().item()) == approx(answer(loss, classes, p), abs=0.06)


@claim(wrong=chord_lies_above, right=units_cancel)
@example(pairs=1, steepness=4)
@given(pairs=st.integers(1, 8), steepness=st.integers(1, 20))
def test_cross_entropy_between_two_equal_networks(answer, device, pairs, steepness):
    """Between two equally good networks of one hidden layer the cross-entropy rises.

    pairs: pairs of hidden units
    steepness: c, the difference between the two outputs of the network
    """
    points = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=torch.float64, device=device)
    xor = torch.tensor([0, 1, 1, 0], device=device)

    def cross_entropy(weights):
        # The units make |x1 - x2| out of x1 - x2 and x2 - x1; the logit is c/2 where XOR is 1, else -c/2.
        hidden = (points @ weights).relu().sum(1) / pairs
        logit = steepness * hidden - steepness / 2
        return F.cross_entropy(torch.stack([0 * logit, logit], dim=1), xor).item()

    network = points.new_tensor([[1, -1], [-1, 1]]).repeat(1, pairs)
    swapped = network.flip(1)
    rise = cross_entropy((network + swapped) / 2) - max(cross_entropy(network), cross_entropy(swapped))

    assert observe(rise=rise) == approx(answer(steepness))
