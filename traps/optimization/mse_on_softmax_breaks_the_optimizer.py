"""Mean squared error on softmax outputs

A regression model becomes a classifier, and a junior keeps the mean squared error for its softmax
outputs, since "error is error". Does that break the optimizer, and where?

Answer: It starves the examples that are confidently wrong. With two classes and the true one at p =
    0.001, squared error pulls on its logit with 0.004, cross-entropy with 0.999. That delays learning
    rather than ending it: from zero weights it learns ten classes at once, from reversed ones soon only
    with Adam and if they are small, and longer training leaves the plateau. Use cross-entropy, whose
    gradient is p minus target.
Says: Keeping the squared error for softmax outputs is guaranteed to break the optimizer: where the model
    is confident and wrong the gradient vanishes, and the network stops learning when it needs it most.
Verdict: imprecise: the gradient does vanish where the model is confidently wrong, but that is a plateau
    that longer training leaves, and from zero weights squared error trains at once
Asked: AI Interview Prep newsletter, Advanced Deep Learning #15
Source: AI Interview Prep newsletter 2026, "Advanced Deep Learning Interview Questions #15",
    https://aiinterviewprep.substack.com/p/advanced-deep-learning-interview-968
Source: Hui and Belkin 2021, "Evaluation of Neural Architectures Trained with Square Loss vs Cross-Entropy
    in Classification Tasks", ICLR, abstract, https://arxiv.org/abs/2006.07322
Terms: MSE, L2 loss, mse_loss, softmax, cross-entropy, gradient saturation, vanishing gradient, plateau,
    logits, confidently wrong, classification
Right when: Initial weights are small, so that no example starts out confidently wrong.
Limits: Linear classifiers, 200 steps at one rate; after 2000, or at a rate ten times as high, SGD from 2
    times the reversed weights learned as well, and Adam from 4 times after 1000. Hui and Belkin, whose
    abstract was read, put the squared error on the logits, without a softmax. Convexity is the page
    softmax_cross_entropy_is_always_convex.
"""

from functools import cache
from math import log

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def further_off_pulls_harder(loss, reduction, classes, rivals, p):
    """Either loss pulls with the error, 1-p: the further off, the harder."""
    return 1 - p


def twice_the_error(loss, reduction, classes, rivals, p):
    """The derivative of a square is twice the error, 2(1-p)."""
    return 1 - p if loss == "cross-entropy" else 2 * (1 - p)


def error_times_slope(loss, reduction, classes, rivals, p):
    """Cross-entropy pulls with 1-p, squared error with p(1-p)², up to a factor.

    The factor is 2(1 + 1/r) if r wrong classes share the rest. The slope of the softmax dies out with
    p, and only a logarithm cancels it. Torch's default, the mean over the classes, is less by their
    number again: 0.000002 for 1000 classes, where the sum has 0.002.
    """
    if loss == "cross-entropy":
        return 1 - p
    return 2 * p * (1 - p) ** 2 * (1 + 1 / rivals) / (classes if reduction == "mean" else 1)


def guaranteed_to_break(loss, optimizer, start):
    """With squared error the gradient vanishes and the network stops learning."""
    return 1.0 if loss == "cross-entropy" else 0.0


def error_is_error(loss, optimizer, start):
    """Both losses fall towards the true class, so both get there."""
    return 1.0


def the_start_decides(loss, optimizer, start):
    """From zero weights squared error learns; from small reversed ones only Adam does.

    In the steps taken here SGD gets nowhere from 2 times the teacher's weights, reversed, nor Adam from 4
    times.
    """
    if loss == "cross-entropy" or start == 0:
        return 1.0
    return 1.0 if optimizer == "Adam" and start == 2 else 0.0


def losses(loss, logits, labels, reduction="sum"):
    """What torch makes of logits [examples, classes] under either loss."""
    if loss == "cross-entropy":
        return F.cross_entropy(logits, labels, reduction=reduction)
    return F.mse_loss(logits.softmax(-1), F.one_hot(labels, logits.shape[-1]).to(logits), reduction=reduction)


@cache
def accuracy(loss, optimizer, start, seed, device):
    """Median accuracy of 32 linear classifiers of ten classes, after 200 steps towards their teachers."""
    random = torch.Generator().manual_seed(seed)
    x, teacher = (torch.randn(32, n, m, generator=random).to(device) for n, m in ((64, 8), (8, 10)))
    labels = (x @ teacher).argmax(-1)
    w = (-start * teacher).requires_grad_()
    stepper = torch.optim.SGD([w], lr=1.0) if optimizer == "SGD" else torch.optim.Adam([w], lr=0.1)
    for _ in range(200):
        stepper.zero_grad()
        (losses(loss, (x @ w).flatten(0, 1), labels.flatten()) / 64).backward()
        stepper.step()
    return ((x @ w).argmax(-1) == labels).float().mean(1).median().item()


kinds, optimizers = st.sampled_from(["squared error", "cross-entropy"]), st.sampled_from(["SGD", "Adam"])
reductions, rival_counts = st.sampled_from(["sum", "mean"]), st.sampled_from([1, 2, 9, 999])
counts, chances = st.sampled_from([2, 3, 10, 1000]), st.sampled_from([0.5, 1 / 3, 0.1, 0.001, 0.9, 1e-6])


@claim(wrong=(further_off_pulls_harder, twice_the_error), right=error_times_slope)
@example(loss="squared error", reduction="sum", classes=2, rivals=1, p=0.001)
@example(loss="cross-entropy", reduction="sum", classes=2, rivals=1, p=0.001)
@example(loss="squared error", reduction="sum", classes=1000, rivals=999, p=0.001)
@example(loss="squared error", reduction="mean", classes=1000, rivals=999, p=0.001)
@given(loss=kinds, reduction=reductions, classes=counts, rivals=rival_counts, p=chances)
def test_mse_pull_on_the_true_logit(answer, device, loss, reduction, classes, rivals, p):
    """On a confidently wrong example squared error has next to no gradient.

    reduction: over the classes, the argument of torch's losses
    rivals: wrong classes that share the rest evenly; others have no chance
    p: probability of the true class
    """
    rivals = min(rivals, classes - 1)
    logits = torch.full((1, classes), -100.0, dtype=torch.float64, device=device)
    logits[0, 1 : rivals + 1] = 0
    logits[0, 0] = log(p * rivals / (1 - p))
    losses(loss, logits.requires_grad_(), torch.tensor([0], device=device), reduction).backward()

    assert observe(pull=-logits.grad[0, 0].item()) == approx(answer(loss, reduction, classes, rivals, p))


@claim(wrong=(guaranteed_to_break, error_is_error), right=the_start_decides, evidence="trained", examples=8)
@example(loss="squared error", optimizer="SGD", start=0, seed=1000)
@example(loss="squared error", optimizer="SGD", start=2, seed=1000)
@example(loss="squared error", optimizer="Adam", start=2, seed=1000)
@example(loss="squared error", optimizer="Adam", start=4, seed=1000)
@given(loss=kinds, optimizer=optimizers, start=st.sampled_from([0, 2, 4]), seed=st.integers(1000, 999_999))
def test_mse_trains_from_an_ordinary_start(answer, device, loss, optimizer, start, seed):
    """Within 200 steps squared error trains a softmax unless it starts out confidently wrong.

    start: size of the initial weights, which are the teacher's reversed, in multiples of them
    """
    reached = observe(accuracy=accuracy(loss, optimizer, start, seed, device))

    # With 480 seeds those that learn reach 0.97 or more; with 510 the others reach 0.03 at most.
    assert reached == approx(answer(loss, optimizer, start), abs=0.08)
