"""Convexity of cross-entropy and of squared error on a softmax

Cross-entropy is said to make a classifier's loss convex, and squared error on its softmax outputs not.
Convex in what: in the logits, or in the weights of a network?

Answer: In the logits cross-entropy is convex and squared error is not: it curves downwards in some
    direction wherever the true class has less than p = 1/3, and if one rival has all the rest up to 1/2.
    A linear classifier inherits both in its weights. With a hidden layer cross-entropy is not convex in
    the weights either: midway between a network and itself with swapped units it is higher, by 1.0 for
    XOR below.
Says: Against the raw logits squared error on softmax outputs is not a bowl but non-convex, while the
    logarithm of cross-entropy neutralizes the exponentials of the softmax.
Verdict: holds
Asked: AI Interview Prep newsletter, Advanced Deep Learning #15
Source: AI Interview Prep newsletter 2026, "Advanced Deep Learning Interview Questions #15",
    https://aiinterviewprep.substack.com/p/advanced-deep-learning-interview-968
Source: Boyd and Vandenberghe 2004, "Convex Optimization", section 3.1.5 (log-sum-exp),
    https://web.stanford.edu/~boyd/cvxbook/
Terms: convex, non-convex, Hessian, cross-entropy, log-sum-exp, softmax, MSE, squared error, loss
    landscape, logits, hidden layer, permutation symmetry, logistic regression
Right when: The classifier is linear in its weights: a softmax over fixed features.
Limits: If the rest is shared unevenly, squared error turns convex between 1/3 and 1/2. The weights of the
    hidden layer are set by hand. That a loss is not convex does not say that it is hard to minimize:
    whether squared error trains a network is the page mse_on_softmax_breaks_the_optimizer.
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def convex_nowhere(loss, classes, rivals):
    """Cross-entropy is convex everywhere, squared error on a softmax never."""
    return 0.0 if loss == "cross-entropy" else 1.0


def convex_from_a_third(loss, classes, rivals):
    """Squared error turns convex at p = 1/3, where its second derivative in the margin changes sign."""
    return 0.0 if loss == "cross-entropy" else 1 / 3


def convex_once_right(loss, classes, rivals):
    """Squared error turns convex where the true class overtakes its rivals."""
    return 0.0 if loss == "cross-entropy" else 1 / (1 + rivals)


def from_a_third_or_a_half(loss, classes, rivals):
    """Cross-entropy is convex at every p, squared error from 1/3, or from 1/2 if one rival has all the rest.

    Between two classes the curvature has the sign of 3p - 1. A third class that has next to nothing
    curves with p(1-p) less the squares of the rivals, which turns at 1/2 for one rival, at 1/3 or before
    for more.
    """
    if loss == "cross-entropy":
        return 0.0
    return 1 / 2 if rivals == 1 and classes > 2 else 1 / 3


def chord_lies_above(steepness):
    """Cross-entropy is convex: halfway between two equally good networks the loss is no higher."""
    return 0.0


def units_cancel(steepness):
    """Halfway between a network and itself with its hidden units swapped, the loss is higher.

    Swapping hidden units changes the weights and not the function. Their mean is another network: here
    its units cancel, and it answers the bias, -c/2, to all four points, for a loss that is c/4 higher.
    """
    return steepness / 4


kinds = st.sampled_from(["squared error", "cross-entropy"])


def hessians(loss, logits):
    """Second derivatives [examples, classes, classes] of torch's loss of examples of class 0."""
    logits.requires_grad_()
    labels = torch.zeros(len(logits), dtype=torch.long, device=logits.device)
    if loss == "cross-entropy":
        total = F.cross_entropy(logits, labels, reduction="sum")
    else:
        targets = F.one_hot(labels, logits.shape[1]).to(logits)
        total = F.mse_loss(logits.softmax(-1), targets, reduction="sum")
    (gradient,) = torch.autograd.grad(total, logits, create_graph=True)
    rows = [torch.autograd.grad(g.sum(), logits, retain_graph=True)[0] for g in gradient.T]
    return torch.stack(rows, dim=1)


@claim(wrong=(convex_nowhere, convex_from_a_third, convex_once_right), right=from_a_third_or_a_half)
@example(loss="squared error", classes=2, rivals=1)
@example(loss="squared error", classes=3, rivals=1)
@example(loss="cross-entropy", classes=3, rivals=1)
@given(loss=kinds, classes=st.sampled_from([2, 3, 4, 10]), rivals=st.sampled_from([1, 2, 3, 9]))
def test_mse_is_convex_from_a_probability_on(answer, device, loss, classes, rivals):
    """In the logits cross-entropy is convex, and squared error only where the true class is likely.

    rivals: wrong classes that share the rest evenly; others have a millionth of a rival's
    """
    rivals = min(rivals, classes - 1)
    p = torch.arange(0.002, 1, 0.002, dtype=torch.float64, device=device)
    others = torch.full((len(p), classes - 1), 1e-6, dtype=torch.float64, device=device)
    others[:, :rivals] = 1
    others *= ((1 - p) / others[0].sum())[:, None]
    least = torch.linalg.eigvalsh(hessians(loss, torch.cat([p[:, None], others], dim=1).log())).amin(-1)

    # Moving all logits alike changes nothing, so that one eigenvalue is 0, give or take 1e-16.
    concave = least < -1e-12
    last, first = torch.where(concave, p, 0).max().item(), torch.where(concave, 1, p).min().item()

    # Steps of 0.002, and the last class is not quite at 0.
    assert observe(convex_from_p=(last + first) / 2) == approx(answer(loss, classes, rivals), abs=0.003)


@claim(wrong=chord_lies_above, right=units_cancel)
@example(width=2, steepness=4)
@given(width=st.sampled_from([2, 4, 16]), steepness=st.integers(1, 20))
def test_cross_entropy_between_two_equal_networks(answer, device, width, steepness):
    """Between two equally good networks of one hidden layer the cross-entropy rises.

    steepness: difference of the logits for XOR and for its opposite
    """
    points = torch.cartesian_prod(*torch.tensor([[0.0, 1.0]] * 2, dtype=torch.float64)).to(device)
    xor = (points[:, 0] != points[:, 1]).long()

    def cross_entropy(weights):
        # The units make |x1 - x2| out of x1 - x2 and x2 - x1.
        logit = steepness * (points @ weights).relu().sum(1) / (width / 2) - steepness / 2
        return F.cross_entropy(torch.stack([0 * logit, logit], dim=1), xor).item()

    network = points.new_tensor([[1, -1], [-1, 1]]).repeat(1, width // 2)
    swapped = network.flip(1)
    rise = cross_entropy((network + swapped) / 2) - cross_entropy(network)

    assert observe(rise=rise) == approx(answer(steepness))
