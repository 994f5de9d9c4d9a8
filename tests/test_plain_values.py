"""Values are recorded as JSON holds them: numbers as numbers, floats to what any CPU reproduces."""

import json
import math
import time
from enum import Enum, IntEnum
from fractions import Fraction

import numpy as np
import pytest
import torch

from fixtures.trial.plain import DIGITS, LONGEST, legible, plain, rounded


class Colour(Enum):
    RED = 1


class Level(IntEnum):
    LOW = 1


VALUES = {
    "none": (None, None),
    "bool": (True, True),
    "int": (7, 7),
    "a long int": (2**70, 2**70),
    "float": (0.1, 0.1),
    "inf": (math.inf, "inf"),
    "-inf": (-math.inf, "-inf"),
    "nan": (math.nan, "nan"),
    "string": ("a'b", '"a\'b"'),
    "empty string": ("", "''"),
    "fraction": (Fraction(2, 6), "1/3"),
    "complex": (1 + 2j, "(1+2j)"),
    "enum": (Colour.RED, "Colour.RED"),
    "enum of ints": (Level.LOW, 1),
    "dtype": (torch.bfloat16, "bfloat16"),
    "device": (torch.device("cpu"), "cpu"),
    "numpy's number": (np.int64(3), 3),
    "numpy's float": (np.float32(0.5), 0.5),
    "numpy's double": (np.float64(0.1), 0.1),
    "numpy's nan": (np.float64("nan"), "nan"),
    "numpy's bool": (np.bool_(True), True),
    "array": (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
    "tensor": (torch.tensor([1.5, math.inf]), [1.5, "inf"]),
    "scalar tensor": (torch.tensor(3), 3),
    "shape": (torch.Size([2, 3]), [2, 3]),
    "list": ([1, "a", None], [1, "'a'", None]),
    "nested tuple": ((1, (2.0, Fraction(1, 2))), [1, [2.0, "1/2"]]),
    "dict": ({"a": 1, "b": [1.5]}, "{'a': 1, 'b': [1.5]}"),
    "set": ({"b", "a", "c"}, "{'a', 'b', 'c'}"),
    "frozenset": (frozenset({2, 1}), "{1, 2}"),
    "function": (math.gcd, "gcd"),
    "class": (Fraction, "Fraction"),
    "numpy's dtype": (np.float32, "float32"),
}


LARGE = {
    "a tensor": (torch.zeros(1000, 1000), "1,000,000 numbers of shape [1000, 1000]"),
    "a tensor without data": (torch.empty(300, device="meta"), "300 numbers of shape [300]"),
    "an array": (np.zeros((3, 100)), "300 numbers of shape [3, 100]"),
    "a list": ([0.5] * 1_000_000, "1,000,000 numbers of shape [1000000]"),
    "lists of a list": ([[1, 2]] * 101, "202 numbers of shape [101, 2]"),
    "a list of tensors": ([torch.zeros(8, 8)] * 4, "256 numbers of shape [4, 8, 8]"),
}


@pytest.mark.parametrize(("value", "expected"), LARGE.values(), ids=LARGE)
def test_many_numbers_are_told_by_their_shape(value, expected):
    """Of more than 200 numbers the record has the shape, and a million of them cost no time."""
    start = time.perf_counter()
    assert plain(value) == expected
    assert time.perf_counter() - start < 0.1


@pytest.mark.parametrize(("value", "expected"), VALUES.values(), ids=VALUES)
def test_plain(value, expected):
    """Numbers stand as they are, and everything else as Python prints it."""
    found = plain(value)

    assert found == expected
    assert type(found) is type(expected)
    assert json.loads(json.dumps(found)) == expected


def test_objects_without_address():
    """An object's address, which changes from run to run, is left out."""
    assert plain(object()) == "<object object>"


def test_long_values():
    """What is too long to print is cut, and ends in an ellipsis."""
    text, items = plain("x" * 1000), plain(list(range(200)))

    assert text == "'" + "x" * (LONGEST - 2) + "…"
    assert items.startswith("[0, 1, 2, ")
    assert items.endswith("…")
    assert len(items) == len(text) == LONGEST


@pytest.mark.parametrize(("sign", "digits"), [(1, LONGEST), (-1, LONGEST), (1, 5000), (1, 30_000)])
def test_huge_ints(sign, digits):
    """An int that nobody reads to its end stands in hexadecimal: Python limits decimals."""
    number = sign * 10**digits
    found = plain(number)

    assert found.startswith("-0x" if number < 0 else "0x")
    assert len(found) <= LONGEST


@pytest.mark.parametrize(
    ("number", "short"),
    [
        (1 / 3, 0.333333),
        (1234567.8, 1234570.0),
        (1.1118820468e-30, 1.11188e-30),
        (1234567.0, 1234567.0),
        (-0.0, -0.0),
        (0.999999999, 1.0),
        (2.0**-20, 9.53674e-07),
    ],
)
def test_rounded(number, short):
    """A float keeps six digits, a whole one all of its own."""
    assert rounded(number) == plain(number, DIGITS) == short


@pytest.mark.parametrize(
    ("value", "short"),
    [
        ([1 / 3, (2 / 3, 7)], [0.333333, [0.666667, 7]]),
        (torch.tensor([0.1, 1 / 3]), [0.1, 0.333333]),
        ({"a": 1 / 3}, "{'a': 0.333333}"),
        ({1 / 3}, "{0.333333}"),
        (np.float64(1 / 3), 0.333333),
    ],
    ids=str,
)
def test_rounded_within(value, short):
    """Floats are rounded wherever they stand."""
    assert plain(value, DIGITS) == short


def test_rounded_before_it_is_cut():
    """A list too long to be a list shows no digit that another CPU would not."""
    assert plain([1 / 3] * 100, DIGITS).startswith("[0.333333, 0.333333, ")


@pytest.mark.parametrize(
    ("assertion", "short"),
    [
        ("assert 4.361515045166016 == 44.710177812216294 ± 2.23551", "assert 4.36152 == 44.7102 ± 2.23551"),
        ("assert [0.3333333333333333, 1e-08] == [-0.1]", "assert [0.333333, 1e-08] == [-0.1]"),
        ("assert 0.29695323315716415 <= 0.0318", "assert 0.296953 <= 0.0318"),
        ("assert 'v1.23456789' == 'a1.23456789b'", "assert 'v1.23456789' == 'a1.23456789b'"),
        ("assert 32 == 64", "assert 32 == 64"),
        ("assert 0.5 == -0.0526315789...8036 ± 5.0e-08", "assert 0.5 == -0.0526315789...8036 ± 5.0e-08"),
    ],
)
def test_legible(assertion, short):
    """A recorded assertion shows no more digits than a recorded number."""
    assert legible(assertion) == short


@pytest.mark.parametrize(
    "assertion",
    [
        "assert 119520 == 119520.00000000001",
        "assert 0.1 == 0.10000000000000002",
        "assert 2.0000001 <= 2",
        "assert 0.33333333333 == 0.33333333334",
    ],
)
def test_refutation_by_a_hair_shows_the_hair(assertion):
    """Two numbers that differ are never made to look alike."""
    assert legible(assertion) == assertion
