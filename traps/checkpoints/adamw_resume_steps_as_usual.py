"""How long AdamW's steps are after a resume

A run with AdamW resumes from its weights, with moments and step counter at zero. Bias correction makes
the new moments unbiased, so are the next steps as long as they would have been?

Answer: Not where gradients are mostly noise: momentum averages noise away, and a fresh one has nothing to
    average. At a b1 of 0.9 the first step is 4.4 times the usual one, the 10th 1.4 times, the 20th 1.1
    times; from the 40th on they are as usual. Where the gradients agree there is no excess. Save the
    optimizer's state, or warm the learning rate up again over the first tens of steps.
Verdict: not judged: the newsletter's abstract says only that the loss explodes, not how long the steps
    are
Asked: AI Interview Prep newsletter, LLM System Design #32
Source: Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", section 3,
    https://arxiv.org/abs/1412.6980
Source: OneVision-Encoder, pull 65 (2026): the instability that is put down to b2 = 0.999,
    https://github.com/EvolvingLMMs-Lab/OneVision-Encoder/pull/65
Terms: AdamW restart, resume, momentum, beta1, bias correction, gradient noise, effective step size,
    exp_avg, re-warm-up, warm-up, warmup, loss spike
Right when: The gradients agree: a mean far above its deviation makes steps of one learning rate, resumed
    or not, as the second claim shows.
Limits: Gradients of one steady law. If they were larger before the crash, the old second moment kept
    steps short, and without it they stay longer. With half of the state kept see the page
    adamw_resume_is_a_raw_gradient_step.
"""

from functools import cache

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.adam import adamw, train, trained


def usual_at_once(t, b1, b2):
    """Bias correction makes the first moments unbiased, so the steps are of their usual size."""
    return 1.0


def until_momentum_is_back(t, b1, b2):
    """Without momentum noise does not cancel, and the steps are sqrt((1 + b1)/(1 - b1)) times too long."""
    return ((1 + b1) / (1 - b1)) ** 0.5


def set_by_the_variance(t, b1, b2):
    """The variance needs a thousand steps to settle, and until then the steps are wild."""
    return ((1 + b2**t) / (1 - b2**t)) ** 0.5


def mean_of_few_gradients(t, b1, b2):
    """The t-th step is sqrt((1 + b1^t)/(1 - b1^t)) times too long.

    That is 4.4 at first, 1.4 at t = 10 and 1.1 at 20. The mean of a few gradients cancels less noise than
    that of a long past. The second moment changes nothing: it is made of the same gradients, and their
    squares over their mean square are one on average.
    """
    return ((1 + b1**t) / (1 - b1**t)) ** 0.5


def always_as_on_noise(signal, b1):
    """The first step is sqrt((1 + b1)/(1 - b1)) times too long, whatever the gradients."""
    return ((1 + b1) / (1 - b1)) ** 0.5


def less_with_signal(signal, b1):
    """It is sqrt((1 + s²)/(s² + (1 - b1)/(1 + b1))) times too long, s being mean over deviation.

    A long mean keeps all of the signal and (1 - b1)/(1 + b1) of the variance of the noise. Where
    gradients agree, a step is a learning rate before and after.
    """
    kept = (1 - b1) / (1 + b1)
    return ((1 + signal**2) / (signal**2 + kept)) ** 0.5


# Weights that share one law of gradients, so that many steps are seen at once; steps before the crash.
WEIGHTS, PAST = 10_000, 80


@cache
def excess(b1, b2, signal, seed, steps=40):
    """Root mean squares of the steps after a resume, over those of the run that went on."""
    random = torch.Generator().manual_seed(seed)
    start = torch.zeros(WEIGHTS)
    went_on, fresh = (adamw(start, lr=1.0, betas=(b1, b2)) for _ in range(2))
    train(went_on, *(signal + torch.randn(WEIGHTS, generator=random) for _ in range(PAST)))
    ratios, places = [], [trained(run).detach().clone() for run in (went_on, fresh)]
    for _ in range(steps):
        gradient = signal + torch.randn(WEIGHTS, generator=random)
        moved = [train(run, gradient) for run in (went_on, fresh)]
        usual, resumed = ((now - was).square().mean() for now, was in zip(moved, places, strict=True))
        ratios.append((resumed / usual).sqrt().item())
        places = moved
    return ratios


@claim(
    wrong=(usual_at_once, until_momentum_is_back, set_by_the_variance),
    right=mean_of_few_gradients,
    evidence="simulated",
    examples=16,
)
@example(t=1, b1=0.9, b2=0.999, seed=0)
@example(t=10, b1=0.9, b2=0.999, seed=0)
@example(t=20, b1=0.9, b2=0.999, seed=0)
@example(t=40, b1=0.9, b2=0.999, seed=0)
@given(
    t=st.sampled_from([1, 2, 3, 4, 5, 10, 20, 40]),
    b1=st.sampled_from([0.9, 0.8]),
    b2=st.sampled_from([0.999, 0.99, 0.95]),
    seed=st.integers(0, 9999),
)
def test_adamw_steps_after_a_resume(answer, t, b1, b2, seed):
    """On noise the steps of a resumed AdamW are too long by a factor that falls to one within 40 steps.

    t: the step after the resume
    """
    # A mean of n squares of normals is off by sqrt(2/n), its root by half of that, the ratio by sqrt(2)
    # more.
    five_deviations = 5 / WEIGHTS**0.5

    assert observe(excess=excess(b1, b2, 0.0, seed)[t - 1]) == approx(answer(t, b1, b2), rel=five_deviations)


@claim(wrong=always_as_on_noise, right=less_with_signal, evidence="simulated", examples=16)
@example(signal=0.0, b1=0.9, seed=0)
@example(signal=2.0, b1=0.9, seed=0)
@given(
    signal=st.integers(0, 4).map(lambda k: k / 2),
    b1=st.sampled_from([0.9, 0.8]),
    seed=st.integers(0, 9999),
)
def test_adamw_first_step_where_gradients_agree(answer, signal, b1, seed):
    """The more the gradients agree, the less too long is the first step after a resume.

    signal: the mean of the gradients over their standard deviation
    """
    (first,) = excess(b1, 0.999, signal, seed, steps=1)

    assert observe(excess=first) == approx(answer(signal, b1), rel=5 / WEIGHTS**0.5)
