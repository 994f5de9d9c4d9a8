"""Long-tail diversity of a GAN

A client wants a generator that covers the long tail of its catalog. A GAN is fast and its samples are good:
why may it fail, and is that because an adversarial objective cannot hold all modes?

Answer: Not because it cannot: a small GAN finds some 6.3 of eight equally frequent modes. It misses the
    rare ones: if each mode is half as frequent as the one before, it finds 3.6, while flow matching with a
    network of the same size finds 7. The objective charges little for what is rare, so ask for recall on
    the tail, and use diffusion or flow matching, or distill one into few steps.
Says: By the generative learning trilemma GANs can excel at only two of quality, speed and mode coverage.
Verdict: imprecise: GANs often trade coverage away, above all of rare modes; it is no law, and the paper
    that coined the trilemma presents a GAN with all three
Asked: AI Interview Prep newsletter, Advanced Deep Learning #25
Source: Xiao, Kreis and Vahdat 2021, "Tackling the Generative Learning Trilemma with Denoising Diffusion
    GANs", abstract, https://arxiv.org/abs/2112.07804
Source: Lipman et al. 2022, "Flow Matching for Generative Modeling", section 3,
    https://arxiv.org/abs/2210.02747
Terms: GAN, trilemma, generative learning trilemma, mode collapse, mode coverage, mode dropping, long tail,
    diversity, recall, flow matching, diffusion, rare modes
Right when: Modes are about equally frequent.
Limits: Eight Gaussians on a ring, networks of 32 units, 600 steps at one learning rate; GANs vary from run
    to run. A mode is found if it gets a quarter of its mass. Image quality and sampling time are not
    measured. What the objective charges is the page gan_pays_for_every_mode. The stored text stops at
    "excel at two". Lipman et al. were not read.
"""

from functools import cache
from math import pi

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx
from torch import nn

from fixtures import claim, observe

MODES, NETS, UNITS, SAMPLES, STEPS = 8, 8, 32, 64, 600
# Modes found, with 50 seeds of 8 models each: 5.0 to 7.4 and 2.6 to 4.8 by GANs, 5.8 to 8 by flow matching.
EQUAL, RARE, FLOW = 6.3, 3.6, 7


def all_modes(method, weights):
    """The optimum of the game is the law of the data, so it covers all of it."""
    return FLOW


def as_many_of_any(method, weights):
    """What a model finds depends on the method, and not on how frequent the modes are."""
    return EQUAL if method == "GAN" else FLOW


def frequent_ones(method, weights):
    """6.3 of eight equal modes, and 3.6 where each is half as frequent; flow matching 7 of either.

    A mode of 1 % changes the discriminator's loss by less than its noise.
    """
    if method == "flow matching":
        return FLOW
    return EQUAL if weights == "equal" else RARE


class Networks(nn.Module):
    """Networks with two hidden layers of 32 units, 8 of them side by side."""

    def __init__(self, inputs, outputs, random):
        super().__init__()
        sizes = (inputs, UNITS), (UNITS, UNITS), (UNITS, outputs)
        self.weights = nn.ParameterList(
            (2 / a) ** 0.5 * torch.randn(NETS, a, b, generator=random) for a, b in sizes
        )
        self.biases = nn.ParameterList(torch.zeros(NETS, 1, b) for _, b in sizes)

    def forward(self, x):
        """[nets, samples, inputs] to [nets, samples, outputs]."""
        into, between, out = zip(self.weights, self.biases, strict=True)
        for weight, bias in (into, between):
            x = (x @ weight + bias).relu()
        return x @ out[0] + out[1]


def gan(data, noise, random, device):
    """Samples of generators that were trained against discriminators by -log D."""
    generator, discriminator = Networks(2, 2, random).to(device), Networks(2, 1, random).to(device)
    g, d = (torch.optim.Adam(net.parameters(), 0.003, (0.5, 0.999)) for net in (generator, discriminator))
    for _ in range(STEPS):
        fake = generator(noise(SAMPLES))
        d.zero_grad()
        scores = F.softplus(-discriminator(data())) + F.softplus(discriminator(fake.detach()))
        scores.mean((1, 2)).sum().backward()
        d.step()
        g.zero_grad()
        F.softplus(-discriminator(fake)).mean((1, 2)).sum().backward()
        g.step()
    return generator(noise(2000))


def flow_matching(data, noise, random, device):
    """Samples of velocity fields that were fitted to straight paths from noise to data."""
    velocity = Networks(3, 2, random).to(device)
    optimizer = torch.optim.Adam(velocity.parameters(), 0.003)
    for _ in range(STEPS):
        start, end, time = noise(SAMPLES), data(), torch.rand(NETS, SAMPLES, 1, generator=random).to(device)
        optimizer.zero_grad()
        path = torch.cat([start + time * (end - start), time], -1)
        (velocity(path) - (end - start)).square().mean((1, 2)).sum().backward()
        optimizer.step()
    x = noise(2000)
    for step in range(30):
        x = x + velocity(F.pad(x, (0, 1), value=step / 30)).detach() / 30
    return x


@cache
def modes_found(method, weights, seed, device):
    """How many modes get a quarter of their mass, averaged over the models."""
    random = torch.Generator().manual_seed(seed)
    turns = 2 * pi * torch.arange(MODES) / MODES
    centers = 2 * torch.stack([turns.cos(), turns.sin()], -1)
    chances = torch.tensor([1 / 8 if weights == "equal" else 0.5**mode for mode in range(MODES)])

    def data():
        drawn = chances.multinomial(NETS * SAMPLES, replacement=True, generator=random).view(NETS, SAMPLES)
        return (centers[drawn] + 0.1 * torch.randn(NETS, SAMPLES, 2, generator=random)).to(device)

    train = gan if method == "GAN" else flow_matching
    samples = (
        train(data, lambda n: torch.randn(NETS, n, 2, generator=random).to(device), random, device)
        .detach()
        .cpu()
    )
    # A sample belongs to a mode from five deviations on: 0.5 from its center.
    masses = ((samples[:, :, None] - centers).norm(dim=-1) < 0.5).float().mean(1)
    return (masses > chances / chances.sum() / 4).float().sum(-1).mean().item()


@claim(
    wrong=(all_modes, as_many_of_any),
    right=frequent_ones,
    evidence="trained",
    examples=2,
)
@example(method="GAN", weights="equal", seed=0)
@example(method="GAN", weights="halving", seed=0)
@example(method="flow matching", weights="halving", seed=0)
@given(
    method=st.sampled_from(["GAN", "flow matching"]),
    weights=st.sampled_from(["equal", "halving"]),
    seed=st.integers(0, 9999),
)
def test_gan_modes_found(answer, device, method, weights, seed):
    """A GAN finds most of the modes that are equally frequent, and misses the rare ones.

    method: how networks are trained, with networks of the same size
    weights: frequencies of 8 modes, equal or each half of the one before
    """
    assert observe(modes=modes_found(method, weights, seed, device)) == approx(
        answer(method, weights), abs=1.4
    )
