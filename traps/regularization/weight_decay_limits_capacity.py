"""What weight decay is for when every token is seen once

A 500B-parameter model passes once over 10T tokens, so it cannot overfit. Why is weight decay used all the
same?

Answer: As a lever on the optimizer. In one pass every batch is new when its loss is taken, so there is no
    gap to close; but weights that feed a norm may have any length, and short ones turn further per step,
    so decay raises the effective learning rate. In the small nets here a decay of 0.1 lowers the training
    loss by 3.3 % in the mean at a rate of 0.03, of which most is left if each takes its best rate. One of
    2 lowers it by 20 % at a rate that is too low, and raises it by 68 % at 0.03.
Says: In one pass weight decay is no regularizer but modulates the optimizer's dynamics under a cosine
    schedule, and so reaches a lower final training loss.
Verdict: holds if decay is weak enough for the learning rate: at 0.03 a decay of 0.1 lowers the loss, by
    3.3 % in the mean, and 2 raises it, by 68 %
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 13
Asked: AI Interview Prep newsletter, LLM System Design #37
Source: D'Angelo et al. 2024, "Why Do We Need Weight Decay in Modern Deep Learning?", abstract,
    https://arxiv.org/abs/2310.04415
Terms: weight decay, AdamW, L2 regularization, one epoch, single epoch, pre-training, effective learning
    rate, scale invariance, layer norm, cosine schedule, overfitting, regularization
Right when: The data is passed many times, so that there is a gap between training and test loss to
    narrow.
Limits: Nets of two hidden layers with layer norms, 500 steps; no language model. The best learning rate
    is 0.04 without decay and 0.03 with 0.1, and at these the loss with decay is 2.6 % lower in the mean
    of 50 seeds, from 0.4 to 4.3 %. Many passes are not shown. Why decay raises the learning rate is the
    page weight_decay_leaves_the_learning_rate. The book's sharper minima and its stability in bf16 are
    not judged. The stored text of #37 stops in its second sentence. Of the paper the abstract was read.
"""

from functools import cache
from math import cos, pi

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe

# Means over 60 seeds, in per cent of the loss without decay, per learning rate and decay.
LOW_WEAK, LOW_STRONG, HIGH_WEAK, HIGH_STRONG = -1.8, -20, -3.3, 68


def nothing_to_regularize(lr, decay):
    """Weight decay is a regularizer, and without overfitting it changes nothing: drop it."""
    return 0.0


def paid_in_training_loss(lr, decay):
    """It limits what the model can become, so the training loss is higher."""
    return 3.3 if decay == 0.1 else 68


def lower_at_the_end(lr, decay):
    """Decay costs some progress early and ends at a lower training loss, the stronger the lower."""
    return -3.3 if decay == 0.1 else -20


def weak_decay_gains(lr, decay):
    """A weak decay lowers the loss; a strong one only at a low learning rate.

    One of 0.1 lowers it, one of 2 lowers it at 0.004 and raises it at 0.03. Shorter weights turn
    further per step. Near the best learning rate a little of that still helps, and much of it makes each
    step too long.
    """
    if lr == 0.004:
        return LOW_WEAK if decay == 0.1 else LOW_STRONG
    return HIGH_WEAK if decay == 0.1 else HIGH_STRONG


NETS, FEATURES, WIDTH, STEPS, DECAYS = 24, 8, 32, 500, (0, 0.1, 2)


@cache
def final_losses(lr, seed, device):
    """Training loss over the last 50 of 500 steps per decay, a mean of 24 nets.

    All see the same fresh data of noisy teachers, once, under AdamW with warm-up and cosine.
    """
    torch.manual_seed(seed)
    shapes = ((FEATURES, WIDTH), (WIDTH, WIDTH), (WIDTH, 1))
    first, _, second = (torch.randn(NETS, *shape) / shape[0] ** 0.5 for shape in shapes)
    start = [torch.randn(NETS, *shape) / shape[0] ** 0.5 for shape in shapes]
    nets = [[w.to(device, copy=True).requires_grad_() for w in start] for _ in DECAYS]
    optimizer = torch.optim.AdamW(
        [{"params": net, "weight_decay": decay} for net, decay in zip(nets, DECAYS, strict=True)], lr=lr
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / 50, 1) * (1 + cos(pi * step / STEPS)) / 2
    )
    history = []
    for _ in range(STEPS):
        x = torch.randn(NETS, 32, FEATURES)
        y = torch.tanh(3 * x @ first) @ second + torch.randn(NETS, 32, 1) / 10
        x, y = x.to(device), y.to(device)
        into, hidden, out = (torch.stack(layer) for layer in zip(*nets, strict=True))
        h = F.layer_norm(x @ into, (WIDTH,)).relu()
        h = F.layer_norm(h @ hidden, (WIDTH,)).relu()
        losses = (h @ out - y).square().mean((2, 3))
        optimizer.zero_grad()
        losses.sum().backward()
        optimizer.step()
        schedule.step()
        history.append(losses.detach().mean(1))
    return dict(zip(DECAYS, torch.stack(history[-50:]).mean(0).tolist(), strict=True))


@claim(
    wrong=(nothing_to_regularize, paid_in_training_loss, lower_at_the_end),
    right=weak_decay_gains,
    evidence="trained",
    examples=2,
)
@example(lr=0.03, decay=0.1, seed=0)
@example(lr=0.03, decay=2, seed=0)
@example(lr=0.004, decay=0.1, seed=0)
@example(lr=0.004, decay=2, seed=0)
@given(lr=st.sampled_from([0.03, 0.004]), decay=st.sampled_from([0.1, 2]), seed=st.integers(0, 9999))
def test_weight_decay_and_the_training_loss(answer, device, lr, decay, seed):
    """In one pass a weak decay lowers the training loss, and a strong one only at a low learning rate."""
    losses = final_losses(lr, seed, device)
    change = observe(per_cent=100 * (losses[decay] / losses[0] - 1))

    # Five standard deviations over these seeds; in the third case 3.7, short of no change at all.
    tolerance = {(0.004, 0.1): 0.5, (0.004, 2): 6.2, (0.03, 0.1): 3.1, (0.03, 2): 21.6}[lr, decay]
    assert change == approx(answer(lr, decay), abs=tolerance)
