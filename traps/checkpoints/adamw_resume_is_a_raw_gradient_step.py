"""The first step of a resumed AdamW

A run with AdamW crashes, and its checkpoint holds the weights but not the optimizer. How long is the first
step after the resume, and how long if only the moments, or only the step counter, had been saved?

Verdict: refuted as stated: without its moments AdamW takes no raw gradient steps; the first one moves every
    weight by the learning rate, whatever its gradient
Asked: AI Interview Prep newsletter, LLM System Design #32
Source: Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1 and section 3,
    https://arxiv.org/abs/1412.6980
Source: stylegan2-ada-pytorch issue 108, 2022: without the states all weights move by the same amount,
    https://github.com/NVlabs/stylegan2-ada-pytorch/issues/108
Right when: The optimizer is plain SGD, which has no statistics to lose.
Limits: The first step; what follows is the page on the resume that explodes. A learning-rate schedule that
    starts over is another loss. "Raw gradient steps" are the words of a digest of the newsletter, whose own
    text was not seen.
"""

from copy import deepcopy
from math import copysign

import torch
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe


def as_if_uninterrupted(gradients, b1, b2):
    """AdamW estimates its moments again from the gradient, so the step is the one that would have come."""
    t, ages = len(gradients), range(len(gradients))
    m = sum((1 - b1) * b1**age * gradients[-1 - age] for age in ages) / (1 - b1**t)
    v = sum((1 - b2) * b2**age * gradients[-1 - age] ** 2 for age in ages) / (1 - b2**t)
    return m / v**0.5


def raw_gradient(gradients, b1, b2):
    """Without its statistics AdamW reverts to raw gradient steps."""
    return gradients[-1]


def over_epsilon(gradients, b1, b2):
    """The variance starts at zero, so the gradient is divided by epsilon and the step explodes."""
    return gradients[-1] / 1e-8


def from_a_standstill(gradients, b1, b2):
    """Momentum starts at zero and has to build up, so the first step is a tenth of the learning rate."""
    return copysign(1 - b1, gradients[-1])


def sign_of_the_gradient(gradients, b1, b2):
    """Every weight moves by the learning rate, against the sign of its gradient, large or small.

    Bias correction makes the one gradient its mean, and its square the variance: g/|g|.
    """
    return copysign(1, gradients[-1])


def bookkeeping(kept, t, b1, b2):
    """The moments make the step; the counter is bookkeeping."""
    return 1.0


def late_in_training(kept, t, b1, b2):
    """The factor is sqrt(1 - b2)/(1 - b1) or its inverse, whenever the run was interrupted."""
    factor = (1 - b2) ** 0.5 / (1 - b1)
    return factor if kept == "moments" else 1 / factor


def by_both_bias_corrections(kept, t, b1, b2):
    """Moments of t steps are corrected as if they were of one, or a moment of one as if it were of t.

    Late in training, with b1 = 0.9, moments without their counter make 0.32 of a step for b2 = 0.999 and 2.2
    for 0.95. The counter without its moments makes the inverse of a fresh step: 3.2 and 0.45 learning rates.
    """
    factor = (1 - b1**t) / (1 - b1) * ((1 - b2) / (1 - b2**t)) ** 0.5
    return factor if kept == "moments" else 1 / factor


def next_step(kept, gradients, b1, b2):
    """Learning rates by which AdamW moves at the last gradient, with this much of its state kept."""
    weight = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))
    optimizer = torch.optim.AdamW([weight], lr=1.0, betas=(b1, b2), weight_decay=0.0)
    for gradient in gradients[:-1]:
        weight.grad = torch.full_like(weight, gradient)
        optimizer.step()
    checkpoint = deepcopy(optimizer.state_dict())
    state = checkpoint["state"][0]
    if "counter" not in kept:
        state["step"].zero_()
    if "moments" not in kept:
        state["exp_avg"].zero_()
        state["exp_avg_sq"].zero_()

    resumed = torch.nn.Parameter(torch.zeros_like(weight))
    optimizer = torch.optim.AdamW([resumed], lr=1.0, betas=(b1, b2), weight_decay=0.0)
    if kept:
        optimizer.load_state_dict(checkpoint)
    resumed.grad = torch.full_like(resumed, gradients[-1])
    optimizer.step()
    return -resumed.item()


gradients = st.integers(1, 8).map(float)
signed = st.builds(lambda size, sign: size * sign, gradients, st.sampled_from([1, -1]))
rates = {"b1": st.sampled_from([0.9, 0.8]), "b2": st.sampled_from([0.999, 0.99, 0.95])}


@claim(
    wrong=(as_if_uninterrupted, raw_gradient, over_epsilon, from_a_standstill),
    right=sign_of_the_gradient,
    examples=20,
)
@given(gradients=st.lists(signed, min_size=2, max_size=12), **rates)
def test_adamw_first_step_after_the_weights_alone(answer, gradients, b1, b2):
    """Resumed from the weights alone, AdamW first moves every weight by its learning rate."""
    assert observe(step=next_step("", gradients, b1, b2)) == approx(answer(gradients, b1, b2))


@claim(wrong=(bookkeeping, late_in_training), right=by_both_bias_corrections, examples=30)
@given(
    kept=st.sampled_from(["moments", "counter"]),
    gradients=st.lists(gradients, min_size=2, max_size=20),
    **rates,
)
def test_adamw_resumes_with_half_its_state(answer, kept, gradients, b1, b2):
    """Moments without their counter, or the counter without its moments, scale the step by a known factor."""
    whole = "moments, counter" if kept == "moments" else ""
    factor = next_step(kept, gradients, b1, b2) / next_step(whole, gradients, b1, b2)

    assert observe(factor=factor) == approx(answer(kept, len(gradients), b1, b2))
