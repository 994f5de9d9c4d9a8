"""What testing many variants buys on a leaderboard

Your model trails on Chatbot Arena and is to gain 50 Elo. A lab tests 27 private variants and publishes
the best score. How much of such a gain is luck?

Answer: Of 27 equal variants with 3000 votes each the best reads 12.7 Elo too high, and votes that come in
    afterwards wash that out: 3.5 after 8000 more. Luck makes 50 only below some 193 votes each. If
    variants differ by a standard deviation of 65 Elo, hardly any of the gain of the best is luck. So tune
    on prompts of your own users, and read a leaderboard by its fresh votes.
Says: Private testing that discloses only the best variant violates the Bradley-Terry model's assumption
    of unbiased sampling, and inflates scores without improving the model.
Verdict: holds if the published score keeps the votes that chose it; then it is some 13 Elo at 27 variants
    and 3000 votes
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 25
Source: Singh et al. 2025, "The Leaderboard Illusion", abstract: 27 private variants,
    https://arxiv.org/abs/2504.20879
Terms: Chatbot Arena, LMArena, arena, leaderboard, Elo, Bradley-Terry, best_of_n, best-of-N, selection
    bias, winner's curse, private testing, leaderboard illusion, votes, golden set
Right when: One variant is tested, or the score is taken of votes after the choice.
Limits: Votes against one equal opponent, no ties, drawn independently; an arena fits all pairs at once.
    Scores are logits of win rates, so that 0 or all wins of some votes are kept out by 100 votes or more.
    Of the paper the abstract was read.
"""

from math import log

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe

ELO = 400 / log(10)


def best_is_what_it_scores(variants, votes, fresh, spread):
    """Every score is an unbiased estimate, and so is that of the best."""
    return 0.0


def all_of_the_gain(variants, votes, fresh, spread):
    """What the best is ahead of the mean of all was gained by choosing, so all of it is luck."""
    return largest_of(variants) * (4 * ELO**2 / votes + spread**2) ** 0.5


def luck_stays_for_ever(variants, votes, fresh, spread):
    """The luck of the votes that chose it stays in the score for ever."""
    return luck_of_the_choice(variants, votes, 0, spread)


def luck_of_the_choice(variants, votes, fresh, spread):
    """Of the best one's lead luck has its share of the variance, and fresh votes thin it out.

    It is the mean largest of N normals times v/√(v + spread²), with v = (2 · 173.7)²/votes: 12.7 for 27
    at 3000. The choice is by luck and skill together. Fresh votes leave votes / (votes + fresh) of it,
    which is 3.5 after 8000.
    """
    noise = 4 * ELO**2 * (1 / votes)
    return largest_of(variants) * noise / (noise + spread**2) ** 0.5 * votes / (votes + fresh)


def largest_of(variants):
    """The mean of the largest of so many standard normals."""
    from scipy.integrate import quad
    from scipy.stats import norm

    return quad(lambda x: x * variants * norm.pdf(x) * norm.cdf(x) ** (variants - 1), -10, 10)[0]


@claim(
    wrong=(best_is_what_it_scores, all_of_the_gain, luck_stays_for_ever),
    right=luck_of_the_choice,
    evidence="simulated",
    examples=24,
)
@example(variants=27, votes=3000, fresh=0, spread=0, seed=0)
@example(variants=27, votes=3000, fresh=8000, spread=0, seed=0)
@example(variants=27, votes=193, fresh=0, spread=0, seed=0)
@example(variants=27, votes=3000, fresh=0, spread=65, seed=0)
@example(variants=1, votes=3000, fresh=0, spread=0, seed=0)
@given(
    variants=st.sampled_from([1, 2, 10, 27, 50]),
    votes=st.sampled_from([300, 1000, 3000]),
    fresh=st.sampled_from([0, 1000, 8000]),
    spread=st.sampled_from([0, 20, 65]),
    seed=st.integers(0, 9999),
)
def test_leaderboard_score_of_the_best(answer, variants, votes, fresh, spread, seed):
    """The best of many variants reads too high by the luck that chose it, until fresh votes come in.

    variants: that are tested, each against an equal opponent
    votes: of each variant before the best is chosen
    fresh: votes of the best afterwards, which count with the others
    spread: standard deviation of the variants' skills, Elo
    """
    rng, rounds = torch.Generator().manual_seed(seed), 4000
    skill = spread * torch.randn(rounds, variants, generator=rng, dtype=torch.float64)
    chance = torch.sigmoid(skill / ELO)
    wins = torch.binomial(torch.full_like(chance, votes), chance, generator=rng)
    best = wins.argmax(1, keepdim=True)
    chosen = chance.gather(1, best)
    more = torch.binomial(torch.full_like(chosen, fresh), chosen, generator=rng)
    score = ELO * ((wins.gather(1, best) + more) / (votes + fresh)).logit()

    too_high = (score - skill.gather(1, best)).flatten()
    # Five standard errors, 1 % of rounding, and what the law leaves out: the votes of a variant with logit x
    # scatter by x² / 4 more, and the best of 50 is 2.25 standard deviations ahead.
    more = 0.01 + (2.25 * spread / ELO) ** 2 / 4
    error = 5 * too_high.std().item() / rounds**0.5 + more * abs(too_high.mean().item())
    assert observe(elo_too_high=too_high.mean().item()) == approx(
        answer(variants, votes, fresh, spread), abs=error
    )
