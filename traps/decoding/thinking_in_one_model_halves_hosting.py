"""What fusing the thinking modes saves: tokens and hosting

A reasoning model writes 2000 tokens, chain of thought and answer, for every query, of which one in ten is
hard. One model with a flag can leave it out. What does that save, and would a second, small model double
the hosting?

Answer: If direct answers take 100 tokens and 10 % of the queries are hard, the flag cuts the tokens to
    14.5 %, and most of these are for the hard ones. A second model for the easy ones adds its own
    weights, no more: 1B next to 70B takes 1.014 times the memory. It doubles only with a second model of
    the same size, and something has to choose, flag or model, in both cases.
Says: A small and a large model double the hosting costs, and need a router; one fused model reduces
    tokens for simple queries.
Verdict: imprecise: a second model takes small/large of the memory on top, 1.4 % for 1B next to 70B.
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 10
Source: Qwen Team 2025, "Qwen3 Technical Report", section 4.3, https://arxiv.org/abs/2505.09388
Terms: thinking mode, hybrid reasoning, reasoning budget, thinking budget, enable_thinking, /no_think,
    chain of thought, router, model routing, model cascade, hosting cost, VRAM, inference budget
Right when: The two models are of one size: then the memory is 2 times as much.
Limits: Weights alone: a pair also splits the cache and the batch. Whether one model can learn both modes
    is the page thinking_is_free_to_switch_off.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx
from torch import nn

from fixtures import claim, observe
from fixtures.meters import nbytes


def double_hosting(small, large):
    """Two models instead of one: hosting costs double."""
    return 2.0


def small_one_is_for_nothing(small, large):
    """Next to the large model the small one does not count."""
    return 1.0


def one_and_the_ratio(small, large):
    """The small model adds its weights to the large one's.

    Memory grows to 1 + small/large: by 1.4 % if the large model is 70 times as large.
    """
    return 1 + small / large


def only_hard_ones_count(hard, direct, chain):
    """A direct answer costs nothing to speak of, so the bill falls to the share of the hard queries."""
    return hard


def mean_of_both(hard, direct, chain):
    """Hard queries keep their chains, and the others cost what a direct answer does.

    A share of hard + (1 - hard) · direct / chain: 14.5 % at one hard query in ten, 52.5 % at half.
    """
    return hard + (1 - hard) * direct / chain


@claim(wrong=(double_hosting, small_one_is_for_nothing), right=one_and_the_ratio, evidence="derived")
@example(small=1, large=70)
@example(small=8, large=8)
@given(small=st.integers(1, 8), large=st.integers(8, 128))
def test_thinking_on_two_models_takes_memory(answer, small, large):
    """A second model adds its own weights to the memory, and no more.

    small: size of the model for easy questions, billions of weights
    large: size of the model for hard ones, billions of weights
    """
    pair = [
        nn.Linear(10**4, n * 10**5, bias=False, dtype=torch.bfloat16, device="meta") for n in (small, large)
    ]
    both = nbytes(*(model.weight for model in pair))

    assert observe(ratio=both / nbytes(pair[1].weight)) == approx(answer(small, large))


@claim(wrong=only_hard_ones_count, right=mean_of_both, evidence="derived")
@example(hard=0.1, direct=100, chain=2000)
@example(hard=0.5, direct=100, chain=2000)
@example(hard=0.0, direct=100, chain=2000)
@given(
    hard=st.integers(0, 10).map(lambda n: n / 10), direct=st.integers(10, 200), chain=st.integers(200, 4000)
)
def test_thinking_only_when_asked_saves_tokens(answer, hard, direct, chain):
    """What a flag saves are the chains of the easy queries, down to their direct answers.

    hard: share of the queries that are hard
    direct: tokens of an answer without a chain
    chain: tokens of an answer with one
    """
    written = [chain] * round(10 * hard) + [direct] * round(10 - 10 * hard)

    assert observe(share=sum(written) / (10 * chain)) == approx(answer(hard, direct, chain))
