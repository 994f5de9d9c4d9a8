"""Causal attention: FLOPs to compute and FLOPs to count

A causal mask hides almost half of the attention scores. What does that save of attention's FLOPs, and
what does it mean for a model FLOPs utilization (MFU) that counts them in full?

Answer: Only (T + 1)/(2T) of the scores have to be computed, which is all of them for one token, 75 % for
    two, half in the limit. A mask alone saves nothing: the kernel has to skip the blocks above the
    diagonal, and computes those on it in full. For an MFU it is a matter of convention: at T = 2d a count
    in full gives a step 1.14 times as many FLOPs, and FlashAttention can show an attention MFU above 100
    %.
Verdict: not judged: the book's chapter counts weights alone and says nothing about attention
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 24
Source: Chowdhery et al. 2022, "PaLM", appendix B: MFU, with attention counted in full,
    https://arxiv.org/abs/2204.02311
Source: torchtitan, issue 341: counted in full, FlashAttention exceeds 100 % MFU,
    https://github.com/pytorch/torchtitan/issues/341
Source: torchtitan, pull 280: the factors in use are 6, 7 and 12,
    https://github.com/pytorch/torchtitan/pull/280
Source: MaxText, issue 1972, "Attention flops calculation doesn't reflect causal masking",
    https://github.com/AI-Hypercomputer/maxtext/issues/1972
Terms: MFU, model FLOPs utilization, causal mask, causal attention, attention FLOPs, FLOPs,
    FlashAttention, block-sparse, training FLOPs, TFLOPS, is_causal, triangular
Right when: The context is long and the kernel's blocks are short relative to it: half is 0.508 at 64
    tokens and blocks of one, and at 2048 and blocks of 32.
Limits: FLOPs of matrix products, forward and backward alike, without a kernel's recomputation (the 7 of
    pull 280). Blocks are as many keys as queries, those that flex_attention's block mask has its kernel
    visit; that a GPU skips the others is not observed. Torch's own FLOP counter books is_causal in full.
    Sliding windows save more.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx
from torch.nn.attention.flex_attention import create_block_mask

from fixtures import claim, observe
from fixtures.blockwise import causal_attention
from fixtures.meters import flops
from fixtures.nets import Block, attention


def mask_saves_nothing(context, block):
    """The mask is applied to scores that have been computed, so all of them cost."""
    return 1.0


def mask_saves_half(context, block):
    """Causal attention costs half."""
    return 0.5


def triangle_without_its_diagonal(context, block):
    """Below the diagonal lie T·(T - 1)/2 of the T² scores."""
    return (context - 1) / (2 * context)


def triangle(context, block):
    """A kernel computes what the mask leaves, a query and all before it: (T + 1)/(2T)."""
    return (context + 1) / (2 * context)


def triangle_of_blocks(context, block):
    """(n + 1)/(2n) for n blocks of tokens, as those on the diagonal are computed whole.

    The last block may be short. Blocks of one token make it (T + 1)/(2T); one block as long as the
    context saves nothing.
    """
    n = -(-context // block)
    return (n + 1) / (2 * n)


def attention_is_negligible(context, d, causal):
    """Attention is nothing compared with the weights."""
    return 1.0


def always_in_full(context, d, causal):
    """Attention costs 12·T·d FLOPs per token next to the weights' 72·d², whatever the mask."""
    return 1 + context / (6 * d)


def always_half(context, d, causal):
    """A language model is causal, so attention costs 6·T·d FLOPs per token."""
    return 1 + context / (12 * d)


def by_what_is_computed(context, d, causal):
    """1 + T/(6d) if the masked scores are computed, 1 + (T + 1)/(12d) if they are skipped.

    Scores and mixing take 4·T·d FLOPs per token forward and 8·T·d backward, the 12d² weights 72·d². At T
    = 2d attention adds 33 % if it is computed in full, at T = 0.6 d 10 %.
    """
    return 1 + (context + 1 if causal else 2 * context) / (12 * d)


@claim(
    wrong=(mask_saves_nothing, mask_saves_half, triangle_without_its_diagonal, triangle),
    right=triangle_of_blocks,
)
@example(context=1, block=1)
@example(context=2, block=1)
@example(context=64, block=1)
@example(context=64, block=64)
@example(context=2048, block=32)
@given(context=st.integers(1, 40), block=st.integers(1, 12))
def test_causal_attention_share(answer, context, block):
    """Of attention's blocks of scores a kernel visits those on and below the diagonal."""
    mask = create_block_mask(
        lambda batch, head, query, key: query >= key, None, None, context, context, "cpu", BLOCK_SIZE=block
    )
    visited = (mask.kv_num_blocks + mask.full_kv_num_blocks).sum().item()

    assert observe(share=visited / (-(-context // block)) ** 2) == approx(answer(context, block))


@claim(wrong=(attention_is_negligible, always_in_full, always_half), right=by_what_is_computed, examples=30)
@example(d=4096, context=8192, causal=False)  # T = 2d
@example(d=32, context=64, causal=True)  # T = 2d
@example(d=8, context=64, causal=False)  # T = 8d
@example(d=8, context=64, causal=True)
@example(d=20, context=12, causal=False)  # T = 0.6 d
@example(d=12_288, context=2048, causal=False)  # GPT-3
@given(d=st.sampled_from([8, 16, 24]), context=st.integers(1, 64), causal=st.booleans())
def test_block_flops_relative_to_its_weights(answer, device, d, context, causal):
    """Attention adds to the FLOPs of a block's weights by its context, and by what it computes of the scores.

    causal: whether attention computes only the scores that the mask leaves, and not all of them
    """
    device = "meta" if d > 256 else device
    x = torch.zeros(1, context, d, requires_grad=True, device=device)
    q, k, v = torch.zeros(3, 1, 2, context, d // 2, device=device).requires_grad_()

    block = flops(lambda: Block(d, 2, device)(x).sum().backward())
    full = flops(lambda: attention(q, k, v).sum().backward())
    computed = flops(lambda: causal_attention(q, k, v, 1 if causal else context).sum().backward())

    assert observe(ratio=(block - full + computed) / (block - full)) == approx(answer(context, d, causal))
