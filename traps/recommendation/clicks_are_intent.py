"""Record clicks, flat sign-ups

A shop's recommender has record precision, recall and click-through rate, but sign-ups do not move. Which
assumption failed, and would more exploration help?

Answer: That a click is intent. Precision, recall and click-through rate see clicks alone, so they reward
    what is clicked: bait with 15 % clicks and 2 % conversion brings 0.3 % sign-ups, an honest item with a
    third of the clicks and 20 % conversion brings 1 %. A bandit that is rewarded by clicks ends with the
    bait, however it explores. So reward what you want: sign-ups, or clicks times the conversion that
    follows.
Says: The false assumption is that every click signals genuine intent.
Verdict: holds
Asked: AI Interview Prep newsletter, ML System Design #27
Source: Ma et al. 2018, "Entire Space Multi-Task Model", abstract: CTR, CVR and their product,
    https://arxiv.org/abs/1804.07931
Source: Russo et al. 2018, "A Tutorial on Thompson Sampling", section 3, https://arxiv.org/abs/1707.02038
Terms: click-through rate, CTR, clickbait, conversion rate, CVR, dwell time, proxy_metric, proxy metric,
    Goodhart, bandit, Thompson sampling, ESMM, multi-objective, reward, sign-ups, sample selection bias
Right when: Conversion does not fall with clicks: then what is clicked most also brings most.
Limits: One to three items with fixed rates and a bandit, no users and no context. The newsletter's stored
    text stops before its cure. Of Ma et al. the abstract was read.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def clicks_bring_sign_ups(reward, items):
    """More clicks are as many more sign-ups: 0.0165 at the bait's clicks and the conversion of all."""
    return max(c for c, _ in items) * sum(v for _, v in items) / len(items)


def exploration_finds_out(reward, items):
    """A learner that explores tries all items, so it ends with the one that brings most."""
    return max(c * v for c, v in items)


def what_the_reward_picks(reward, items):
    """Sign-ups of the item with the best reward: 0.003 by clicks, of the bait, and 0.01 by sign-ups."""
    clicked, converted = max(items, key=lambda item: item[0] * item[1] if reward == "sign-up" else item[0])
    return clicked * converted


def mean_of_the_items(items):
    """Conversion among clicks is the mean conversion of the items shown: 0.11 for 0.02 and 0.2."""
    return sum(v for _, v in items) / len(items)


def clicked_ones_weigh_more(items):
    """Items count by their clicks, as Σ ctr · cvr / Σ ctr: 0.065 for bait and an honest item.

    That is the mean plus the covariance of clicks and conversion over the mean click rate.
    """
    return sum(c * v for c, v in items) / sum(c for c, _ in items)


BAIT, HONEST = (0.15, 0.02), (0.05, 0.2)
markets = st.sampled_from(
    [
        (BAIT, HONEST),
        (BAIT, HONEST, (0.02, 0.1)),
        ((0.1, 0.3), (0.04, 0.1)),
        ((0.01, 0.9), (0.1, 0.3)),
        ((0.2, 0.1), (0.05, 0.3)),
        ((0.2, 0.05), (0.08, 0.2)),
        ((0.12, 0.3),),
    ]
)


@claim(
    wrong=(clicks_bring_sign_ups, exploration_finds_out),
    right=what_the_reward_picks,
    evidence="simulated",
    examples=10,
)
@example(reward="click", items=((0.15, 0.02), (0.05, 0.2)), seed=0)
@example(reward="sign-up", items=((0.15, 0.02), (0.05, 0.2)), seed=0)
@example(reward="sign-up", items=((0.2, 0.05), (0.08, 0.2)), seed=0)
@example(reward="click", items=(BAIT, HONEST, (0.02, 0.1)), seed=0)
@given(reward=st.sampled_from(["click", "sign-up"]), items=markets, seed=st.integers(0, 9999))
def test_clickbait_and_the_reward(answer, reward, items, seed):
    """Thompson sampling ends with the item that its reward is best for, and brings that item's sign-ups.

    reward: what the bandit is rewarded by
    items: click rate of each item, and its sign-ups per click
    """
    random = torch.Generator().manual_seed(seed)
    ctr, cvr = torch.tensor(items, dtype=torch.float64).T
    learners, rounds, batch = 40, 400, 400
    wins, tries = torch.ones(2, learners, len(items), dtype=torch.float64)
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
    assert observe(sign_ups=brings) == approx(answer(reward, items), rel=1e-9)


@claim(wrong=mean_of_the_items, right=clicked_ones_weigh_more, evidence="derived")
@example(items=(BAIT, HONEST))
@given(items=markets)
def test_conversion_among_clicks(answer, items):
    """The conversion that is measured among clicks is that of the items which are clicked most.

    items: click rate of each item, all shown as often, and its sign-ups per click
    """
    shown = 10**6
    clicks = [shown * c for c, _ in items]
    signed = [shown * c * v for c, v in items]

    assert observe(conversion=sum(signed) / sum(clicks)) == approx(answer(items))
