"""Training with weights in bf16

A junior casts the model and its optimizer to bf16, which halves the memory. bf16 has the range of fp32,
so why does training stop making progress, and what must stay in fp32?

Answer: bf16 has the exponent of fp32 but only eight significant bits, so an update much smaller than its
    weight is rounded away. Adam's step is about the learning rate: at 0.001 a growing weight stops at
    0.5, at 0.0003 at 0.125, at 0.00003 at 0.0078. Nothing overflows; the loss reaches a plateau. Keep a
    master copy of the weights in fp32 and update that, or round stochastically.
Says: bf16 keeps fp32's range but has a 7-bit mantissa, so small gradient values, often near 1e-8, are
    rounded away in updates and the parameters in effect freeze. Master weights and optimizer states in
    fp32 accumulate them.
Verdict: imprecise: what counts is an update's size relative to its weight, and under Adam the gradient's
    size hardly enters. bf16 adds 1e-8 to a weight of 1.9e-6, and fp32 loses it too, on a weight of 0.25.
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 23
Source: Zamirai et al. 2020, "Revisiting BFloat16 Training", abstract, https://arxiv.org/abs/2010.06192
Source: Micikevicius et al. 2018, "Mixed Precision Training", section 3.1,
    https://arxiv.org/abs/1710.03740
Source: Kalamkar et al. 2019, "A Study of BFLOAT16 for Deep Learning Training", abstract,
    https://arxiv.org/abs/1905.12322
Terms: bf16, bfloat16, mantissa, significand, master weights, master_weights, mixed precision,
    mixed_precision, update underflow, stagnation, ulp, machine epsilon, frozen weights, learning rate
Right when: Nothing accumulates. In the forward and the backward pass the rounding of one step is gone
    with that step, so activations and gradients may be bf16.
Limits: A steady gradient, under which Adam's step is the learning rate; on noise it is shorter, and
    weights stop earlier. The cures are the page bf16_errors_average_out, the optimizer's states
    bf16_moments_do_the_harm. The book ascribes its 1e-8 to Kalamkar et al., whose abstract does not have
    it.
"""

from math import ceil, inf, log2

import torch
from hypothesis import example, given, strategies as st

from fixtures import claim, observe
from fixtures.adam import PATHS, adamw, train
from fixtures.floats import nearest


def range_is_enough(lr):
    """bf16 has the exponent of fp32: nothing underflows, and a steady gradient moves a weight without end."""
    return inf


def at_256_steps(lr):
    """bf16 has eight bits, so a weight stops once it is 256 steps from zero."""
    return 256 * lr


def next_power_of_two(lr):
    """A growing weight stops at the first power of two that is 256 learning rates or more.

    Of a power of two, 1/256 is half the gap to the next number, and a tie goes back to the power, whose
    significand is even. A step of that length is rounded away there, a shorter one on every larger weight
    as well. Below the power the gaps are half as wide, and the step still counts.
    """
    return 2.0 ** ceil(log2(256 * lr))


def what_is_in_range_is_added(dtype, weight, update):
    """The update is in range, so it is added."""
    return update


def lost_below_1e_8(dtype, weight, update):
    """bf16 loses updates near 1e-8, and fp32 keeps them."""
    if abs(update) > 1e-8 or dtype is torch.float16:
        return nearest(dtype, weight + update) - weight
    return 0.0 if dtype is torch.bfloat16 else update


def lost_below_half_of_epsilon(dtype, weight, update):
    """An update is lost if it is at most half the machine epsilon, relative to its weight."""
    lost = abs(update) <= torch.finfo(dtype).eps / 2 * abs(weight)
    return 0.0 if lost else nearest(dtype, weight + update) - weight


