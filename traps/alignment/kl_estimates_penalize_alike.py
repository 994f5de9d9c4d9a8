"""Estimates of the KL penalty

A KL penalty to the reference model is added to the loss as a mean over sampled tokens. Libraries offer
three estimates of it, k1 = -log r, k2 = (log r)²/2 and k3 = r - 1 - log r, with r the reference's
probability over the policy's. Do they push the policy alike?

Answer: No. As terms of a loss that is differentiated, k1 has no push on average, k2 that of KL(policy,
    reference) and k3 that of KL(reference, policy), although k1 and k3 have the right value. In the
    reward, where it is a number for the policy gradient, k1 pushes as KL(policy, reference) does. So look
    where your library puts the term, and not only at which one it is.
Says: A KL divergence penalty in the objective measures and constrains the divergence of the policy from
    the reference model.
Verdict: holds if its gradient is that of the divergence, which depends on the estimate and on where it
    stands
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 11
Source: Schulman 2020, "Approximating KL Divergence", http://joschu.net/blog/kl-approx.html
Source: Tang and Munos 2025, "On a few pitfalls in KL divergence gradient estimation for RL", abstract,
    https://arxiv.org/abs/2506.09477
Terms: KL, KL divergence, KL penalty, reference model, RLHF, PPO, k1, k2, k3, estimator, unbiased, policy
    gradient, score function, GRPO, alignment_tax, kl_coef
Right when: It is k2 as a term of the loss, or k1 in the reward.
Limits: One token, whose probabilities are enumerated, on policy; no clipping, no importance weights, no
    training. Schulman's note was read, of Tang and Munos the abstract.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def unbiased_so_alike(estimate, place, policy, reference):
    """Each is an estimate of KL(policy, reference), so each pushes as it does."""
    return slope_of_policy_to_reference(policy, reference)


def k3_is_the_safe_one(estimate, place, policy, reference):
    """k1 is unbiased and noisy, k3 unbiased and positive: both push as the divergence, k2 is biased."""
    if estimate == "k2":
        return policy[0] - reference[0]
    return slope_of_policy_to_reference(policy, reference)


def by_what_is_differentiated(estimate, place, policy, reference):
    """In the loss k1 pushes by nothing, k2 as KL(policy, reference), k3 as KL(reference, policy).

    In the reward it is a number: k1 pushes as KL(policy, reference), the others by their own means.
    """
    if place == "reward":
        return slope_as_a_reward(estimate, policy, reference)
    if estimate == "k1":
        return 0.0
    if estimate == "k3":
        return policy[0] - reference[0]
    return slope_of_policy_to_reference(policy, reference)


def slope_of_policy_to_reference(policy, reference):
    """Of KL(policy, reference) in the first logit, which is that of k1 as a reward."""
    return slope_as_a_reward("k1", policy, reference)


def slope_as_a_reward(estimate, policy, reference):
    """The first token's probability, times its estimate less the mean of all."""
    p, q = (torch.tensor(law, dtype=torch.float64) for law in (policy, reference))
    log = (q / p).log()
    values = {"k1": -log, "k2": log**2 / 2, "k3": q / p - 1 - log}[estimate]
    return (p[0] * (values[0] - p @ values)).item()


laws = st.lists(st.sampled_from([-2.0, -1.0, 0.0, 1.0, 2.0]), min_size=2, max_size=5)


@claim(wrong=(unbiased_so_alike, k3_is_the_safe_one), right=by_what_is_differentiated)
@example(estimate="k1", place="loss", logits=[1.0, 0.0], shifts=[0.0, 0.0])
@example(estimate="k2", place="loss", logits=[1.0, 0.0], shifts=[0.0, 0.0])
@example(estimate="k3", place="loss", logits=[1.0, 0.0], shifts=[0.0, 0.0])
@example(estimate="k1", place="reward", logits=[1.0, 0.0], shifts=[0.0, 0.0])
@given(
    estimate=st.sampled_from(["k1", "k2", "k3"]),
    place=st.sampled_from(["loss", "reward"]),
    logits=laws,
    shifts=laws,
)
def test_kl_penalty_push(answer, estimate, place, logits, shifts):
    """Which divergence's gradient an estimate has, if any, depends on whether it is differentiated.

    estimate: -log r, (log r)²/2, or r - 1 - log r, with r the reference's probability over the policy's
    place: differentiated as a term of the loss, or a number in the reward of the policy gradient
    logits: of the policy, of which the first one is pushed
    shifts: logits of the reference
    policy: the policy's probability of each token
    reference: the reference's
    """
    shifts = (shifts + [0.0] * 5)[: len(logits)]
    scores = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    q = torch.tensor(shifts, dtype=torch.float64).softmax(0)
    p = scores.softmax(0)
    ratio = q / p
    term = {"k1": -ratio.log(), "k2": ratio.log() ** 2 / 2, "k3": ratio - 1 - ratio.log()}[estimate]
    # Tokens are sampled, so their probabilities are no part of what is differentiated.
    mean = p.detach() @ (term if place == "loss" else term.detach() * p.log())
    (push,) = torch.autograd.grad(mean, scores)

    assert observe(push=push[0].item()) == approx(answer(estimate, place, p.tolist(), q.tolist()), abs=1e-12)
