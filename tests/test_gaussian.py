"""Averages over the normal numbers, on integrals whose value is known."""

import pytest

from fixtures.gaussian import NORMAL


def test_moments_are_those_of_the_normal_distribution():
    """Mean 0, variance 1, and a half of the variance on each side."""
    assert NORMAL.mean().item() == pytest.approx(0, abs=1e-9)
    assert NORMAL.square().mean().item() == pytest.approx(1, rel=2e-3)
    assert NORMAL.relu().square().mean().item() == pytest.approx(0.5, rel=2e-3)
