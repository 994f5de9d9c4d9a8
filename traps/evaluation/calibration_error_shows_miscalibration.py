"""Expected calibration error of few samples

A classifier has an expected calibration error (ECE) of 0.07 on 300 test examples in 15 bins. Is it
miscalibrated?

Answer: That is what a perfectly calibrated one shows on average. In each bin accuracy scatters about
    confidence, and absolute values do not cancel: with bins filled evenly ECE reads √(2B/(πn)) times the
    mean of √(p(1 - p)), 0.070 for 300 examples in 15 bins and 0.022 for 3000. So compare with the ECE of
    labels that are drawn from the confidences themselves, or take more examples or fewer bins.
Verdict: not judged: a trap of our own
Asked: nowhere yet
Source: Guo et al. 2017, "On Calibration of Modern Neural Networks", section 2,
    https://arxiv.org/abs/1706.04599
Source: Kumar, Liang and Ma 2019, "Verified Uncertainty Calibration", abstract,
    https://arxiv.org/abs/1909.10155
Terms: calibration, ECE, expected calibration error, reliability diagram, binning, confidence, plug-in
    estimator, bias, temperature scaling
Right when: Bins hold thousands of examples each.
Limits: Confidences of a binary classifier that are spread evenly from 0 to 1, bins of one width; where
    they crowd in a few bins it reads less. Of both papers the abstracts and definitions were read.
"""

from math import pi

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def none_if_calibrated(n, bins):
    """A calibrated classifier has no calibration error."""
    return 0.0


def one_bin_of_all(n, bins):
    """It scatters as a mean of n labels does, by 1/√n, whatever the bins."""
    return scatter_of_each_bin(n, 1)


def scatter_of_each_bin(n, bins):
    """Each bin scatters as a mean of its n/B labels does, so it goes by √(B/n).

    It is √(2B/(πn)) times the bins' mean of √(p(1 - p)): 0.070 for 300 examples in 15 bins, 0.022 for
    3000. A bin of n/B examples is off by √(2/π) of a standard deviation on average.
    """
    return (2 / pi * bins / n) ** 0.5 * sum(deviation(i, bins) for i in range(bins)) / bins


def deviation(i, bins):
    """Of a label in the i-th bin, in which p is spread evenly: the root of the mean of p(1 - p)."""
    low, high = i / bins, (i + 1) / bins
    return ((low + high) / 2 - (low**2 + low * high + high**2) / 3) ** 0.5


@claim(
    wrong=(none_if_calibrated, one_bin_of_all), right=scatter_of_each_bin, evidence="simulated", examples=12
)
@example(n=300, bins=15, seed=0)
@example(n=3000, bins=15, seed=0)
@example(n=3000, bins=5, seed=0)
@example(n=100, bins=15, seed=0)
@given(
    n=st.sampled_from([100, 300, 1000, 3000]), bins=st.sampled_from([5, 10, 15]), seed=st.integers(0, 9999)
)
def test_calibration_error_of_a_calibrated_model(answer, n, bins, seed):
    """The ECE of a perfectly calibrated model grows with the root of bins over examples.

    n: test examples
    bins: of confidence, all of one width
    """
    random = torch.Generator().manual_seed(seed)
    rounds = 600_000 // n
    confidence = torch.rand(rounds, n, generator=random, dtype=torch.float64)
    right = (torch.rand(rounds, n, generator=random, dtype=torch.float64) < confidence).double()
    into = (confidence * bins).long()
    gaps = torch.zeros(rounds, bins, dtype=torch.float64).scatter_add(1, into, right - confidence)
    errors = gaps.abs().sum(1) / n

    # Five standard errors, and 1 %: bins of some seven examples do not scatter by a normal law.
    off = 5 * errors.std().item() / rounds**0.5 + 0.01 * errors.mean().item()
    assert observe(ece=errors.mean().item()) == approx(answer(n, bins), abs=off)
