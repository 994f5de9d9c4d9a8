"""What muP changes: the initialization or the learning rates?

muP is described as a variance of 1/width together with learning rates per layer. Which of the two does
the work?

Answer: The learning rates. A variance of 1/fan_in is what Kaiming's initialization gives already, though
    GPT-2's fixed initializer_range does not, and with it pre-activations start at one size at any width;
    but a step of Adam moves them k times as far in a net k times as wide. muP divides Adam's rate of the
    hidden and output matrices by k, and the initial variance of the output by one more k.
Says: In the standard parametrization a larger width alters activation variances and shifts the best
    hyperparameters; muP scales initial variances by 1/width and divides some learning rates by width.
Verdict: imprecise: with a variance of 1/fan_in, which is standard too, they change with width only from
    the first step on; new in muP are the learning rates and the output layer
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 7
Source: Yang, Hu et al. 2021, "Tensor Programs V: Tuning Large Neural Networks via Zero-Shot
    Hyperparameter Transfer", table 3, https://arxiv.org/abs/2203.03466
Terms: muP, maximal update parametrization, standard parametrization, fan_in, initialization,
    initializer_range, coordinate check, per-layer learning rate, learning rate transfer, width, Adam,
    output layer
Right when: Weights are drawn with a variance that ignores their width, as a fixed initializer_range does;
    then activations do drift at the start.
Limits: Width and Adam alone, tanh networks of two hidden layers; attention, whose scores muP divides by
    head_dim and not by its root, is not shown. Why clipping does not do the same is the page
    wide_model_is_tamed_by_clipping.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.mup import tanh_mlp


def activations_drift(parametrization, quantity, k):
    """In the standard parametrization activations grow with width; muP's variance of 1/width holds them."""
    return 1 if parametrization == "muP" else k**0.5


def variance_cures(parametrization, quantity, k):
    """With a variance of 1/width activations keep their size, and therefore their changes do."""
    return 1


def steps_walk(parametrization, quantity, k):
    """Activations keep their size, and a step changes them by the square root of the width."""
    return k**0.5 if (parametrization, quantity) == ("standard", "change") else 1


def steps_add_up(parametrization, quantity, k):
    """Activations start at one size at any width; a step moves them k times as far, except in muP.

    Initial weights point anywhere and add up to a random walk, which a variance of 1/width offsets.
    Updates point the same way and add up to width, which only a learning rate over width offsets.
    """
    return k if (parametrization, quantity) == ("standard", "change") else 1


def first_step(width, k, seed, device):
    """Sizes of the second layer's pre-activations and of their change by a step of Adam, over 16 nets."""
    torch.manual_seed(seed)
    sizes = []
    for _ in range(16):
        net, optimizer = tanh_mlp(width, 0.001, k, device)
        x, y = torch.randn(2, 16, 4, device=device)
        before = net[:3](x)
        (net(x) - y).square().sum().backward()
        optimizer.step()
        sizes.append(torch.stack([before, net[:3](x) - before]).square().mean((1, 2)))
    start, change = torch.stack(sizes).mean(0).sqrt().tolist()
    return {"start": start, "change": change}


@claim(
    wrong=(activations_drift, variance_cures, steps_walk),
    right=steps_add_up,
    evidence="trained",
    examples=20,
)
@example(parametrization="standard", quantity="start", k=8, seed=0)
@example(parametrization="standard", quantity="change", k=8, seed=0)
@example(parametrization="muP", quantity="change", k=8, seed=0)
@example(parametrization="standard", quantity="start", k=2, seed=0)
@example(parametrization="standard", quantity="change", k=2, seed=0)
@given(
    parametrization=st.sampled_from(["standard", "muP"]),
    quantity=st.sampled_from(["change", "start"]),
    k=st.sampled_from([4, 2, 8]),
    seed=st.integers(0, 9999),
)
def test_mup_holds_the_updates(answer, device, parametrization, quantity, k, seed):
    """Pre-activations keep their size at any width; what a step does to them grows with it, except in muP.

    parametrization: the standard one, or muP
    quantity: size of the pre-activations at the start, or of their change by the first step
    k: width of a net over that of the one it is compared with
    """
    narrow = first_step(64, 1, seed, device)

    wide = first_step(64 * k, k if parametrization == "muP" else 1, seed, device)

    # A step is some 7 % short of the law of infinite width, and five standard deviations are 15 %.
    assert observe(grows=wide[quantity] / narrow[quantity]) == approx(
        answer(parametrization, quantity, k), rel=0.25
    )
