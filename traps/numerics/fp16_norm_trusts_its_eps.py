"""Layer norm in fp16: eps and overflow

A layer norm is cast to fp16 with its model, and the loss is NaN. Does a larger eps in the norm help, and
what do large activations do to it?

Answer: It depends on the precision that the norm computes in: F.layer_norm takes fp16 and computes in
    fp32, so a constant row gives 0 at an eps of 1e-12, and there is nothing to cure. A norm that is
    written out in fp16 stores the variance: an eps of 1e-12 or of 1e-8 is 0 there and a constant row
    gives NaN, which an eps of 1e-5 mends. No eps mends the other end: activations 256 away from their
    mean have squares beyond fp16, and then the norm returns 0. Compute norms in fp32, or in bf16.
Says: Candidates who blame the range of fp16 want a larger epsilon in the layer norms; that is not the
    cure.
Verdict: holds if the norm computes in fp32, as torch's own does; one that is written out in fp16 needs
    the larger eps
Asked: AI Interview Prep newsletter, LLM System Design #44
Source: AI Interview Prep 2026, "LLM System Design Interview #44",
    https://aiinterviewprep.substack.com/p/llm-system-design-interview-44-the
Source: DeepSpeed issue 581, 2020: an eps of 1e-12 is lost where the variance is converted to fp16, and
    constant rows give NaN, https://github.com/deepspeedai/DeepSpeed/issues/581
Source: PyTorch issue 41527, 2020: in torch 1.4 F.layer_norm itself gave NaN on a constant row of fp16,
    https://github.com/pytorch/pytorch/issues/41527
Terms: layer norm, layernorm, RMSNorm, eps, epsilon, fp16, half precision, NaN, overflow, outlier
    activations, constant row, padding, variance
Right when: The norm computes in fp32 or bf16, or no activation lies near its mean or far from it.
Limits: Rows of two values, one above and one below their mean; a single outlier that overflows the
    variance wipes out its whole row. AdamW's eps is the page fp16_nan_blames_the_matmul.
"""

from math import inf, nan

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.floats import nearest


def eps_rules_it_out(dtype, norm, spread, eps):
    """The variance is averaged in fp32, and eps rules out a division by zero."""
    return spread / (spread**2 + eps) ** 0.5


def sixteen_bits_are_sixteen_bits(dtype, norm, spread, eps):
    """What breaks in fp16 breaks in bf16, which has fewer bits."""
    return by_what_is_stored(torch.float16 if dtype is torch.bfloat16 else dtype, norm, spread, eps)


def torch_computes_in_the_dtype(dtype, norm, spread, eps):
    """F.layer_norm gets fp16 and returns fp16, so it computes in fp16 as well."""
    return by_what_is_stored(dtype, "written out", spread, eps)


def by_what_is_stored(dtype, norm, spread, eps):
    """The square, and its sum with eps, have the dtype in which the norm computes.

    F.layer_norm computes in fp32. In fp16 what is under half of the smallest number is stored as 0, so 0
    is divided by 0; and the square of 256 is stored as inf, so 256 is divided by inf. bf16 has the range
    of fp32.
    """
    if norm == "F.layer_norm":
        dtype = torch.float32
    below = nearest(dtype, nearest(dtype, spread**2) + eps)
    if below == 0:
        return inf if spread else nan
    return spread / below**0.5


def written_out(x, eps):
    """A layer norm as it stands in the textbook; each line stores its result in the dtype of x."""
    centred = x - x.mean()
    variance = centred.pow(2).mean()
    return centred / (variance + eps).sqrt()


NORMS = {"written out": written_out, "F.layer_norm": lambda x, eps: F.layer_norm(x, x.shape, eps=eps)}

near_256 = st.integers(2040, 2056).map(lambda k: k / 8)
# Where the square is the smallest number of fp16, 2^-24, kernels differ: on a CPU torch rounds an eps of
# 2^-25 to 0 before it adds it.
small = st.sampled_from([8, 9, 10, 11, 13, 14, 15, 16]).map(lambda k: 2.0**-k)


@claim(
    wrong=(eps_rules_it_out, sixteen_bits_are_sixteen_bits, torch_computes_in_the_dtype),
    right=by_what_is_stored,
)
@example(dtype=torch.float16, norm="F.layer_norm", spread=0.0, eps=1e-12)
@example(dtype=torch.float16, norm="written out", spread=0.0, eps=1e-12)
@example(dtype=torch.float16, norm="written out", spread=0.0, eps=1e-8)
@example(dtype=torch.float16, norm="written out", spread=0.0, eps=1e-5)
@example(dtype=torch.float16, norm="written out", spread=2.0**-13, eps=2**-25)  # 0 each, not their sum
@example(dtype=torch.float16, norm="written out", spread=256.0, eps=1e-5)
@example(dtype=torch.float16, norm="F.layer_norm", spread=256.0, eps=1e-5)
@example(dtype=torch.bfloat16, norm="written out", spread=256.0, eps=1e-5)
@given(
    dtype=st.sampled_from([torch.float16, torch.bfloat16, torch.float32]),
    norm=st.sampled_from(list(NORMS)),
    spread=st.sampled_from([256.0, 255.0, 0.0]) | near_256 | small,
    eps=st.sampled_from([1e-12, 1e-5, 2**-25, 1e-8, 1e-6]),
)
def test_fp16_norm_of_a_row(answer, device, dtype, norm, spread, eps):
    """In fp16 a norm that is written out gives NaN on a constant row, and 0 where activations reach 256.

    norm: written out in torch, or F.layer_norm
    spread: how far the activations of the row are from their mean
    """
    row = torch.tensor([spread, -spread], dtype=dtype, device=device).repeat(32)

    normed = NORMS[norm](row, eps)[0].item()

    # The activation, its square, the sum, the root and the quotient are rounded: by 2^-9 each in bf16.
    assert observe(normed=normed) == approx(answer(dtype, norm, spread, eps), rel=2**-6, nan_ok=True)
