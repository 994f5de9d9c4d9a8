"""The stack proves itself: its products and its attention are right, and its device is measured."""

import pytest
import torch
import torch.nn.functional as F

from fixtures.clocks import Undecided
from fixtures.meters import flops, nbytes
from fixtures.stack import D, attending, measured, stack

CPU = torch.device("cpu")


def test_rows_pass_every_weight():
    """What leaves the stack is the product of a row with all weights, in float64."""
    x = stack(CPU).rows(2, 3)

    exact = x.double()
    for weight in stack(CPU).weights:
        exact = exact @ weight.double()

    torch.testing.assert_close(stack(CPU).through(x).double(), exact, rtol=1e-4, atol=1e-4)


def test_a_pass_costs_its_rows():
    """A pass takes 2 FLOPs per row and weight, however the rows are grouped."""
    for shape in [(1, 6), (6, 1), (2, 3)]:
        assert flops(stack(CPU).passing(*shape)) == 2 * 6 * stack(CPU).params


def test_weights_of_a_cpu():
    """Three square weights of four bytes per number take 50 MB."""
    assert D == 2048
    assert nbytes(stack(CPU).weights) == 50_331_648 == 4 * stack(CPU).params


def test_attention_is_attention():
    """A run of one query per head gives what torch's own attention gives for the same numbers."""
    random = torch.Generator().manual_seed(2)
    keys, values = torch.randn(2, 6, 5, 4, generator=random)
    q = torch.randn(6, 1, 4, generator=random)

    expected = F.scaled_dot_product_attention(q, keys, values)

    torch.testing.assert_close(attending(CPU, batch=2, context=5, kv_heads=3, dim=4)(), expected)


def test_a_device_is_measured():
    """A core reaches more than 1 GFLOP/s and 1 GB/s, computes faster than it reads, and is measured once."""
    try:
        machine = measured(CPU)
    except Undecided as error:
        pytest.skip(str(error))

    assert machine.peak > 1e9 < machine.bandwidth < machine.peak
    assert measured(CPU) is machine
