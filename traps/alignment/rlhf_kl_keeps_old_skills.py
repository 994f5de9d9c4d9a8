"""The alignment tax and the KL penalty

After RL a model follows instructions well, and has become worse at what the RL never asked. What is this
called, and which term in the loss prevents it: a KL penalty to the reference model?

Answer: The alignment tax: a KL penalty on the RL prompts limits how far the reward is pushed there; at
    the same reward it leaves the damage elsewhere nearly as it is, 0.97 times here. What keeps old skills
    are gradients on old data: with pre-training loss mixed in, PPO-ptx, it is 0.63 times on prompts of
    the same kind that were not mixed in. So mix, and compare at equal reward, as at equal steps a penalty
    looks better, because less was learned.
Says: A KL penalty to the frozen SFT model is the term to add, as it preserves broad abilities; mixing in
    general data misdiagnoses the problem.
Verdict: imprecise: the penalty bounds over-optimization on the RL prompts; for skills off these prompts
    InstructGPT, the paper behind it, found mixing pre-training data better than a larger penalty
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 11
Source: Ouyang et al. 2022, "Training language models to follow instructions with human feedback", section
    4.2 and appendix E.6: PPO-ptx, and a KL coefficient 100 times the usual,
    https://arxiv.org/abs/2203.02155
Source: Gao, Schulman and Hilton 2022, "Scaling Laws for Reward Model Overoptimization", section 3.6,
    https://arxiv.org/abs/2210.10760
Terms: alignment_tax, alignment tax, catastrophic forgetting, KL penalty, reference model, PPO, PPO-ptx,
    RLHF, InstructGPT, reward hacking, over-optimization, replay, kl_coef, forgetting
Right when: Runs are compared at equal steps, or the damage is over-optimization of the reward on the RL
    prompts.
Limits: Small policies with one action per prompt and exact gradients, at a reward of 0.5 and one
    coefficient each; some nets never come to it, and count in neither. No reward model and no hacking of
    it. InstructGPT was read in quotations.
"""

from functools import cache

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe

# With 50 seeds of 24 nets: 0.91 to 1.03, and 0.49 to 0.79.
AS_BEFORE, KEPT = 0.97, 0.63


def penalty_preserves(method):
    """The penalty keeps the policy near the reference model, which has the old skills."""
    return KEPT if method == "KL 0.05" else AS_BEFORE


def forgetting_is_forgetting(method):
    """Any term that holds the policy back keeps the old skills."""
    return AS_BEFORE if method == "none" else KEPT


def gradients_on_old_data(method):
    """Gradients on old data keep the old skills; at the same reward the penalty hardly does.

    The penalty takes the damage to 0.97 times, and old data mixed in to 0.63. The penalty weighs the same
    prompts as the reward, and what it leaves of a push goes the same way.
    """
    return KEPT if method == "old data mixed in" else AS_BEFORE


METHODS = "none", "KL 0.05", "old data mixed in"
NETS, INPUTS, HIDDEN, ACTIONS = 24, 12, 32, 6


def policy(weights, x):
    """Log-probabilities [..., nets, prompts, actions]."""
    first, second = weights
    return ((x @ first).tanh() @ second).log_softmax(-1)


@cache
def damages(seed, device):
    """The rise of each net's loss on unseen general prompts when its reward on RL prompts is 0.5, if ever.

    By method and net.
    """
    torch.manual_seed(seed)
    teacher = torch.randn(NETS, INPUTS, ACTIONS)
    x = torch.randn(NETS, 400, INPUTS)
    # What was seen in pre-training, what the RL asks, whose reward wants action 0, and what is unseen.
    seen, asked, unseen = slice(0, 200), slice(200, 224), slice(224, 400)
    x[:, asked, 0] += 3  # its prompts are of a kind of their own
    labels = (x @ teacher).argmax(-1, keepdim=True).to(device)
    x = x.to(device)
    weights = [
        (torch.randn(1, NETS, *shape) / shape[0] ** 0.5).to(device).requires_grad_()
        for shape in ((INPUTS, HIDDEN), (HIDDEN, ACTIONS))
    ]

    def loss_on(part, nets=slice(None)):
        logs = policy([w[nets] for w in weights], x[:, part])
        return -logs.gather(-1, labels[:, part].expand(len(logs), -1, -1, -1)).mean((-1, -2))

    optimizer = torch.optim.Adam(weights, lr=0.01)
    for _ in range(150):
        optimizer.zero_grad()
        loss_on(slice(0, 224)).sum().backward()
        optimizer.step()
    with torch.no_grad():
        reference, before = policy(weights, x[:, asked]), loss_on(unseen)
    weights = [w.detach().repeat(len(METHODS), 1, 1, 1).requires_grad_() for w in weights]
    optimizer, after = torch.optim.Adam(weights, lr=0.01), torch.full((len(METHODS), NETS), torch.nan)
    after = after.to(device)
    for _ in range(80):
        logs = policy(weights, x[:, asked])
        reward = logs[..., 0].exp().mean(-1)
        arrived = (reward >= 0.5) & after.isnan()
        if arrived.any():
            with torch.no_grad():
                after = torch.where(arrived, loss_on(unseen), after)
        if not after.isnan().any():
            break
        penalty = 0.05 * (logs[1].exp() * (logs[1] - reference[0])).sum(-1).mean(-1)
        mixed = loss_on(seen, slice(2, 3))
        optimizer.zero_grad()
        (penalty.sum() + mixed.sum() - reward.sum()).backward()
        optimizer.step()
    return after - before


@claim(
    wrong=(penalty_preserves, forgetting_is_forgetting),
    right=gradients_on_old_data,
    evidence="trained",
    examples=3,
)
@example(method="KL 0.05", seed=0)
@example(method="old data mixed in", seed=0)
@given(method=st.sampled_from(["KL 0.05", "old data mixed in"]), seed=st.integers(0, 9999))
def test_alignment_tax_at_equal_reward(answer, device, method, seed):
    """At equal reward a KL penalty on the RL prompts leaves the damage elsewhere, and old data prevents it.

    method: a KL penalty with a coefficient of 0.05 to the policy before, or its loss on old prompts added
    """
    rise, plain = (damages(seed, device)[METHODS.index(which)] for which in (method, "none"))
    both = rise.isfinite() & plain.isfinite()  # a net may never come to that reward

    assert observe(damage=(rise[both].mean() / plain[both].mean()).item()) == approx(answer(method), abs=0.25)
