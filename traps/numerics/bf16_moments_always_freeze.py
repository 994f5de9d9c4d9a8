"""Adam's second moment in bf16

The second moment of Adam is kept in bf16, and the gradient has a spike. Does the moment decay as in fp32,
or are its small changes all rounded away?

Verdict: holds if the average is long: one over 512 steps or more never decays, as at Adam's default
    b2 = 0.999, and stops rising too soon; one under 256 steps (b2 = 0.95, 0.98, 0.99) decays
Asked: AI Interview Prep newsletter, LLM System Design #30
Source: DeepSeek-AI 2024, "DeepSeek-V3 Technical Report", sections 3.3.3 and 4.2: both moments of AdamW in
    bf16, with b2 = 0.95, https://arxiv.org/abs/2412.19437
Source: Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1,
    https://arxiv.org/abs/1412.6980
Limits: Nearest rounding, and the for-loop and fused paths of torch. On a CPU the foreach path rounds b2
    itself to bf16 first, 0.998 to 0.996 and 0.999 to 1. Of the newsletter only an abstract was seen.
"""

from math import frexp, inf

import torch
from hypothesis import given, strategies as st

from fixtures import claim, observe


def nearest(x):
    """The bf16 number nearest to x: eight significant bits, a tie goes to the even neighbour."""
    step = 2.0 ** (frexp(x)[1] - 8)
    return round(x / step) * step


def by_b2_a_step(v, b2, steps):
    """A moving average loses 1 - b2 of itself a step, whatever the dtype."""
    return v * b2**steps


def never(v, b2, steps):
    """bf16 rounds the small changes to zero, so its moments are frozen."""
    return v


def rounded_at_each_step(v, b2, steps):
    """Each step is rounded: a loss under half the gap below v is no loss at all.

    What is lost is lost again at the next step, so a moment that stands still does so for good.
    """
    for _ in range(steps):
        v = nearest(v * b2)
    return v


def any_average_decays(v):
    """Any b2 below 1 decays, only slowly."""
    return inf


def a_thousand_steps(v):
    """b2 = 0.999 is the default, so an average over a thousand steps must be within reach."""
    return 1000


def eight_bits(v):
    """bf16 has eight bits, so an average over 256 steps is the longest."""
    return 256


def half_a_gap_a_step(v):
    """256 times the significand of v: the share 1/n that is lost must be half a gap, 2^-8, at least.

    So it depends on where v lies between two powers of two, except for the power itself: below it the
    gap is half as wide. Under 256 steps every v decays, over 512 none.
    """
    significand = 2 * frexp(v)[0]
    return 512 if significand == 1 else 256 * significand


def all_of_it(b2, path):
    """Fed with ones, the average goes to one; slowly, if b2 is large."""
    return 1.0


def the_first_share(b2, path):
    """The first share arrives, as there is nothing beside it; whatever follows is rounded away."""
    return nearest(1 - b2)


def half_a_gap_below(b2, path):
    """It stops where its gain is less than half a gap: at a half or a quarter for 0.999, near one for 0.95.

    The loop rounds twice a step, decay and gain apart: the decay is lost, and the gain arrives until it
    is lost as well. The fused kernel rounds once. Adam expects one, and so takes steps 1.4 and 2 times
    too long.
    """
    v = 0.0
    while True:
        decayed = v * b2 if path == "fused" else nearest(v * b2)
        v, before = nearest(decayed + (1 - b2)), v
        if v == before:
            return v


def after(v, b2, gradient, path, device, steps=1):
    """The second moments v, some steps of AdamW on a constant gradient later."""
    weight = torch.nn.Parameter(torch.zeros_like(v))
    weight.grad = torch.full_like(v, gradient)
    optimizer = torch.optim.AdamW([weight], betas=(0.9, b2), foreach=False, fused=path == "fused")
    step = torch.zeros((), device=device)
    optimizer.state[weight] = {"step": step, "exp_avg": torch.zeros_like(v), "exp_avg_sq": v.clone()}
    for _ in range(steps):
        optimizer.step()
    return optimizer.state[weight]["exp_avg_sq"]


def longest_average(v, path, device):
    """The n up to which v decays at b2 = 1 - 1/n, by halving; half steps keep clear of ties."""
    decays, stays = 1.5, 2049.5
    while stays - decays > 1:
        n = (decays + stays) / 2
        decays, stays = (n, stays) if after(v, 1 - 1 / n, 0.0, path, device) < v else (decays, n)
    return (decays + stays) / 2


paths = st.sampled_from(["for-loop", "fused"])
significands = st.integers(128, 255).map(lambda k: k / 128)
near_the_edge = st.integers(1, 250).map(lambda i: 1 - i / 65536)


@claim(wrong=(by_b2_a_step, never), right=rounded_at_each_step, examples=60)
@given(
    v=significands,
    b2=st.sampled_from([0.999, 0.95, 0.99]) | near_the_edge,
    steps=st.integers(1, 12),
    path=paths,
)
def test_bf16_second_moment_after_a_spike(answer, device, v, b2, steps, path):
    """After a spike a bf16 second moment follows its own rounding, which may mean staying put."""
    moment = torch.tensor([v], dtype=torch.bfloat16, device=device)

    assert observe(moment=after(moment, b2, 0.0, path, device, steps).item()) == answer(v, b2, steps)


@claim(wrong=(any_average_decays, a_thousand_steps, eight_bits), right=half_a_gap_a_step, examples=20)
@given(v=significands, path=paths)
def test_bf16_moment_with_the_longest_average(answer, device, v, path):
    """Between 256 and 512 steps lies the longest average that bf16 lets decay."""
    moment = torch.tensor([v], dtype=torch.bfloat16, device=device)

    assert observe(steps=longest_average(moment, path, device)) == answer(v)


@claim(wrong=(all_of_it, the_first_share), right=half_a_gap_below)
@given(b2=st.sampled_from([0.999, 0.99, 0.98, 0.95, 0.9999]), path=paths)
def test_bf16_second_moment_of_a_steady_gradient(answer, device, b2, path):
    """Under a steady gradient of one a bf16 second moment stops rising below one."""
    grid = [m / 128 * 2.0**e for e in range(-14, 0) for m in range(128, 256)]
    moments = torch.tensor([*grid, 1.0], dtype=torch.bfloat16, device=device)

    stuck = moments[after(moments, b2, 1.0, path, device) == moments]

    assert observe(moment=stuck.min().item()) == answer(b2, path)
