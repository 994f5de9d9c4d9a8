"""A policy gradient without the 1/L

GRPO's division by an answer's length is removed, so that the loss is a sum over its tokens. Wrong answers
of many tokens then have a large penalty: does the model learn to be brief?

Answer: No: a sum of many small pushes is no push towards brevity, as the scores of an answer's tokens
    have a mean of zero. Where the reward does not depend on the length the expected push on the length is
    0; where long answers fail more often they get shorter, and where short ones do, longer. If short
    failures are wanted, say so in the reward.
Says: Without the normalization the update is a sum over tokens, so the total penalty of wrong answers
    scales with their length, which discourages verbose failures.
Verdict: imprecise: it discourages them only where longer answers are more often wrong
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 21
Source: Liu et al. 2025, "Understanding R1-Zero-Like Training: A Critical Perspective", abstract: Dr.
    GRPO, https://arxiv.org/abs/2503.20783
Source: Sutton et al. 1999, "Policy Gradient Methods for Reinforcement Learning with Function
    Approximation", theorem 1, https://papers.nips.cc/paper/1713
Terms: Dr. GRPO, length_bias, length bias, length normalization, policy gradient, score function,
    advantage, overthinking, reasoning model, brevity, reward shaping, length penalty
Right when: Longer answers are more often wrong: then the sum does make them shorter.
Limits: The expected gradient of groups of two, all of which are enumerated, with one stop logit and a
    chance to be right that depends on the length alone; no training. Of Liu et al. the abstract was read,
    of Sutton et al. the theorem as others quote it.
"""

from itertools import product

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def never_by_length(reward, stop, longest):
    """Dr. GRPO is free of length bias, so it moves no length."""
    return 0.0


def every_token_of_a_failure_costs(reward, stop, longest):
    """Each token that a wrong answer goes on for is made less likely, so the longest failures pay most.

    Nothing is said of its last token, which is made less likely as well.
    """
    passed = sum(chance(n, stop, longest) * REWARDS[reward](n) for n in range(1, longest + 1))
    went_on = sum(
        chance(n, stop, longest) * (1 - REWARDS[reward](n)) * (n - 1) for n in range(1, longest + 1)
    )
    return passed * went_on * stop / (2 * longest)


def slope_of_the_success(reward, stop, longest):
    """Half the slope of the success rate in the stop logit, over the constant: shorter if long ones fail.

    A group's mean is part of the answer itself, which leaves (G - 1) / G of the gradient.
    """
    slope = sum(
        chance(n, stop, longest) * REWARDS[reward](n) * ((n < longest) - stop * min(n, longest - 1))
        for n in range(1, longest + 1)
    )
    return slope / (2 * longest)


REWARDS = {
    "any length": lambda n: 0.5,
    "long ones fail": lambda n: 0.9**n,
    "short ones fail": lambda n: 1 - 0.5**n,
}


def chance(n, stop, longest):
    """Of n tokens, if each ends the answer with a chance of stop and the longest is cut off."""
    return (1 - stop) ** (n - 1) * (stop if n < longest else 1)


def log_chance(logit, n, longest):
    """Log-probability of an answer of n tokens."""
    ended = F.logsigmoid(logit) if n < longest else 0
    return (n - 1) * F.logsigmoid(-logit) + ended


stops = st.sampled_from([0.5, 0.2, 0.3, 0.6, 0.9])


@claim(wrong=(never_by_length, every_token_of_a_failure_costs), right=slope_of_the_success, examples=40)
@example(reward="any length", stop=0.5, longest=6)
@example(reward="long ones fail", stop=0.5, longest=6)
@example(reward="short ones fail", stop=0.5, longest=6)
@given(reward=st.sampled_from(list(REWARDS)), stop=stops, longest=st.integers(2, 6))
def test_grpo_without_the_length_follows_the_reward(answer, reward, stop, longest):
    """Divided by a constant the loss makes answers shorter only if longer ones are more often wrong.

    reward: how the chance to be right depends on the length
    stop: chance that an answer ends at its next token
    longest: tokens after which an answer is cut off
    """
    logit = torch.tensor(stop, dtype=torch.float64).logit().requires_grad_()
    objective = 0 * logit
    for n, m in product(range(1, longest + 1), repeat=2):
        one, two = log_chance(logit, n, longest), log_chance(logit, m, longest)
        ahead = REWARDS[reward](n) - REWARDS[reward](m)  # the expected difference of the two rewards
        objective = objective + (one + two).detach().exp() * ahead / 2 * (one - two) / (2 * longest)
    (pushed,) = torch.autograd.grad(objective, logit)

    assert observe(push=pushed.item()) == approx(answer(reward, stop, longest), abs=1e-9)
