"""Resuming from the weights alone

A 70B run crashes after five days and resumes from model.state_dict() alone; the loss explodes. What is
missing, and what do you do if it is gone for good?

Answer: AdamW's two moments and its step counter. Without them every weight first moves by the full
    learning rate: near the highest one that trains, a deep post-norm net falls back to a blind guess, and
    its loss peaks at 2.0 times that of the run that lost nothing and ends 1.7 times as high. So save
    optimizer.state_dict(), the schedule, the data position and the RNG with the weights. If the state is
    lost, warm the learning rate up again: then the run ends as if nothing had happened.
Says: A run that resumes from model.state_dict alone sees its loss explode.
Verdict: holds if the learning rate is near the highest that trains; well below it the loss only bumps
Asked: AI Interview Prep newsletter, LLM System Design #32
Source: OneVision-Encoder, pull 65 (2026): transient loss spikes after resuming without the state,
    https://github.com/EvolvingLMMs-Lab/OneVision-Encoder/pull/65
Source: Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", section 2.1, on the bound of a
    step, https://arxiv.org/abs/1412.6980
Terms: resume, resuming, checkpoint, state_dict, optimizer.state_dict, AdamW, loss spike, loss explosion,
    re-warmup, warm-up, warmup, exp_avg, exp_avg_sq, step counter, crash recovery, fault tolerance
Right when: The optimizer is plain SGD, which has no state.
Limits: Ten post-norm blocks, b2 = 0.999, 120 steps; the schedule goes on as if nothing had happened, and
    one that starts over is another loss. At 0.01, where these nets end lowest, the loss peaks some 50 %
    higher and ends as it would have; at a b2 of 0.95 three seeds did as at 0.999. Pre-norm nets are not
    shown. How long the first step is, is the page adamw_resume_is_a_raw_gradient_step. The stored text of
    the newsletter stops before its diagnosis.
"""

from functools import cache

import torch
from hypothesis import example, given, strategies as st

from fixtures import claim, observe
from fixtures.clocks import nearest
from fixtures.residual import ResidualNets


def only_a_bump(restored, lr, quantity):
    """The weights are the model; AdamW estimates its moments again within some steps."""
    return 1.0


def explodes_and_heals(restored, lr, quantity):
    """The loss jumps while the moments fill, and then training goes on from where it was."""
    return 2.0 if (restored, lr, quantity) == ("weights", 0.025, "peak") else 1.0


def weeks_are_lost(restored, lr, quantity):
    """The loss explodes, and without the state nothing brings back what was gained."""
    return near_the_highest_rate_alone("weights", lr, quantity)


def near_the_highest_rate_alone(restored, lr, quantity):
    """Near the highest learning rate the loss rises and stays higher, unless it is warmed up again.

    At 0.025 it peaks at 2.0 times that of the run that lost nothing, and ends 1.7 times as high. The first
    steps move each weight by the full learning rate. Near the highest one this throws the net out of where
    it had come to; well below, at 0.005, it stays there. A second warm-up takes these steps small.
    """
    if restored == "weights, re-warmed" or lr == 0.005:
        return 1.0
    return 2.0 if quantity == "peak" else 1.7


STEPS, WARMUP, CRASH = 120, 30, 40


@cache
def losses(restored, lr, seed, device):
    """The highest loss after the crash and the mean of the last 12 steps, of 8 nets side by side."""
    torch.manual_seed(seed)
    nets = ResidualNets("post-norm", depth=10, nets=8, device=device)
    history = []
    for step in range(STEPS):
        if step == 0 or (step == CRASH and restored != "all"):
            optimizer = torch.optim.AdamW(nets.weights, weight_decay=0.0, fused=True)
        rise = min(1, (step + 1) / WARMUP)
        if restored == "weights, re-warmed" and step >= CRASH:
            rise = min(1, (step - CRASH + 1) / WARMUP)
        history.append(nets.step(optimizer, lr * rise * (1 - step / STEPS)).mean())
    return {"peak": max(history[CRASH:]).item(), "end": torch.stack(history[-12:]).mean().item()}


@claim(
    wrong=(only_a_bump, explodes_and_heals, weeks_are_lost),
    right=near_the_highest_rate_alone,
    evidence="trained",
    examples=2,
)
@example(restored="weights", lr=0.025, quantity="peak", seed=0)
@example(restored="weights", lr=0.025, quantity="end", seed=0)
@example(restored="weights, re-warmed", lr=0.025, quantity="peak", seed=0)
@example(restored="weights, re-warmed", lr=0.025, quantity="end", seed=0)
@example(restored="weights", lr=0.005, quantity="peak", seed=0)
@example(restored="weights", lr=0.005, quantity="end", seed=0)
@example(restored="weights, re-warmed", lr=0.005, quantity="peak", seed=0)
@example(restored="weights, re-warmed", lr=0.005, quantity="end", seed=0)
@given(
    restored=st.sampled_from(["weights", "weights, re-warmed"]),
    lr=st.sampled_from([0.025, 0.005]),
    quantity=st.sampled_from(["peak", "end"]),
    seed=st.integers(0, 9999),
)
def test_adamw_loss_after_a_resume(answer, device, restored, lr, quantity, seed):
    """Resumed from the weights alone a deep net loses what it had learned, unless it is warmed up again.

    restored: the weights, or the weights with a second warm-up of the learning rate
    quantity: the highest loss after the crash, or the loss at the end, over that of a run that goes on
    """
    times = losses(restored, lr, seed, device)[quantity] / losses("all", lr, seed, device)[quantity]

    # Seen with 90 seeds of 8 nets and 50 of 16: peaks of 1.63 to 2.40, ends of 1.34 to 2.19, all others
    # 0.80 to 1.28. What lies between the laws decides nothing: 1.24 to 1.37 at the end.
    assert nearest(observe(times=times), 1, {"peak": 2, "end": 1.7}[quantity]) == answer(
        restored, lr, quantity
    )
