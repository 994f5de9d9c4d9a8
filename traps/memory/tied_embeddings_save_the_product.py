"""Tied embeddings: what sharing the head's weights saves

The output head shares the embedding's weights, as in GPT-2. What does that save in parameters, gradients,
optimizer state, activations and FLOPs?

Answer: One table of weights, one of its gradients and two of AdamW's moments, and nothing else: GPT-2 has
    124M parameters where untied it would have 163M. The head is a product that takes as many FLOPs as
    before and stores the same activations. What that is worth depends on the table's share of the model:
    untied, SmolLM-135M would have 163M parameters, and Llama-3-8B, whose embeddings are not tied, would
    come down from 8.03B to 7.5B if they were.
Verdict: not judged: a trap of our own
Asked: nowhere yet
Source: Press and Wolf 2017, "Using the Output Embedding to Improve Language Models", abstract: tying
    reduces the size of a model, https://arxiv.org/abs/1608.05859
Source: Hugging Face 2024, SmolLM-135M, config.json: 30 layers of width 576, tied, 49,152 tokens,
    https://huggingface.co/HuggingFaceTB/SmolLM-135M/blob/main/config.json
Terms: tied embeddings, weight tying, tie_word_embeddings, shared embedding, lm_head, embedding table,
    parameter count, optimizer state, AdamW, GPT-2, SmolLM
Right when: The size of a checkpoint, or of what an optimizer keeps, is all that is asked.
Limits: Counts, and no loss: whether tying trains as well is not run. fp32 and one device; stages of a
    pipeline that hold the two ends each keep a copy. Bytes at rest: what a backward pass holds for a while
    is the page tied_gradients_stay_sparse, FLOPs by share of the model output_head_is_a_lookup.
    Totals of the released weights were not read again; modules of these shapes count the same.
"""

import torch
from hypothesis import example, given, strategies as st
from torch import nn

from fixtures import claim, observe
from fixtures.meters import flops, nbytes, saved_bytes
from fixtures.nets import LM

PARTS = ["weights", "gradients", "moments", "activations", "FLOPs"]

# Parameters of the released weights, whether they tie, and the shape of the table.
PUBLIC = {
    "GPT-2": (124_439_808, True, 50257, 768),
    "SmolLM-135M": (134_515_008, True, 49152, 576),
    "Llama-3.2-1B": (1_235_814_400, True, 128256, 2048),
    "Llama-3-8B": (8_030_261_248, False, 128256, 4096),
}

# Layers, width of the MLP, and width of all keys of the Llama architecture.
LLAMAS = {"SmolLM-135M": (30, 1536, 192), "Llama-3.2-1B": (16, 8192, 512), "Llama-3-8B": (32, 14336, 1024)}


def its_product_as_well(part, vocab, d, tokens):
    """The second table is gone, and so is what is done with it."""
    product = {"activations": 4 * vocab * tokens, "FLOPs": 2 * vocab * d * tokens}
    return product[part] if part in product else one_table(part, vocab, d, tokens)


def the_weights_alone(part, vocab, d, tokens):
    """The weights are shared; each use still has its gradient and its moments."""
    return 4 * vocab * d if part == "weights" else 0


def one_table(part, vocab, d, tokens):
    """A table in weights, gradients and moments; the head's product stays as it was.

    One of weights, one of gradients and two of moments, four bytes per number; no FLOP, no activation.
    """
    return {"weights": 4, "gradients": 4, "moments": 8}.get(part, 0) * vocab * d


def each_use_counts(model, tied):
    """Input and output have a table each."""
    params, ties, vocab, d = PUBLIC[model]
    return params + ties * vocab * d


def a_table_less(model, tied):
    """One table if tied and two if not.

    GPT-2 has 124M tied and would have 163M untied. Of Llama-3-8B, which has 8.03B, tying would leave 7.5B.
    """
    params, ties, vocab, d = PUBLIC[model]
    return params + (ties - tied) * vocab * d


@claim(wrong=(its_product_as_well, the_weights_alone), right=one_table, examples=30)
@example(part="weights", vocab=50257, d=768, tokens=1024)
@example(part="moments", vocab=50257, d=768, tokens=1024)
@example(part="FLOPs", vocab=50257, d=768, tokens=1024)
@given(
    part=st.sampled_from(PARTS),
    vocab=st.integers(1, 64),
    d=st.integers(1, 8).map(lambda n: 2 * n),
    tokens=st.integers(1, 32),
)
def test_what_tying_saves(answer, part, vocab, d, tokens):
    """Tying saves a table of weights, gradients and moments; the head's work and its activations stay.

    part: what is compared between the model untied and tied, bytes or the FLOPs of a forward pass
    """
    # On torch's meta device tensors have a size and no content.
    device = "cpu" if vocab * d < 10**4 else "meta"

    def counted(tied):
        model = LM(vocab, d, layers=1, tie=tied, device=device)
        ids = torch.zeros(1, tokens, dtype=torch.long, device=device)
        weights, optimizer = list(model.parameters()), torch.optim.AdamW(model.parameters())
        kept = saved_bytes(lambda: model(ids), besides=weights)
        model(ids).backward()
        optimizer.step()
        moments = [state[name] for state in optimizer.state.values() for name in ("exp_avg", "exp_avg_sq")]
        gradients = [weight.grad for weight in weights]
        held = [nbytes(*tensors) for tensors in (weights, gradients, moments)]
        return [*held, kept, flops(lambda: model.logits(ids))][PARTS.index(part)]

    assert observe(saved=counted(False) - counted(True)) == answer(part, vocab, d, tokens)


@claim(wrong=each_use_counts, right=a_table_less)
@example(model="GPT-2", tied=True)
@example(model="GPT-2", tied=False)
@example(model="SmolLM-135M", tied=False)
@example(model="SmolLM-135M", tied=True)
@example(model="Llama-3-8B", tied=True)
@example(model="Llama-3-8B", tied=False)
@given(model=st.sampled_from(list(PUBLIC)), tied=st.booleans())
def test_parameters_of_tied_models(answer, model, tied):
    """Public models have as many parameters as their modules, a shared table counted once."""
    _, _, vocab, d = PUBLIC[model]
    with torch.device("meta"):
        table, head = nn.Embedding(vocab, d), nn.Linear(d, vocab, bias=False)
        if model in LLAMAS:
            layers, ffn, keys = LLAMAS[model]
            outs = [(d, d), (d, keys), (d, keys), (d, d), (d, ffn), (d, ffn), (ffn, d)]
            blocks = [nn.Linear(*shape, bias=False) for shape in outs * layers]
            rest = [*blocks, *(nn.RMSNorm(d) for _ in range(2 * layers + 1))]
        else:  # 12 blocks, and 1,024 positions
            rest = [*(nn.TransformerEncoderLayer(d, 12, 4 * d) for _ in range(12)), nn.LayerNorm(d)]
            rest.append(nn.Embedding(1024, d))
    if tied:
        head.weight = table.weight
    whole = nn.ModuleList([table, *rest, head])

    assert observe(params=sum(weight.numel() for weight in whole.parameters())) == answer(model, tied)
