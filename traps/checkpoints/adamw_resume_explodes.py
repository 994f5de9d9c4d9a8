"""The loss after a resume without the optimizer's state

A run with AdamW resumes from its weights, with moments and step counter at zero. Does the loss explode, and
is the training of weeks undone?

Verdict: refuted as stated: what the loss has above its minimum is 1.3 to 2.7 times as high for some twenty
    steps; it returns at once if gradients are as before, within some 1/(1 - b2) steps if they were larger
    once, and does not explode
Asked: AI Interview Prep newsletter, LLM System Design #32
Source: OneVision-Encoder pull request 65, 2026: transient loss spikes after resuming without the state,
    https://github.com/EvolvingLMMs-Lab/OneVision-Encoder/pull/65
Source: Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", section 2.1, on the bound of a step,
    https://arxiv.org/abs/1412.6980
Right when: More is lost than the state: a schedule that starts over at its peak. Or less: the counter without
    its moments makes the first step 3.2 learning rates long.
Limits: Linear regressions under steady noise, for 120 steps after the crash. One that had come from afar was
    followed further at b2 = 0.999: 1.6 times as high after 100 steps, 1.3 after 350, 1.1 after 1000, 1.02
    after 2000. The newsletter's own text was not seen, only a digest.
"""

from copy import deepcopy
from functools import cache

import torch
from hypothesis import given, strategies as st

from fixtures import claim, observe


def explodes(restored, start, b2):
    """Without its memory AdamW overshoots until the model is worse than at its start."""
    return [0.0, 0.0, 0.0] if restored == "everything" else [1.0, 1.0, 1.0]


def weeks_are_lost(restored, start, b2):
    """The loss jumps, and what weeks of training have gained must be gained again."""
    return [0.0, 0.0, 0.0] if restored == "everything" else [1.0, 1.0, 0.0]


def heals_with_the_momentum(restored, start, b2):
    """Once momentum is back, after twenty steps or so, the loss returns."""
    return [0.0, 0.0, 0.0] if restored == "everything" else [1.0, 0.0, 0.0]


def heals_with_both_moments(restored, start, b2):
    """The loss rises and returns: soon if gradients are as before, else within some 1/(1 - b2) steps.

    Each step is bounded by the learning rate, so the weights stray by a few of them and the gradient brings
    them back. But a second moment that remembered a steep descent had kept the steps short, and a fresh one
    does not; until the old one would have forgotten as well, the loss stays above.
    """
    if restored == "everything":
        return [0.0, 0.0, 0.0]
    return [1.0, 1.0 if start == "afar" and b2 > 0.95 else 0.0, 0.0]


def adamw(weights, b2):
    """AdamW on a copy of these weights."""
    trained = torch.nn.Parameter(weights.detach().clone())
    return trained, torch.optim.AdamW([trained], lr=0.05, betas=(0.9, b2), weight_decay=0.0)


# Linear regressions that start at their optimum or afar; groups of runs, over which losses are averaged.
GROUPS, RUNS, DIM, BATCH, BEFORE, AFTER = 4, 24, 16, 4, 120, 120


@cache
def losses(restored, start, b2):
    """Excess losses [step, which, group] of the run that went on and of the one that resumed."""
    random = torch.Generator().manual_seed(0)
    truth = torch.randn(GROUPS, RUNS, DIM, generator=random)
    xs = torch.randn(BEFORE + AFTER, GROUPS, RUNS, BATCH, DIM, generator=random)
    noise = torch.randn(BEFORE + AFTER, GROUPS, RUNS, BATCH, 1, generator=random)

    def train(weights, optimizer, i):
        astray = weights.detach() - truth
        error = xs[i] @ astray[..., None] - noise[i]
        weights.grad = (error * xs[i]).mean(-2)
        optimizer.step()
        return astray.square().sum(-1).mean(-1)

    went_on = adamw(truth if start == "the optimum" else torch.zeros_like(truth), b2)
    for i in range(BEFORE):
        train(*went_on, i)
    resumed = adamw(went_on[0], b2)
    if restored == "everything":
        resumed[1].load_state_dict(deepcopy(went_on[1].state_dict()))
    after = range(BEFORE, BEFORE + AFTER)
    return torch.stack([torch.stack([train(*run, i) for run in (went_on, resumed)]) for i in after])


@claim(
    wrong=(explodes, weeks_are_lost, heals_with_the_momentum),
    right=heals_with_both_moments,
    evidence="trained",
    examples=8,
)
@given(
    restored=st.sampled_from(["weights", "everything"]),
    start=st.sampled_from(["the optimum", "afar"]),
    b2=st.sampled_from([0.999, 0.95]),
)
def test_adamw_loss_after_a_resume(answer, restored, start, b2):
    """A resume from weights alone raises the loss for tens of steps, or for the length of Adam's memory."""
    went_on, resumed = losses(restored, start, b2).unbind(1)

    # Of 48 groups, soon after the crash all were 1.3 to 2.7 times as high; late, 0.98 to 1.01, or 1.49 to
    # 1.79 from afar at b2 = 0.999. None exceeded a fortieth of an untrained model's excess, which is DIM.
    soon, late = (resumed[when].mean(0) / went_on[when].mean(0) for when in (slice(5, 20), slice(-40, None)))
    shares = [soon > 1.15, late > 1.15, resumed > DIM]

    assert observe(shares=[share.float().mean().item() for share in shares]) == answer(restored, start, b2)