def to_the_nearest_neighbour(dtype, weight, update):
    """The sum is rounded to the nearest number, so an update under half the gap there is lost.

    The gap is the same for all weights between two powers of two: on 1 and on 1.9921875 alike bf16 loses
    an update of 0.0038 and takes one of 0.004 for 0.0078. Downwards from a power of two it is half as
    wide, so -0.002 does move a weight of 1. A tie goes to the even neighbor.
    """
    return nearest(dtype, weight + update) - weight


# All bf16 numbers from 2^-16 up to 512.
WEIGHTS = [m / 128 * 2.0**e for e in range(-16, 9) for m in range(128, 256)]

rates = st.sampled_from([0.001, 0.0003, 0.0001, 0.00003, 0.002, 0.0005, 0.01, 0.1])
near_a_power = st.builds(lambda e, c: 2.0**e * (1 + c / 1000), st.integers(-13, -6), st.integers(-4, 4))


@claim(wrong=(range_is_enough, at_256_steps), right=next_power_of_two, examples=40)
@example(lr=0.001, path="foreach")
@example(lr=0.0003, path="foreach")
@example(lr=0.00003, path="foreach")
@example(lr=1.0, path="foreach")  # a counter: bf16 adds ones up to 256
@given(lr=rates | near_a_power, path=st.sampled_from(list(PATHS)))
def test_bf16_weight_stops_under_adam(answer, device, lr, path):
    """The smallest bf16 weight that a step of AdamW does not move is a power of two.

    path: the code path of torch's AdamW
    """
    before = torch.tensor(WEIGHTS, dtype=torch.bfloat16, device=device)
    # With these betas all that Adam stores in bf16 is exact and its step is lr; with 0.9 and 0.999 nearly
    # so.
    after = train(adamw(before, path, lr=lr, betas=(0.5, 0.75)), torch.full_like(before, -1.0))

    assert observe(stops_at=before[after == before].min().item()) == answer(lr)


of_eight_bits = st.builds(lambda m, e: m / 128 * 2.0**e, st.integers(128, 255), st.integers(-6, 1))
# Powers of two from 2^-7 and 2^-23 down: the gaps of the three formats near 1, halves and quarters of them.
small = st.builds(
    lambda m, k, sign: sign * m * 2.0**-k,
    st.sampled_from([1, 3, 5, 7]),
    st.integers(7, 14) | st.integers(23, 27),
    st.sampled_from([1, -1]),
)


@claim(
    wrong=(what_is_in_range_is_added, lost_below_1e_8, lost_below_half_of_epsilon),
    right=to_the_nearest_neighbour,
)
@example(dtype=torch.bfloat16, weight=1.0, update=1e-8)
@example(dtype=torch.bfloat16, weight=2.0**-19, update=1e-8)  # 1.9e-6
@example(dtype=torch.float32, weight=0.25, update=1e-8)
@example(dtype=torch.bfloat16, weight=1.0, update=0.0038)
@example(dtype=torch.bfloat16, weight=1.9921875, update=0.0038)
@example(dtype=torch.bfloat16, weight=1.9921875, update=0.004)
@example(dtype=torch.bfloat16, weight=1.0, update=-0.002)
@example(dtype=torch.bfloat16, weight=1.0, update=2.0**-8)  # ties, to an even neighbor
@example(dtype=torch.bfloat16, weight=1.0078125, update=2.0**-8)
@given(
    dtype=st.sampled_from([torch.bfloat16, torch.float16, torch.float32]),
    weight=of_eight_bits | st.sampled_from([1.0, 0.25, 2.0**-18, 2.0**-19, 0.0]),
    update=small | st.sampled_from([1e-8, -1e-8]),
)
def test_bf16_update_arrives_or_is_lost(answer, device, dtype, weight, update):
    """What arrives of an update depends on the gap between its weight and the neighbor on its side.

    weight: what is stored
    update: what is added to it
    """
    stored = torch.tensor(weight, dtype=dtype, device=device)

    stored.add_(torch.tensor(update, dtype=dtype, device=device))

    assert observe(arrived=stored.item() - weight) == answer(dtype, weight, update)
