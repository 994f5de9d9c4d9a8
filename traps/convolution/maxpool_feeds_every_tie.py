"""Ties in max pooling, and in torch's other maxima

Several inputs of a window tie for the maximum. Which of them gets the gradient, and do all functions of torch
that take a maximum agree?

Answer: max_pool2d gives all of it to the first in reading order, and so does max(dim); where windows overlap,
    it adds up. amax and max() share it evenly, a third each if three tie, and maximum() halves it. After a
    ReLU whole windows tie at 0. A mask of the maxima counts the gradient once per tie, three times instead of
    once.
Says: The maximum passes a derivative of 1 to the winner and 0 to all others; how an engine handles exact ties
    is asked.
Verdict: not judged: the question about ties was seen, its answer was not
Asked: AI Interview Prep newsletter, Advanced Deep Learning #20
Asked: AI Interview Prep newsletter, Advanced Deep Learning #10
Source: zou3519 2022, "max_pool2d_with_indices(self, ...) shouldn't need to save self for backward", PyTorch
    issue 85485, https://github.com/pytorch/pytorch/issues/85485
Source: PyTorch documentation, torch.amax: distributes the gradient evenly between equal values, whereas
    max(dim) propagates it to a single index, https://docs.pytorch.org/docs/stable/generated/torch.amax.html
Terms: ties, max pooling, maxpool, max_pool2d, subgradient, amax, torch.maximum, argmax, backward pass, ReLU,
    mask, overlapping windows
Right when: No two values of a window tie and no windows overlap: then all answers here agree.
Limits: Which of the tied maxima is chosen is torch's doing, not mathematics: each of them, and every way to
    share, makes a subgradient. It may differ by device and version. topk and sort, seen to choose others, and
    NaN, which passes on and takes the gradient, are no claims here.
"""

from functools import reduce

import torch
import torch.nn.functional as F
from hypothesis import assume, example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def every_maximum(x, width, slopes, k, stride):
    """The gradient passes wherever the input equals the output, as a mask of the two shows."""
    gradient = [0] * len(x)
    for slope, window in zip(slopes, windows(x, width, k, stride), strict=True):
        for cell in window:
            gradient[cell] += slope * (x[cell] == max(x[c] for c in window))
    return gradient


def even_shares(x, width, slopes, k, stride):
    """Cells that tie for the maximum share its gradient evenly."""
    gradient = [0] * len(x)
    for slope, window in zip(slopes, windows(x, width, k, stride), strict=True):
        tied = [cell for cell in window if x[cell] == max(x[c] for c in window)]
        for cell in tied:
            gradient[cell] += slope / len(tied)
    return gradient


def last_writer(x, width, slopes, k, stride):
    """Each window writes its gradient to the place of its maximum."""
    gradient = [0] * len(x)
    for slope, window in zip(slopes, windows(x, width, k, stride), strict=True):
        gradient[max(window, key=x.__getitem__)] = slope
    return gradient


def first_maximum(x, width, slopes, k, stride):
    """To the first maximum of the window in reading order, and added up where windows overlap.

    After a ReLU many windows hold nothing but zeros. A mask of the maxima multiplies the gradient there by as
    many cells as tie.
    """
    gradient = [0] * len(x)
    for out, window in enumerate(windows(x, width, k, stride)):
        gradient[max(window, key=x.__getitem__)] += slopes[out]
    return gradient


def all_as_the_pool(function, x):
    """A maximum has one winner: the first one takes it all."""
    return [float(n == x.index(max(x))) for n in range(len(x))]


def all_share(function, x):
    """A maximum is symmetric, so ties share evenly."""
    return [(v == max(x)) / x.count(max(x)) for v in x]


def by_function(function, x):
    """The pool and max(dim) feed the first, amax and max() share evenly, and maximum() halves at each tie.

    Of 1, 1, 0, 1 the first gets all, or three get a third each. maximum() takes two, so a chain of it gives
    the last of three a half and the others a quarter each.
    """
    if function in ("max_pool1d", "max(dim)"):
        return all_as_the_pool(function, x)
    if function in ("amax", "max()"):
        return all_share(function, x)
    shares = [1.0]
    for n, v in enumerate(x[1:], start=1):
        best = max(x[:n])
        new = 0.5 if v == best else float(v > best)
        shares = [share * (1 - new) for share in shares] + [new]
    return shares


FUNCTIONS = {
    "max_pool1d": lambda x: F.max_pool1d(x[None, None], len(x)),
    "max(dim)": lambda x: x.max(0).values,
    "amax": lambda x: x.amax(0),
    "max()": lambda x: x.max(),
    "maximum()": lambda x: reduce(torch.maximum, x.unbind()),
}


def windows(x, width, k, stride):
    """The cells of each k by k window, numbered row by row as the cells of x are."""
    rows = range(0, len(x) // width - k + 1, stride)
    return [
        [width * (top + i) + left + j for i in range(k) for j in range(k)]
        for top in rows
        for left in range(0, width - k + 1, stride)
    ]


@st.composite
def grids(draw):
    """Cells of a grid, row by row, and its width: values from 0 to 3, so that ties are frequent."""
    height, width = draw(st.integers(2, 4)), draw(st.integers(2, 4))
    return draw(st.lists(st.integers(0, 3), min_size=height * width, max_size=height * width)), width


@claim(wrong=(every_maximum, even_shares, last_writer), right=first_maximum, examples=40)
@example(grid=([1, 1, 0, 1], 2), k=2, stride=2)
@example(grid=([0, 0, 0, 0, 1, 0, 0, 0, 0], 3), k=2, stride=1)
@given(grid=grids(), k=st.integers(2, 3), stride=st.integers(1, 3))
def test_pool_gradient_of_tied_maxima(answer, device, grid, k, stride):
    """A max pool sends the gradient of a window to its first maximum, and a cell adds up what it is sent.

    grid: the input's cells row by row, and its width
    x: the input's cells
    slopes: gradients of the outputs
    k: width of the windows
    stride: cells from one window to the next
    """
    cells, width = grid
    assume(k <= min(width, len(cells) // width))
    x = torch.tensor(cells, dtype=torch.float32, device=device).view(1, 1, -1, width).requires_grad_()
    y = F.max_pool2d(x, k, stride)
    slopes = range(1, y.numel() + 1)

    y.backward(torch.tensor(slopes, dtype=torch.float32, device=device).view_as(y))

    assert observe(gradient=x.grad.flatten().tolist()) == answer(cells, width, slopes, k, stride)


@claim(wrong=(all_as_the_pool, all_share), right=by_function, examples=60)
@example(function="max_pool1d", x=[1, 1, 0, 1])
@example(function="amax", x=[1, 1, 0, 1])
@example(function="maximum()", x=[1, 1, 0, 1])
@given(function=st.sampled_from(list(FUNCTIONS)), x=st.lists(st.integers(0, 2), min_size=1, max_size=5))
def test_gradient_of_ties_by_function(answer, device, function, x):
    """Torch's maxima differ in what they give to inputs that tie.

    function: what takes the maximum, `maximum()` two at a time from the left
    """
    inputs = torch.tensor(x, dtype=torch.float64, device=device, requires_grad=True)

    FUNCTIONS[function](inputs).sum().backward()

    assert observe(gradient=inputs.grad.tolist()) == approx(answer(function, x))
