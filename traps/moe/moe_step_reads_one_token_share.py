"""Experts that a decode step reads

A mixture of experts routes each token to 2 of 64 experts. Does a decode step of a batch read 2/64 of the
expert weights, so that it is 32 times lighter on memory bandwidth than a dense model?

Answer: For one token it does. A batch reads every expert that any of its tokens is routed to, 1 - (1 -
    k/experts)^batch of them: with 2 of 64, 22 tokens read half of the experts and 64 tokens 87 %. So at
    small batches an MoE saves bandwidth as well as FLOPs, and at large ones FLOPs alone.
Verdict: not judged: the source speaks of one token's weights, and not of what a step reads
Asked: AI interview course, "Model Architectures and Scaling": what is mixture of experts?
Source: Jiang et al. 2024, "Mixtral of Experts", section 2: 2 of 8 experts per token,
    https://arxiv.org/abs/2401.04088
Terms: MoE, mixture of experts, active parameters, active_parameters, memory bandwidth, batch size,
    decode, expert offloading, top-k, weight streaming
Right when: The batch is one sequence.
Limits: Experts are drawn evenly and independently; a trained router is less even and reads fewer. Counts
    of experts, and no clock. What else a token uses is the page moe_runs_at_its_expert_share.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def share_of_one_token(experts, top_k, step):
    """Each token reads its k experts, and a step reads that share."""
    return top_k / experts


def choices_as_if_alone(experts, top_k, step):
    """All choices of the batch fall independently: 1 - (1 - 1/experts)^(k · step)."""
    return 1 - (1 - 1 / experts) ** (top_k * step)


def all_that_any_token_chose(experts, top_k, step):
    """Each token passes an expert over with chance 1 - k/experts: 1 - (1 - k/experts)^step.

    An expert is left alone only if every token has passed it over, and each chooses k different ones. With 2
    of 64 that is 0.5 for 22 tokens and 0.87 for 64.
    """
    return 1 - (1 - top_k / experts) ** step


@claim(wrong=(share_of_one_token, choices_as_if_alone), right=all_that_any_token_chose, evidence="simulated")
@example(experts=64, top_k=2, step=1, seed=0)
@example(experts=64, top_k=2, step=22, seed=0)
@example(experts=64, top_k=2, step=64, seed=0)
@example(experts=4, top_k=3, step=1, seed=0)
@given(
    experts=st.sampled_from([4, 8, 16, 64]),
    top_k=st.integers(1, 4),
    step=st.integers(1, 4) | st.integers(1, 128),
    seed=st.integers(0, 9999),
)
def test_moe_experts_read_by_a_batch(answer, experts, top_k, step, seed):
    """A batch reads every expert that any of its tokens is routed to, so large ones read nearly all.

    step: tokens of a decode step, one of each sequence
    """
    random = torch.Generator().manual_seed(seed)
    chosen = torch.rand(400, step, experts, generator=random).topk(top_k).indices.flatten(1)
    read = torch.zeros(400, experts).scatter(1, chosen, 1.0).mean(1)

    # Five standard errors, and what no trial may have shown: a chance of 12 / n is missed n times with
    # e^-12.
    error = 5 * read.std().item() / 400**0.5 + 12 / (400 * experts)
    assert observe(share=read.mean().item()) == approx(answer(experts, top_k, step), abs=error)
