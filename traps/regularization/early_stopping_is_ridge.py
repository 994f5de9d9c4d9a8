"""Early stopping as an L2 penalty

A net threads jagged curves through its few training points, which takes large weights. How does early
stopping prevent that by its mechanics, apart from watching the validation loss?

Answer: Weights get only as far from their start as learning rate times steps lets them. For gradient
    descent on a quadratic loss the direction of curvature s has gone 1 - (1 - lr·s)^t of the way after t
    steps: much like ridge regression with penalty 1/(lr·t), and in small steps at most 0.20 of the way
    ahead of it, in steps of lr·s = 1 up to 0.5. The pull is towards the start, so this is an L2 penalty
    only if the start is near zero.
Says: Early stopping is mathematically equivalent to implicit L2 regularization: it halts before the
    weights have grown far from their near-zero start.
Verdict: imprecise: it is close to an L2 penalty about the start, in small steps up to 0.20 of the way
    off, for plain gradient descent on a quadratic loss
Asked: AI Interview Prep newsletter, Advanced Deep Learning #16,
    https://aiinterviewprep.substack.com/p/advanced-deep-learning-interview-ae0
Source: Ali, Kolter and Tibshirani 2019, "A Continuous-Time View of Early Stopping for Least Squares",
    abstract, https://arxiv.org/abs/1810.10082
Source: Goodfellow, Bengio and Courville 2016, "Deep Learning", section 7.8,
    https://www.deeplearningbook.org/contents/regularization.html
Terms: early stopping, implicit regularization, ridge regression, L2 penalty, weight norm, shrinkage,
    spectral filter, overfitting, initialization, gradient descent, Hessian, weight decay
Right when: Training starts at zero, and learning rate times curvature times steps is small: there both
    filters are the same to first order.
Limits: Full batches, no momentum, a linear model with four directions of known curvature; for Adam no
    such equivalence is known, and that jagged curves take large weights is not shown. Of Ali and others
    the abstract was read: it bounds the risk by 1.69 times that of ridge, and 1.69 is the square of the
    1.30 below.
"""

from functools import cache

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def as_ridge(curvature, lr, steps, start, best):
    """Stopping after so many steps is an L2 penalty of 1/(lr·steps)."""
    return best * curvature / (curvature + 1 / (lr * steps))


def as_ridge_from_start(curvature, lr, steps, start, best):
    """It is ridge with its penalty on the distance from the start."""
    return start + (best - start) * curvature / (curvature + 1 / (lr * steps))


def as_decay_to_zero(curvature, lr, steps, start, best):
    """A stopped weight is the trained weight, shrunk towards zero, the more so the flatter its direction."""
    return best * (1 - (1 - lr * curvature) ** steps)


def geometric_from_start(curvature, lr, steps, start, best):
    """Each step leaves 1 - lr·curvature of the distance to the minimum.

    What has not been covered yet is distance from the start, wherever that was.
    """
    return best + (start - best) * (1 - lr * curvature) ** steps


def they_agree(lr):
    """Both shrink flat directions more than steep ones, by the same amount."""
    return [0.0, 1.0]


def as_the_risks_differ(lr):
    """The risk of the one is within 1.69 of the other's, and so is the weight."""
    return [0.69, 1.69]


def descent_leads(lr):
    """Descent is ahead of ridge by up to 0.204 of the way, up to 1.298 times as far.

    In small steps it has covered 1 - e^-x, with x = curvature·lr·steps, and ridge x/(1+x); the penalty
    that a stopped run stands for is the same in every direction, so neither lead can be tuned away.
    """
    return [0.2036, 1.2984]


# Eigenvalues of the Hessian of half the mean squared error over the examples below, one per weight.
CURVATURES = (1, 1 / 4, 1 / 16, 1 / 64)
EXAMPLES = (len(CURVATURES) * torch.tensor(CURVATURES, dtype=torch.float64)).sqrt().diag()


@cache
def descend(lr, steps, start, best, device):
    """The weights after 0, 1, … steps, a row each, a column per curvature, from one start to one minimum."""
    x = EXAMPLES.to(device)
    y = x.sum(1) * best
    w = torch.full_like(y, start).requires_grad_()
    optimizer = torch.optim.SGD([w], lr=lr)
    path = [w.detach().clone()]
    for _ in range(steps):
        optimizer.zero_grad()
        ((x @ w - y).square().mean() / 2).backward()
        optimizer.step()
        path.append(w.detach().clone())
    return torch.stack(path)


def ridge(penalties, device):
    """The weights of ridge regression, a row per penalty, where the minimum without one is 1 for all."""
    x = EXAMPLES.to(device)
    hessian = x.T @ x / len(x) + penalties[:, None, None] * torch.eye(len(x), device=device)
    return torch.linalg.solve(hessian, x.T @ x.sum(1) / len(x))


@claim(wrong=(as_ridge, as_ridge_from_start, as_decay_to_zero), right=geometric_from_start, examples=60)
@example(curvature=1, lr=0.1, steps=10, start=0, best=1)
@example(curvature=1, lr=0.1, steps=10, start=-3, best=1)
@example(curvature=1 / 4, lr=0.1, steps=10, start=0, best=1)
@example(curvature=1, lr=1.0, steps=1, start=0, best=1)
@given(
    curvature=st.sampled_from(CURVATURES),
    lr=st.sampled_from([0.5, 0.1, 1.0]),
    steps=st.integers(1, 10),
    start=st.sampled_from([0, 1, -3]),
    best=st.sampled_from([1, 2]),
)
def test_early_stopped_weight(answer, device, curvature, lr, steps, start, best):
    """A stopped weight lies between its start and its minimum, and not where ridge puts it.

    curvature: eigenvalue of the loss's Hessian in the weight's direction
    start: the weight before training
    best: the weight at the minimum of the loss
    """
    weight = descend(lr, 10, start, best, device)[steps, CURVATURES.index(curvature)].item()

    assert observe(weight=weight) == approx(answer(curvature, lr, steps, start, best))


@claim(wrong=(they_agree, as_the_risks_differ), right=descent_leads)
@example(lr=0.001)
@given(lr=st.sampled_from([0.001, 0.002, 0.004]))
def test_early_stopping_ahead_of_ridge(answer, device, lr):
    """From zero, stopped descent is ahead of ridge, by a fifth of the way at most."""
    # The steepest direction passes x = 2.51 on the way to x = 3.5.
    steps = torch.arange(1, int(3.5 / lr) + 1, device=device)
    stopped, shrunk = descend(lr, len(steps), 0, 1, device)[1:], ridge(1 / (lr * steps), device)

    ahead = [round(most.max().item(), 4) for most in (stopped - shrunk, stopped / shrunk)]

    # Descent in steps of lr·curvature covers more than e^-x says, by less than half of that.
    assert observe(ahead=ahead) == approx(answer(lr), abs=lr / 2)
