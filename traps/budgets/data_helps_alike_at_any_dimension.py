"""Ten times the data for a neural net

A net is trained on ten times the samples. By how much does its error fall if the data have 4 degrees of
freedom, 8 or 16, and does the number of input features matter?

Answer: It depends on the degrees of freedom of the data, their intrinsic dimension, and hardly on the
    number of features: in small nets the squared error is divided by about 6 at 4, 3.5 at 8 and 1.7 at 16,
    in 32 features much as in 16. So do not read the gain off the number of features; train on fractions of
    the data you have, and extrapolate that curve.
Verdict: not judged: the newsletter's sentence is judged on the page data_scaling_goes_by_the_features
Asked: AI Interview Prep newsletter, LLM System Design #48
Source: Sharma and Kaplan 2020, "A Neural Scaling Law from the Dimension of the Data Manifold", abstract: an
    exponent of about 4/D in the number of parameters, https://arxiv.org/abs/2004.10802
Source: Bahri et al. 2021, "Explaining Neural Scaling Laws", abstract, https://arxiv.org/abs/2102.06701
Terms: intrinsic dimension, data manifold, manifold, curse of dimensionality, scaling law, neural scaling
    law, duplicates, deduplication, plateau, sample complexity
Right when: The data fill all their features, as 16 dimensions in 16; the root of ten happens to fit near 8
    dimensions, and 10^(4/D) at 8 and at 16.
Limits: ReLU nets with two hidden layers and 300 steps, 60 against 600 samples without noise; the target
    is a sum of 16 waves. Mean gains were 5.4, 3.2 and 1.6 in 16 features and 6.3, 3.6 and 1.7 in 32. They
    are of these sizes, no exponents: 20/D and 24/D fit them too, and the theories speak of many samples. A
    rough target gains 1.9 times at 4 dimensions, not 6, and copies gain nothing: see the page
    data_scaling_goes_by_the_features. At one or two dimensions the steps decide, and not the samples. Of
    both papers the abstracts were read.
"""

from functools import cache

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe

# With 51 seeds or more each 4.4 to 6.4, 2.8 to 3.7 and 1.4 to 2.0 in 16 features, 5.4 to 7.4, 3.1 to 4.2 and
# 1.5 to 2.0 in 32. They may be off by about five standard deviations in either.
GAINS = {4: 5.8, 8: 3.5, 16: 1.7}
OFF = {4: 2.5, 8: 1.4, 16: 0.7}


def by_the_root_of_ten(dimension, features):
    """As generalization bounds have it, error falls with the root of the samples: by the root of ten."""
    return 10**0.5


def by_four_over_the_dimension(dimension, features):
    """The error falls with the samples to the power of 4/D, as with the parameters: by 10^(4/D)."""
    return 10 ** (4 / dimension)


def by_the_inputs(dimension, features):
    """What counts is the number of inputs: in 16 of them or more it helps as at 16 dimensions."""
    return GAINS[16]


def by_the_dimension(dimension, features):
    """By more the fewer dimensions the data have, in however many features they come.

    By about 6 at 4 dimensions, 3.5 at 8 and 1.7 at 16: the samples lie closer the fewer directions they can
    differ in, and the net finds these directions.
    """
    return GAINS[dimension]


FEW, TIMES, TESTED, WIDTH, STEPS = 60, 10, 200, 32, 300
NETS = {4: 32, 8: 16, 16: 8}  # More where the gain is large, as it varies the more.


@cache
def gain_of_data(dimension, features, seed, device):
    """Squared error with 60 samples over that with 600: the geometric mean of some nets."""
    torch.manual_seed(seed)
    nets, many = NETS[dimension], FEW * TIMES
    places = 2 * torch.rand(nets, many + TESTED, dimension) - 1
    waves = 3 * torch.randn(nets, dimension, 16) / dimension**0.5
    y = (places @ waves + torch.randn(nets, 1, 16)).sin() @ torch.randn(nets, 16, 1) / 4
    turned = torch.linalg.qr(torch.randn(nets, features, features))[0][:, :dimension]
    # Of the same length, whatever the dimension.
    x, y = (places @ turned * (12 / dimension) ** 0.5).to(device), y.to(device)
    # The few are seen as often as the many.
    seen = torch.stack([torch.arange(many) % FEW, torch.arange(many)])
    weights = [
        (torch.randn(nets, 1, *shape) * (2 / shape[0]) ** 0.5).repeat(1, 2, 1, 1).to(device)
        for shape in ((features, WIDTH), (WIDTH, WIDTH), (WIDTH, 1))
    ]
    weights = [w.requires_grad_() for w in [*weights, torch.zeros(nets, 2, 1, WIDTH, device=device)]]

    def net(x):
        first, second, out, shift = weights
        return ((x @ first + shift).relu() @ second).relu() @ out

    optimizer = torch.optim.Adam(weights, fused=True)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = 0.01 * (1 - step / STEPS)
        batch = seen[:, torch.randint(many, (64,))]
        optimizer.zero_grad()
        (net(x[:, batch]) - y[:, batch]).square().mean((-1, -2)).sum().backward()
        optimizer.step()
    with torch.no_grad():
        error = (net(x[:, None, many:]) - y[:, None, many:]).square().mean((-1, -2)).log().mean(0)
    return (error[0] - error[1]).exp().item()


@claim(
    wrong=(by_the_root_of_ten, by_four_over_the_dimension, by_the_inputs),
    right=by_the_dimension,
    evidence="trained",
    examples=2,
)
@example(dimension=4, features=32, seed=0)
@example(dimension=8, features=32, seed=0)
@example(dimension=16, features=32, seed=0)
@example(dimension=4, features=16, seed=0)
@example(dimension=16, features=16, seed=0)
@given(
    dimension=st.sampled_from(list(GAINS)),
    features=st.sampled_from([16, 32]),
    seed=st.integers(0, 9999),
)
def test_data_gain_by_dimension(answer, device, dimension, features, seed):
    """Ten times the data help a net as their own dimension allows, in however many features they come.

    dimension: of the cube that the data fill
    features: inputs of the net
    """
    gain = observe(gain=gain_of_data(dimension, features, seed, device))
    assert gain == approx(answer(dimension, features), abs=OFF[dimension])
