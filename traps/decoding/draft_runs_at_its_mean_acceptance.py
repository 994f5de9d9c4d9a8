"""The speed of a draft that is good at some texts and bad at others

A draft guesses four tokens a pass. On code nine guesses in ten are accepted, on prose one in ten, so half of
them on average. How many tokens does a pass of the target yield over both?

Verdict: holds if acceptance is taken context by context, and not as one figure
Asked: AI Interview Prep newsletter, LLM System Design #50
Source: Leviathan, Kalman and Matias 2022, "Fast Inference from Transformers via Speculative Decoding",
    section 3.1, equation 1, https://arxiv.org/abs/2211.17192
Right when: Acceptance is the same in every context. The paper assumes so for its formula.
Limits: Within a pass all guesses are accepted with the same probability, independently. The newsletter's
    abstract breaks off in mid-sentence and does not speak of averages.
"""

from statistics import harmonic_mean, mean

import torch
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.speculation import mean_tokens


def of_the_mean_acceptance(accepted, gamma):
    """Take the mean acceptance, and the formula 1 + a + … + a^γ."""
    return sum(mean(accepted) ** i for i in range(gamma + 1))


def of_the_worst_context(accepted, gamma):
    """The slowest context sets the pace."""
    return sum(min(accepted) ** i for i in range(gamma + 1))


def mean_of_the_passes(accepted, gamma):
    """If passes meet each context alike: the mean of what they yield there, more than at the mean acceptance.

    Powers are convex. At 90 % and 10 % and γ = 4 a pass yields 2.60 tokens; at 50 % it would be 1.94.
    """
    return mean(sum(a**i for i in range(gamma + 1)) for a in accepted)


def mean_of_the_text(accepted, gamma):
    """If the text has as much of each context: the harmonic mean of what passes yield there.

    A bad context takes more passes for the same text, so it weighs more. At 90 % and 10 % and γ = 4 a pass
    yields 1.75 tokens, which is less than at the mean acceptance.
    """
    return harmonic_mean(sum(a**i for i in range(gamma + 1)) for a in accepted)


def passes_of_a_text(tokens, accepted, gamma, seed):
    """Passes until the text has so many tokens."""
    random = torch.Generator().manual_seed(seed)
    stands = torch.rand(tokens, gamma, generator=random) < accepted
    written = (1 + stands.int().cumprod(1).sum(1)).cumsum(0)
    return 1 + int((written < tokens).sum())


contexts = st.lists(st.sampled_from([0.9, 0.1, 0.5]), min_size=2, max_size=3)
gammas = st.sampled_from([4, 1, 2, 6])


@claim(wrong=(of_the_mean_acceptance, of_the_worst_context, mean_of_the_text), right=mean_of_the_passes)
@given(accepted=contexts, gamma=gammas)
def test_draft_of_mixed_passes(answer, accepted, gamma):
    """Over passes that meet each context alike, the tokens of a pass are the mean over the contexts."""
    tokens = mean(mean_tokens(a, gamma) for a in accepted)

    assert observe(tokens=tokens) == approx(answer(accepted, gamma))


@claim(
    wrong=(of_the_mean_acceptance, of_the_worst_context, mean_of_the_passes),
    right=mean_of_the_text,
    evidence="simulated",
    examples=20,
)
@given(accepted=contexts, gamma=gammas, seed=st.integers(0, 100))
def test_draft_of_a_mixed_text(answer, accepted, gamma, seed):
    """Over a text with as much of each context, the tokens of a pass are the harmonic mean."""
    n = 50_000
    passes = sum(passes_of_a_text(n, a, gamma, seed + i) for i, a in enumerate(accepted))

    # A pass yields t of 1..7 tokens, with a variance of at most (t - 1)·(7 - t), which is below 2.71 t. So
    # the passes of n tokens scatter by less than sqrt(2.71 / n) of their number. Five times that is 3.7 %.
    assert observe(tokens=n * len(accepted) / passes) == approx(answer(accepted, gamma), rel=0.037)
