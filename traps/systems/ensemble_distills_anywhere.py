"""Distilling an ensemble of twelve

Twelve models are too many to serve. How much does their average gain over one of them, and can one
student keep that at a twelfth of the cost?

Answer: Averaging removes what the members' errors do not share: two nets here left 0.80 of one's squared
    error and 12 left 0.63, not a twelfth. A student that was taught the average at fresh inputs kept 0.95
    of that gain; taught where the members were fitted, and so agree, it kept 0.01. Average the outputs:
    averaged weights answer nothing, unless the members were fine-tuned from one start.
Verdict: not judged: the stored abstract stops before its remedy; its cost and latency are judged on
    ensemble_latency_is_twelvefold
Asked: AI Interview Prep newsletter, Advanced Deep Learning #3
Source: Hinton, Vinyals and Dean 2015, "Distilling the Knowledge in a Neural Network", section 1,
    https://arxiv.org/abs/1503.02531
Source: Hastie, Tibshirani and Friedman 2009, "The Elements of Statistical Learning", equation 15.1,
    https://hastie.su.domains/ElemStatLearn/
Source: Wortsman et al. 2022, "Model soups", abstract, https://arxiv.org/abs/2203.05482
Terms: knowledge distillation, ensemble, soft targets, soft labels, student, teacher, transfer set,
    diversity, correlated errors, bias-variance, ambiguity decomposition, model soup, weight averaging
Right when: The members answer with probabilities. These hold more than the labels, at the training inputs
    too, and Hinton et al., not read, are quoted as finding that the original training set works well.
Limits: Small nets with steep hidden units, fitted to eight points of a noisy sine, squared error. With
    more noise or smoother nets the members disagree less, and there is less to keep.
"""

from functools import cache
from math import log2, pi

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.nets import tanh_net


def any_inputs_do(made_of):
    """The ensemble's answers hold more than the labels, so a student of them keeps the gain."""
    return 1 if "inputs" in made_of else 0


def weights_average_too(made_of):
    """Average the weights: one net, at the cost of one, that answers as all of them."""
    return 1 if made_of == "weights" else 0


def disagreement_teaches(made_of):
    """A student keeps the gain if it is taught at fresh inputs, and none if at those of the training.

    Where all of them were fitted to the labels they agree, so their answers are the labels once more. And
    weights of nets with starts of their own do not average: the hidden units of one have nothing to do
    with those of another.
    """
    return 1 if made_of == "fresh inputs" else 0


def one_over_n(pair, members):
    """Averaging twelve answers leaves a twelfth of the squared error."""
    return 1 / members


def each_doubling_helps_alike(pair, members):
    """What two leave of one's error, four leave of two's, and so on."""
    return pair ** log2(members)


def common_part_stays(pair, members):
    """What the errors have in common stays, and the rest is divided by n.

    That is ρ + (1 - ρ)/n, where ρ is the correlation of two members' errors: a pair leaves (1 + ρ)/2, so
    that ρ = 2 · pair - 1. No number of members leaves less than ρ.
    """
    correlation = 2 * pair - 1
    return correlation + (1 - correlation) / members


# Tasks side by side, each with 12 members and 12 students: nets of 24 hidden units.
TASKS, NETS, HIDDEN = 16, 12, 24


def line(points, device):
    """Inputs [points, 1]: members are trained at 8, students taught at 32 fresh ones, all are tried at 64."""
    return torch.linspace(-1, 1, points, device=device).view(-1, 1)


def trained(x, y, random):
    """The weights of nets [TASKS, NETS] fitted to y, from random ones in 200 steps of Adam."""
    weights = [
        (scale * torch.randn(TASKS, NETS, *shape, generator=random)).to(x.device).requires_grad_()
        for scale, *shape in ((8, 1, HIDDEN), (8, 1, HIDDEN), (HIDDEN**-0.5, HIDDEN, 1))
    ]
    optimizer = torch.optim.Adam(weights, lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        (tanh_net(weights, x) - y).square().mean((-1, -2)).sum().backward()
        optimizer.step()
    return [w.detach() for w in weights]


@cache
def ensembles(seed, device):
    """The labels of each task, a noisy sine at eight inputs, and the members trained on them."""
    random, x = torch.Generator().manual_seed(seed), line(8, device)
    labels = (pi * x).sin() + 0.1 * torch.randn(TASKS, 1, 8, 1, generator=random).to(device)
    return labels, trained(x, labels, random)


def error(outputs):
    """Mean squared distance of outputs [..., 64, 1] from the sine."""
    return (outputs - (pi * line(64, outputs.device)).sin()).square().mean().item()


@cache
def gain_kept(made_of, seed, device):
    """The share of what the ensembles gain over their members that single nets keep."""
    labels, members = ensembles(seed, device)
    outputs, x = tanh_net(members, line(64, device)), line(32 if made_of == "fresh inputs" else 8, device)
    y = labels if made_of == "labels" else tanh_net(members, x).mean(1, keepdim=True)
    nets = [w.mean(1, keepdim=True) for w in members]
    if made_of != "weights":
        nets = trained(x, y, torch.Generator().manual_seed(seed + 1_000_000))
    before, after = error(outputs), error(outputs.mean(1))
    return (before - error(tanh_net(nets, line(64, device)))) / (before - after)


seeds = st.integers(1000, 999_999)


@claim(wrong=(any_inputs_do, weights_average_too), right=disagreement_teaches, evidence="trained", examples=4)
@example(made_of="fresh inputs", seed=1000)
@example(made_of="training inputs", seed=1000)
@example(made_of="labels", seed=1000)
@example(made_of="weights", seed=1000)
@given(made_of=st.sampled_from(["training inputs", "fresh inputs", "labels", "weights"]), seed=seeds)
def test_ensemble_distilled(answer, device, made_of, seed):
    """One net keeps the gain of its ensemble if it is taught where the members do not agree.

    made_of: what one net is trained on, labels or the ensemble's answers at some inputs, or averaged from
    """
    gain = observe(gain_of_one_net=gain_kept(made_of, seed, device))

    # Over 60 seeds students taught at fresh inputs kept 0.93 to 0.97, all other nets at most 0.22.
    assert observe(gain_kept=max(gain, 0.0)) == approx(answer(made_of), abs=0.4)


@claim(wrong=(one_over_n, each_doubling_helps_alike), right=common_part_stays, evidence="trained", examples=6)
@example(members=12, seed=1000)
@example(members=3, seed=1000)
@given(members=st.sampled_from([12, 6, 4, 3, 2, 1]), seed=seeds)
def test_ensemble_error(answer, device, members, seed):
    """What pairs of six trained members leave of one's error tells what all twelve leave.

    pair: share of a member's squared error that the average of two leaves, over most pairs of six members
    """
    outputs = tanh_net(ensembles(seed, device)[1], line(64, device))
    left, known = error(outputs.unflatten(1, (-1, members)).mean(2)) / error(outputs), outputs[:, :6]
    pairs = [error((known + known.roll(by, 1)) / 2) / error(known) for by in (1, 2, 3)]

    # Over 50 seeds 12 members left 0.53 to 0.69; the law was off by up to 0.053, doublings by 0.13 or more.
    assert observe(left=left) == approx(answer(observe(pair=sum(pairs) / 3), members), abs=0.08)
