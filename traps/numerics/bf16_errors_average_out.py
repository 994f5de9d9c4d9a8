"""Master weights and stochastic rounding

Each update is too small for a weight in bf16. Do the rounding errors average out over many steps, and
what keeps the updates: an fp32 master copy, which is cast to bf16 all the same, or rounding at random?

Answer: Rounding to nearest loses a small update at every step, and always in the same direction: 100
    steps of 0.001 leave a bf16 weight of 1 where it is. An fp32 master copy collects them, and its bf16
    cast has then moved by 0.1016. Stochastic rounding needs no copy: it rounds up with the chance of the
    remainder, so that weights move by the right amount on average.
Says: Master weights in fp32 accumulate the tiny updates with full 23-bit precision before they are
    applied, which prevents learning signals from being lost.
Verdict: holds
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 23
Source: Micikevicius et al. 2018, "Mixed Precision Training", section 3.1,
    https://arxiv.org/abs/1710.03740
Source: Zamirai et al. 2020, "Revisiting BFloat16 Training", abstract: nearest rounding cancels small
    updates; stochastic rounding or Kahan summation comes close to 32-bit accuracy,
    https://arxiv.org/abs/2010.06192
Terms: master weights, master_weights, fp32 copy, mixed precision, mixed_precision, stochastic rounding,
    Kahan summation, bf16, bfloat16, gradient accumulation, SGD
Right when: Updates are noisy by half a gap or more: the noise dithers the rounding, and its errors
    average out.
Limits: Plain SGD under a steady gradient. Which updates are too small is the page bf16_range_is_enough;
    Kahan summation is not tried.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.floats import gap, nearest


def errors_cancel(master, weight, lr, steps):
    """Some errors go up and some go down; over many steps they cancel."""
    return steps * lr


def lost_in_the_cast(master, weight, lr, steps):
    """A master copy changes nothing: the forward pass reads its bf16 cast, and there the update is lost."""
    return lost_at_each_step(False, weight, lr, steps)


def lost_at_each_step(master, weight, lr, steps):
    """Without a master copy each step is rounded, and lost again if it is too small; with one, only the sum
    is.

    The copy has sixteen bits more in which to collect steps. Its cast stands still for a while, and then
    moves by a whole gap: of 100 steps of 0.001 from 1 arrive 0.1016, and none without the copy.
    """
    moved = weight
    for _ in range(1 if master else steps):
        moved = nearest(torch.bfloat16, moved + (steps * lr if master else lr))
    return moved - weight


def only_noise(weight, update, steps):
    """Rounding at random adds noise; on average a weight stays at the nearest number."""
    return lost_at_each_step(False, weight, update, steps)


def a_gap_at_each_step(weight, update, steps):
    """bf16 has no number in between, so each update becomes a whole gap, and the weight runs away."""
    return steps * gap(torch.bfloat16, weight)


def right_on_average(weight, update, steps):
    """On average weights move by the sum of the updates.

    A quarter of a gap rounds up with a chance of one in four, so 32 such updates move weights by eight
    gaps. Each weight is off by a random walk of gaps.
    """
    return steps * update


def after_sgd(master, weight, lr, steps, device):
    """The bf16 weight that the forward pass reads, after so many steps on a gradient of -1."""
    dtype = torch.float32 if master else torch.bfloat16
    trained = torch.nn.Parameter(torch.tensor(weight, dtype=dtype, device=device))
    trained.grad = torch.full_like(trained, -1.0)
    optimizer = torch.optim.SGD([trained], lr)
    for _ in range(steps):
        optimizer.step()
    return trained.bfloat16().item()


def stochastically_rounded(x, random):
    """fp32 numbers in bf16: add a random number to the 16 bits that bf16 lacks, then cut these off."""
    noise = torch.randint(2**16, x.shape, generator=random, dtype=torch.int32)
    return ((x.view(torch.int32) + noise) & -(2**16)).view(torch.float32)


# Weights of three binades, in which the gaps are 1/1024, 1/128 and 1/64.
weights = st.builds(lambda m, e: m / 128 * 2.0**e, st.integers(128, 190), st.sampled_from([0, -3, 1]))
updates = st.integers(1, 20).map(lambda k: k / 2048)


@claim(wrong=(errors_cancel, lost_in_the_cast), right=lost_at_each_step)
@example(master=False, weight=1.0, lr=0.001, steps=100)
@example(master=True, weight=1.0, lr=0.001, steps=100)
@given(master=st.booleans(), weight=weights, lr=updates, steps=st.integers(16, 64))
def test_bf16_updates_collected_in_fp32(answer, device, master, weight, lr, steps):
    """Updates that bf16 loses one by one add up in an fp32 master copy, and reach its bf16 cast.

    master: whether the optimizer steps an fp32 copy of the weight
    weight: what is stored in bf16 at the start
    """
    assert observe(moved=after_sgd(master, weight, lr, steps, device) - weight) == answer(
        master, weight, lr, steps
    )


COPIES = 4096


@claim(wrong=(only_noise, a_gap_at_each_step), right=right_on_average, evidence="simulated", examples=30)
@example(weight=1.0, update=0.001953125, steps=32, seed=0)
@given(weight=weights, update=updates, steps=st.integers(1, 32), seed=st.integers(0, 9999))
def test_bf16_stochastic_rounding_keeps_the_mean(answer, weight, update, steps, seed):
    """Under stochastic rounding bf16 weights move by the sum of their updates, on average.

    weight: what is stored at the start
    update: what is added at each step
    """
    random = torch.Generator().manual_seed(seed)
    stored = torch.full((COPIES,), weight)
    for _ in range(steps):
        stored = stochastically_rounded(stored + update, random)

    # A rounding error has two values a gap apart: its deviation is at most half of the widest gap.
    widest = gap(torch.bfloat16, weight + steps * update)
    five_standard_errors = 5 * widest / 2 * (steps / COPIES) ** 0.5
    assert observe(mean_moved=stored.double().mean().item() - weight) == approx(
        answer(weight, update, steps), abs=five_standard_errors
    )
