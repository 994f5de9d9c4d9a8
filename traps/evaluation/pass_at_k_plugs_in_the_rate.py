"""Estimating pass@k

A model has passed c of n samples of a task. What is the estimate of pass@k, the chance that at least one
of k samples passes?

Answer: 1 - C(n - c, k)/C(n, k), the share of the draws of k out of the n that hold a passing one; it is
    right on average. Plugging the rate c/n into 1 - (1 - p)^k is too low on average, as for k = 10 of n =
    10 at a pass rate of 0.1, where 0.65 is right. For n < k there is no estimate without bias: draw at
    least k samples.
Verdict: not judged: a trap of our own
Asked: nowhere yet
Source: Chen et al. 2021, "Evaluating Large Language Models Trained on Code", section 2.1 and figure 3,
    https://arxiv.org/abs/2107.03374
Terms: pass_at_k, pass@k, pass@1, HumanEval, unbiased estimator, plug-in estimator, code generation,
    sampling, evaluation
Right when: k is 1, or n is far above k.
Limits: One task with independent samples; the mean over tasks has the same bias. The paper was read in
    quotations.
"""

from math import comb

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def plug_in_the_rate(n, k, passed):
    """Estimate the pass rate, and put it into 1 - (1 - p)^k."""
    return 1 - (1 - passed / n) ** k


def k_times_as_likely(n, k, passed):
    """Each of k samples may pass, so it is k times the rate, or 1 at most."""
    return min(1.0, k * passed / n)


def draws_that_hold_one(n, k, passed):
    """1 - C(n - c, k) / C(n, k), the share of draws of k that hold a passing one."""
    return 1 - comb(n - passed, k) / comb(n, k)


@claim(wrong=(plug_in_the_rate, k_times_as_likely), right=draws_that_hold_one, evidence="derived")
@example(n=10, k=10, rate=0.1)
@example(n=200, k=10, rate=0.1)
@example(n=10, k=1, rate=0.1)
@given(n=st.integers(1, 40), k=st.integers(1, 40), rate=st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0]))
def test_pass_at_k_on_average(answer, n, k, rate):
    """The mean of the estimate over all that n samples can show is the chance that at least one of k passes.

    n: samples that were drawn
    k: samples of which one is to pass
    rate: chance that a sample passes
    passed: samples that did
    """
    from scipy.stats import binom

    k = min(k, n)
    mean = sum(binom.pmf(passed, n, rate) * answer(n, k, passed) for passed in range(n + 1))

    assert observe(pass_at_k=float(mean)) == approx(1 - (1 - rate) ** k, abs=1e-9)
