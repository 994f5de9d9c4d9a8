"""The best mixture of short runs, at 32 times the data

A small net has been trained on 15 mixtures of two domains; the best mixture is then used for 32 times the
data. How much higher than the least possible is the loss?

Answer: Hardly at all if both domains are learned alike, also where one begins with three times the loss. If
    one is learned faster, the best mixture moves towards the slower one, from 11/16 or 12/16 of the data to
    14/16 or 15/16, and the mixture of the short runs ends at 1.2 to 1.4 times the least loss. So train with
    two amounts of data at least, average over seeds, and look whether the best mixture moves.
Verdict: not judged: the stored text stops after "waste"
Asked: AI Interview Prep newsletter, LLM System Design #47
Source: Kang et al. 2024, "AutoScale", abstract: the best mixture depends on the scale,
    https://arxiv.org/abs/2407.20177
Terms: data mixture, data mix, domain weights, mixture law, proxy model, RegMix, DoReMi, scaling law,
    extrapolation, held-out loss, transfer across scales
Right when: Both domains are learned alike.
Limits: The net stays the same; only the data grow. Two domains that share nothing; real ones transfer to
    each other. The nets are linear, trained by SGD on 256 features per domain, and there is no text. From
    1,024 to 2,048 samples the best mixture moved by a sixteenth or two in 89 of 100 runs, and by one, as
    noise, in 41 of 200 where both are learned alike. A power law per domain through two short runs picked
    mixtures within 1.05 times the least loss in 28 seeds, and yet predicted losses some 1.3 to 5 times too
    high in four of the 28: trust the mixture of such a fit more than its loss. Why the optimum moves is the
    page mixture_carries_over_to_any_scale. Of the paper the abstract was read.
"""

from functools import cache

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe

# With 50 seeds each 1.00 to 1.06 where the decays are equal, and 1.20 to 1.42 where they differ.
APART = 1.3


def carries_over(domains):
    """The slope of the loss is the same for all mixtures, so the best for little data is best for more."""
    return 1.0


def never_carries_over(domains):
    """A short run says nothing of a longer one: its mixture is off there."""
    return APART


def if_they_learn_alike(domains):
    """The mixture of the short runs stays the best only if both domains are learned alike.

    If they are not, it ends at 1.2 to 1.4 times the least loss.
    """
    (decay, _), (other, _) = domains
    return 1.0 if decay == other else APART


FEATURES, BATCH = 256, 16


def losses(domains, data, nets, seed, device):
    """Mean loss of nets on both domains after so much data, with 1/16 to 15/16 of it from the first."""
    torch.manual_seed(seed)
    rank = torch.arange(1, FEATURES + 1, device=device)
    scale = rank**-0.65  # the features' standard deviation
    energy = torch.stack([rank**-decay for decay, _ in domains])
    first = torch.tensor([[loss] for _, loss in domains], device=device)
    energy = first * energy / energy.sum(1, keepdim=True)
    signs = torch.randint(2, (nets, 2, FEATURES), device=device) * 2 - 1
    of_first = torch.arange(1, BATCH, device=device)
    taken = torch.arange(BATCH, device=device)[:, None] < torch.stack([of_first, BATCH - of_first])[:, None]
    missed = (signs * energy.sqrt() / scale)[..., None].repeat(1, 1, 1, BATCH - 1)
    for step in range(data // BATCH):
        x = scale * torch.randn(nets, 2, BATCH, FEATURES, device=device)
        rate = 0.15 / scale.square().sum() * (1 - step * BATCH / data)
        missed = missed - rate * x.mT @ (taken * (x @ missed))
    return (missed * scale[:, None]).square().sum((1, 2)).mean(0)


# Equal losses at first where the decays differ; where they are equal no twins, whose best is one half.
DOMAINS = [
    ((1.5, 1.0), (2.8, 1.0)),
    ((2.8, 1.0), (1.5, 1.0)),
    *(((decay, first), (decay, 4.0 - first)) for decay in (1.5, 2.8) for first in (1.0, 3.0)),
]


@cache
def best_mixtures(domains, seed, device):
    """The first domain's best share of few samples and of 32 times as many, and what the former costs."""
    few, many = losses(domains, 1024, 8, seed, device), losses(domains, 32 * 1024, 2, seed + 10_000, device)
    shares = [(loss.argmin().item() + 1) / BATCH for loss in (few, many)]
    return *shares, (many[few.argmin()] / many.min()).item()


@claim(wrong=(carries_over, never_carries_over), right=if_they_learn_alike, evidence="trained", examples=6)
@example(domains=((1.5, 1.0), (2.8, 1.0)), seed=0)
@example(domains=((1.5, 1.0), (2.8, 1.0)), seed=1006)
@example(domains=((1.5, 1.0), (2.8, 1.0)), seed=1016)
@example(domains=((2.8, 1.0), (1.5, 1.0)), seed=0)
@example(domains=((1.5, 1.0), (1.5, 3.0)), seed=0)
@example(domains=((2.8, 3.0), (2.8, 1.0)), seed=0)
@given(domains=st.sampled_from(DOMAINS), seed=st.integers(0, 9999))
def test_mixture_of_the_best_proxy(answer, device, domains, seed):
    """The best mixture of short runs raises the loss of a longer one if one domain is learned faster.

    domains: of each how fast the energy of its target falls with the rank of a feature (the higher, the
        faster it is learned), and its loss before training
    """
    before, after, times = best_mixtures(domains, seed, device)
    observe(share_in_short_runs=before)
    observe(share_in_longer_runs=after)
    (decay, _), (other, _) = domains
    if decay != other:
        # Towards the domain of the lower decay, with 60 seeds either way by two or three sixteenths.
        assert (after - before) * (1 if decay < other else -1) >= 1 / BATCH
    assert observe(times_the_least_loss=times) == approx(answer(domains), abs=0.15)
