"""NaN after model.half()

You cast your entire model to fp16 and train with AdamW. It runs fast, every gradient is finite, and the
loss is NaN at once. What did you fail to keep apart, and what cures it: a lower learning rate, gradient
clipping, a larger epsilon?

Answer: What is stored from what is summed: torch's matrix products add up in fp32 already, but a weight
    in fp16 gives AdamW state in fp16. There eps of 1e-8 is 0, and (1 - b2)·g² is 0 for gradients up to
    0.005, so the first step divides by 0: of 16,384 weights nearly three quarters are NaN or inf, and so
    is the next loss. Keep master weights and optimizer state in fp32; bf16 ends the NaN and needs the
    copy as well. A lower rate and clipping change nothing; an eps of 1e-4 ends the NaN, not the error.
Says: If the accumulator is fp16 too, a large running sum swallows what falls below its mantissa, and
    rounding errors compound until the loss is NaN; gradient clipping is a patch. Operands in 16 bits,
    accumulators and master weights in fp32.
Verdict: imprecise: the separation is right, but half() leaves torch's accumulators in fp32; the first NaN
    comes from the optimizer's state, stored in fp16
Asked: AI Interview Prep newsletter, LLM System Design #44
Source: AI Interview Prep 2026, "LLM System Design Interview #44",
    https://aiinterviewprep.substack.com/p/llm-system-design-interview-44-the
Source: Micikevicius et al. 2018, "Mixed Precision Training", section 3.1,
    https://arxiv.org/abs/1710.03740
Source: glide-finetune pull request 6, 2022: NaN after the first step in half precision, cured by an eps
    of 1e-4, https://github.com/afiaka87/glide-finetune/pull/6
Terms: fp16, float16, half precision, model.half(), NaN loss, AdamW eps, epsilon, underflow, loss scaling,
    GradScaler, master weights, autocast, mixed precision, gradient clipping
Right when: The accumulator is fp16 indeed: see fp16_matmul_sums_in_fp16. Norms that are written out in
    fp16 have NaNs of their own: see fp16_norm_trusts_its_eps.
Limits: The first step, without loss scaling. The stored text of the newsletter stops within its solution.
"""

from math import inf, isfinite, nan

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.adam import PATHS, adamw, train
from fixtures.floats import nearest
from fixtures.nets import LM


def guarded_by_fp32_sums(gradients, dtype, eps, path, gentle):
    """Gradients are finite and products add up in fp32, so every weight stays finite."""
    return 0


def cured_by_a_gentler_step(gradients, dtype, eps, path, gentle):
    """The range of fp16 is small, so something overflows: lower the rate and clip the gradient."""
    return 0 if gentle else where_both_terms_are_zero(gradients, dtype, eps, path, gentle)


def where_both_terms_are_zero(gradients, dtype, eps, path, gentle):
    """In fp16 a weight breaks if eps and (1 - b2)·g² are both at most half of the smallest number.

    Both are stored as 0, and g is divided by it; the rate does not enter, and clipping makes g smaller.
    The fused kernel computes in fp32 and rounds what it stores, so its first step is safe. bf16 has the
    range of fp32.
    """
    if dtype is not torch.float16 or path == "fused" or eps > 2**-25:
        return 0
    return len(gradients[(1 - 0.999) * gradients.square() <= 2**-25])


def guarded_by_eps(gradient, b2, eps, path):
    """AdamW divides by |g| + eps, so that no division by zero can happen, and moves by the learning rate."""
    return gradient / (gradient + eps)


def nan_only_without_gradient(gradient, b2, eps, path):
    """AdamW's eps is 0 in fp16, so a gradient of zero makes 0/0; any other one moves by the learning rate."""
    return nan if gradient == 0 and eps <= 2**-25 and path != "fused" else gradient / (gradient + eps)


def over_what_is_stored(gradient, b2, eps, path):
    """It divides by what fp16 stores: the root of (1 - b2)·g², corrected for bias, plus eps.

    A gradient of 0.006 moves by 0.78 learning rates, one of 0.005 by inf, and 0 by NaN. With an eps of
    1e-5 the step is finite, and 500 learning rates long; with 1e-4 it is 50. The fused kernel stores
    nothing in between.
    """
    if path == "fused":
        return guarded_by_eps(gradient, b2, eps, path)
    below = (nearest(torch.float16, (1 - b2) * gradient**2) / (1 - b2)) ** 0.5 + nearest(torch.float16, eps)
    if below == 0:
        return inf if gradient else nan
    return nearest(torch.float16, gradient / below)


