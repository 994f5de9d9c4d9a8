"""The weights of a network that trained with dropout

You train with dropout, export the raw weights, and load them into an engine that knows no dropout. Must
the exported weights be multiplied by 1-p?

Verdict: holds if the dropout was classic, a bare mask; PyTorch scales while it trains, so its raw weights
    need no factor, and at p = 0.5 the advice would halve every activation
Asked: AI Interview Prep newsletter, Advanced Deep Learning #14
Source: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting", JMLR 15,
    section 1, figure 2 (its p is the chance to be kept), https://jmlr.org/papers/v15/srivastava14a.html
Source: PyTorch 2 documentation, torch.nn.Dropout,
    https://docs.pytorch.org/docs/stable/generated/torch.nn.modules.dropout.Dropout.html
Source: Li, Chen, Hu and Yang 2019, "Understanding the Disharmony between Dropout and Batch Normalization by
    Variance Shift", CVPR, abstract, https://arxiv.org/abs/1801.05134
Limits: The newsletter's abstract breaks off; only what is visible is judged. Of Srivastava et al. the passage
    on test time was read as others quote it, of Li et al. the abstract. TensorFlow was not run.
"""

import torch
from hypothesis import given, strategies as st
from pytest import approx
from torch import nn

from fixtures import claim, observe


def always_one_minus_p(dropout, p):
    """Fewer units were active in training, so exported weights are multiplied by 1-p."""
    return 1 - p


def exported_as_they_are(dropout, p):
    """Dropout is a matter of training: weights are weights."""
    return 1.0


def scaled_up_again(dropout, p):
    """Training scaled the survivors by 1/(1-p), so the engine must do it too."""
    return 1 / (1 - p)


def one_minus_p_if_classic(dropout, p):
    """Inverted dropout, which scales in training, needs no factor; classic dropout needs 1-p.

    The factor is due once: the engine must show the next layer the mean of what it was trained on.
    """
    return 1 - p if dropout == "classic" else 1.0


def scaled_in_evaluation(mode, p):
    """As in the paper: a survivor passes as it is, and evaluation multiplies by 1-p."""
    return 1.0 if mode == "train" else 1 - p


def scaled_in_training(mode, p):
    """A survivor becomes x/(1-p) in training, and evaluation is the identity."""
    return 1 / (1 - p) if mode == "train" else 1.0


def variance_kept(p, mean):
    """Inverted dropout keeps the mean, so the statistics of training hold in evaluation."""
    return 1.0


def one_over_kept(p, mean):
    """The variance grows by 1/(1-p), whatever the signal."""
    return 1 / (1 - p)


def second_moment_grows(p, mean):
    """A variance of 1 becomes (1 + p·mean²)/(1-p): 2 at p = 0.5, and more where the mean is not 0.

    A share 1-p survives with squares 1/(1-p)² as large, so the second moment grows by 1/(1-p). From it
    the square of the mean is taken off, which stays.
    """
    return (1 + p * mean**2) / (1 - p)


def as_the_scaled_net(readout, p, excites, inhibits):
    """One pass with scaled weights is the average over all thinned networks."""
    return max(excites - inhibits, 0) if readout == "relu" else excites - inhibits


def sometimes_uninhibited(readout, p, excites, inhibits):
    """A linear readout averages to the scaled pass; a ReLU averages to more (Jensen).

    With probability p the inhibiting input is missing, and the exciting one passes whole on average.
    """
    if readout == "linear":
        return excites - inhibits
    return (1 - p) * max(excites - inhibits, 0) + p * excites


def dropped(x, p, seed):
    """What torch's dropout layer makes of x in training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Dropout(p)(x)


rates, weights = st.sampled_from([0.5, 0.1, 0.25, 0.75]), st.integers(1, 9)


@claim(
    wrong=(always_one_minus_p, exported_as_they_are, scaled_up_again),
    right=one_minus_p_if_classic,
    evidence="simulated",
    examples=50,
)
@given(dropout=st.sampled_from(["inverted", "classic"]), p=rates, seed=st.integers(0, 1000))
def test_dropout_export_factor(answer, dropout, p, seed):
    """Exported weights need a factor only if training left it out."""
    x, w = torch.rand(2, 16, generator=torch.Generator().manual_seed(seed))
    passes = dropped(x.expand(600, 16), p, seed)
    if dropout == "classic":
        passes = x * (passes != 0)  # the same masks, bare

    factors = passes @ w / (x @ w)

    error = factors.std().item() / len(factors) ** 0.5  # of the mean over the masks
    assert observe(factor=factors.mean().item()) == approx(answer(dropout, p), abs=5 * error)


@claim(wrong=scaled_in_evaluation, right=scaled_in_training)
@given(mode=st.sampled_from(["eval", "train"]), p=rates, seed=st.integers(0, 1000))
def test_dropout_layer_of_torch(answer, mode, p, seed):
    """The dropout layer of torch scales while it trains, and evaluates to the identity."""
    ones = torch.ones(100)

    passed = dropped(ones, p, seed) if mode == "train" else nn.Dropout(p).eval()(ones)

    assert observe(survivors=passed[passed != 0].unique().tolist()) == approx([answer(mode, p)])


@claim(wrong=(variance_kept, one_over_kept), right=second_moment_grows, evidence="simulated", examples=50)
@given(p=rates, mean=st.integers(0, 3), seed=st.integers(0, 20))
def test_dropout_before_batch_norm(answer, p, mean, seed):
    """Batch norm behind dropout remembers a variance that evaluation never shows."""
    signal = mean + torch.tensor([-1.0, 1.0]).repeat(1000)  # its variance is 1
    trained, norm = dropped(signal, p, seed), nn.BatchNorm1d(1, momentum=1.0)
    norm(trained[:, None])

    squares = (trained - trained.mean()).square()
    error = squares.std().item() / len(squares) ** 0.5  # of a variance, which is a mean of squares
    assert observe(variance=norm.running_var.item()) == approx(answer(p, mean), abs=5 * error)


@claim(wrong=as_the_scaled_net, right=sometimes_uninhibited)
@given(readout=st.sampled_from(["linear", "relu"]), p=rates, excites=weights, inhibits=weights)
def test_dropout_average_of_all_masks(answer, device, readout, p, excites, inhibits):
    """Scaled weights give the average over all masks only where the readout is linear."""
    masks = torch.cartesian_prod(*torch.tensor([[0.0, 1.0]] * 2, dtype=torch.float64)).to(device)
    chances = (masks * (1 - p) + (1 - masks) * p).prod(1)
    sums = masks / (1 - p) @ masks.new_tensor([excites, -inhibits])

    average = chances @ (sums.relu() if readout == "relu" else sums)

    assert observe(average=average.item()) == approx(answer(readout, p, excites, inhibits))
