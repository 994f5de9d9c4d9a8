"""Finding a data mixture with small proxies

A 100B model is to be trained on a mixture of web, code and books, and no ablation at that scale can be
paid. The best mixture of small proxies is at hand: does it carry over?

Answer: If the losses of all domains fall with one exponent of their data, yes: then the scale drops out
    of the optimum. If they differ, the best mixture moves with scale towards the domain that learns more
    slowly: with exponents of 0.2 and 0.4 the share of the former goes from 0.31 to 0.57 at 1000 times the
    data, if its loss is a third of the other's at first. So fit a law per domain on held-out loss, solve
    for the mixture at the scale that you train, and check it at two scales.
Verdict: not judged: the stored text stops after "waste", and what a grid search costs is not shown
Asked: AI Interview Prep newsletter, LLM System Design #47
Source: Ye et al. 2024, "Data Mixing Laws", abstract, https://arxiv.org/abs/2403.16952
Source: Kang et al. 2024, "AutoScale", abstract: the best mixture depends on the scale,
    https://arxiv.org/abs/2407.20177
Terms: data mixture, data mix, domain weights, mixture law, proxy model, DoReMi, RegMix, grid search,
    ablation, scaling law, held-out loss, curriculum
Right when: All domains have the same exponent.
Limits: Two domains that share nothing, with losses of power laws in their own tokens; real ones transfer
    to each other. Trained nets are the page mixture_of_the_best_proxy_is_best. The noise of benchmarks is
    not shown. The newsletter's stored text stops after "waste". Of both papers the abstracts were read.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def as_at_the_small_scale(exponents, before, times):
    """Composition shifts the offset of the scaling law and not its slope, so the best mixture is the same."""
    return before


def evenly(exponents, before, times):
    """A foundation model needs every domain, so give them equal shares."""
    return 0.5


def shrink_towards_the_hard_one(exponents, before, times):
    """All weight goes to the domain that is learned more slowly, as it has most left to gain."""
    if exponents[0] == exponents[1]:
        return before
    return 1.0 if exponents[0] < exponents[1] else 0.0


def slopes_of_both_are_equal(exponents, before, times):
    """Where both losses fall alike fast, which moves towards the domain that is learned more slowly.

    For exponents of 0.2 and 0.4 the share goes from 0.31 to 0.57. At the optimum a · w^(-a-1) D^(-a) is
    the same for both, so w^(a+1) / (1 - w)^(b+1) goes with D^(b - a).
    """
    from scipy.optimize import root_scalar

    a, b = exponents
    ratio = before ** (a + 1) / (1 - before) ** (b + 1) * times ** (b - a)

    def gap(w):
        return w ** (a + 1) - ratio * (1 - w) ** (b + 1)

    return root_scalar(gap, bracket=(LOWEST, HIGHEST)).root


LOWEST, HIGHEST = 1e-9, 1 - 1e-9


@claim(
    wrong=(as_at_the_small_scale, evenly, shrink_towards_the_hard_one),
    right=slopes_of_both_are_equal,
    evidence="derived",
)
@example(exponents=(0.2, 0.4), scales=(1.0, 3.0), times=1000.0)
@example(exponents=(0.3, 0.3), scales=(3.0, 1.0), times=1000.0)
@given(
    exponents=st.tuples(*[st.sampled_from([0.2, 0.3, 0.4])] * 2),
    scales=st.tuples(*[st.sampled_from([1.0, 3.0])] * 2),
    times=st.sampled_from([1.0, 64.0, 1000.0]),
)
def test_mixture_at_a_larger_scale(answer, exponents, scales, times):
    """The best mixture moves with scale unless both domains' losses fall with the same exponent.

    exponents: of each domain's loss in its own tokens
    scales: loss of each domain at one unit of its tokens
    times: data of the big run over that of the proxies, which have 100 units
    before: share of the first domain that was best for the proxies
    """
    shares = torch.linspace(0.0001, 0.9999, 99_981, dtype=torch.float64)

    def best(data):
        losses = [
            scale * (share * data) ** -e
            for scale, e, share in zip(scales, exponents, (shares, 1 - shares), strict=True)
        ]
        return shares[(losses[0] + losses[1]).argmin()].item()

    # The shares are a hundred-thousandth apart, and a minimum is flat.
    assert observe(share=best(100 * times)) == approx(answer(exponents, best(100.0), times), abs=1e-3)
