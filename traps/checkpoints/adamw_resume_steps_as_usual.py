"""The first steps of a resumed AdamW, on noise

A run with AdamW resumes from its weights, with moments and step counter at zero. Bias correction makes the
new moments unbiased, so are the next steps as long as they would have been?

Verdict: holds if gradients are mostly noise: then the first step is sqrt((1 + b1)/(1 - b1)) times too long,
    4.4 for b1 = 0.9; the tenth is 1.4 times, the fortieth as usual
Asked: AI Interview Prep newsletter, LLM System Design #32
Source: Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", section 3,
    https://arxiv.org/abs/1412.6980
Right when: The gradients agree: a mean far above its deviation makes steps of one learning rate, resumed or
    not, as the second claim shows.
Limits: Gradients of one steady law. If they were larger before the crash, the old second moment kept steps
    short, and without it they stay longer. The newsletter says that the state is missed; its own text was not
    seen, only a digest.
"""

from functools import cache

import torch
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe


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
    """The t-th step is sqrt((1 + b1^t)/(1 - b1^t)) times too long: 4.4 at first, 1.4 at t = 10, 1.1 at 20.

    The mean of a few gradients cancels less noise than that of a long past. The second moment changes
    nothing: it is made of the same gradients, and their squares over their mean square are one on average.
    """
    return ((1 + b1**t) / (1 - b1**t)) ** 0.5


def always_as_on_noise(signal, b1):
    """The first step is sqrt((1 + b1)/(1 - b1)) times too long, whatever the gradients."""
    return ((1 + b1) / (1 - b1)) ** 0.5


def less_with_signal(signal, b1):
    """It is sqrt((1 + s²)/(s² + (1 - b1)/(1 + b1))) times too long, s being mean over deviation.

    A long mean keeps all of the signal and (1 - b1)/(1 + b1) of the variance of the noise. Where gradients
    agree, a step is a learning rate before and after.
    """
    kept = (1 - b1) / (1 + b1)
    return ((1 + signal**2) / (signal**2 + kept)) ** 0.5


def adamw(b1, b2):
    """A run of AdamW: a function from gradients to the step that each of many weights makes."""
    weights = torch.nn.Parameter(torch.zeros(WEIGHTS))
    optimizer = torch.optim.AdamW([weights], lr=1.0, betas=(b1, b2), weight_decay=0.0)

    def step(gradients):
        before, weights.grad = weights.detach().clone(), gradients
        optimizer.step()
        return weights.detach() - before

    return step


# Weights that share one law of gradients, so that many steps are seen at once; steps before the crash.
WEIGHTS, PAST = 10_000, 80


@cache
def excess(b1, b2, signal, steps=40):
    """Root mean squares of the steps after a resume, over those of the run that went on."""
    random = torch.Generator().manual_seed(0)
    went_on, resumed = adamw(b1, b2), adamw(b1, b2)
    for _ in range(PAST):
        went_on(signal + torch.randn(WEIGHTS, generator=random))
    ratios = []
    for _ in range(steps):
        gradients = signal + torch.randn(WEIGHTS, generator=random)
        usual, fresh = (step(gradients).square().mean() for step in (went_on, resumed))
        ratios.append((fresh / usual).sqrt().item())
    return ratios


b1s = st.sampled_from([0.9, 0.8])


@claim(
    wrong=(usual_at_once, until_momentum_is_back, set_by_the_variance),
    right=mean_of_few_gradients,
    evidence="simulated",
)
@given(t=st.sampled_from([1, 2, 3, 4, 5, 10, 20, 40]), b1=b1s, b2=st.sampled_from([0.999, 0.99]))
def test_adamw_steps_after_a_resume(answer, t, b1, b2):
    """On noise the steps of a resumed AdamW are too long by a factor that falls to one within 40 steps."""
    # A mean of n squares of normals is off by sqrt(2/n), its root by half of that, the ratio by sqrt(2) more.
    five_deviations = 5 / WEIGHTS**0.5

    assert observe(excess=excess(b1, b2, 0.0)[t - 1]) == approx(answer(t, b1, b2), rel=five_deviations)


@claim(wrong=always_as_on_noise, right=less_with_signal, evidence="simulated")
@given(signal=st.integers(0, 4).map(lambda k: k / 2), b1=b1s)
def test_adamw_first_step_where_gradients_agree(answer, signal, b1):
    """The more the gradients agree, the less too long is the first step after a resume."""
    (first,) = excess(b1, 0.999, signal, steps=1)

    assert observe(excess=first) == approx(answer(signal, b1), rel=5 / WEIGHTS**0.5)
