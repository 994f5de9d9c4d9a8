"""What RMSNorm saves

Swapping LayerNorm for RMSNorm is not about FLOPs, which are a fraction of a percent either way, but about
reads and writes. How much of that traffic does RMSNorm take away?

Answer: Fusion decides, not the formula. Written operation by operation LayerNorm passes 12 times over the
    activation and RMSNorm 7 times, but a fused LayerNorm takes the minimum of 2, one read and one write,
    which no RMSNorm can undercut. What RMSNorm drops is the mean, and a centered weight matrix before it
    makes up for that. In BERT, whose attention writes out its scores, most of what is booked as
    normalization is softmax: 4 times the traffic of both layer norms at 512 tokens.
Says: LayerNorm accounts for a negligible 0.17 % of the arithmetic, while its multiple reads and writes
    consume a far larger part; swapping it for RMSNorm is about eliminating this bottleneck of memory
    bandwidth.
Verdict: imprecise: the 0.17 % are of softmax and layer norms together, and what eliminates multiple reads
    and writes is a fused kernel, of either norm
Asked: AI Interview Prep newsletter, LLM System Design #34
Source: Ivanov et al. 2020, "Data Movement Is All You Need", table 1, BERT-large: statistical
    normalization, softmax and layer norms, with 0.17 % of the FLOPs and 25.5 % of the time,
    https://arxiv.org/abs/2007.00072
Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", section 4,
    https://arxiv.org/abs/1910.07467
Terms: RMSNorm, LayerNorm, rms_norm, layer_norm, normalization, kernel fusion, fused kernel, memory
    bandwidth, statistical normalization, softmax, memory-bound
Right when: Neither is fused: then RMSNorm moves 7 passes and LayerNorm 12.
Limits: Traffic of operations as torch issues them on the CPU, forward, with softmax as a kernel of its
    own; FlashAttention moves none. On CUDA, where torch may fuse both, nothing was run, and no clock was
    read. What RMSNorm computes without the mean is the page rmsnorm_loses_the_mean. The paper's table was
    seen in a reproduction; Zhang and Sennrich were not read. The stored text stops at "consume roughly".
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from fixtures import claim, observe
from fixtures.meters import Traffic, kernels


def layernorm_by_operations(x, gain, shift):
    """Layer norm of x [tokens, d], one operation after the other."""
    centered = x - x.mean(-1, keepdim=True)
    return centered * (centered.square().mean(-1, keepdim=True) + 1e-5).rsqrt() * gain + shift


def rmsnorm_by_operations(x, gain, shift):
    """RMSNorm of x [tokens, d], one operation after the other."""
    return x * (x.square().mean(-1, keepdim=True) + 1e-5).rsqrt() * gain


NORMS = {
    "LayerNorm, fused": lambda x, gain, shift: F.layer_norm(x, gain.shape, gain, shift),
    "LayerNorm, by operations": layernorm_by_operations,
    "RMSNorm, by operations": rmsnorm_by_operations,
    "F.rms_norm": lambda x, gain, shift: F.rms_norm(x, gain.shape, gain),
}


def the_formula(norm):
    """The formula sets the traffic: LayerNorm needs mean and variance, RMSNorm one statistic."""
    return 12 if norm.startswith("LayerNorm") else 7


def one_statistic_less(norm):
    """LayerNorm reads for its mean, for its variance and to normalize; RMSNorm saves the first."""
    return 4 if norm.startswith("LayerNorm") else 3


def one_call_one_kernel(norm):
    """What torch offers as one function is one kernel: a read and a write."""
    return {"LayerNorm, by operations": 12, "RMSNorm, by operations": 7}.get(norm, 2)


def the_fusion(norm):
    """Fusion sets the traffic: a fused LayerNorm moves less than F.rms_norm, unfused on the CPU.

    A fused one makes 2 passes. By operations LayerNorm makes 12 and RMSNorm 7, as F.rms_norm does there.
    """
    return {"LayerNorm, fused": 2, "LayerNorm, by operations": 12}.get(norm, 7)


def layer_norms_dominate(tokens, dim):
    """Normalization is the layer norms: softmax is part of attention."""
    return 0


def as_much_as_one(tokens, dim):
    """Softmax reads and writes a row per token, as a norm does, and there are two norms."""
    return 0.5


def score_per_head_and_token(tokens, dim):
    """Softmax reads and writes a row of scores per head and token, a norm one row per token.

    That is tokens / (2 · dim): tokens numbers per head and token, against 2 · dim of two norms. At 512
    tokens and heads 64 wide it is 4, and at 128 it is 1.
    """
    return tokens / (2 * dim)


@claim(wrong=(the_formula, one_statistic_less, one_call_one_kernel), right=the_fusion)
@example(norm="LayerNorm, fused", n=256, d=512)
@example(norm="LayerNorm, by operations", n=256, d=512)
@example(norm="F.rms_norm", n=256, d=512)
@given(norm=st.sampled_from([*NORMS]), n=st.integers(200, 300), d=st.integers(200, 600))
def test_norm_passes(answer, norm, n, d):
    """A fused LayerNorm moves less than an RMSNorm that is not fused.

    norm: the normalization and how it is carried out
    n: rows that are normalized
    """
    x, gain, shift = torch.ones(n, d), torch.ones(d), torch.zeros(d)
    with Traffic() as traffic:
        NORMS[norm](x, gain, shift)

    # The weights and the statistics of 200 rows or more add less than 0.1.
    assert observe(passes=traffic.bytes / (4 * n * d)) == approx(answer(norm), abs=0.1)


@claim(wrong=(layer_norms_dominate, as_much_as_one), right=score_per_head_and_token)
@example(heads=16, dim=64, tokens=512)
@example(heads=16, dim=64, tokens=128)
@given(heads=st.integers(2, 16), dim=st.sampled_from([32, 64, 128]), tokens=st.integers(64, 2048))
def test_softmax_traffic_over_layernorm(answer, heads, dim, tokens):
    """Softmax moves more than both layer norms of a layer once tokens exceed twice the width of a head."""
    d = heads * dim
    layer = nn.TransformerEncoderLayer(d, heads, 4 * d, dropout=0.0, batch_first=True, device="meta")
    with sdpa_kernel(SDPBackend.MATH):
        moved = kernels(lambda: layer(torch.empty(1, tokens, d, device="meta", requires_grad=True)))
    softmax, norms = (sum(k.bytes for k in moved if part in k.name) for part in ("softmax", "layer_norm"))

    # Gains, shifts and statistics of the norms add up to 1/64 each.
    assert observe(ratio=softmax / norms) == approx(answer(tokens, dim), rel=0.04)
