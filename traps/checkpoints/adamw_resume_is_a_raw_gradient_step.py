"""The first step of AdamW after a resume

A run with AdamW resumes without its moments, its step counter, or both. How long is the first step?

Answer: With both lost, bias correction makes the first step g/|g|: every weight moves by the learning
    rate, whether its gradient is 1 or 4. With the counter kept and the moments lost it is 3.05 learning
    rates after 2641 steps at a b2 of 0.999, and 0.45 at 0.95. With the moments kept and a counter that
    starts over it is 0.33 of the right step at 0.999, and 2.2 of it at 0.95. Save optimizer.state_dict();
    if it is lost, warm the learning rate up again.
Verdict: not judged: the newsletter's abstract says only that the loss explodes, not how long the steps
    are
Asked: AI Interview Prep newsletter, LLM System Design #32
Source: Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1 and section 3,
    https://arxiv.org/abs/1412.6980
Source: TransformerEngine issue 1986: restored moments with a wrong step counter,
    https://github.com/NVIDIA/TransformerEngine/issues/1986
Source: stylegan2-ada-pytorch issue 108, 2022: without the states all weights move by the same amount,
    https://github.com/NVlabs/stylegan2-ada-pytorch/issues/108
Terms: bias correction, step counter, exp_avg, exp_avg_sq, resume, sign descent, momentum, beta1, beta2,
    AdamW restart, warm-up, re-warm-up, warmup, optimizer.state_dict
Right when: The optimizer is plain SGD, which has no statistics to lose.
Limits: No weight decay, and gradients far above eps; a gradient of exactly 0 makes no step. "Raw gradient
    steps" are the words of a digest. The steps that follow are the page adamw_resume_steps_as_usual.
"""

from math import copysign

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.adam import adamw, train, trained


def as_if_uninterrupted(gradients, b1, b2):
    """AdamW estimates its moments again from the gradient, so the step is the one that would have come."""
    t, ages = len(gradients), range(len(gradients))
    m = sum((1 - b1) * b1**age * gradients[-1 - age] for age in ages) / (1 - b1**t)
    v = sum((1 - b2) * b2**age * gradients[-1 - age] ** 2 for age in ages) / (1 - b2**t)
    return m / v**0.5 if v else 0.0


def raw_gradient(gradients, b1, b2):
    """Without its statistics AdamW reverts to raw gradient steps."""
    return gradients[-1]


def from_a_standstill(gradients, b1, b2):
    """Momentum starts at zero and has to build up, so the first step is a tenth of the learning rate."""
    return (1 - b1) * sign_of_the_gradient(gradients, b1, b2)


def sign_of_the_gradient(gradients, b1, b2):
    """Every weight moves by the learning rate, against the sign of its gradient, large or small.

    Bias correction makes the one gradient its mean, and its square the variance: g/|g|.
    """
    return copysign(1, gradients[-1]) if gradients[-1] else 0.0


def bookkeeping(taken, counter, b1, b2):
    """The moments make the step; the counter is bookkeeping."""
    return 1.0


def late_in_training(taken, counter, b1, b2):
    """A counter that starts over makes the step sqrt(1 - b2)/(1 - b1) times as long, whenever that is."""
    return (1 - b2) ** 0.5 / (1 - b1)


def by_both_bias_corrections(taken, counter, b1, b2):
    """Moments of so many steps are corrected as if they were of as many as the counter tells.

    Each moment is divided by 1 - b^t, with the counter's t in place of the number of steps that it is
    made of. The first moment makes steps too long if the counter is too small, the second too short.
    """
    first, second = ((1 - b**taken) / (1 - b**counter) for b in (b1, b2))
    return first / second**0.5


def first_step(gradients, b1, b2):
    """Learning rates by which AdamW moves at the last gradient, resumed from weights alone."""
    whole = adamw(torch.zeros(1, dtype=torch.float64), lr=1.0, betas=(b1, b2))
    weights = train(whole, *(torch.full_like(trained(whole), g) for g in gradients[:-1]))
    resumed = adamw(weights, lr=1.0, betas=(b1, b2))
    return (weights - train(resumed, torch.full_like(weights, gradients[-1]))).item()


def miscounted_step(taken, counter, b1, b2):
    """Learning rates of the last of so many steps on a gradient of 1, taken with another counter."""
    optimizer = adamw(torch.zeros(1, dtype=torch.float64), lr=1.0, betas=(b1, b2))
    gradient = torch.ones(1, dtype=torch.float64)
    before = train(optimizer, *[gradient] * (taken - 1))
    if taken == 1:  # the moments are lost, and what is left is the counter
        zeros = torch.zeros_like(gradient)
        optimizer.state[trained(optimizer)] = {"exp_avg": zeros, "exp_avg_sq": zeros.clone()}
    optimizer.state[trained(optimizer)]["step"] = torch.tensor(float(counter - 1))
    return (before - train(optimizer, gradient)).item()


betas = {"b1": st.sampled_from([0.9, 0.8]), "b2": st.sampled_from([0.999, 0.99, 0.95])}
gradients = st.integers(-8, 8).map(lambda quarters: quarters / 4)


@claim(wrong=(as_if_uninterrupted, raw_gradient, from_a_standstill), right=sign_of_the_gradient, examples=20)
@example(gradients=[1.0, 1.0, -1.0, 4.0], b1=0.9, b2=0.999)
@example(gradients=[1.0, 1.0, -1.0, 0.0], b1=0.9, b2=0.999)
@given(gradients=st.lists(gradients, min_size=2, max_size=12), **betas)
def test_adamw_first_step_after_the_weights_alone(answer, gradients, b1, b2):
    """Resumed from the weights alone, AdamW first moves every weight by its learning rate.

    gradients: all of one weight, the last of them after the resume
    """
    assert observe(learning_rates=first_step(gradients, b1, b2)) == approx(answer(gradients, b1, b2))


@claim(wrong=(bookkeeping, late_in_training), right=by_both_bias_corrections, examples=30)
@example(taken=2641, counter=1, b1=0.9, b2=0.999)
@example(taken=2641, counter=1, b1=0.9, b2=0.95)
@example(taken=2641, counter=2, b1=0.9, b2=0.999)
@example(taken=2641, counter=2, b1=0.9, b2=0.95)
@example(taken=1, counter=2641, b1=0.9, b2=0.999)
@example(taken=1, counter=2641, b1=0.9, b2=0.95)
@given(taken=st.integers(1, 20), counter=st.integers(1, 60), **betas)
def test_adamw_resumes_with_half_its_state(answer, taken, counter, b1, b2):
    """Moments of some steps under a counter that tells another number scale the step by a known factor.

    taken: steps that the moments are made of
    counter: steps that the counter tells, this one included
    """
    assert observe(learning_rates=miscounted_step(taken, counter, b1, b2)) == approx(
        answer(taken, counter, b1, b2)
    )
