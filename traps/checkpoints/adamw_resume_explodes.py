"""The loss after a resume without the optimizer's state

A run with AdamW resumes from its weights, with moments and step counter at zero. Does the loss explode, and
is the training of weeks undone?

Verdict: refuted as stated: what the loss has above its minimum grows by half for some twenty steps and
    returns; it neither explodes nor stays
Asked: AI Interview Prep newsletter, LLM System Design #32
Source: OneVision-Encoder pull request 65, 2026: transient loss spikes after resuming without the state,
    https://github.com/EvolvingLMMs-Lab/OneVision-Encoder/pull/65
Source: Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", section 2.1, on the bound of a step,
    https://arxiv.org/abs/1412.6980
Right when: More is lost than the state: a schedule that starts over at its peak. Or less: the counter without
    its moments makes the first step 3.2 learning rates long.
Limits: Linear regressions at their optimum, under steady noise. After gradients that were larger once, the
    lost second moment had kept steps short, and the loss stays higher for some 1/(1 - b2) steps; the pull
    request speaks of 1000 to 10 000. The newsletter's own text was not seen; Kingma and Ba were not re-read.
"""

from copy import deepcopy
from functools import cache

import torch
from hypothesis import given, strategies as st

from fixtures import claim, observe


def explodes(restored):
    """Without its memory AdamW overshoots until the model is worse than at its start."""
    return [0.0, 0.0, 0.0] if restored == "everything" else [1.0, 1.0, 1.0]


def lasting_damage(restored):
    """The loss jumps, and what weeks of training have gained must be gained again."""
    return [0.0, 0.0, 0.0] if restored == "everything" else [1.0, 1.0, 0.0]


def a_bump_that_heals(restored):
    """The loss rises for tens of steps and returns to where it was.

    Each of the first steps is bounded by the learning rate, so the weights stray by a few learning rates,
    and the gradient brings them back.
    """
    return [0.0, 0.0, 0.0] if restored == "everything" else [1.0, 0.0, 0.0]


def adamw(weights, b2):
    """AdamW on a copy of these weights."""
    trained = torch.nn.Parameter(weights.detach().clone())
    return trained, torch.optim.AdamW([trained], lr=0.05, betas=(0.9, b2), weight_decay=0.0)


# Linear regressions at their optimum, kept astir by noise: groups of runs, over which losses are averaged.
GROUPS, RUNS, DIM, BATCH, BEFORE, AFTER = 4, 24, 16, 4, 120, 120


@cache
def losses(restored, b2):
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

    went_on = adamw(truth, b2)
    for i in range(BEFORE):
        train(*went_on, i)
    resumed = adamw(went_on[0], b2)
    if restored == "everything":
        resumed[1].load_state_dict(deepcopy(went_on[1].state_dict()))
    after = range(BEFORE, BEFORE + AFTER)
    return torch.stack([torch.stack([train(*run, i) for run in (went_on, resumed)]) for i in after])


@claim(wrong=(explodes, lasting_damage), right=a_bump_that_heals, evidence="trained", examples=6)
@given(restored=st.sampled_from(["weights", "everything"]), b2=st.sampled_from([0.999, 0.95]))
def test_adamw_loss_after_a_resume(answer, restored, b2):
    """A resume from weights alone raises the loss for tens of steps, and for no longer."""
    went_on, resumed = losses(restored, b2).unbind(1)

    # Of 16 groups, all were 1.39 to 1.62 times as high at first and 0.98 to 0.99 at the end; none exceeded
    # a fortieth of an untrained model's excess, which is DIM.
    raised = resumed / went_on > 1.15
    shares = [raised[5:20], raised[-40:], resumed > DIM]

    assert observe(shares=[share.float().mean().item() for share in shares]) == answer(restored)
