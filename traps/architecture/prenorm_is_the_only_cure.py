"""How to train a deep post-norm network

Twelve residual blocks, each followed by a layer norm, do not learn at a high rate. Is pre-norm the cure,
because the norms on the path of a post-norm network destroy what passes, layer by layer?

Verdict: refuted as stated: plain deep post-norm does need warm-up and pre-norm does not, but pre-norm is not
    the only cure: DeepNorm keeps the norms on the path and learns without warm-up, and norms by themselves
    lose two directions in all
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 4
Source: Xiong et al. 2020, "On Layer Normalization in the Transformer Architecture", abstract,
    https://arxiv.org/abs/2002.04745
Source: Wang et al. 2022, "DeepNet: Scaling Transformers to 1,000 Layers", abstract,
    https://arxiv.org/abs/2203.00555
Source: Zeng et al. 2022, "GLM-130B: An Open Bilingual Pre-trained Model", section 2.1: post-norm "initialized
    with the newly-proposed DeepNorm", https://arxiv.org/abs/2210.02414
Right when: DeepNorm's scales are not at hand. Pre-norm needs none.
Limits: Twelve blocks of width 32 without attention, one task, one peak rate, four seeds a design. The
    constants of DeepNorm are those of its published code, torchscale, for encoders or decoders alone.
    GLM-130B takes square roots for their fourth roots.
"""

from functools import cache
from math import log

import torch
import torch.nn.functional as F
from hypothesis import given, strategies as st

from fixtures import claim, observe
from fixtures.nets import residual_stack


def nothing_is_lost(norm, depth, d):
    """A block that adds nothing is the identity, wherever its norm is."""
    return d


def each_norm_takes_two(norm, depth, d):
    """Each norm on the path takes out the mean and the scale: two directions a layer."""
    return max(d - 2 * depth, 0) if norm == "post-norm" else d


def two_in_all(norm, depth, d):
    """Pre-norm is the identity then; post-norm loses two directions, mean and scale, at any depth.

    Normalising what is normalised changes nothing, so norms alone do not compound.
    """
    return d - 2 if norm == "post-norm" else d


def only_prenorm(design):
    """Only the identity path of pre-norm lets a deep network learn."""
    return 1.0 if design == "pre-norm" else 0.0


def only_with_warmup(design):
    """At a high rate every deep network needs its warm-up."""
    return 1.0 if design == "post-norm, warmed up" else 0.0


def all_but_plain_postnorm(design):
    """Plain post-norm needs warm-up; pre-norm and DeepNorm do not.

    What harms is the first steps: near the output gradients are large, and each branch counts as much as all
    that came before it. Warm-up takes those steps small; pre-norm and DeepNorm let a branch count less.
    """
    return 0.0 if design == "plain post-norm" else 1.0


# Four networks 8-32-…-32-8 train side by side, one a seed; the rate rises to 0.025 and falls to zero.
SEEDS, CLASSES, WIDTH, DEPTH, STEPS = 4, 8, 32, 12, 80


@cache
def train(design):
    """Final losses of the networks, over that of a blind guess."""
    random = torch.Generator().manual_seed(0)
    warmup = 40 if design == "post-norm, warmed up" else 1
    # DeepNorm for L blocks: the skip is multiplied by (2L)^(1/4), initial weights are divided by (8L)^(1/4).
    skip, shrink = ((2 * DEPTH) ** 0.25, (8 * DEPTH) ** 0.25) if design == "DeepNorm" else (1, 1)

    def normal(*shape, gain=1.0):
        return torch.randn(*shape, generator=random) * gain / shape[-2] ** 0.5

    teacher, inlet, head = normal(SEEDS, 8, CLASSES), normal(SEEDS, 8, WIDTH), normal(SEEDS, WIDTH, CLASSES)
    ups, downs = (normal(DEPTH, SEEDS, WIDTH, WIDTH, gain=gain / shrink) for gain in (2**0.5, 1))
    optimizer = torch.optim.Adam([w.requires_grad_() for w in (inlet, ups, downs, head)])
    losses = []
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = 0.025 * min(1, (step + 1) / warmup) * (1 - step / STEPS)
        x = torch.randn(SEEDS, 64, 8, generator=random)
        branches = [lambda h, u=u, d=d: F.relu(h @ u) @ d for u, d in zip(ups, downs, strict=True)]
        h = residual_stack(
            F.layer_norm(x @ inlet, [WIDTH]), branches, pre_norm=design == "pre-norm", skip=skip
        )
        guess = (F.layer_norm(h, [WIDTH]) @ head).log_softmax(-1)
        loss = -guess.gather(-1, (x @ teacher).argmax(-1, keepdim=True)).mean((1, 2)) / log(CLASSES)
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses[-20:]).mean(0)


@claim(wrong=(nothing_is_lost, each_norm_takes_two), right=two_in_all)
@given(
    norm=st.sampled_from(["post-norm", "pre-norm"]), depth=st.integers(1, 8), d=st.sampled_from([4, 5, 12])
)
def test_postnorm_with_dead_branches(answer, device, norm, depth, d):
    """With branches that add nothing a post-norm stack keeps all directions but two, at any depth."""
    x = torch.randn(d, generator=torch.Generator().manual_seed(d), dtype=torch.float64).to(device)

    jacobian = torch.autograd.functional.jacobian(
        lambda x: residual_stack(x, [torch.zeros_like] * depth, pre_norm=norm == "pre-norm"), x
    )

    # The norm's eps of 1e-5 lets that much of the scale through.
    assert observe(rank=torch.linalg.matrix_rank(jacobian, rtol=0.01).item()) == answer(norm, depth, d)


@claim(wrong=(only_prenorm, only_with_warmup), right=all_but_plain_postnorm, evidence="trained", examples=4)
@given(design=st.sampled_from(["DeepNorm", "plain post-norm", "post-norm, warmed up", "pre-norm"]))
def test_postnorm_without_warmup(answer, design):
    """At a high rate plain post-norm fails without warm-up; with it, or as DeepNorm, it learns."""
    # Networks that learn end below 0.5 of a blind guess's loss, the others above 0.75 (36 seeds).
    learned = (train(design) < 0.62).float().mean().item()

    assert observe(share=learned) == answer(design)
