"""Class weights in focal loss

Focal loss with class weights is often written as ce = F.cross_entropy(logits, labels, weight=alpha,
reduction="none"), pt = exp(-ce), loss = ((1 - pt)^gamma · ce).mean(). Is that the loss of the paper?

Answer: No: exp(-ce) of a weighted cross-entropy is p^alpha, not p, so the weight also decides how easy an
    example looks. With alpha = 0.25 and gamma = 2, at 0.9 it pulls 0.069 times as hard as it should; with a
    weight of 99 it pulls 34.5 times as hard, about as without focal loss. Take pt from the plain
    cross-entropy, and multiply by alpha[labels] afterwards. Take it per example, too: with the default
    reduction pt is that of the batch's mean, and for a batch of one alpha cancels.
Verdict: not judged: the newsletter's text gives no class weight and no code
Asked: AI Interview Prep newsletter, ML System Design #35
Source: Lin et al. 2017, "Focal Loss for Dense Object Detection", equation 5: alpha_t (1 - p_t)^gamma times
    cross-entropy, best with gamma 2 and alpha 0.25, https://arxiv.org/abs/1708.02002
Source: pytorch-multi-class-focal-loss issue 1, 2021: the weight in exp(-ce), and the mean taken before it,
    https://github.com/gokulprasadthekkel/pytorch-multi-class-focal-loss/issues/1
Source: kornia issue 875, 2021: one alpha for all classes, https://github.com/kornia/kornia/issues/875
Terms: focal loss, class weight, class_weight, alpha, alpha-balanced, pt, cross_entropy weight, gamma,
    imbalance, bug
Right when: With reduction="none": all weights are 1, or gamma is 0.
Limits: One batch and its gradient; what the mistake costs a trained net is not shown. The paper was read
    in reproductions.
"""

from math import exp, log

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def weight_inside(logits, labels, weight, power):
    """Cross-entropy takes the class weights, and pt is exp(-ce)."""
    ce = F.cross_entropy(logits, labels, weight, reduction="none")
    return ((1 - torch.exp(-ce)) ** power * ce).mean()


def mean_before_pt(logits, labels, weight, power):
    """The weights and the mean both belong to cross-entropy."""
    ce = F.cross_entropy(logits, labels, weight)
    return (1 - torch.exp(-ce)) ** power * ce


def one_weight_for_all(logits, labels, weight, power):
    """Alpha is a factor in front of the loss, as the formula has it."""
    ce = F.cross_entropy(logits, labels, reduction="none")
    return (weight[0] * (1 - torch.exp(-ce)) ** power * ce).mean()


def weight_outside(logits, labels, weight, power):
    """Take each example's pt without weights and put its weight in front.

    Only then does alpha scale a class, and (1 - pt)^power look at the example alone, by its own
    cross-entropy.
    """
    ce = F.cross_entropy(logits, labels, reduction="none")
    return (weight[labels] * (1 - torch.exp(-ce)) ** power * ce).mean()


def only_a_factor(p, weight, power):
    """A weight multiplies the loss and its gradient, wherever it stands."""
    return 1.0


def as_at_another_probability(p, weight, power):
    """With its weight in pt an example pulls as one at p^weight.

    The pull at p^weight over that at p is 0.069 for 0.9 and a weight of 0.25, 34.5 for a weight of
    99. Slopes by cross-entropy are (1 - p)^power - power · p (1 - p)^(power - 1) log p, and a weight
    of w makes p^w of p. Below a weight of 1 all examples look easier, above it all look harder.
    """

    def pull(p, log_p):
        return (1 - p) ** power - power * p * (1 - p) ** (power - 1) * log_p

    return pull(p**weight, weight * log(p)) / pull(p, log(p))


def double(values):
    """A tensor of 64-bit floats."""
    return torch.tensor(values, dtype=torch.float64)


powers = st.sampled_from([0, 1, 2, 5])
scores = st.integers(-3, 3).map(float)


@claim(wrong=(weight_inside, mean_before_pt, one_weight_for_all), right=weight_outside)
@example(examples=[((2.0, 0.0, 0.0), 0), ((0.0, 1.0, 0.0), 2)], weight=(0.25, 1.0, 4.0), power=2)
@example(examples=[((2.0, 0.0, 0.0), 0), ((0.0, 1.0, 0.0), 2)], weight=(1.0, 1.0, 1.0), power=2)
@example(examples=[((2.0, 0.0, 0.0), 0)], weight=(0.25, 1.0, 4.0), power=2)
@given(
    examples=st.lists(
        st.tuples(st.tuples(scores, scores, scores), st.integers(0, 2)), min_size=1, max_size=4
    ),
    weight=st.tuples(*[st.sampled_from([0.25, 1.0, 4.0])] * 3),
    power=powers,
)
def test_focal_loss_with_class_weights(answer, examples, weight, power):
    """The mean of the examples' losses is that of the paper's equation 5, summed one by one.

    examples: logits of three classes and the label of each example
    logits: those of all examples, a row per example
    labels: the class of each example
    weight: alpha of each class
    power: gamma, the exponent of 1 - pt
    """
    expected = 0.0
    for logits, label in examples:
        p = exp(logits[label]) / sum(map(exp, logits))
        expected -= weight[label] * (1 - p) ** power * log(p) / len(examples)
    logits, labels = double([logits for logits, _ in examples]), torch.tensor([y for _, y in examples])

    assert observe(loss=answer(logits, labels, double(weight), power).item()) == approx(expected)


@claim(wrong=only_a_factor, right=as_at_another_probability)
@example(p=0.9, weight=0.25, power=2)
@example(p=0.9, weight=99.0, power=2)
@example(p=0.9, weight=1.0, power=2)
@given(
    p=st.sampled_from([0.1, 0.5, 0.9, 0.99]),
    weight=st.sampled_from([0.25, 0.75, 1.0, 10.0, 99.0]),
    power=powers,
)
def test_focal_weight_within_the_probability(answer, p, weight, power):
    """With the weight in pt an example pulls as one of the probability p^weight, and not of p.

    p: probability that the net gives to the example's own class
    weight: of that class
    power: gamma, the exponent of 1 - pt
    """

    def pull(weight_in_pt):
        logit = double([[0.0, log(p / (1 - p))]]).requires_grad_()
        plain, label = F.cross_entropy(logit, torch.tensor([1])), torch.tensor([1])
        weighted = F.cross_entropy(logit, label, double([1.0, weight]), reduction="none").sum()
        pt = torch.exp(-(weighted if weight_in_pt else plain))
        ((1 - pt) ** power * weighted).backward()
        return logit.grad[0, 1].item()

    assert observe(times=pull(True) / pull(False)) == approx(answer(p, weight, power), rel=1e-9)
