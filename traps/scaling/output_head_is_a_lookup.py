"""Embeddings on the axis of a scaling law

Small proxy models with a vocabulary of 128k bend off the straight line of loss over parameters. What has
been counted wrong, and do embeddings cost FLOPs?

Answer: What the axis counts: with d = 256 and 21 layers the table of 128,256 tokens is 67 % of the
    parameters, and 1.8 % of a 177B model's, so their share drifts along the axis. Count one thing
    throughout. But do not drop the output head from the compute: the input table is a look-up and free,
    the head is a product, 46 % of that proxy's forward FLOPs at a context of 2,048, tied or not.
Says: In a 50M proxy with a 128k vocabulary the embedding parameters dominate and in a 100B model they
    vanish; excluded from the count the line is straight. A digest adds that embeddings are a look-up that
    contributes little to the FLOPs.
Verdict: imprecise: the shares are as it says and a mixed axis bends; the output head is no look-up, and
    whether the line without embeddings is straight is disputed
Asked: AI Interview Prep newsletter, LLM System Design #49
Source: Kaplan et al. 2020, "Scaling Laws for Neural Language Models", section 2.1: non-embedding
    parameters, https://arxiv.org/abs/2001.08361
Source: Pearce and Song 2024, "Reconciling Kaplan and Chinchilla Scaling Laws", abstract: total parameters
    instead, https://arxiv.org/abs/2406.12907
Source: Porian et al. 2024, "Resolving Discrepancies in Compute-Optimal Scaling of Language Models",
    abstract: the head's FLOPs, warm-up and tuning, https://arxiv.org/abs/2406.19146
Terms: embedding, embeddings, vocab, vocabulary size, non-embedding parameters, tied embeddings, tied
    weights, lm_head, output head, scaling law, proxy, proxy model, log-log, Kaplan
Right when: Blocks outweigh the head by far, as at 100B.
Limits: All scores are counted; by a causal kernel's count the head is 54 %. Counts, and no trained loss:
    no small run shows which axis is straight. Pre-norm blocks with a 4d MLP and no biases. Of the papers
    the abstracts were read, of Kaplan et al. a reproduction.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.meters import flops
from fixtures.nets import LM


def table_alone(vocab, d, layers, tied):
    """An embedding table is one table, a row per token: 0.67 at d = 256, and 0.009 at d = 12,288."""
    return vocab * d / (vocab * d + 12 * layers * d * d)


def both_of_them(vocab, d, layers, tied):
    """Input and output each have a table: 0.80 at d = 256, and 0.018 at d = 12,288."""
    return 2 * vocab * d / (2 * vocab * d + 12 * layers * d * d)


def tables_as_stored(vocab, d, layers, tied):
    """One table if tied, two if not: 0.67 tied at d = 256, and 0.018 untied at d = 12,288.

    The first has 21 layers, the second 96. Tables grow with d, and blocks with its square times the
    layers.
    """
    tables = vocab * d * (1 if tied else 2)
    return tables / (tables + 12 * layers * d * d)


def a_lookup(vocab, d, layers, tied, context):
    """Embeddings are looked up, which costs no FLOPs."""
    return 0.0


def free_if_tied(vocab, d, layers, tied, context):
    """A tied head uses the table that is there already, so only an untied one costs FLOPs."""
    return 0.0 if tied else head_by_its_product(vocab, d, layers, tied, context)


def products_on_both_ends(vocab, d, layers, tied, context):
    """A one-hot product at the input and one at the output."""
    return 2 * vocab * d / (2 * vocab * d + layers * (12 * d * d + 2 * context * d))


def head_by_its_product(vocab, d, layers, tied, context):
    """The head is a product, tied or not; the input costs nothing, as its rows are looked up.

    Its d · vocab multiply-adds per token are 0.46 of all at d = 256 with 21 layers and 2,048 tokens.
    """
    return vocab * d / (vocab * d + layers * (12 * d * d + 2 * context * d))


shapes = {
    "vocab": st.sampled_from([256, 32000, 50257, 128256]),
    "d": st.integers(1, 16).map(lambda n: 16 * n),
    "layers": st.integers(0, 2),
    "tied": st.booleans(),
}


@claim(wrong=(table_alone, both_of_them), right=tables_as_stored)
@example(vocab=128256, d=256, layers=21, tied=True)
@example(vocab=128256, d=12288, layers=96, tied=False)
@given(**shapes)
def test_embedding_share_of_the_parameters(answer, vocab, d, layers, tied):
    """Embeddings are most of a small model's parameters and few of a large one's."""
    model = LM(vocab, d, layers, tie=tied, device="meta")
    tables = {model.table.weight, model.head.weight}

    share = sum(weight.numel() for weight in tables) / sum(weight.numel() for weight in model.parameters())
    assert observe(share=share) == approx(answer(vocab, d, layers, tied))


@claim(wrong=(a_lookup, free_if_tied, products_on_both_ends), right=head_by_its_product)
@example(vocab=128256, d=256, layers=21, tied=True, context=2048)
@example(vocab=128256, d=256, layers=21, tied=False, context=2048)
@given(**shapes, context=st.integers(1, 2048))
def test_embedding_share_of_the_flops(answer, vocab, d, layers, tied, context):
    """The output head is a product whether it is tied or not, and the input table costs nothing."""
    model = LM(vocab, d, layers, tie=tied, device="meta")
    ids = torch.empty(1, context, dtype=torch.long, device="meta")
    whole = flops(lambda: model.logits(ids))
    blocks = sum(
        flops(lambda block=block: block(torch.empty(1, context, d, device="meta"))) for block in model.blocks
    )

    assert observe(share=1 - blocks / whole) == approx(answer(vocab, d, layers, tied, context))
