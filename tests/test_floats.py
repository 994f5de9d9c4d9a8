"""Rounding as written in fixtures/floats.py is torch's own, on every kind of number."""

from math import inf, isnan, nan

import pytest
import torch
from hypothesis import example, given, strategies as st

from fixtures.floats import BITS, gap, nearest

dtypes = st.sampled_from(list(BITS))


@given(x=st.floats(allow_nan=False))
@example(x=1 + 2.0**-24)
@example(x=3.5e38)
def test_nearest_to_a_double_is_what_torch_stores_in_fp32(x):
    """Normal or not, finite or not: a double is stored as the nearest number of the format."""
    assert nearest(torch.float32, x) == torch.tensor(x, dtype=torch.float64).float().item()


@given(dtype=dtypes, x=st.floats(allow_nan=False, width=32))
@example(dtype=torch.float16, x=65519.0)
@example(dtype=torch.float16, x=65520.0)
@example(dtype=torch.float16, x=-(2.0**-25))
@example(dtype=torch.bfloat16, x=2.0**-134)
def test_nearest_to_an_fp32_number_is_what_torch_stores(dtype, x):
    """So is an fp32 number. (A double reaches 16 bits by way of fp32, and torch rounds it twice.)"""
    assert nearest(dtype, x) == torch.tensor(x).to(dtype).item()


@given(dtype=dtypes, m=st.integers(-(2**13), 2**13), e=st.integers(-30, 10))
def test_nearest_settles_ties_as_torch_does(dtype, m, e):
    """Numbers of few bits lie halfway between two neighbours more often than drawn floats do."""
    assert nearest(dtype, m * 2.0**e) == torch.tensor(m * 2.0**e).to(dtype).item()


def test_nearest_leaves_what_is_no_finite_number():
    """inf and NaN are numbers of every format."""
    assert nearest(torch.float16, -inf) == -inf
    assert isnan(nearest(torch.float16, nan))


@pytest.mark.parametrize("dtype", BITS)
@pytest.mark.parametrize("x", [1.0, 1.5, -3.0, 2.0**-14, 2.0**-20, 0.0])
def test_gap_reaches_the_next_number(dtype, x):
    """From a number of the format away from zero there is none before the gap ends."""
    stored = torch.tensor(abs(x), dtype=dtype)

    assert gap(dtype, x) == (torch.nextafter(stored, torch.tensor(inf, dtype=dtype)) - stored).item()


def test_significant_bits_are_those_of_the_machine_epsilon():
    """The gap above one is 2^(1-p)."""
    assert {dtype: torch.finfo(dtype).eps for dtype in BITS} == {d: 2.0 ** (1 - p) for d, p in BITS.items()}
