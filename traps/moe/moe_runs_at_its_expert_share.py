"""What a token uses of a mixture of experts

A model has 64 experts per layer and routes each token to 2 of them. Does a token use 2/64, or 3 %, of the
model?

Answer: No, 2/64 is the share of the expert weights alone. Attention, embeddings, router and shared
    experts run for every token: Mixtral routes to 2 of 8 and uses 28 % of its weights, the same model cut
    into 64 experts and 2 of them 6.5 %, and one of Llama 4 Scout's shape, 1 of 16 and a shared expert, 16
    %.
Says: With 64 experts and top-2 routing each token activates roughly 2/64, or 3 %, of the expert
    parameters.
Verdict: holds
Asked: AI interview course, "Model Architectures and Scaling": what is mixture of experts?
Source: Jiang et al. 2024, "Mixtral of Experts", abstract and section 2: 47B weights, 13B active,
    https://arxiv.org/abs/2401.04088
Source: Meta 2025, "The Llama 4 herd", announcement of Scout: 16 experts, 17B active of 109B,
    https://ai.meta.com/blog/llama-4-multimodal-intelligence/
Terms: MoE, mixture of experts, active parameters, active_parameters, sparse model, top-k, shared expert,
    Mixtral, Llama 4
Right when: Only expert weights are counted, for a single token.
Limits: RMSNorm without weights, no biases, an output head of its own. The table of embeddings is counted
    whole, as parameter counts do, though a token reads one row of it. Scout's shape is as published, its
    vision tower left out.
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx
from torch import nn

from fixtures import claim, observe
from fixtures.nets import attention


def expert_share(vocab, d, heads, kv_heads, dim, ffn, experts, top_k, shared, layers):
    """A token is routed to k of the experts, so it uses that share of the model."""
    return top_k / experts


def routed_and_shared(vocab, d, heads, kv_heads, dim, ffn, experts, top_k, shared, layers):
    """Of the experts those that run, the shared one with them."""
    return (top_k + shared) / (experts + shared)


def with_what_always_runs(vocab, d, heads, kv_heads, dim, ffn, experts, top_k, shared, layers):
    """A token uses k experts and everything besides, so more than their share.

    Besides are embeddings, attention, router and shared experts. Of 32 layers of Mixtral's shape
    the share is 0.28 for 2 of 8 and 0.065 for 2 of 64 small ones, and of Scout's 0.16 for 1 of 16.
    """
    mlp = 3 * d * ffn
    always = 2 * vocab * d + layers * (2 * d * (heads + kv_heads) * dim + d * experts + shared * mlp)
    return (always + layers * top_k * mlp) / (always + layers * experts * mlp)


class MLP(nn.Module):
    """SwiGLU without biases."""

    def __init__(self, d, ffn):
        super().__init__()
        self.gate, self.up, self.down = (
            nn.Linear(d, ffn, False),
            nn.Linear(d, ffn, False),
            nn.Linear(ffn, d, False),
        )

    def forward(self, x):
        """[tokens, d] to the same shape."""
        return self.down(F.silu(self.gate(x)) * self.up(x))


class Layer(nn.Module):
    """Attention with grouped queries, a router, shared experts and experts, for a single token."""

    def __init__(self, d, kv_heads, group, dim, ffn, experts, top_k, shared):
        super().__init__()
        heads = kv_heads * group
        self.q, self.o = nn.Linear(d, heads * dim, False), nn.Linear(heads * dim, d, False)
        self.k, self.v = nn.Linear(d, kv_heads * dim, False), nn.Linear(d, kv_heads * dim, False)
        self.router, self.top_k = nn.Linear(d, experts, False), top_k
        self.experts = nn.ModuleList(MLP(d, ffn) for _ in range(experts))
        self.shared = nn.ModuleList(MLP(d, ffn) for _ in range(shared))
        self.dim = dim

    def forward(self, x):
        """[1, d] to the same shape; on the meta device, where no router can choose, the first experts run."""
        h = F.rms_norm(x, x.shape[-1:])
        q, k, v = (part(h).unflatten(-1, (-1, self.dim)).transpose(0, 1) for part in (self.q, self.k, self.v))
        k, v = (kv.repeat_interleave(len(q) // len(kv), 0) for kv in (k, v))
        x = x + self.o(attention(q, k, v).transpose(0, 1).flatten(1))
        h = F.rms_norm(x, x.shape[-1:])
        gates, chosen = self.router(h).softmax(-1).topk(self.top_k)
        chosen = range(self.top_k) if x.is_meta else chosen[0].tolist()
        routed = sum(gates[:, [i]] * self.experts[expert](h) for i, expert in enumerate(chosen))
        return x + routed + sum(expert(h) for expert in self.shared)


@claim(wrong=(expert_share, routed_and_shared), right=with_what_always_runs)
# Mixtral 8x7B, the same in 64 experts, then Llama 4 Scout.
@example(
    vocab=32000, d=4096, kv_heads=8, group=4, dim=128, ffn=14336, layers=32, experts=8, top_k=2, shared=0
)
@example(
    vocab=32000, d=4096, kv_heads=8, group=4, dim=128, ffn=1792, layers=32, experts=64, top_k=2, shared=0
)
@example(
    vocab=202048, d=5120, kv_heads=8, group=5, dim=128, ffn=8192, layers=48, experts=16, top_k=1, shared=1
)
@given(
    vocab=st.integers(2, 32),
    d=st.integers(2, 8),
    kv_heads=st.integers(1, 2),
    group=st.integers(1, 2),
    dim=st.integers(1, 4),
    ffn=st.integers(1, 16),
    layers=st.integers(1, 2),
    experts=st.integers(2, 8),
    top_k=st.integers(1, 2),
    shared=st.integers(0, 1),
)
def test_moe_share_of_a_token(answer, vocab, d, kv_heads, group, dim, ffn, layers, experts, top_k, shared):
    """One token sends gradients to at least top-k of experts of the model, and mostly to more.

    shared: experts that run for every token
    """
    # Shapes of real models fit on the meta device alone, and there a backward pass still tells what it
    # reaches.
    with torch.device("meta" if d > 8 else "cpu"):
        table, head = nn.Embedding(vocab, d), nn.Linear(d, vocab, False)
        model = nn.Sequential(
            table, *(Layer(d, kv_heads, group, dim, ffn, experts, top_k, shared) for _ in range(layers)), head
        )
        model(torch.zeros(1, dtype=torch.long)).sum().backward()
    sizes = {weight: weight.numel() for weight in model.parameters()}

    share = sum(size for weight, size in sizes.items() if weight.grad is not None) / sum(sizes.values())
    assert observe(share=share) == approx(
        answer(vocab, d, kv_heads * group, kv_heads, dim, ffn, experts, top_k, shared, layers)
    )
