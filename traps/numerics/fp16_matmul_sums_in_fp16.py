"""Does an fp16 matmul accumulate in fp16?

A model is cast to fp16, and a product adds up thousands of terms. Are the partial sums fp16 as well, so
that a running sum of 2048 swallows ones and the loss ends in NaN?

Answer: No. torch adds up fp16 products in fp32 and rounds once, when it stores the result: 4096 ones make
    4096, not 2048. What overflows is a result of 65,520 or more, which is stored as inf although fp32 has
    room for it. Only an accumulator that is fp16 itself swallows small terms: a kernel of one's own, or
    torch's allow_fp16_accumulation.
Says: If your accumulator is also fp16, a large running sum swallows what falls outside its mantissa
    ("swamping"), and the rounding errors compound until the loss is NaN.
Verdict: imprecise: an accumulator that really is fp16 swallows small terms, but swallowed sums stay
    finite: its NaN comes of partial sums beyond 65,504. Casting a model does not make it fp16.
Asked: AI Interview Prep newsletter, LLM System Design #44
Source: AI Interview Prep 2026, "LLM System Design Interview #44",
    https://aiinterviewprep.substack.com/p/llm-system-design-interview-44-the
Source: Micikevicius et al. 2018, "Mixed Precision Training", section 3.3,
    https://arxiv.org/abs/1710.03740
Source: PyTorch issue 116870, 2024, a maintainer: most accumulations of fp16 products are in fp32, but for
    truncations of split-k, https://github.com/pytorch/pytorch/issues/116870
Source: PyTorch pull request 144441, 2025: full fp16 accumulation, an option,
    https://github.com/pytorch/pytorch/pull/144441
Terms: fp16 accumulation, accumulator, tensor core, swamping, partial sums, split-k, HGEMM,
    allow_fp16_accumulation, reduced precision reduction, overflow, half precision
Right when: Whole numbers are added and all partial sums stay up to 2048: there both ways of adding agree.
Limits: The terms are such that fp32 holds all sums exactly; it swallows as well, ones from 2^24 on. On
    CUDA the products are checked without the split-k truncation that torch allows by default. CPU builds
    before mid 2025 may differ, on ARM above all. Section 3.3 of Micikevicius et al. was read as others
    quote it.
"""

from contextlib import contextmanager
from functools import reduce
from math import inf, nan

import numpy as np
import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.floats import nearest


def summed_in_fp16(terms, value, cancel):
    """fp16 in, fp16 out: the running sum is fp16, and from 2048 on it swallows a one."""
    products = np.full(terms, np.float16(value) ** 2)
    if cancel:
        products[terms // 2 :] *= -1
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.cumsum(products, dtype=np.float16)[-1])


def cannot_overflow(terms, value, cancel):
    """Sums are kept in fp32, so a product of fp16 matrices cannot overflow."""
    return 0.0 if cancel else terms * value**2


def rounded_once(terms, value, cancel):
    """The fp32 sum is rounded when it is stored, to eleven bits, and from 65,520 on to inf.

    Products of fp16 numbers are exact in fp32, which has room for sums far beyond the range of fp16. An
    overflow that cancels before the store does no harm; a sum that is still too large at the store is
    lost.
    """
    return 0.0 if cancel else nearest(torch.float16, terms * value**2)


def always_nan(order, half, value):
    """Once a partial sum has left the range of fp16 the result is NaN."""
    return 0.0 if half * value < 2**16 else nan


def always_zero(order, half, value):
    """What cancels, cancels: as many terms of each sign add up to zero, in whatever order."""
    return 0.0


def by_the_order(order, half, value):
    """One by one inf stays inf, in pairs inf meets -inf and makes NaN, and in fp32 it is zero."""
    if order == "torch.sum" or half * value < 2**16:
        return 0.0
    return inf if order == "one by one" else nan


@contextmanager
def whole_sums():
    """Within, CUDA does not truncate the partial sums of a split product to fp16."""
    switches = torch.backends.cuda.matmul
    before = switches.allow_fp16_reduced_precision_reduction
    switches.allow_fp16_reduced_precision_reduction = False
    try:
        yield
    finally:
        switches.allow_fp16_reduced_precision_reduction = before


def pairwise(x):
    """The sum of a power of two of terms, neighbors first."""
    while len(x) > 1:
        x = x[::2] + x[1::2]
    return x[0]


SUMS = {"one by one": lambda x: reduce(torch.add, x), "in pairs": pairwise, "torch.sum": torch.sum}


@claim(wrong=(summed_in_fp16, cannot_overflow), right=rounded_once, examples=60)
@example(terms=4096, value=1.0, cancel=False)
@example(terms=16379, value=2.0, cancel=False)  # 65,516
@example(terms=4095, value=4.0, cancel=False)  # 65,520
@example(terms=4098, value=1.0, cancel=False)  # a tie
@example(terms=4082, value=1.25, cancel=False)  # partial sums in fp16 would round it otherwise
@example(terms=4096, value=2.0**-13, cancel=False)  # each product is 0 in fp16
@example(terms=16, value=64.0, cancel=False)
@example(terms=32, value=64.0, cancel=True)
@given(
    terms=(st.integers(2040, 2060) | st.integers(1, 1100) | st.integers(8185, 8195)).map(lambda n: 2 * n),
    value=st.sampled_from([1.0, 4.0, 2.0, 64.0, 0.125, 1.25, 2.0**-13]),
    cancel=st.booleans(),
)
def test_fp16_matmul_of_many_terms(answer, device, terms, value, cancel):
    """A product of fp16 matrices is a sum in fp32, rounded once to fp16.

    terms: products that are added up
    value: both factors of each product
    cancel: whether the second half of the products is negative
    """
    a = torch.full((2, terms), value, dtype=torch.float16, device=device)
    b = torch.full((terms, 3), value, dtype=torch.float16, device=device)
    if cancel:
        b[terms // 2 :] *= -1

    with whole_sums():
        (result,) = (a @ b).unique().tolist()

    assert observe(result=result) == answer(terms, value, cancel)


@claim(wrong=(always_nan, always_zero), right=by_the_order)
@example(order="one by one", half=8, value=16384.0)
@example(order="in pairs", half=8, value=16384.0)
@example(order="torch.sum", half=8, value=16384.0)
@given(
    order=st.sampled_from(list(SUMS)),
    half=st.sampled_from([4, 8, 16, 2]),
    value=st.sampled_from([16384.0, 8192.0, 4096.0]),
)
def test_fp16_partial_sums_that_cancel(answer, device, order, half, value):
    """Whether fp16 partial sums that cancel end in zero, inf or NaN depends on their order.

    order: in which the terms are added up
    half: positive terms, and as many negative ones behind them
    value: the size of each term
    """
    terms = torch.tensor([value] * half + [-value] * half, dtype=torch.float16, device=device)

    assert observe(total=SUMS[order](terms).item()) == approx(answer(order, half, value), nan_ok=True)
