"""What FlashAttention keeps for the backward pass

Training with plain attention keeps n² attention weights a head; FlashAttention throws them away and
computes them again. How many bytes does it keep instead, and is that always less?

Verdict: holds if the sequence is longer than the head is wide: up to n = d + 1 FlashAttention keeps as much
    as the plain form or more
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 9
Source: Dao et al. 2022, "FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness",
    section 3.1, https://arxiv.org/abs/2205.14135
Right when: Contexts are long. At width 64 it keeps 65 792 bytes a head against 65 536 at n = 64, and 1.05 MB
    against 4.98 MB at n = 1024.
Limits: Counted on torch's CPU kernel in fp32, without dropout, whose random state is kept too.
"""

import torch
import torch.nn.functional as F
from hypothesis import given, strategies as st
from torch.nn.attention import SDPBackend, sdpa_kernel

from fixtures import claim, observe
from fixtures.clocks import nearest
from fixtures.meters import saved_bytes


def backward_needs_the_weights(kernel, heads, n, dim):
    """The gradient needs the attention weights, so both forms keep them beside q, k and v."""
    return 4 * heads * (3 * n * dim + n * n)


def backward_needs_the_inputs(kernel, heads, n, dim):
    """All comes again from q, k and v, so nothing more is kept."""
    return 4 * heads * 3 * n * dim


def output_or_weights(kernel, heads, n, dim):
    """The plain form keeps q, k, v and n² weights a head; flash keeps q, k, v, the output, n log-sum-exps.

    A score minus the log-sum-exp of its row is the logarithm of its weight: no row is needed. The output
    gives what a row's weights lose to each other in the gradient.
    """
    return 4 * heads * (3 * n * dim + (n * n if kernel == "plain" else n * dim + n))


def always(dim):
    """Linear is less than quadratic, from the first token on."""
    return 1


def beyond_the_width(dim):
    """The weights outweigh one more tensor of n·d once n passes d."""
    return dim + 1


def beyond_the_width_and_one(dim):
    """It keeps less from n = d + 2 on: n·d + n must be below n².

    At n = d + 1 both keep the same.
    """
    return dim + 2


def scores_are_made(kernel):
    """Every score is computed, so twice the length takes four times the room."""
    return 4


def rows_or_scores(kernel):
    """Twice the length takes twice the room with flash and four times with the plain form.

    A tile of scores lives on the chip; what leaves it has n rows.
    """
    return 2 if kernel == "flash" else 4


def attend(kernel, q, k, v):
    """Attention of [batch, heads, n, dim] tensors, plain in three operations or by torch's flash kernel."""
    if kernel == "plain":
        return (q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5).softmax(-1) @ v
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):
        return F.scaled_dot_product_attention(q, k, v)


def kept(kernel, heads, n, dim):
    """Bytes that autograd keeps of one attention."""
    q, k, v = (torch.ones(1, heads, n, dim, requires_grad=True) for _ in "qkv")
    return saved_bytes(lambda: attend(kernel, q, k, v))


def first_length(dim):
    """The first length at which flash keeps less than the plain form."""
    n = 1
    while kept("flash", 1, n, dim) >= kept("plain", 1, n, dim):
        n += 1
    return n


def forward_peak(kernel, n, gpu):
    """Bytes above the inputs at the peak of attention by 16 heads of width 64, and its relative error."""
    random = torch.Generator().manual_seed(0)
    qkv = torch.randn(3, 1, 16, n, 64, generator=random).to(gpu, torch.bfloat16)
    attend(kernel, *qkv)  # what the first call takes and keeps is no part of the peak
    before = torch.cuda.memory_allocated(gpu)
    torch.cuda.reset_peak_memory_stats(gpu)
    out = attend(kernel, *qkv)
    peak = torch.cuda.max_memory_allocated(gpu) - before
    exact = attend("plain", *qkv.double())
    return peak, ((out - exact).norm() / exact.norm()).item()


@claim(wrong=(backward_needs_the_weights, backward_needs_the_inputs), right=output_or_weights, examples=60)
@given(
    kernel=st.sampled_from(["flash", "plain"]),
    heads=st.integers(1, 4),
    n=st.integers(2, 300),
    dim=st.sampled_from([16, 32, 64]),
)
def test_flash_saves_for_backward(answer, kernel, heads, n, dim):
    """FlashAttention keeps its output and a number a row, where plain attention keeps the weights."""
    assert observe(kept=kept(kernel, heads, n, dim)) == answer(kernel, heads, n, dim)


@claim(wrong=(always, beyond_the_width), right=beyond_the_width_and_one, examples=8)
@given(dim=st.integers(1, 8).map(lambda k: 8 * k))
def test_flash_keeps_less_beyond_a_length(answer, dim):
    """FlashAttention keeps less only if the sequence is longer than the head is wide."""
    assert observe(first=first_length(dim)) == answer(dim)


@claim(wrong=scores_are_made, right=rows_or_scores, evidence="measured", examples=4)
@given(kernel=st.sampled_from(["flash", "plain"]), n=st.sampled_from([2048, 1024]))
def test_flash_peak_memory_on_a_gpu(answer, gpu, kernel, n):
    """On a GPU the room that FlashAttention takes grows with the length, and not with its square."""
    (peak, error), (twice, _) = forward_peak(kernel, n, gpu), forward_peak(kernel, 2 * n, gpu)

    # bf16 has 8 bits: scores up to 4 are off by 2^-7 at most, and so are weights by less than a hundredth.
    assert observe(error=error) < 0.02
    assert nearest(observe(growth=twice / peak), 2, 4) == answer(kernel)
