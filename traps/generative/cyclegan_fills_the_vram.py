"""A CycleGAN for every pair of styles

A shop translates pictures between ten clothing styles, with a CycleGAN per pair of styles. How many
generators is that, and do they fill the GPU's memory?

Answer: 90, one per ordered pair, if every style is to become every other one in a single pass; n styles
    take 2(n - 1) if pictures may go through one hub, in two passes, and n around a ring, in n - 1. All 90
    hold 4.1 GB of weights in fp32, of which a request needs one generator, 0.046 GB. So it is no wall of
    VRAM: what is dear is to train a model per pair that shares nothing with the others. A single
    generator that is told the style, as StarGAN's, does away with that.
Says: Separate CycleGANs for ten styles require 90 distinct generators, which creates massive VRAM and
    cloud compute demands.
Verdict: imprecise: 90 generators for translation in one pass; together they take 4.1 GB, and a request
    needs one of them
Asked: AI Interview Prep newsletter, Advanced Deep Learning #24
Source: Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
    Networks", appendix 7.2: the generator with 9 residual blocks, https://arxiv.org/abs/1703.10593
Source: Choi et al. 2018, "StarGAN", section 1: k(k-1) generators for k domains, and one instead,
    https://arxiv.org/abs/1711.09020
Terms: CycleGAN, StarGAN, image-to-image translation, multi-domain, style transfer, generator count,
    ordered pairs, hub, GAN, VRAM, model registry
Right when: All of them have to be resident, for requests of any pair at once.
Limits: One, two and n - 1 passes; between these other graphs are smaller still (7 generators for five
    styles in three passes). Weights alone, without activations or discriminators. Each pass through a hub
    adds its errors, which are not shown. The stored text stops at "The recommended solution". Both papers
    were read in summaries.
"""

from itertools import product

import torch
from hypothesis import example, given, strategies as st
from pytest import approx
from torch import nn

from fixtures import claim, observe
from fixtures.meters import nbytes

# A generator's weights of 4 bytes each, in GB.
ONE = 11_378_179 * 4 / 1e9


def one_per_pair(styles, passes):
    """One model per pair of styles: n(n - 1)/2."""
    return styles * (styles - 1) // 2


def one_per_ordered_pair(styles, passes):
    """A generator translates one way, so each ordered pair needs its own: n(n - 1)."""
    return styles * (styles - 1)


def fewer_through_others(styles, passes):
    """It is n(n - 1) in one pass, 2(n - 1) in two through a hub, and n around a ring.

    For 4 styles that is 12, 6 and 4, the ring in n - 1 passes. What is translated once can be translated
    again.
    """
    if styles == 1 or passes == 1:
        return styles * (styles - 1)
    return styles if passes >= styles - 1 else 2 * (styles - 1)


def all_at_once(styles, loaded):
    """All generators lie in the GPU's memory, and they are n²: 4.6 GB for ten styles."""
    return styles**2 * ONE


def by_the_pairs(styles, loaded):
    """One model per pair, of 11.4 million weights: 2.0 GB for ten styles."""
    return styles * (styles - 1) / 2 * ONE


def what_is_loaded(styles, loaded):
    """One per ordered pair, 4.1 GB for ten styles, of which a request loads one, 0.046 GB."""
    return (styles * (styles - 1) if loaded == "all" else 1) * ONE


def generator():
    """The generator of CycleGAN for 256 by 256 pixels, with 9 residual blocks."""

    def block(a, b, k, stride=1, up=False, pad=0):
        conv = nn.ConvTranspose2d(a, b, k, stride, 1, 1) if up else nn.Conv2d(a, b, k, stride, pad)
        return [conv, nn.InstanceNorm2d(b), nn.ReLU()]

    residual = [part for _ in range(9) for part in block(256, 256, 3) + block(256, 256, 3)]
    return nn.Sequential(
        *block(3, 64, 7),
        *block(64, 128, 3, 2, pad=1),
        *block(128, 256, 3, 2, pad=1),
        *residual,
        *block(256, 128, 3, 2, up=True),
        *block(128, 64, 3, 2, up=True),
        nn.Conv2d(64, 3, 7),
    )


@claim(wrong=(one_per_pair, one_per_ordered_pair), right=fewer_through_others, evidence="simulated")
@example(styles=4, passes=1)
@example(styles=4, passes=2)
@example(styles=4, passes=3)
@given(styles=st.integers(1, 4), passes=st.integers(1, 3))
def test_translators_of_styles(answer, styles, passes):
    """How many generators serve every pair depends on how many passes a picture may take.

    styles: domains of pictures
    passes: generators that a picture may go through, one after the other
    """
    pairs = [(a, b) for a, b in product(range(styles), repeat=2) if a != b]
    # All choices of generators, as graphs that a picture may also stay in place on.
    chosen = torch.tensor([*product((0.0, 1.0), repeat=len(pairs))]).view(2 ** len(pairs), len(pairs))
    graphs = torch.eye(styles).repeat(len(chosen), 1, 1)
    for edge, (a, b) in enumerate(pairs):
        graphs[:, a, b] = chosen[:, edge]
    serves = (graphs.matrix_power(passes) > 0).all((1, 2))

    assert observe(generators=int(chosen[serves].sum(1).min())) == answer(styles, passes)


@claim(wrong=(all_at_once, by_the_pairs), right=what_is_loaded, evidence="derived")
@example(styles=10, loaded="all")
@example(styles=10, loaded="requested")
@given(styles=st.integers(2, 20), loaded=st.sampled_from(["all", "requested"]))
def test_cyclegan_weights_in_memory(answer, styles, loaded):
    """All generators of ten styles are 4 GB of weights, and a request needs one of them.

    styles: domains of pictures
    loaded: the generators of all ordered pairs, or the one that is requested
    """
    with torch.device("meta"):
        one = generator()
    ordered_pairs = sum(a != b for a, b in product(range(styles), repeat=2))
    loads = ordered_pairs if loaded == "all" else 1
    assert observe(gigabytes=loads * nbytes(*one.parameters()) / 1e9) == approx(answer(styles, loaded))
