"""What an ensemble of twelve gains

The answers of twelve models are averaged. How much of one model's squared error is left, and would a single
model with the average of their weights do as well?

Verdict: holds if the members' errors differ: what they have in common stays
Asked: AI Interview Prep newsletter, Advanced Deep Learning #3
Source: Hastie, Tibshirani and Friedman 2009, "The Elements of Statistical Learning", second edition, equation
    15.1, https://hastie.su.domains/ElemStatLearn/
Source: Wortsman et al. 2022, "Model soups: averaging weights of multiple fine-tuned models improves accuracy
    without increasing inference time", abstract, https://arxiv.org/abs/2203.05482
Right when: The errors are independent: then n members leave 1/n. And the average of the weights answers as
    the average of the outputs if the model is one linear layer, or nearly so in members that were fine-tuned
    from one start, the soups of Wortsman et al.
Limits: Squared error; correlations are drawn, not measured. Of the newsletter's abstract, which breaks off,
    this page judges that an ensemble raises the accuracy.
"""

import torch
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.nets import tanh_net


def one_over_n(members, correlation):
    """Averaging twelve answers leaves a twelfth of the squared error."""
    return 1 / members


def nothing_gained(members, correlation):
    """The members learned the same data, so their average is as wrong as each of them."""
    return 1.0


def common_part_stays(members, correlation):
    """ρ + (1 - ρ)/n: what the members' errors have in common stays, and the rest is divided.

    Errors that correlate to 0.8 leave 82 % to twelve members, and 80 % to a thousand.
    """
    return correlation + (1 - correlation) / members


def mean_of_weights(members, x):
    """Average the weights: one model, at the cost of one, that answers as all of them."""
    return tanh_net([torch.stack(w).mean(0) for w in zip(*members, strict=True)], x)


def mean_of_outputs(members, x):
    """Ask every member and average the answers.

    A net with its hidden units in another order computes the same, and its weights stand elsewhere. To
    average weights is to mix units that have nothing to do with each other.
    """
    return torch.stack([tanh_net(member, x) for member in members]).mean(0)


@claim(wrong=(one_over_n, nothing_gained), right=common_part_stays, evidence="simulated", examples=50)
@given(
    members=st.integers(2, 16),
    correlation=st.sampled_from([0.8, 0.0, 0.3, 0.6, 0.95]),
    seed=st.integers(0, 1000),
)
def test_ensemble_error(answer, members, correlation, seed):
    """Averaging divides the part of the error that the members do not share."""
    inputs, random = 20_000, torch.Generator().manual_seed(seed)
    shared, own = torch.randn(inputs, 1, generator=random), torch.randn(inputs, members, generator=random)
    errors = correlation**0.5 * shared + (1 - correlation) ** 0.5 * own

    left = errors.mean(1).square().mean().item()

    # Five standard errors of a mean of squares, whose deviation is sqrt(2) times what is left, at most 1.
    assert observe(left=left) == approx(answer(members, correlation), abs=5 * (2 / inputs) ** 0.5)


@claim(wrong=mean_of_weights, right=mean_of_outputs)
@given(orders=st.lists(st.permutations(range(4)), min_size=2, max_size=4), seed=st.integers(0, 1000))
def test_ensemble_of_reordered_nets(answer, orders, seed):
    """Members that are one net, its hidden units in several orders, answer together as that net."""
    random = torch.Generator().manual_seed(seed)
    into, shift, out, x = (
        torch.randn(shape, generator=random, dtype=torch.float64)
        for shape in ((1, 4), (1, 4), (4, 1), (8, 1))
    )
    members = [(into[:, order], shift[:, order], out[order]) for order in orders]

    off = (answer(members, x) - tanh_net((into, shift, out), x)).abs().max().item()

    # Float64, sums of four terms of order one.
    assert observe(off=off) == approx(0, abs=1e-9)
