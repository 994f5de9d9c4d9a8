"""Ten times the data, and the error barely moves

Ten times the data brings hardly any improvement, though the model is large enough. Which property of the
task sets how fast error falls with data?

Answer: The intrinsic dimension D of the data, and not the number of input features: on a rough target the
    squared error falls about as n^(-1/D), so ten times the data divide it by about 10 at D = 1, by 1.9 at
    D = 4 and by 1.6 at D = 8, each time in as many features. First rule out that the new data are copies,
    which leave the error where it is. A smooth target is learned faster.
Says: Where ten times the pre-training data hardly lower the error, the real bottleneck is the intrinsic
    dimensionality of the target data manifold.
Verdict: holds if the target is rough, the labels clean and the samples new
Asked: AI Interview Prep newsletter, LLM System Design #48
Source: Bahri et al. 2021, "Explaining Neural Scaling Laws", abstract, https://arxiv.org/abs/2102.06701
Source: Sharma and Kaplan 2020, "A Neural Scaling Law from the Dimension of the Data Manifold", abstract,
    https://arxiv.org/abs/2004.10802
Terms: intrinsic dimension, intrinsic_dimension, data manifold, manifold, curse of dimensionality, scaling
    exponent, power law, plateau, deduplication, duplicates, nonparametric rate
Right when: The data fill all of their features, as 32 dimensions in 32 features do.
Limits: Kernel regression from 60 to 600 samples of a random rough function on a cube, turned into 32
    features; medians of seven worlds, of 21 at one dimension, as these differ by a factor. No language.
    Nets are the page data_helps_alike_at_any_dimension. A plateau may come of label noise, which is not
    shown. The stored text stops at "not data". Of both papers the abstracts were read.
"""

from math import log
from statistics import median

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe

FEATURES = 32


def by_the_features(dimension, copies, times):
    """The curse of dimensionality: the exponent is one over the features."""
    return 1 / FEATURES


def root_of_the_samples(dimension, copies, times):
    """As generalization bounds have it, the error falls with the square root of the samples."""
    return 0.5


def whatever_the_samples(dimension, copies, times):
    """By the data's dimension, for ten times as many samples of any kind."""
    return 1 / dimension


def by_the_data_if_new(dimension, copies, times):
    """The exponent is one over the data's dimension, and zero for copies.

    Ten times the samples lie 10^(1/dimension) times as close, 10 times at one dimension, and the squared
    difference of a rough function goes with the distance.
    """
    return 0.0 if copies else 1 / dimension


def error(kernel, target, n, test):
    """Mean squared error of kernel regression from the first n samples on the test points."""
    weights = torch.linalg.solve(kernel[:n, :n] + 1e-9 * torch.eye(n, dtype=torch.float64), target[:n])
    return (kernel[test:, :n] @ weights - target[test:]).square().mean().item()


@claim(
    wrong=(by_the_features, root_of_the_samples, whatever_the_samples),
    right=by_the_data_if_new,
    evidence="simulated",
    examples=10,
)
@example(dimension=1, copies=False, times=10, seed=0)
@example(dimension=2, copies=False, times=10, seed=0)
@example(dimension=4, copies=False, times=10, seed=0)
@example(dimension=8, copies=False, times=10, seed=0)
@example(dimension=16, copies=False, times=10, seed=0)
@example(dimension=1, copies=True, times=10, seed=0)
@given(
    dimension=st.sampled_from([1, 2, 4, 8, 16, 32]),
    copies=st.booleans(),
    times=st.just(10),
    seed=st.integers(0, 9999),
)
def test_gain_of_ten_times_the_data(answer, dimension, copies, times, seed):
    """Error falls with new data as their own dimension allows, in however many features they come.

    dimension: of the cube that the data fill
    copies: whether the further samples are copies of the first
    times: the samples over those before
    """
    random = torch.Generator().manual_seed(seed)
    few, many, tested = 60, 60 * times, 150

    def gain():
        turned = torch.linalg.qr(torch.randn(FEATURES, FEATURES, dtype=torch.float64, generator=random))[0]
        places = torch.rand(many + tested, dimension, dtype=torch.float64, generator=random)
        if copies:
            places[:many] = places[:few].repeat(times, 1)
        x = places @ turned[:dimension]
        kernel = torch.exp(-torch.cdist(x, x))
        root = torch.linalg.cholesky(kernel + 1e-6 * torch.eye(many + tested, dtype=torch.float64))
        target = root @ torch.randn(many + tested, dtype=torch.float64, generator=random)
        return error(kernel, target, few, many) / error(kernel, target, many, many)

    gained = observe(gain=median(gain() for _ in range(21 if dimension == 1 else 7)))
    # Copies change nothing. Else -0.10 to 0.09 off at one dimension, -0.12 to 0.17 at two and four with 200
    # seeds each, and -0.08 to 0.12 at more.
    off = 1e-3 if copies else {1: 0.18, 2: 0.2, 4: 0.2}.get(dimension, 0.13)
    assert observe(exponent=log(gained, times)) == approx(answer(dimension, copies, times), abs=off)
