"""Where AdamW's decay leaves the weights

AdamW multiplies each weight by 1 - rate · decay before it adds a step. Do weights whose gradients are mere
noise shrink away, and does it matter how large the gradients are?

Verdict: holds if the rate is kept for a few times 1/(rate · decay) steps: the weights then settle at a size
    that rate and decay set, however large the gradients
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 13
Asked: AI Interview Prep newsletter, LLM System Design #37
Source: Kosson, Messmer and Jaggi 2023, "Rotational Equilibrium: How Weight Decay Balances Learning Across
    Neural Networks", abstract, https://arxiv.org/abs/2305.17212
Source: Wang and Aitchison 2024, "How to set AdamW's weight decay as you scale model and dataset size",
    abstract, https://arxiv.org/abs/2405.13698
Source: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", abstract,
    https://arxiv.org/abs/1711.05101
Limits: A constant rate, and gradients that are pure noise or perfectly steady; real ones lie between. It
    takes 1/(rate · decay) steps to forget a start: 33 000 at 3e-4 and 0.1, 333 000 at 3e-5. The book
    says that decay's influence wanes as the rate falls; the weights still keep the size of the higher rate.
    #37 breaks off; only what is visible is judged. Of the papers the abstracts were read.
"""

from functools import cache

import torch
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe


def decayed_to_nothing(rate, decay, gradient):
    """Noise averages out and decay does not: the weights go to zero."""
    return 0.0


def one_over_decay(rate, decay, gradient):
    """A step has the size of the rate and decay takes rate · decay · weight: they balance at 1/decay."""
    return 1 / decay


def louder_is_larger(rate, decay, gradient):
    """Decay is pitted against the gradient: gradients a thousand times as large hold larger weights."""
    return (1000 if gradient == "loud noise" else 1) * root_of_rate_over_decay(rate, decay, gradient)


def root_of_rate_over_decay(rate, decay, gradient):
    """Noise holds the weights at sqrt(rate/(2 · decay)), loud or soft; a steady gradient at 1/decay.

    Adam's step is rate times a random sign, whatever the size of the gradients. Variance grows by rate² a
    step and decay takes 2 · rate · decay of it. (Momentum lowers the root by 4 % at rate · decay = 0.01.)
    """
    return 1 / decay if gradient == "steady" else (rate / (2 * decay)) ** 0.5


def loss_scale_drops_out(optimizer, scale, decay):
    """Adam divides each gradient by its size, so the scale of the loss drops out, decay or not."""
    return decay


def louder_loss_drowns_decay(optimizer, scale, decay):
    """A loss that counts more leaves less to the decay."""
    return decay / scale


def only_l2_is_drowned(optimizer, scale, decay):
    """AdamW's decay ignores the scale of the loss; the L2 term of Adam is divided by it.

    Adam adds decay · weight to the gradient before it divides by the size of the whole. AdamW decays the
    weight itself.
    """
    return decay if optimizer is torch.optim.AdamW else decay / scale


@cache
def settle(rate, decay):
    """Root mean square of a thousand weights, all 1 at first, after five times 1/(rate · decay) steps."""
    random = torch.Generator().manual_seed(0)
    weights = torch.ones(3, 1000, requires_grad=True)
    optimizer = torch.optim.AdamW([weights], lr=rate, weight_decay=decay)
    for _ in range(round(5 / (rate * decay))):
        noise = torch.randn(1000, generator=random)
        weights.grad = torch.stack([noise, 1000 * noise, -torch.ones(1000)])
        optimizer.step()
    rms = weights.detach().square().mean(1).sqrt()
    return dict(zip(["noise", "loud noise", "steady"], rms.tolist(), strict=True))


def train(optimizer, scale, decay, steps, seed):
    """A weight, 1 at first, after some steps on a scaled loss with random slopes."""
    slopes = torch.randn(steps, generator=torch.Generator().manual_seed(seed))
    weight = torch.ones((), requires_grad=True)
    # Adam's eps is the one constant that does not scale with the gradients.
    stepper = optimizer([weight], lr=0.1, weight_decay=decay, eps=0)
    for slope in slopes:
        stepper.zero_grad()
        (scale * slope * weight).backward()
        stepper.step()
    return weight.item()


@claim(
    wrong=(decayed_to_nothing, one_over_decay, louder_is_larger),
    right=root_of_rate_over_decay,
    evidence="simulated",
    examples=15,
)
@given(
    setting=st.sampled_from(
        [{"rate": 0.1, "decay": 0.1}, {"rate": 0.1, "decay": 0.05}, {"rate": 0.0125, "decay": 0.8}]
    ),
    gradient=st.sampled_from(["noise", "loud noise", "steady"]),
)
def test_adamw_decay_settles(answer, setting, gradient):
    """Under AdamW weights settle at a size that depends on rate and decay, and not on the gradients' size."""
    rms = settle(**setting)[gradient]

    # Five standard errors of the root mean square of 1000 weights are 11 %; momentum takes up to 4 %.
    assert observe(rms=rms) == approx(answer(**setting, gradient=gradient), rel=0.15)


@claim(wrong=(loss_scale_drops_out, louder_loss_drowns_decay), right=only_l2_is_drowned, examples=30)
@given(
    optimizer=st.sampled_from([torch.optim.Adam, torch.optim.AdamW]),
    scale=st.sampled_from([2, 64, 1024]),
    decay=st.sampled_from([0.5, 0.1]),
    steps=st.integers(2, 5),
    seed=st.integers(0, 20),
)
def test_adamw_decay_ignores_the_loss_scale(answer, optimizer, scale, decay, steps, seed):
    """Scaling the loss is the same as dividing the decay in Adam, and changes nothing in AdamW."""
    weight = train(optimizer, scale, decay, steps, seed)

    assert observe(weight=weight) == train(optimizer, 1, answer(optimizer, scale, decay), steps, seed)
