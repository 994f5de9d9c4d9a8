"""What weight decay is for when every token is seen once

A 500B-parameter model passes once over 10T tokens, so it cannot overfit. Why is weight decay used all the
    same?

Answer: As a lever on the optimizer. Weights that feed a norm may have any length, and short ones turn
    further per step, so decay raises the effective learning rate: a layer that decays is one whose learning
    rate grows. In one pass every batch is new when its loss is taken, so there is no gap to close, and the
    training loss moves both ways: in the small nets here to 0.81 times at a learning rate that is too low,
    to 1.68 times at the best one.
Says: In one pass weight decay is no regularizer but modulates the optimizer's dynamics under a cosine
    schedule, and so reaches a lower final training loss.
Verdict: holds if the learning rate is below its best, which decay makes up for
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 13
Asked: AI Interview Prep newsletter, LLM System Design #37
Source: D'Angelo et al. 2024, "Why Do We Need Weight Decay in Modern Deep Learning?", abstract,
    https://arxiv.org/abs/2310.04415
Terms: weight decay, AdamW, L2 regularization, one epoch, single epoch, pre-training, effective learning
    rate, scale invariance, layer norm, cosine schedule, overfitting, regularization
Right when: The data is passed many times: then there is a gap between training and test loss, and decay
    narrows it.
Limits: Nets of two hidden layers with layer norms, 500 steps; that decay lowers the loss of a tuned
    language model, as D'Angelo and others report, is not shown. The schedule is exact for plain SGD on
    weights that feed a norm. The book's sharper minima and its stability in bf16 are not judged. The stored
    text of #37 stops in its second sentence. Of the paper the abstract was read.
"""

from functools import cache
from math import cos, pi

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def nothing_to_regularize(lr):
    """Weight decay is a regularizer, and without overfitting it changes nothing: drop it."""
    return 1.0


def lower_at_the_end(lr):
    """Decay costs some progress early and ends at a lower training loss."""
    return 0.81


def paid_in_training_loss(lr):
    """It limits what the model can become, so the training loss is higher."""
    return 1.68


def makes_up_for_a_low_rate(lr):
    """Decay lowers the training loss if the learning rate is too low, and raises it if it is the best.

    Shorter weights turn further per step, which helps at 0.004; at 0.03 steps are as long as they should be.
    """
    return 0.81 if lr == 0.004 else 1.68


NETS, FEATURES, WIDTH, STEPS = 8, 8, 32, 500


@cache
def final_losses(lr, seed, device):
    """Training loss over the last 50 of 500 steps, without decay and with a decay of 2, over eight nets.

    All see the same fresh data of noisy teachers, once, under AdamW with warm-up and cosine.
    """
    torch.manual_seed(seed)
    shapes = ((FEATURES, WIDTH), (WIDTH, WIDTH), (WIDTH, 1))
    first, second = (
        torch.randn(NETS, FEATURES, WIDTH) / FEATURES**0.5,
        torch.randn(NETS, WIDTH, 1) / WIDTH**0.5,
    )
    start = [torch.randn(NETS, *shape) / shape[0] ** 0.5 for shape in shapes]
    nets = {decay: [w.to(device, copy=True).requires_grad_() for w in start] for decay in (0, 2)}
    optimizer = torch.optim.AdamW(
        [{"params": net, "weight_decay": decay} for decay, net in nets.items()], lr=lr
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / 50, 1) * (1 + cos(pi * step / STEPS)) / 2
    )
    history = []
    for _ in range(STEPS):
        x = torch.randn(NETS, 32, FEATURES)
        y = torch.tanh(3 * x @ first) @ second + torch.randn(NETS, 32, 1) / 10
        x, y = x.to(device), y.to(device)
        losses = []
        for into, hidden, out in nets.values():
            h = F.layer_norm(x @ into, (WIDTH,)).relu()
            h = F.layer_norm(h @ hidden, (WIDTH,)).relu()
            losses.append((h @ out - y).square().mean((1, 2)).sum())
        optimizer.zero_grad()
        sum(losses).backward()
        optimizer.step()
        schedule.step()
        history.append(torch.stack(losses).detach())
    return (torch.stack(history[-50:]).mean(0) / NETS).tolist()


@claim(
    wrong=(nothing_to_regularize, lower_at_the_end, paid_in_training_loss),
    right=makes_up_for_a_low_rate,
    evidence="trained",
    examples=2,
)
@example(lr=0.004, seed=0)
@example(lr=0.03, seed=0)
@given(lr=st.sampled_from([0.004, 0.03]), seed=st.integers(0, 9999))
def test_weight_decay_and_the_training_loss(answer, device, lr, seed):
    """In one pass decay changes the training loss, down at a low learning rate and up at the best one."""
    without, with_decay = final_losses(lr, seed, device)

    # With 50 seeds 0.74 to 0.87 and 1.57 to 1.83; five standard deviations are 0.13 and 0.30.
    assert observe(ratio=with_decay / without) == approx(answer(lr), abs=0.13 if lr < 0.01 else 0.33)
