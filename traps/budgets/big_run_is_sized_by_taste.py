"""Sizing a run from small runs

You have 32 H100 for two weeks. Larger model or more data: how do you begin to answer, when a run at full
size cannot be repeated?

Answer: Spend a small part of the budget on isoFLOP sweeps: at two or more small budgets train several
    sizes, take the best of each, fit a power law through the optima in log-log space, and extrapolate it.
    By the refit of Chinchilla's law a step from 1e19 and 1e20 FLOPs to 1e22 lands on the optimum; scaling
    the size with the compute overshoots it by far, and keeping the small run's size falls short as much.
    Then check against one run of an intermediate size.
Says: Allocate a small part of the budget to small runs of varying size and data, fit a predictive curve
    to their losses, and extrapolate the optimal combination.
Verdict: holds
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 3
Source: Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models", section 3.2: isoFLOP
    profiles, https://arxiv.org/abs/2203.15556
Source: Besiroglu et al. 2024, "Chinchilla Scaling: A replication attempt", abstract: the refit law,
    https://arxiv.org/abs/2404.10102
Terms: isoFLOP, scaling law, compute_optimal, compute-optimal, Chinchilla, extrapolation, power law, model
    size, pilot runs, compute budget, tokens per parameter
Right when: Both exponents of the law are alike, as they nearly are: then the square root is right as well.
Limits: Losses follow one law L = E + A/N^a + B/D^b without noise, so that two optima tell its slope; real
    sweeps are noisy and need more of them. No model was trained. The papers were read in reproductions.
"""

from math import log

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def size_of_the_small_run(first, second, budgets, compute):
    """What was best in the small runs is a good architecture, so keep its size and train it longer."""
    return second


def in_proportion(first, second, budgets, compute):
    """More compute, as much more model."""
    return second * compute / budgets[1]


def root_of_the_compute(first, second, budgets, compute):
    """Compute is size times tokens, so the size goes with its square root, whatever the small runs say."""
    return second * (compute / budgets[1]) ** 0.5


def through_the_optima(first, second, budgets, compute):
    """Along the line through the small optima in log-log space.

    Its slope is what the runs themselves say, and nobody's rule.
    """
    slope = log(second / first) / log(budgets[1] / budgets[0])
    return second * (compute / budgets[1]) ** slope


REFIT = (482.0, 0.3478, 2085.4, 0.3658)
laws = st.just(REFIT) | st.tuples(
    st.sampled_from([100.0, 400.0]),
    st.sampled_from([0.25, 0.4]),
    st.sampled_from([400.0, 2000.0]),
    st.sampled_from([0.3, 0.45]),
)


@claim(
    wrong=(size_of_the_small_run, in_proportion, root_of_the_compute),
    right=through_the_optima,
    evidence="derived",
)
@example(law=REFIT, budgets=(1e19, 1e20), compute=1e22)
@given(
    law=laws,
    budgets=st.sampled_from([(1e19, 1e20), (1e19, 4e19), (4e18, 1e19)]),
    compute=st.sampled_from([1e20, 1e21, 1e22, 1e23]),
)
def test_isoflop_optimum_of_a_big_run(answer, law, budgets, compute):
    """The best size of a big run lies on the line through the best sizes of small ones.

    law: A, a, B, b of a loss E + A/N^a + B/D^b
    budgets: FLOPs of the two small sweeps
    compute: FLOPs of the big run
    first: parameters that were best at the first budget
    second: the same at the second
    """
    big_a, a, big_b, b = law

    def best(flops):
        sizes = torch.logspace(5, 14, 90_001, dtype=torch.float64)
        return sizes[(big_a / sizes**a + big_b / (flops / 6 / sizes) ** b).argmin()].item()

    # The sizes are 0.02 % apart.
    expected = answer(best(budgets[0]), best(budgets[1]), budgets, compute)
    assert observe(parameters=best(compute)) == approx(expected, rel=0.01)
