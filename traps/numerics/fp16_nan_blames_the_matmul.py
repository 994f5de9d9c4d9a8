"""The first NaN after model.half()

A model is cast to fp16 and its loss is NaN after a step or two, although the gradients are finite. Matrix
products add up in fp32, so where does the first NaN come from?

Verdict: refuted as stated: it comes from what is stored in fp16, not from an accumulator; Adam's eps and
    its second moment become 0, and squares from 256 on become inf
Asked: AI Interview Prep newsletter, LLM System Design #44
Source: Micikevicius et al. 2018, "Mixed Precision Training", sections 3.1 and 3.2: fp32 master weights, and
    small gradients that fp16 flushes to zero, https://arxiv.org/abs/1710.03740
Source: optax issue 1754, 2026: NaN from float16 steps of zero gradient, as eps becomes 0,
    https://github.com/google-deepmind/optax/issues/1754
Source: glide-finetune pull request 6, 2022: NaN after the first step in half precision, cured by an eps of
    1e-4, https://github.com/afiaka87/glide-finetune/pull/6
Right when: The accumulator is fp16 indeed; see the page on what an fp16 product adds up in.
Limits: The first step of AdamW, and a root-mean-square norm written out; torch's own F.rms_norm computes in
    fp32 and passes. A larger eps ends the NaN; the steps remain hundreds of times too long. Of Micikevicius
    et al. section 3.1 was read, 3.2 as others tell it.
"""

from math import isfinite, isnan

import torch
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe


def guarded_by_fp32_sums(gradient, b2, eps, path):
    """Finite gradients and fp32 accumulators give a finite step."""
    return "finite"


def only_without_gradient(gradient, b2, eps, path):
    """In fp16 eps becomes 0, so a gradient of zero makes 0/0; any other is itself the guard."""
    return "nan" if not gradient and eps <= 2.0**-25 and path != "fused" else "finite"


def nothing_left_below_the_line(gradient, b2, eps, path):
    """Both terms under the fraction become 0: eps up to 2^-25, and (1 - b2)·g² for g below 0.0055 at 0.999.

    fp16 rounds to zero what is at most half its last subnormal. The numerator is g itself: 0/0 is NaN, and
    anything else over 0 is inf. The fused kernel computes in fp32 and rounds when it stores, so its first
    step is safe.
    """
    lost = 2.0**-25
    if path == "fused" or max(eps, (1 - b2) * gradient**2) > lost:
        return "finite"
    return "inf" if gradient else "nan"


def average_is_small(dtype, outlier, width):
    """One outlier among thousands: the mean of the squares is far below 65504, and it is summed in fp32."""
    return outlier**2 / width


def sixteen_bits_overflow(dtype, outlier, width):
    """In 16 bits squares overflow from 256 on."""
    return outlier**2 / width if outlier < 256 else torch.inf


def squares_are_stored(dtype, outlier, width):
    """In fp16 the mean square is inf from an outlier of 256 on: the square is stored before it is averaged.

    256² is 65536, one step beyond the largest number of fp16. bf16 has the range of fp32.
    """
    return torch.inf if dtype is torch.float16 and outlier >= 256 else outlier**2 / width


def kind(x):
    """Whether a number is finite, inf or NaN."""
    return "finite" if isfinite(x) else "nan" if isnan(x) else "inf"


PATHS = {"for-loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}


@claim(wrong=(guarded_by_fp32_sums, only_without_gradient), right=nothing_left_below_the_line)
@given(
    gradient=st.integers(0, 128).map(lambda k: k / 2**14),
    b2=st.sampled_from([0.999, 0.99, 0.95]),
    eps=st.sampled_from([1e-8, 1e-7, 1e-6]) | st.integers(14, 18).map(lambda k: k / 16 * 2.0**-25),
    path=st.sampled_from(list(PATHS)),
)
def test_fp16_first_step_of_adam(answer, device, gradient, b2, eps, path):
    """After half() a small gradient makes AdamW's first step inf, and a gradient of zero makes it NaN."""
    weight = torch.nn.Parameter(torch.ones(1, device=device).half())
    (weight * gradient).sum().backward()
    torch.optim.AdamW([weight], betas=(0.9, b2), eps=eps, **PATHS[path]).step()

    assert observe(weight=kind(weight.item())) == answer(gradient, b2, eps, path)


@claim(wrong=(average_is_small, sixteen_bits_overflow), right=squares_are_stored)
@given(
    dtype=st.sampled_from([torch.float16, torch.bfloat16, torch.float32]),
    outlier=st.sampled_from([1, 100, 255, 255.875, 256, 256.25, 257, 300, 1000]),
    width=st.sampled_from([64, 1024, 4096]),
)
def test_fp16_mean_square_with_an_outlier(answer, device, dtype, outlier, width):
    """One activation of 256 makes the mean square inf in fp16, and in bf16 it does not."""
    x = torch.zeros(width, dtype=dtype, device=device)
    x[width // 2] = outlier

    mean_square = x.pow(2).mean().item()

    # x, its square and the mean are rounded, the first counts twice: four times 2^-8 in bf16.
    assert observe(mean_square=mean_square) == approx(answer(dtype, outlier, width), rel=2**-6)
