"""Does squared error learn calibrated probabilities?

Labels are noisy: of the examples that look alike, three in four are ones. Squared error is no likelihood;
which probability does a classifier learn that minimizes it?

Answer: The true share, 0.75, as with cross-entropy. Both are proper scoring rules: q·(1-p)² + (1-q)·p² is
    least at p = q. Absolute error is not: its minimum is 0 or 1, whichever label is in the majority.
Verdict: not judged: the newsletter speaks of the optimizer, judged on mse_on_softmax_breaks_the_optimizer
Asked: AI Interview Prep newsletter, Advanced Deep Learning #15
Source: Brier 1950, "Verification of forecasts expressed in terms of probability", Monthly Weather Review
    78(1), https://doi.org/10.1175/1520-0493(1950)078%3C0001:VOFEIT%3E2.0.CO;2
Terms: Brier score, squared error, MSE, L1 loss, absolute error, cross-entropy, calibration, calibrated
    probabilities, proper scoring rule, label noise
Right when: The loss is the absolute error: then the minimum is the corner.
Limits: The minimum of the risk, found on a grid of probabilities; whether training gets there is another
    question. Brier was not read.
"""

import torch
import torch.nn.functional as F
from hypothesis import assume, example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def likelihood_alone(loss, share):
    """Cross-entropy is a likelihood; an error drives the probability to the majority's corner."""
    return share if loss == "cross-entropy" else float(share > 0.5)


def any_loss_will_do(loss, share):
    """Each loss is least where prediction and label agree on average."""
    return share


def proper_scoring_rules(loss, share):
    """Cross-entropy and squared error are least at the true share, absolute error in a corner.

    Squared error has the slope 2·(p - q), which is zero at p = q; absolute error the slope 1 - 2q, which
    has one sign.
    """
    return round(share) if loss == "absolute error" else share


LOSSES = {
    "cross-entropy": F.binary_cross_entropy,
    "squared error": F.mse_loss,
    "absolute error": F.l1_loss,
}


@claim(wrong=(likelihood_alone, any_loss_will_do), right=proper_scoring_rules)
@example(loss="squared error", ones=3, zeros=1)
@example(loss="absolute error", ones=3, zeros=1)
@given(loss=st.sampled_from(list(LOSSES)), ones=st.integers(1, 6), zeros=st.integers(1, 6))
def test_brier_score_minimum(answer, device, loss, ones, zeros):
    """Squared error on probabilities is least where the probability is the true share.

    share: how many of the labels are ones, of all
    ones: labels that are one
    zeros: labels that are zero
    """
    assume(loss != "absolute error" or ones != zeros)  # a tie has no corner
    labels = torch.tensor([1.0] * ones + [0.0] * zeros, dtype=torch.float64, device=device)
    grid = torch.linspace(0, 1, 201, dtype=torch.float64, device=device)

    risks = torch.stack([LOSSES[loss](p.expand_as(labels), labels) for p in grid])

    # A step of the grid.
    assert observe(p=grid[risks.argmin()].item()) == approx(answer(loss, ones / len(labels)), abs=5e-3)
