"""XOR, a linear classifier, and more data

A linear classifier fails on XOR. Would it succeed with more data, and how badly does it fail?

Verdict: holds
Asked: AI Interview Prep newsletter, Advanced Deep Learning #6
Source: Minsky and Papert 1969, "Perceptrons", MIT Press, https://doi.org/10.7551/mitpress/11301.001.0001
Source: OEIS A000609, "Number of threshold functions of n or fewer variables", https://oeis.org/A000609
Right when: The four corners are equally frequent and the classifier is fitted by its cross-entropy: then it
    is no better than chance, although a line with 75 % exists.
Limits: The newsletter's abstract breaks off; only what is visible is judged, which is that no amount of data
    helps. Minsky and Papert were not re-read. Lines are searched over integer weights up to 3, which suffice
    for four inputs: the search ends at OEIS's count.
"""

from functools import cache
from math import log

import torch
import torch.nn.functional as F
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe


def majority_label(corners):
    """On XOR a line is no better than always saying the more frequent label."""
    a, b, c, d = corners
    return max(a + d, b + c) / sum(corners)


def error_falls_with_data(corners):
    """With enough examples a linear classifier gets there: its error falls as 1/n."""
    return 1 - 1 / sum(corners)


def three_quarters(corners):
    """A line gets three corners of four: 75 %."""
    return 0.75


def all_but_the_rarest(corners):
    """The best line is wrong on the rarest corner, whatever the amount of data.

    Any three corners can be had, and never all four. With equal corners that is 75 %, not chance.
    """
    return 1 - min(corners) / sum(corners)


def loss_falls_with_data(copies, product):
    """The loss falls as the examples grow in number."""
    return log(2) / copies


def product_is_a_feature_more(copies, product):
    """A product of the inputs is one more column; the model stays linear, so its loss stays."""
    return log(2)


def product_decides(copies, product):
    """It settles at ln 2, p = 1/2 everywhere; with the product as a feature the loss goes to 0.

    The loss is convex and symmetric in the labels, so weights of 0 are its minimum. The product of inputs
    that are -1 or 1 is XOR itself, up to the sign.
    """
    return 0.0 if product else log(2)


def all_but_parity(n):
    """XOR is the exception: of the functions of n bits only parity and its opposite are beyond a line."""
    return 2**2**n - 2


def fewer_and_fewer(n):
    """Of 16, 256, 65 536 functions of 2, 3, 4 bits 14, 104, 1882 are linear: XOR is the rule.

    There are fewer than 2^(n²) among 2^(2^n).
    """
    return {2: 14, 3: 104, 4: 1882}[n]


@cache
def linear_functions(n):
    """The linearly separable functions of n bits, as rows of truth values: every line tried."""
    points = torch.cartesian_prod(*torch.tensor([[0.0, 1.0]] * n))
    weights = torch.cartesian_prod(*torch.arange(-3.0, 4.0).repeat(n, 1))
    thresholds = torch.arange(-3 * n - 0.5, 3 * n + 1)
    above = (weights @ points.T)[:, None] > thresholds[:, None]
    codes = (above.flatten(0, 1).long() @ 2 ** torch.arange(2**n)).unique()
    return codes[:, None] >> torch.arange(2**n) & 1


@cache
def fit(copies, product):
    """The loss of a logistic regression after a hundred steps on copies of the four corners."""
    x1, x2 = torch.cartesian_prod(*torch.tensor([[-1.0, 1.0]] * 2)).repeat(copies, 1).T
    x = torch.stack([torch.ones_like(x1), x1, x2] + [x1 * x2] * product, dim=1)
    w = torch.randn(x.shape[1], generator=torch.Generator().manual_seed(0))
    for _ in range(100):
        w.requires_grad_()
        loss = F.binary_cross_entropy_with_logits(x @ w, (x1 != x2).float())
        (gradient,) = torch.autograd.grad(loss, w)
        w = (w - 4 * gradient).detach()
    return loss.item()


counts = st.integers(1, 100)


@claim(wrong=(majority_label, error_falls_with_data, three_quarters), right=all_but_the_rarest)
@given(corners=st.tuples(counts, counts, counts, counts))
def test_xor_best_line(answer, corners):
    """The best line on XOR is wrong on the rarest corner and on nothing else."""
    right = linear_functions(2) == torch.tensor([0, 1, 1, 0])

    best = (right * torch.tensor(corners)).sum(1).max().item()

    assert observe(accuracy=best / sum(corners)) == approx(answer(corners))


@claim(
    wrong=(loss_falls_with_data, product_is_a_feature_more),
    right=product_decides,
    evidence="trained",
    examples=6,
)
@given(copies=st.sampled_from([10, 100, 1000]), product=st.booleans())
def test_xor_loss_of_a_logistic_regression(answer, copies, product):
    """Logistic regression on XOR settles at ln 2 with any amount of data, and at 0 with the product."""
    # After 100 steps at a rate of 4 the loss is ln 2 to five digits, or about 1/400.
    assert observe(loss=fit(copies, product)) == approx(answer(copies, product), abs=0.01)


@claim(wrong=all_but_parity, right=fewer_and_fewer)
@given(n=st.integers(2, 4))
def test_xor_is_not_the_exception(answer, n):
    """Most Boolean functions of three inputs and more are beyond a linear classifier."""
    assert observe(functions=len(linear_functions(n))) == answer(n)
