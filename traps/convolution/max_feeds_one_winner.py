"""Ties in amax, max, max(dim) and maximum

Several values tie for the maximum. Which of them gets the gradient, and do all functions of torch that
take a maximum agree?

Answer: They do not. The pools and max(dim) give all of it to the first; amax, and max without a
    dimension, share it evenly, a third each if three tie. With maximum each tie halves it, so a chain
    gives the last of three a half and the others a quarter. In a test against a formula of one's own,
    avoid ties.
Says: The maximum passes a derivative of 1 to the winner and 0 to all others; how an engine handles exact
    ties is asked.
Verdict: holds if no two values tie
Asked: AI Interview Prep newsletter, Advanced Deep Learning #10
Source: PyTorch documentation, torch.amax: distributes the gradient evenly between equal values, whereas
    max(dim) propagates it to a single index,
    https://docs.pytorch.org/docs/stable/generated/torch.amax.html
Terms: ties, max, amax, torch.maximum, max(dim), max pooling, argmax, subgradient, backward pass, autograd
Right when: No two values tie. Then all agree.
Limits: What a tie gets is torch's doing, not mathematics, and may differ by device and version. topk and
    sort were seen to choose others on the CPU, which is no claim here. Windows that overlap are the page
    maxpool_feeds_every_tie.
"""

from functools import reduce

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def all_as_the_pool(function, x):
    """A maximum has one winner, and of a tie the first one takes it all."""
    return [float(n == x.index(max(x))) for n in range(len(x))]


def all_share(function, x):
    """A maximum is symmetric, so ties share evenly."""
    return [(v == max(x)) / x.count(max(x)) for v in x]


def by_function(function, x):
    """It depends: pools feed the first, amax shares evenly, and maximum halves.

    Like the pools max(dim) feeds the first, and like amax max() shares evenly. Of 1, 1, 0, 1 the first
    gets all, or three get a third each. maximum() takes two and halves at each tie, so a chain of it
    gives the last of three a half and the others a quarter each.
    """
    if function in ("max_pool1d", "max(dim)"):
        return all_as_the_pool(function, x)
    if function in ("amax", "max()"):
        return all_share(function, x)
    shares = [1.0]
    for n, v in enumerate(x[1:], start=1):
        best = max(x[:n])
        new = (v > best) + 0.5 * (v == best)
        shares = [share * (1 - new) for share in shares] + [new]
    return shares


FUNCTIONS = {
    "max_pool1d": lambda x: F.max_pool1d(x[None, None], len(x)),
    "max(dim)": lambda x: x.max(0).values,
    "amax": lambda x: x.amax(0),
    "max()": lambda x: x.max(),
    "maximum()": lambda x: reduce(torch.maximum, x.unbind()),
}


@claim(wrong=(all_as_the_pool, all_share), right=by_function, examples=60)
@example(function="max_pool1d", x=[1, 1, 0, 1])
@example(function="amax", x=[1, 1, 0, 1])
@example(function="maximum()", x=[1, 1, 0, 1])
@given(function=st.sampled_from(list(FUNCTIONS)), x=st.lists(st.integers(0, 2), min_size=1, max_size=5))
def test_gradient_of_ties_by_function(answer, device, function, x):
    """Torch's maxima differ in what they give to inputs that tie.

    x: the values
    function: what takes the maximum, `maximum()` two at a time from the left
    """
    inputs = torch.tensor(x, dtype=torch.float64, device=device, requires_grad=True)

    FUNCTIONS[function](inputs).sum().backward()

    assert observe(gradient=inputs.grad.tolist()) == approx(answer(function, x))
