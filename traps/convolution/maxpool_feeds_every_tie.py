"""Ties in max pooling

Several inputs of a pooling window tie for the maximum. Which of them gets the gradient, and what does an
input get that is the maximum of several windows?

Answer: The first in reading order gets all of it, and an input adds up what its windows send. After a
    ReLU whole windows tie at 0. A backward pass of one's own that multiplies by a mask of the maxima
    counts the gradient once per tie: three ties get three times as much as there is.
Says: The maximum passes a derivative of 1 to the winner and 0 to all others; how an engine handles exact
    ties is asked.
Verdict: holds
Asked: AI Interview Prep newsletter, Advanced Deep Learning #20
Asked: AI Interview Prep newsletter, Advanced Deep Learning #10
Source: zou3519 2022, "max_pool2d_with_indices(self, ...) shouldn't need to save self for backward",
    PyTorch issue 85485, https://github.com/pytorch/pytorch/issues/85485
Terms: ties, max pooling, maxpool, max_pool2d, subgradient, argmax, backward pass, ReLU, mask, overlapping
    windows
Right when: No two values of a window tie and no windows overlap: then all answers here agree.
Limits: Which of the tied maxima is chosen is torch's doing, not mathematics: each of them, and every way
    to share, makes a subgradient. It may differ by device and version. A NaN passes on and takes the
    gradient, which is no claim here. Other functions are the page max_feeds_one_winner.
"""

import torch
import torch.nn.functional as F
from hypothesis import assume, example, given, strategies as st

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

    After a ReLU many windows hold nothing but zeros. A mask of the maxima multiplies the gradient there
    by as many cells as tie.
    """
    gradient = [0] * len(x)
    for out, window in enumerate(windows(x, width, k, stride)):
        gradient[max(window, key=x.__getitem__)] += slopes[out]
    return gradient


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
    height, width = draw(st.integers(2, 5)), draw(st.integers(2, 5))
    return draw(st.lists(st.integers(0, 3), min_size=height * width, max_size=height * width)), width


@claim(wrong=(every_maximum, even_shares, last_writer), right=first_maximum, examples=40)
@example(grid=([1, 1, 0, 1], 2), k=2, stride=2)
@example(grid=([0, 0, 0, 0, 1, 0, 0, 0, 0], 3), k=2, stride=1)
@example(grid=([0, 0, 1, 0, 0] * 2, 5), k=2, stride=3)  # windows apart
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