@claim(
    wrong=(guarded_by_fp32_sums, cured_by_a_gentler_step),
    right=where_both_terms_are_zero,
    examples=16,
)
@example(dtype=torch.float16, eps=1e-8, path="foreach", gentle=False, seed=0)
@example(dtype=torch.float16, eps=1e-8, path="foreach", gentle=True, seed=0)
@example(dtype=torch.float16, eps=2**-25, path="for-loop", gentle=False, seed=0)
@example(dtype=torch.float16, eps=1e-8, path="fused", gentle=False, seed=0)
@example(dtype=torch.float16, eps=1e-4, path="foreach", gentle=False, seed=0)
@example(dtype=torch.bfloat16, eps=1e-8, path="foreach", gentle=False, seed=0)
@given(
    dtype=st.sampled_from([torch.float16, torch.bfloat16]),
    eps=st.sampled_from([1e-8, 2**-25, 1.01 * 2**-25, 1e-4]),
    path=st.sampled_from(list(PATHS)),
    gentle=st.booleans(),
    seed=st.integers(0, 9999),
)
def test_fp16_weights_after_one_step(answer, device, dtype, eps, path, gentle, seed):
    """After half() and one step of AdamW each weight with a small gradient is NaN or inf, and so is the
    loss.

    gradients: all of them, after clipping
    path: the code path of torch's AdamW
    gentle: whether the learning rate is 1e-6 in place of 1e-3, and the gradient is clipped to norm 1
    """
    torch.manual_seed(seed)
    model, ids = LM(vocab=64, d=32, layers=1).to(device, dtype), torch.randint(32, (4, 16)).to(device)
    weights = list(model.parameters())
    model(ids).backward()
    if gentle:
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
    gradients = torch.cat([weight.grad.flatten() for weight in weights]).double()
    torch.optim.AdamW(weights, lr=1e-6 if gentle else 1e-3, eps=eps, **PATHS[path]).step()

    observe(weights=gradients.numel())
    second = observe(second_loss=model(ids).item())
    broken = sum(int((~weight.isfinite()).sum()) for weight in weights)
    assert isfinite(second) <= (broken == 0)  # a broken weight leaves no finite loss
    assert observe(broken_weights=broken) == answer(gradients, dtype, eps, path, gentle)


@claim(wrong=(guarded_by_eps, nan_only_without_gradient), right=over_what_is_stored)
@example(gradient=0.0, b2=0.999, eps=1e-8, path="foreach")
@example(gradient=0.000061, b2=0.999, eps=1e-8, path="foreach")
@example(gradient=0.005, b2=0.999, eps=1e-8, path="foreach")
@example(gradient=0.006, b2=0.999, eps=1e-8, path="foreach")
@example(gradient=0.005, b2=0.999, eps=5e-8, path="foreach")  # 84,000 rates, beyond fp16
@example(gradient=0.005, b2=0.999, eps=1e-5, path="foreach")
@example(gradient=0.005, b2=0.999, eps=1e-4, path="foreach")
@example(gradient=256.0, b2=0.999, eps=1e-4, path="foreach")  # g² alone is inf in fp16
@given(
    gradient=st.sampled_from([*range(1, 129), 0]).map(lambda k: k / 2**14),
    b2=st.sampled_from([0.999, 0.99, 0.95]),
    eps=st.sampled_from([1e-8, 1e-7, 1e-6, 1e-5, 1e-4])
    | st.integers(14, 18).map(lambda k: k / 16 * 2.0**-25),
    path=st.sampled_from(list(PATHS)),
)
def test_fp16_first_step_of_adam(answer, device, gradient, b2, eps, path):
    """In fp16 the first step of AdamW is NaN, infinite, or far longer than the learning rate where g is
    small.

    gradient: the gradient of the one weight
    path: the code path of torch's AdamW
    """
    start = torch.zeros(1, device=device, dtype=torch.float16)
    optimizer = adamw(start, path, lr=1.0, betas=(0.9, b2), eps=eps)
    step = -train(optimizer, torch.full_like(start, gradient)).item()

    # Some five roundings by 2^-11, and one of a first moment near 6e-6, whose neighbors are 6e-8 apart.
    assert observe(learning_rates=step) == approx(answer(gradient, b2, eps, path), rel=0.015, nan_ok=True)
