"""Reshape instead of transpose

Shapes do not match, (n, m) against (m, n). Is .reshape(m, n) the same as transposing?

Answer: The shape is, the values are not: reshape keeps the order in memory and lays the same numbers out
    in other rows, without an error. All but gcd(n - 1, m - 1) + 1 numbers end up in another place, often
    all but the first and the last: 4 of the 6 numbers of a 2 by 3 matrix. Use .t(), permute or einops to
    swap axes, and reshape only to split or merge neighbors.
Verdict: not judged: the stored text speaks of memory, and not of the values
Asked: AI Interview Prep newsletter, LLM System Design #31
Source: PyTorch documentation 2025, "torch.reshape": the same data and number of elements, in row-major
    order, https://docs.pytorch.org/docs/stable/generated/torch.reshape.html
Terms: reshape vs transpose, reshape, view, transpose, permute, attention heads, merge heads, silent bug,
    shape mismatch, einops, row-major
Right when: One of the axes has size 1.
Limits: Two axes. The bytes that are copied are the page reshape_is_always_a_view.
"""

from math import gcd

import torch
from hypothesis import example, given, strategies as st

from fixtures import claim, observe


def same_numbers_same_shape(n, m):
    """The numbers are the same and the shape fits, so it is the transposed matrix."""
    return 0


def all_but_the_corners(n, m):
    """The first and the last number stay where they are, and all other nm - 2 move."""
    return max(0, n * m - 2)


def all_but_common_steps(n, m):
    """Of the nm numbers gcd(n - 1, m - 1) + 1 stay where they are, and all others move.

    Moved is what is in another place than in the transposed matrix: 4 of a 2 by 3 matrix, 24 of a 4
    by 7 one. Place i of the transposed matrix, counted from 0, holds number i·m mod (nm - 1).
    """
    return n * m - gcd(n - 1, m - 1) - 1


@claim(wrong=(same_numbers_same_shape, all_but_the_corners), right=all_but_common_steps)
@example(n=2, m=3)
@example(n=4, m=7)
@example(n=1, m=5)
@given(n=st.integers(1, 16), m=st.integers(1, 16))
def test_reshape_against_transpose(answer, n, m):
    """Reshape to the transposed shape puts most numbers in the wrong place, without an error.

    n: rows of the matrix
    m: its columns
    """
    matrix = torch.arange(n * m).view(n, m)

    assert observe(misplaced=int((matrix.reshape(m, n) != matrix.t()).sum())) == answer(n, m)
