"""The speed of a draft that is good at some texts and bad at others

A draft guesses four tokens per pass. On code nine guesses in ten stand, on prose one in ten. How many
tokens does a pass of the target yield over a text that is half code and half prose?

Answer: 1.75, and not the 1.94 of the mean acceptance: the prose takes more passes for as many tokens, so
    the harmonic mean of both yields counts. A dashboard that averages over passes of each kind shows 2.60.
    That is why the lookahead should adapt, short where acceptance is low.
Verdict: not judged: the newsletter's stored text speaks of near-zero acceptance and not of averages
Asked: AI Interview Prep newsletter, LLM System Design #50
Source: Leviathan, Kalman and Matias 2022, "Fast Inference from Transformers via Speculative Decoding",
    section 3.1, equation 1, https://arxiv.org/abs/2211.17192
Terms: acceptance rate, acceptance length, accepted length, dynamic lookahead, adaptive lookahead, adaptive
    gamma, harmonic mean, domain shift, speculative decoding
Right when: Acceptance is the same in every context. The paper assumes so for its formula.
Limits: Within a context all guesses stand with the same probability, independently, and each context is
    written by itself. The answer of_the_mean_acceptance is off by a tenth only, as two errors of averaging
    nearly cancel in it. What a pass costs is the page draft_is_too_slow.
"""

from statistics import harmonic_mean, mean

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def of_the_mean_acceptance(accepted, gamma):
    """Take the mean acceptance, and the formula 1 + a + … + a^γ."""
    return sum(mean(accepted) ** i for i in range(gamma + 1))


def of_the_worst_context(accepted, gamma):
    """The slowest context sets the pace."""
    return sum(min(accepted) ** i for i in range(gamma + 1))


def mean_of_the_passes(accepted, gamma):
    """Take what passes yield in each context, and average that: 2.60 for 0.9 and 0.1."""
    return mean(sum(a**i for i in range(gamma + 1)) for a in accepted)


def mean_of_the_text(accepted, gamma):
    """The harmonic mean of what passes yield in each context, if the text has as much of each.

    A bad context takes more passes for the same text, so it weighs more: 1.75 tokens per pass at 0.9 and
    0.1 and γ = 4, where the mean acceptance says 1.94.
    """
    return harmonic_mean(sum(a**i for i in range(gamma + 1)) for a in accepted)


def passes_of_a_text(tokens, accepted, gamma, seed):
    """Passes until the text has so many tokens: guesses before the first that falls, and the target's own."""
    torch.manual_seed(seed)
    stands = torch.rand(tokens, gamma) < accepted
    written = (1 + stands.int().cumprod(1).sum(1)).cumsum(0)
    return 1 + int((written < tokens).sum())


@claim(
    wrong=(of_the_mean_acceptance, of_the_worst_context, mean_of_the_passes),
    right=mean_of_the_text,
    evidence="simulated",
    examples=20,
)
@example(accepted=[0.9, 0.1], gamma=4, seed=0)
@example(accepted=[0.9, 0.1], gamma=1, seed=0)
@example(accepted=[0.5, 0.5], gamma=4, seed=0)
@given(
    accepted=st.lists(st.sampled_from([0.9, 0.1, 0.5]), min_size=2, max_size=3),
    gamma=st.sampled_from([4, 1, 2, 6]),
    seed=st.integers(0, 9999),
)
def test_draft_of_a_mixed_text(answer, accepted, gamma, seed):
    """Over a text with as much of each context, the tokens of a pass are the harmonic mean.

    accepted: chance of a guess to stand, in each context
    """
    n = 50_000
    passes = sum(passes_of_a_text(n, a, gamma, seed + i) for i, a in enumerate(accepted))

    # A pass yields t of 1..7 tokens, with a variance of at most (t - 1)·(7 - t), which is below 2.71 t. So
    # the passes of n tokens scatter by less than sqrt(2.71 / n) of their number. Five times that is 3.7 %.
    assert observe(tokens=n * len(accepted) / passes) == approx(answer(accepted, gamma), rel=0.037)
