"""Is a byte tokenizer cheaper than BPE?

A byte tokenizer has 256 tokens and is simple. Its sequences are some four times longer. What does that
cost, and is it 16 times the compute?

Answer: Every position pays the whole stack, and only scores go with the square: at the size of Llama-3-8B
    a text of 8,192 bytes costs 4.9 times the FLOPs of its BPE tokens, which are 4.2 times fewer, and one
    of 131,072 bytes 11 times. The context window fills 4.2 times as fast, and decoding takes as many more
    steps. In a small model with a large vocabulary bytes are even cheaper, 0.81 times for 1,024 bytes at
    d = 256 and 6 layers, as they spare its output head.
Says: Bytes make sequences typically 4 times longer, and by quadratic attention that is 16 times the
    FLOPs; BPE is a compression first, and semantics second.
Verdict: imprecise: compression is what BPE is for; 16 times is the limit for texts far longer than 6d,
    and at 8,192 bytes it is 4.9
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 5
Asked: AI Interview Prep newsletter, LLM System Design #27
Source: Xue et al. 2022, "ByT5: Towards a Token-Free Future with Pre-trained Byte-to-Byte Models",
    abstract, https://arxiv.org/abs/2105.13626
Source: Pagnoni et al. 2024, "Byte Latent Transformer: Patches Scale Better Than Tokens", abstract: bytes
    in patches, https://arxiv.org/abs/2412.09871
Terms: tokenizer, BPE, byte-level, byte_level, ByT5, BLT, UTF-8, sequence length, compression, bytes per
    token, vocabulary size, character-level, tokenizer-free, quadratic attention
Right when: The context is many times 6d: then scores outweigh all else, and go with the square.
Limits: FLOPs of matrix products, with all scores, of which a causal kernel skips half, of blocks of 12d²
    weights. Bytes and tokens are those of Python's documentation; other texts and vocabularies compress
    otherwise. No model was trained. Of the papers the abstracts were read.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.meters import flops
from fixtures.nets import LM
from fixtures.texts import byte_level_bpe, count, text


def square_of_the_lengths(length, pieces, d, layers, head):
    """Attention is quadratic: four times the length costs 16 times as much."""
    return (length / pieces) ** 2


def ratio_of_the_lengths(length, pieces, d, layers, head):
    """Each position costs the same, so it goes by the length."""
    return length / pieces


def without_the_heads(length, pieces, d, layers, head):
    """Blocks go by the length and scores by its square; next to them the heads are nothing."""
    return length * (6 * d + length) / (pieces * (6 * d + pieces))


def stack_scores_and_head(length, pieces, d, layers, head):
    """Blocks go by the length, scores by its square, and bytes have a smaller head.

    It is positions times the blocks' 12d², their scores and either head: 4.9 for 8,192 bytes at 8B.
    """

    def cost(positions, wide):
        return positions * (layers * (12 * d * d + 2 * positions * d) + wide * d)

    return cost(length, 256) / cost(pieces, head)


@claim(
    wrong=(square_of_the_lengths, ratio_of_the_lengths, without_the_heads),
    right=stack_scores_and_head,
)
@example(start=0, length=8192, trained=4096, d=4096, layers=32, head=128256)
@example(start=0, length=131072, trained=4096, d=4096, layers=32, head=128256)
@example(start=0, length=1024, trained=4096, d=256, layers=6, head=128256)
@given(
    start=st.integers(0, 400_000),
    length=st.sampled_from([64, 512, 2048]) | st.integers(1, 4096),
    trained=st.sampled_from([512, 4096]),
    d=st.sampled_from([16, 64, 256]),
    layers=st.integers(1, 2),
    head=st.sampled_from([4096, 32000, 128256]),
)
def test_bytes_against_bpe(answer, start, length, trained, d, layers, head):
    """A text costs a byte model its length more often through the stack, and spares it the head.

    start: where the text begins in Python's documentation
    length: bytes of the text
    trained: tokens of the BPE tokenizer that cuts it
    head: width of the BPE model's output head, of which the tokenizer may use a part
    pieces: tokens that it is cut into
    """
    passage = text("docs").encode()[start : start + length]
    pieces = count(byte_level_bpe("docs", trained), passage.decode(errors="replace"))

    def counted(positions, wide):
        model = LM(wide, d, layers, device="meta")
        return flops(lambda: model.logits(torch.empty(1, positions, dtype=torch.long, device="meta")))

    ratio = counted(len(passage), 256) / counted(pieces, head)
    assert observe(ratio=ratio) == approx(answer(len(passage), pieces, d, layers, head))
