"""Record clicks, flat sign-ups

A shop's recommender has record precision, recall and click-through rate, but sign-ups do not move. Which
assumption failed, and would more exploration help?

Answer: That a click is intent. Precision, recall and click-through rate see clicks alone, so they reward
    what is clicked: bait with 15 % clicks and 2 % conversion brings 0.3 % sign-ups, an honest item with 5
    % and 20 % brings 1 %. A bandit that is rewarded by clicks finds the bait, and the better it explores
    the sooner. So reward what you want: sign-ups, or clicks times the conversion that follows.
Says: The false assumption is that every click signals genuine intent.
Verdict: holds
Asked: AI Interview Prep newsletter, ML System Design #27
Source: Ma et al. 2018, "Entire Space Multi-Task Model", abstract: CTR, CVR and their product,
    https://arxiv.org/abs/1804.07931
Source: Russo et al. 2018, "A Tutorial on Thompson Sampling", section 3, https://arxiv.org/abs/1707.02038
Terms: click-through rate, CTR, clickbait, conversion rate, CVR, dwell time, proxy_metric, proxy metric,
    Goodhart, bandit, Thompson sampling, ESMM, multi-objective, reward, sign-ups, sample selection bias
Right when: Conversion does not fall with clicks: then what is clicked most also brings most.
Limits: Two to four items with fixed rates and a bandit, no users and no context. The newsletter's stored
    text stops before its cure. Of Ma et al. the abstract was read.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def clicks_bring_sign_ups(reward, ctr, cvr):
    """More clicks are more chances to sign up, so either reward ends with the best item."""
    return max(c * v for c, v in zip(ctr, cvr, strict=True))


def exploration_finds_out(reward, ctr, cvr):
    """A learner that explores tries all items, so it brings their mean at least."""
    return sum(c * v for c, v in zip(ctr, cvr, strict=True)) / len(ctr)


def what_the_reward_picks(reward, ctr, cvr):
    """Sign-ups of the item with the best reward: 0.003 of the bait by clicks, 0.01 of the honest one else."""
    rewards = [c * (v if reward == "sign-up" else 1) for c, v in zip(ctr, cvr, strict=True)]
    best = rewards.index(max(rewards))
    return ctr[best] * cvr[best]


def mean_of_the_items(ctr, cvr):
    """Conversion among clicks is the mean conversion of the items that are shown."""
    return sum(cvr) / len(cvr)


def clicked_ones_weigh_more(ctr, cvr):
    """Σ ctr · cvr / Σ ctr, as what is clicked more counts more: 0.065 for bait and an honest item, not 0.11.

    That is the mean plus the covariance of clicks and conversion over the mean click rate.
    """
    return sum(c * v for c, v in zip(ctr, cvr, strict=True)) / sum(ctr)


BAIT, HONEST = (0.15, 0.02), (0.05, 0.2)
markets = st.sampled_from(
    [(BAIT, HONEST), (BAIT, HONEST, (0.02, 0.1)), ((0.1, 0.3), (0.04, 0.1)), ((0.12, 0.3),)]
)


@claim(
    wrong=(clicks_bring_sign_ups, exploration_finds_out),
    right=what_the_reward_picks,
    evidence="simulated",
    examples=10,
)
@example(reward="click", market=((0.15, 0.02), (0.05, 0.2)), seed=0)
@example(reward="sign-up", market=((0.15, 0.02), (0.05, 0.2)), seed=0)
@given(reward=st.sampled_from(["click", "sign-up"]), market=markets, seed=st.integers(0, 9999))
def test_clickbait_and_the_reward(answer, reward, market, seed):
    """Thompson sampling ends with the item that its reward is best for, and brings that item's sign-ups.

    reward: what the bandit is rewarded by
    market: click rate and conversion of each item
    ctr: click rates of the items
    cvr: sign-ups of each per click
    """
    random = torch.Generator().manual_seed(seed)
    ctr, cvr = torch.tensor(market, dtype=torch.float64).T
    learners, rounds, batch = 40, 400, 400
    wins, tries = torch.ones(2, learners, len(market), dtype=torch.float64)
    tries += 1
    for _ in range(rounds):
        # A normal law stands for the beta; each round is a batch of users.
        mean = wins / tries
        drawn = mean + (mean * (1 - mean) / tries).sqrt() * torch.randn(
            mean.shape, generator=random, dtype=torch.float64
        )
        shown = drawn.argmax(1)
        chance = ctr[shown] * (cvr[shown] if reward == "sign-up" else 1)
        wins[torch.arange(learners), shown] += torch.binomial(
            torch.full_like(chance, batch), chance, generator=random
        )
        tries[torch.arange(learners), shown] += batch

    # What most learners show in the end, in sign-ups per user.
    brings = (ctr * cvr)[shown.mode().values].item()
    assert observe(sign_ups=brings) == approx(answer(reward, ctr.tolist(), cvr.tolist()), rel=1e-9)


@claim(wrong=mean_of_the_items, right=clicked_ones_weigh_more, evidence="derived")
@example(market=(BAIT, HONEST))
@given(market=markets)
def test_conversion_among_clicks(answer, market):
    """The conversion that is measured among clicks is that of the items which are clicked most.

    market: click rate and conversion of each item
    ctr: click rates of the items, each shown as often
    cvr: sign-ups of each per click
    """
    shown = 10**6
    clicks = [shown * c for c, _ in market]
    signed = [shown * c * v for c, v in market]

    assert observe(conversion=sum(signed) / sum(clicks)) == approx(
        answer(*map(list, zip(*market, strict=True)))
    )
