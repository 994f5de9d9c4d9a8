"""A general tokenizer on a domain's text

You train a model for law and medicine and keep a general tokenizer. What is the risk for production, and
is a text of four times the tokens 16 times as expensive?

Answer: The risk is fertility: rare terms break into pieces, and each token is paid in FLOPs, decode
    steps, KV cache and context. But a term is no corpus: code under a tokenizer of documentation costs
    1.3 times the FLOPs. And 8,192 characters cut into single bytes, more than four times the tokens, cost
    5.3 times at Llama-3-8B's size and not 16, since only scores go with the square; fused attention keeps
    4 times the memory. Train the tokenizer on the mixture if you start from scratch, else extend the
    vocabulary.
Says: Fragmented domain terms inflate token counts by factors like 4, and quadratic attention makes that
    potentially 16 times the compute and memory.
Verdict: imprecise: tokens per word rise and everything that is paid per token; 16 times is the limit for
    contexts far above 6d, and fused attention keeps the memory linear
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 1
Source: Ali et al. 2024, "Tokenizer Choice For LLM Training: Negligible or Crucial?", abstract,
    https://arxiv.org/abs/2310.08754
Source: Dao et al. 2022, "FlashAttention", abstract: memory linear in the sequence length,
    https://arxiv.org/abs/2205.14135
Terms: tokenizer, fertility, tokens per word, BPE, domain adaptation, vocabulary extension, sequence
    length, context window, quadratic attention, activation memory, Llama 3
Right when: The context is many times 6d, or attention writes its scores out.
Limits: FLOPs of matrix products with full attention, in blocks of 12d² weights with a 128,256 wide head
    at most. Texts are Python's documentation and library, and no law or medicine. Of both papers the
    abstracts were read.
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.meters import flops, saved_bytes
from fixtures.nets import LM, attention
from fixtures.texts import count_held_out


def times_squared(own, cut, d, layers, head):
    """Attention is quadratic, so it is the square of the inflation: 16 times for 4."""
    return (cut / own) ** 2


def times_once(own, cut, d, layers, head):
    """Everything is paid per token."""
    return cut / own


def scores_alone_are_squared(own, cut, d, layers, head):
    """Blocks and head are paid per token, and scores alone per pair of them.

    It is n·(6d + head/(2·layers) + n) of the n tokens that the text is cut into, over the same of its own
    tokens.
    """
    extra = 6 * d + head / (2 * layers)
    return cut * (extra + cut) / (own * (extra + own))


def pairs_are_kept(kind, tokens, times, dim):
    """Scores are a square of the sequence, and they are kept: 16 times for 4 times the sequence."""
    return times**2


def what_each_form_keeps(kind, tokens, times, dim):
    """4 times for 4 times the sequence if fused; written out, 13 to 15 from 512 tokens on.

    Written out, queries, keys and values, and an eighth of the scores' bytes for the mask, come on top:
    15.1 with heads 16 wide, 13.0 with 64.
    """
    if kind == "fused":
        return times
    return times * (9 / 8 * times * tokens + 3 * dim) / (9 / 8 * tokens + 3 * dim)


@claim(wrong=(times_squared, times_once), right=scores_alone_are_squared)
@example(size=8192, trained=256, d=4096, layers=32, head=128256)
@example(size=16384, trained=256, d=4096, layers=32, head=128256)
@example(size=8192, trained=4096, d=4096, layers=32, head=128256)
@given(
    size=st.sampled_from([64, 512, 4096, 16384]),
    trained=st.sampled_from([256, 512, 4096]),
    d=st.sampled_from([16, 64, 256]),
    layers=st.sampled_from([1, 3]),
    head=st.sampled_from([4096, 128256]),
)
def test_cost_of_a_foreign_tokenizer(answer, size, trained, d, layers, head):
    """Token inflation is paid once by the stack and squared by the scores alone.

    size: characters of code that are cut
    trained: vocabulary of a tokenizer of documentation, which with 256 has merged nothing
    head: width of the output head
    own: tokens that a tokenizer of code with 4,096 takes
    cut: tokens that the tokenizer of documentation takes
    """
    own, cut = (count_held_out(*of, "code", size) for of in (("code", 4096), ("docs", trained)))
    model = LM(head, d, layers, device="meta")
    foreign, home = (
        flops(lambda n=n: model.logits(torch.empty(1, n, dtype=torch.long, device="meta")))
        for n in (cut, own)
    )

    assert observe(times=foreign / home) == approx(answer(own, cut, d, layers, head))


@claim(wrong=pairs_are_kept, right=what_each_form_keeps)
@example(kind="fused", tokens=512, times=4, dim=64)
@example(kind="written out", tokens=512, times=4, dim=64)
@example(kind="written out", tokens=512, times=4, dim=16)
@given(
    kind=st.sampled_from(["fused", "written out"]),
    tokens=st.sampled_from([64, 512]),
    times=st.integers(2, 6),
    dim=st.sampled_from([16, 64]),
)
def test_memory_of_a_longer_sequence(answer, kind, tokens, times, dim):
    """Fused attention keeps for the backward pass what grows with the sequence, not with its square.

    kind: torch's fused attention, or two products with all scores between them
    times: by which the sequence is longer
    """

    def kept(tokens):
        q, k, v = torch.empty(3, 1, 2, tokens, dim, requires_grad=True).unbind()
        attend = F.scaled_dot_product_attention if kind == "fused" else attention
        return saved_bytes(lambda: attend(q, k, v))

    assert observe(times=kept(tokens * times) / kept(tokens)) == approx(answer(kind, tokens, times, dim))
