"""Early stopping as an L2 penalty

A linear model is trained by gradient descent and stopped after a few steps. Is that the ridge solution
with penalty 1/(rate · steps), and does it keep the weights small?

Verdict: holds if the start is near zero, the loss quadratic and the optimizer plain gradient descent, and
    then within 0.204 of the way to the minimum; as a law it is refuted: the pull is towards the start,
    and from a large start the norm falls while training goes on
Asked: AI Interview Prep newsletter, Advanced Deep Learning #16
Source: Ali, Kolter and Tibshirani 2019, "A Continuous-Time View of Early Stopping for Least Squares",
    abstract, https://arxiv.org/abs/1810.10082
Source: Goodfellow, Bengio and Courville 2016, "Deep Learning", section 7.8,
    https://www.deeplearningbook.org/contents/regularization.html
Right when: Training starts at zero and rate times curvature times steps is small: there both filters are
    the same to first order.
Limits: Full batches, no momentum, four directions of known curvature; for Adam no such equivalence is
    known. The newsletter's abstract breaks off; only what is visible is judged. Of Ali et al. the abstract
    was read: it bounds the risk by 1.69 times that of ridge, and 1.69 is the square of the 1.30 below.
"""

from functools import cache

import torch
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe


def as_ridge(curvature, rate, steps, start, best):
    """Stopping after so many steps is an L2 penalty of 1/(rate · steps)."""
    return best * curvature / (curvature + 1 / (rate * steps))


def as_ridge_from_start(curvature, rate, steps, start, best):
    """It is ridge with its penalty on the distance from the start."""
    return start + (best - start) * curvature / (curvature + 1 / (rate * steps))


def as_decay_to_zero(curvature, rate, steps, start, best):
    """A stopped weight is the trained weight, shrunk towards zero, the more so the flatter its direction."""
    return best * (1 - (1 - rate * curvature) ** steps)


def geometric_from_start(curvature, rate, steps, start, best):
    """Each step leaves 1 - rate · curvature of the distance to the minimum.

    What has not been covered yet is distance from the start, wherever that was.
    """
    return best + (start - best) * (1 - rate * curvature) ** steps


def they_agree(rate):
    """Both shrink flat directions more than steep ones, by the same amount."""
    return [0.0, 1.0]


def as_the_risks_differ(rate):
    """The risk of the one is within 1.69 of the other's, and so is the weight."""
    return [0.69, 1.69]


def descent_leads(rate):
    """Descent is ahead of ridge by up to 0.2036 of the way, and at most 1.298 times as far.

    With x = curvature · rate · steps it has covered 1 - e^-x and ridge x/(1+x). Their difference is
    largest at x = 2.51, their ratio at x = 1.79.
    """
    return [0.2036, 1.2984]


def always_up(start, best, steps):
    """Weights grow while training goes on, so stopping early keeps them small."""
    return steps


def up_to_the_minimum(start, best, steps):
    """They grow if the start is smaller than the minimum, and fall if it is larger."""
    return steps if start < best else 0


# Eigenvalues of the Hessian of half the mean squared error.
CURVATURES = (1, 1 / 4, 1 / 16, 1 / 64)


@cache
def least_squares(device):
    """Four examples whose Hessian has these curvatures, and its orthonormal axes: a Hadamard matrix."""
    pair = torch.tensor([[1, 1], [1, -1]], dtype=torch.float64, device=device)
    axes = torch.kron(pair, pair) / 2
    scale = (4 * torch.tensor(CURVATURES, dtype=torch.float64, device=device)).sqrt()
    return scale[:, None] * axes.T, axes


@cache
def descend(rate, steps, start, best, device):
    """The weight along each axis at the start and after each step; `start` and `best` hold on all axes."""
    x, axes = least_squares(device)
    y = x @ (best * axes.sum(1))
    w = (start * axes.sum(1)).requires_grad_()
    optimizer = torch.optim.SGD([w], lr=rate)
    path = [w.detach().clone()]
    for _ in range(steps):
        optimizer.zero_grad()
        ((x @ w - y).square().mean() / 2).backward()
        optimizer.step()
        path.append(w.detach().clone())
    return torch.stack(path) @ axes


def ridge(penalties, device):
    """The minimum of half the mean squared error plus half a penalty on the squared norm, axis by axis."""
    x, axes = least_squares(device)
    hessian = x.T @ x / len(x) + penalties[:, None, None] * torch.eye(4, device=device)
    return torch.linalg.solve(hessian, x.T @ x @ axes.sum(1) / len(x)) @ axes


rates = st.sampled_from([0.5, 0.1])
minima = st.sampled_from([1, 2])


@claim(wrong=(as_ridge, as_ridge_from_start, as_decay_to_zero), right=geometric_from_start, examples=60)
@given(
    curvature=st.sampled_from(CURVATURES),
    rate=rates,
    steps=st.integers(1, 10),
    start=st.sampled_from([0, 1, -3]),
    best=minima,
)
def test_early_stopped_weight(answer, device, curvature, rate, steps, start, best):
    """A stopped weight lies between its start and its minimum, and not where ridge puts it."""
    weight = descend(rate, 10, start, best, device)[steps, CURVATURES.index(curvature)].item()

    assert observe(weight=weight) == approx(answer(curvature, rate, steps, start, best))


@claim(wrong=(they_agree, as_the_risks_differ), right=descent_leads)
@given(rate=st.sampled_from([0.02, 0.03, 0.04]))
def test_early_stopping_beside_ridge(answer, device, rate):
    """From zero, stopped descent is ahead of ridge, by a fifth of the way at most."""
    # The steepest direction passes x = 2.51 on the way to x = 3.5.
    steps = torch.arange(1, int(3.5 / rate) + 1, device=device)
    stopped, shrunk = descend(rate, len(steps), 0, 1, device)[1:], ridge(1 / (rate * steps), device)

    ahead = [round(most.max().item(), 4) for most in (stopped - shrunk, stopped / shrunk)]

    # Descent in steps of rate · curvature covers more than e^-x says, by less than half of that.
    assert observe(ahead=ahead) == approx(answer(rate), abs=rate / 2)


@claim(wrong=always_up, right=up_to_the_minimum, examples=60)
@given(start=st.sampled_from([0, 3, 2, 1.5, 1, 0.5]), best=minima, steps=st.integers(1, 10))
def test_early_stopping_and_the_norm(answer, device, start, best, steps):
    """The norm of the weights grows from a small start only."""
    norms = descend(0.1, 10, start, best, device)[: steps + 1].norm(dim=1)

    assert observe(growths=(norms.diff() > 0).sum().item()) == answer(start, best, steps)
