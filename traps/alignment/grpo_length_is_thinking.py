"""GRPO and the length of wrong answers

A model is trained with the original GRPO, and on queries that it is unsure of its chains of thought grow
to 10,000 tokens. Is it thinking harder, and what do you change?

Answer: No, it is the 1/L in the loss: a wrong answer of L tokens is punished by A/L per token, so wrong
    answers drift longer and right ones shorter, as far as the model can tell them apart before they end,
    and most at a pass rate of 0.5. Dr. GRPO divides by a constant and has no such push; DAPO, which
    divides by all tokens of the group, keeps a part of it, 0.028 of 0.048 in groups of two. So plot
    length by correctness, and divide by a constant.
Says: GRPO's length normalization makes right answers shorter and spreads the penalty of wrong ones over
    more tokens; remove it.
Verdict: imprecise: diagnosis and cure are right, but without 1/L the loss has no length preference of its
    own: it shortens answers only where longer ones are more often wrong
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 21
Source: Shao et al. 2024, "DeepSeekMath", section 4.1: GRPO, https://arxiv.org/abs/2402.03300
Source: Liu et al. 2025, "Understanding R1-Zero-Like Training: A Critical Perspective", abstract: Dr.
    GRPO, https://arxiv.org/abs/2503.20783
Source: Yu et al. 2025, "DAPO", abstract: token-level loss, https://arxiv.org/abs/2503.14476
Terms: GRPO, Dr. GRPO, DAPO, length_bias, length bias, length normalization, chain of thought,
    overthinking, advantage, token-level loss, loss_type, policy gradient, reasoning model
Right when: All answers of a group are right or all are wrong: then no advantage is left and nothing is
    pushed.
Limits: The expected gradient of groups of two, all of which are enumerated, whose answers stop with one
    chance per token; no training, no clipping, no KL. That wrong answers can be told from right ones
    before their end is assumed. Larger groups were not run. Of the papers the abstracts were read.
"""

from itertools import product

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def emergent_reasoning(mode, side, wrong_stop, right_stop, passed, longest):
    """The loss asks for right answers alone; longer chains are what it takes to find them."""
    return 0.0


def sum_punishes_long_failures(mode, side, wrong_stop, right_stop, passed, longest):
    """Without 1/L the penalty of a wrong answer grows with its length, so it gets shorter."""
    if mode == "Dr. GRPO" and side == "wrong":
        return -divided_by_its_length("GRPO", side, wrong_stop, right_stop, passed, longest)
    return divided_by_its_length(mode, side, wrong_stop, right_stop, passed, longest)


def tokens_of_the_group_count_alike(mode, side, wrong_stop, right_stop, passed, longest):
    """DAPO weighs all tokens of a group alike, so it has no length bias either."""
    if mode == "DAPO":
        return 0.0
    return divided_by_its_length(mode, side, wrong_stop, right_stop, passed, longest)


def divided_by_its_length(mode, side, wrong_stop, right_stop, passed, longest):
    """The mean of (stop - p) / L of its tokens: -0.048 for wrong answers and 0.048 for right ones.

    A short answer has its stop count for more, so it is punished or rewarded the more. Divided by a
    constant the pushes of all lengths cancel, as a score has a mean of zero.
    """
    if mode == "Dr. GRPO":
        return 0.0
    own, other = (wrong_stop, right_stop) if side == "wrong" else (right_stop, wrong_stop)
    pushed = 0.0
    for n, m in product(range(1, longest + 1), repeat=2):
        slope = (n < longest) - own * min(n, longest - 1)
        divisor = 2 * n if mode == "GRPO" else n + m
        pushed += chance(n, own, longest) * chance(m, other, longest) * slope / divisor
    return (1 if side == "right" else -1) * 2 * passed * (1 - passed) * pushed


def chance(n, stop, longest):
    """Of n tokens, if each ends the answer with a chance of stop and the longest is cut off."""
    return (1 - stop) ** (n - 1) * (stop if n < longest else 1)


def log_chance(logit, n, longest):
    """Log-probability of an answer of n tokens."""
    ended = F.logsigmoid(logit) if n < longest else 0
    return (n - 1) * F.logsigmoid(-logit) + ended


modes = st.sampled_from(["GRPO", "DAPO", "Dr. GRPO"])
stops = st.sampled_from([0.5, 0.2, 0.3, 0.6, 0.9])


@claim(
    wrong=(emergent_reasoning, sum_punishes_long_failures, tokens_of_the_group_count_alike),
    right=divided_by_its_length,
    examples=40,
)
@example(mode="GRPO", side="wrong", wrong_stop=0.5, right_stop=0.5, passed=0.5, longest=8)
@example(mode="GRPO", side="right", wrong_stop=0.5, right_stop=0.5, passed=0.5, longest=8)
@example(mode="Dr. GRPO", side="wrong", wrong_stop=0.5, right_stop=0.5, passed=0.5, longest=8)
@example(mode="DAPO", side="wrong", wrong_stop=0.5, right_stop=0.5, passed=0.5, longest=8)
@example(mode="GRPO", side="wrong", wrong_stop=0.5, right_stop=0.5, passed=1.0, longest=8)
@given(
    mode=modes,
    side=st.sampled_from(["wrong", "right"]),
    wrong_stop=stops,
    right_stop=stops,
    passed=st.sampled_from([0.5, 0.2, 0.9, 0.0, 1.0]),
    longest=st.integers(1, 6),
)
def test_grpo_push_on_the_length(answer, mode, side, wrong_stop, right_stop, passed, longest):
    """GRPO's gradient makes wrong answers longer and right ones shorter, and without 1/L it does neither.

    mode: what the loss divides by: the answer's tokens, the group's tokens, or a constant
    side: whose stop logit is looked at, that of wrong or of right answers; a push above 0 makes them
        shorter
    wrong_stop: chance that a wrong answer ends at its next token
    right_stop: the same of a right one
    passed: share of right answers
    longest: tokens after which an answer is cut off
    """
    logits = torch.tensor([wrong_stop, right_stop], dtype=torch.float64).logit().requires_grad_()
    answers = []
    for right, n in product((0, 1), range(1, longest + 1)):
        log = log_chance(logits[right], n, longest)
        answers.append((right, n, log, (passed if right else 1 - passed) * log.detach().exp()))
    objective = 0 * logits.sum()
    for pair in product(answers, repeat=2):
        (first, n, one, p), (second, m, two, q) = pair
        advantage = (first - second) * (0.5 if mode == "Dr. GRPO" else 1)
        divisors = {"GRPO": (2 * n, 2 * m), "DAPO": (n + m, n + m), "Dr. GRPO": (2 * longest, 2 * longest)}[
            mode
        ]
        objective = objective + p * q * advantage * (one / divisors[0] - two / divisors[1])
    (pushed,) = torch.autograd.grad(objective, logits)

    assert observe(push=pushed[int(side == "right")].item()) == approx(
        answer(mode, side, wrong_stop, right_stop, passed, longest), abs=1e-12
    )
