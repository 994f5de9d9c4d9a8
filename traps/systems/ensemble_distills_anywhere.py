"""Teaching one model what twelve know

Twelve models are too many to serve, so a student of a twelfth of the cost is trained on what they answer. How
much of the gain of their average does it keep, and at which inputs must it be taught?

Verdict: holds if the student is taught at inputs at which the members disagree; where they were fitted to the
    labels they do not
Asked: AI Interview Prep newsletter, Advanced Deep Learning #3
Source: Hinton, Vinyals and Dean 2015, "Distilling the Knowledge in a Neural Network", section 1,
    https://arxiv.org/abs/1503.02531
Right when: The members answer with probabilities. These hold more than the labels even at the inputs of the
    training, and Hinton et al. teach there as well.
Limits: Two tasks at a time: small nets with steep hidden units, a sine with little noise, squared error. With
    more noise, or smoother nets, the members disagree less and there is less to keep. The newsletter's
    abstract breaks off; the "99 %" that secondary accounts ascribe to it could not be checked. Hinton et al.,
    who find that "using the original training set works well", were read as others quote them.
"""

from functools import cache
from math import pi

import torch
from hypothesis import given, strategies as st

from fixtures import claim, observe
from fixtures.nets import tanh_net


def one_net_is_one_net(taught_by):
    """One net has the error of one net, whoever teaches it."""
    return 0


def labels_will_do(taught_by):
    """Train one net well, on the labels, and no ensemble is needed."""
    return 1


def ensemble_teaches(taught_by):
    """The ensemble's answers hold more than the labels, so a student of them keeps the gain."""
    return 0 if taught_by == "labels" else 1


def disagreement_teaches(taught_by):
    """A student keeps the gain if it is taught at fresh inputs, and none if at those of the training.

    What averaging gains is what it takes off the disagreement of the members. Where all of them were fitted
    to the labels they agree, and the ensemble's answers are the labels once more.
    """
    return 1 if taught_by == "ensemble, fresh inputs" else 0


# Two tasks side by side, each with 12 members and 12 students: nets of 24 hidden units.
TASKS, NETS, HIDDEN = 2, 12, 24
TRAINING, FRESH, GRID = (torch.linspace(-1, 1, points).view(-1, 1) for points in (8, 32, 64))


def trained(x, y, random):
    """The weights of nets [TASKS, NETS] fitted to y, from random ones in 200 steps of Adam."""
    # Slopes of about 8 let the members disagree between their eight inputs.
    weights = [
        (scale * torch.randn(TASKS, NETS, *shape, generator=random)).requires_grad_()
        for scale, *shape in ((8, 1, HIDDEN), (8, 1, HIDDEN), (HIDDEN**-0.5, HIDDEN, 1))
    ]
    optimizer = torch.optim.Adam(weights, lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        (tanh_net(weights, x) - y).square().mean((-1, -2)).sum().backward()
        optimizer.step()
    return [w.detach() for w in weights]


@cache
def ensembles(seed):
    """The labels of each task, a noisy sine at eight inputs, and the members trained on them."""
    random = torch.Generator().manual_seed(seed)
    labels = (pi * TRAINING).sin() + 0.1 * torch.randn(TASKS, 1, *TRAINING.shape, generator=random)
    return labels, trained(TRAINING, labels, random)


def error(outputs):
    """Mean squared distance of outputs [..., points, 1] from the sine, over the whole grid."""
    return (outputs - (pi * GRID).sin()).square().mean().item()


@cache
def gain_kept(taught_by, seed):
    """The share of what the ensembles gain over their members that the students keep."""
    labels, members = ensembles(seed)
    x = FRESH if taught_by == "ensemble, fresh inputs" else TRAINING
    y = labels if taught_by == "labels" else tanh_net(members, x).mean(1, keepdim=True)
    students = trained(x, y, torch.Generator().manual_seed(1000 + seed))
    one, all_of_them = tanh_net(members, GRID), tanh_net(members, GRID).mean(1, keepdim=True)
    return (error(one) - error(tanh_net(students, GRID))) / (error(one) - error(all_of_them))


@claim(
    wrong=(one_net_is_one_net, labels_will_do, ensemble_teaches),
    right=disagreement_teaches,
    evidence="trained",
    examples=6,
)
@given(
    taught_by=st.sampled_from(["labels", "ensemble, training inputs", "ensemble, fresh inputs"]),
    seed=st.integers(0, 1),
)
def test_ensemble_distilled(answer, taught_by, seed):
    """A student keeps the gain of its ensemble where it learns what the members do not agree on."""
    # Over 24 seeds the gain was 0.24 to 0.61 of a member's error. Students taught at fresh inputs kept 0.89
    # to 1.01 of it, others -0.65 to 0.46: the line is drawn in the middle.
    kept = int(gain_kept(taught_by, seed) > 0.68)

    assert observe(gain_kept=kept) == answer(taught_by)
