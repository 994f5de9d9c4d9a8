"""A faster attention kernel at 1.4B and at 175B

A faster attention kernel sped up the training of a 1.4B model. Why will the same kernel hardly help at
175B?

Answer: Amdahl's law: scores and weighted values take context / (6d + context) of a block's FLOPs, 14 % at
    2,048 tokens and d = 2,048, and 2.7 % at 175B's 12,288, so a kernel that took no time would save that
    much. It is context over width that counts: at 73,728 tokens, which is 6d, they are half of 175B's
    work. The four projections stay a third of the rest, whatever the size. And shares of FLOPs are not
    shares of time: profile before you choose.
Says: A speed-up from optimizing attention on a 1.4B model does not translate to a 175B model, as the FLOP
    budget shifts as models grow.
Verdict: holds if the context stays the same, and attention means scores and values, not its projections
Asked: AI Interview Prep newsletter, LLM System Design #26
Source: Kaplan et al. 2020, "Scaling Laws for Neural Language Models", table 1,
    https://arxiv.org/abs/2001.08361
Source: Brown et al. 2020, "Language Models are Few-Shot Learners", table 2.1: d = 12,288 at 175B,
    https://arxiv.org/abs/2005.14165
Terms: Amdahl's law, attention FLOPs, attention speedup, FlashAttention, MLP share, d_model, context
    length, quadratic attention, GPT-3, profiling, FFN
Right when: The context grows in proportion to the width, so that the share stays.
Limits: Blocks of multi-head attention with heads of 64 and a 4d MLP, all scores counted; a causal kernel,
    and table 1 of Kaplan and others, count half of them, which is 7.7 % and 1.4 %. No time is measured.
    The stored text stops at "the FLOP budget shifts".
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.meters import kernels
from fixtures.nets import Block


def as_at_the_small_model(d, context):
    """A kernel has its share of the work, 14 %, whatever the model."""
    return 1 / 7


def context_over_width(d, context):
    """Scores grow with the context and the rest with the width: context / (d + context)."""
    return context / (d + context)


def all_of_attention(d, context):
    """Attention is its four projections as well: 43 % at d = 2,048 and 35 % at 12,288."""
    return (2 * d + context) / (6 * d + context)


def scores_and_values(d, context):
    """Context / (6d + context): 14 % at 2,048 tokens and d = 2,048, and 2.7 % at 12,288.

    At 12,288 it is 0.5 with 73,728 tokens. Per token 12·d² multiply-adds for the weights and 2·d·context
    for scores and values.
    """
    return context / (6 * d + context)


@claim(
    wrong=(as_at_the_small_model, context_over_width, all_of_attention),
    right=scores_and_values,
)
@example(d=2048, context=2048)
@example(d=12288, context=2048)
@example(d=12288, context=12288)
@example(d=12288, context=73728)
@given(
    d=st.integers(1, 32).map(lambda n: 64 * n),
    context=st.integers(16, 4096) | st.integers(1, 8).map(lambda n: 384 * n),
)
def test_attention_share_of_the_flops(answer, d, context):
    """The share of scores and values in a block's FLOPs falls with the width at a given context."""
    block, x = Block(d, d // 64, device="meta"), torch.empty(1, context, d, device="meta")
    products = kernels(lambda: block(x))
    # Products of activations are batched over heads; those with weights are not.
    mixed = sum(kernel.flops for kernel in products if kernel.name == "bmm")
    whole = sum(kernel.flops for kernel in products)

    assert observe(share=mixed / whole) == approx(answer(d, context))
