"""What bf16 costs Adam: the weights or the moments

To save memory, weights, first and second moments of AdamW are all kept in bf16, and training goes wrong.
Is it the optimizer's state that must return to fp32, and does the loss diverge meanwhile?

Verdict: refuted as stated: the weights need fp32, for a step below 2^-9 of a bf16 weight is lost; moments
    in bf16 change the loss by a few per cent at most, and what is seen is a plateau, not divergence
Asked: AI Interview Prep newsletter, LLM System Design #30
Source: DeepSeek-AI 2024, "DeepSeek-V3 Technical Report", section 3.3.3, low-precision optimizer states: both
    moments of AdamW in bf16, master weights in fp32, https://arxiv.org/abs/2412.19437
Source: AReaL issue 1292, 2026: AdamW on bf16 parameters ends three times higher than with fp32 master
    weights, https://github.com/areal-project/AReaL/issues/1292
Source: Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models", section 4.1: bf16 training
    with a float32 copy of the weights, https://arxiv.org/abs/2203.15556
Right when: The state is everything that is not the model, master weights among it: those must be fp32.
Limits: Linear regression near its solution, nearest rounding. Of the newsletter only an abstract was seen.
    Going back to fp32 would not fit either: 40 billion parameters at 16 bytes fill eight GPUs of 80 GB, with
    nothing left for activations.
"""

from functools import cache
from itertools import product
from math import ceil, inf, log2

import torch
from hypothesis import given, strategies as st

from fixtures import claim, observe


def every_step_counts(lr):
    """Adam moves a weight by the learning rate at each step, so a steady gradient moves it without end."""
    return inf


def tiny_steps_vanish(lr):
    """bf16 rounds such small updates to zero, so no weight ever moves."""
    return 0.0


def at_256_steps(lr):
    """bf16 has eight bits: a weight stops where it is 256 steps from zero."""
    return 256 * lr


def next_power_of_two(lr):
    """A growing weight stops at the first power of two from 256 learning rates up.

    Above 2^e neighbours are 2^(e-7) apart, and a step under half of that is lost; it is lost on every
    larger weight too. At a rate of 0.001 nothing passes 0.5, at the end of a schedule nearly nothing moves.
    """
    return 2.0 ** ceil(log2(256 * lr))


def any_state_does_harm(weights, first, second):
    """Whatever accumulates must be fp32: one part in bf16, and the loss suffers."""
    return [float(weights or first or second), 0.0]


def bf16_weights_diverge(weights, first, second):
    """With bf16 weights the lost updates add up until training diverges."""
    return [float(weights), float(weights)]


def only_weights_do_harm(weights, first, second):
    """Weights in bf16 leave the loss on a plateau; moments in bf16 do no harm, alone or together.

    A weight adds up thousands of steps far smaller than itself. A moment forgets: each step brings a
    sizeable part of what it holds, and Adam takes no more from it than the size of a step.
    """
    return [1.0 if weights else 0.0, 0.0]


# All positive bf16 numbers from 2^-7 to 16.
WEIGHTS = [m / 128 * 2.0**e for e in range(-7, 4) for m in range(128, 256)]

rates = st.integers(1, 200).map(lambda k: k / 10_000)
near_a_power = st.builds(lambda e, c: 2.0**e * (1 + c / 1000), st.integers(-13, -6), st.integers(-4, 4))

PATHS = {"for-loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}


@claim(wrong=(every_step_counts, tiny_steps_vanish, at_256_steps), right=next_power_of_two, examples=60)
@given(lr=rates | near_a_power, path=st.sampled_from(list(PATHS)))
def test_bf16_weight_stops_under_adam(answer, device, lr, path):
    """The smallest bf16 weight that a step of AdamW does not move is a power of two."""
    before = torch.tensor(WEIGHTS, dtype=torch.bfloat16, device=device)
    weight = torch.nn.Parameter(before.clone())
    weight.grad = torch.full_like(before, -1.0)
    # With these rates of decay all that Adam stores after one step is exact in bf16, and the step is lr long.
    torch.optim.AdamW([weight], lr, betas=(0.5, 0.75), weight_decay=0.0, **PATHS[path]).step()

    stuck = before[weight == before]

    assert observe(stops_at=stuck.min().item()) == answer(lr)


# Eight allocations of bf16 to weights, first and second moment, side by side in one optimizer.
ALLOCATIONS = list(product([False, True], repeat=3))
SEEDS, DIM, BATCH, STEPS, LR = 6, 64, 16, 400, 0.002


def problem():
    """True weights a seed, where the runs start, and noisy batches of a regression."""
    random = torch.Generator().manual_seed(0)
    truth = 2 * torch.rand(SEEDS, DIM, generator=random) - 1
    start = truth + 0.1 * torch.randn(SEEDS, DIM, generator=random)
    x = torch.randn(STEPS, SEEDS, BATCH, DIM, generator=random)
    y = (x @ truth[..., None])[..., 0] + 0.5 * torch.randn(STEPS, SEEDS, BATCH, generator=random)
    return truth, start.bfloat16().float(), x, y


@cache
def train(b2):
    """Excess losses [STEPS, allocation, seed]; the forward pass always reads weights in bf16."""
    truth, start, xs, ys = problem()
    weights = torch.nn.Parameter(start.repeat(len(ALLOCATIONS), 1, 1))
    optimizer = torch.optim.AdamW([weights], lr=LR, betas=(0.9, b2), weight_decay=0.0)
    in_bf16 = torch.tensor(ALLOCATIONS).T[..., None, None]
    excess = []
    for step, (x, y) in enumerate(zip(xs, ys, strict=True)):
        read = weights.detach().bfloat16().float()
        error = (x @ read[..., None])[..., 0] - y
        weights.grad = (error[..., None] * x).mean(-2)
        optimizer.param_groups[0]["lr"] = LR * (1 - step / STEPS)
        optimizer.step()
        state = optimizer.state[weights]
        for chosen, stored in zip(
            in_bf16, (weights.data, state["exp_avg"], state["exp_avg_sq"]), strict=True
        ):
            stored.copy_(stored.bfloat16().where(chosen, stored))
        excess.append((read - truth).square().sum(-1))
    return torch.stack(excess)


@claim(
    wrong=(any_state_does_harm, bf16_weights_diverge),
    right=only_weights_do_harm,
    evidence="trained",
    examples=16,
)
@given(
    weights=st.booleans(), first=st.booleans(), second=st.booleans(), b2=st.sampled_from([0.95, 0.98, 0.999])
)
def test_bf16_in_each_part_of_adam(answer, weights, first, second, b2):
    """Of weights, first and second moment in bf16, only the weights raise the final loss."""
    losses = train(b2)
    excess = losses[:, ALLOCATIONS.index((weights, first, second))]
    final, fp32 = excess[-20:].mean(0), losses[-20:, 0].mean(0)

    # Of 72 runs, bf16 moments ended at 0.97 to 1.04 of fp32's loss, bf16 weights at 12 to 60 times.
    shares = [(final > 3 * fp32).float().mean().item(), (final > excess[0]).float().mean().item()]

    assert observe(shares=shares) == answer(weights, first, second)
