"""Masking instead of a branch: what torch.where computes

To spare warps a branch, both sides are computed and one is selected by a mask. Is the side that is masked
out free, and is it harmless?

Answer: Neither. A mask computes both sides for every element, which is what a diverging warp pays at
    worst: 2 products instead of 1 for rows split by case. So it suits sides of a few instructions. A
    product with the mask is no select: 0 · inf is NaN, as for a softplus written with exp at x = 1000.
    torch.where selects, but the root's gradient at 0 and -4 is NaN all the same: mask the input as well,
    and it is 0.
Says: Do not branch in critical loops: evaluate both paths for every thread and use a boolean mask, as
    arithmetic is cheap and stalling the SM is expensive.
Verdict: imprecise: right for short sides that are finite everywhere; long sides are both computed for
    every element, and a masked side that is infinite, or has an infinite derivative, turns values and
    gradients into NaN.
Asked: AI Interview Prep newsletter, LLM System Design #43,
    https://aiinterviewprep.substack.com/p/llm-system-design-interview-43-the
Source: PyTorch issue 68425, "torch.where produces nan in backward pass for differentiable forward pass",
    https://github.com/pytorch/pytorch/issues/68425
Source: PyTorch issue 52248, "torch.where leads to unexpected gradients",
    https://github.com/pytorch/pytorch/issues/52248
Terms: torch.where, masking, NaN gradient, double where, predication, select, branchless, masked_fill,
    tl.where, jnp.where, softplus, overflow, sqrt
Right when: Both sides are cheap, finite and differentiable everywhere: then mask and product agree.
Limits: x.clamp(min=0).sqrt() fails at 0 as well on torch 2.13, and is right on 2.14, which passes no
    gradient through a clamp at its bound; x.relu().sqrt() is right on 2.13. FLOPs and values, not the
    time of a kernel. The post's stored text stops within its solution; by a summary of it the mask is
    applied as a factor (https://www.pulse.bot/ai/blogs/).
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.meters import flops


def mask_as_a_factor(mask, side, other):
    """A mask as a factor, mask · side + (1 - mask) · other: multiplied by zero, a side is gone."""
    return mask * side + ~mask * other


def selected(mask, side, other):
    """A select takes one of two values and does no arithmetic with the other.

    Zero times infinity is NaN, and so is zero times NaN: a factor cannot mask them.
    """
    return torch.where(mask, side, other)


def single_where(x):
    """Where the mask is false the root is not used, so its gradient is not either."""
    return torch.where(x > 0, x.sqrt(), 0)


def maximum_first(x):
    """Take the maximum with zero first, and no root of a negative number is ever taken."""
    return x.maximum(x.new_zeros(())).sqrt()


def epsilon_inside(x):
    """A small number under the root keeps the derivative finite."""
    return torch.where(x > 0, (x.clamp(min=0) + 1e-12).sqrt(), 0)


def double_where(x):
    """Mask the input as well as the result: the root never sees what it cannot take.

    Backward, zero times the infinite derivative of the masked side is NaN; the inner `where` selects
    zero.
    """
    safe = torch.where(x > 0, x, 1)
    return torch.where(x > 0, safe.sqrt(), 0)


def selected_alone(split):
    """A product is computed for the rows that need it, in either form."""
    return 1


def both_unless_split(split):
    """A mask computes both products for every row; splitting the rows, one.

    It is 2 if masked, as `where` is called on both results, and 1 if the rows are split by the mask.
    """
    return 1 if split else 2


@claim(wrong=mask_as_a_factor, right=selected, examples=40)
@example(x=[1000.0])
@example(x=[1.0, 20.0])
@given(x=st.lists(st.sampled_from([0.0, 1.0, -4.0, 20.0, 89.0, 1000.0, -1000.0]), min_size=1, max_size=4))
def test_where_value_of_a_masked_overflow(answer, device, x):
    """A softplus whose exp overflows is right by a select, and NaN by a factor of zero.

    x: where it is computed, in fp32
    mask: where an exp is used, below 20
    side: log(1 + exp(x)), infinite from 89 on
    other: x itself
    """
    inputs = torch.tensor(x, device=device)

    out = answer(inputs < 20, inputs.exp().log1p(), inputs)

    assert observe(softplus=out.tolist()) == approx(F.softplus(inputs).tolist())


# Tiny numbers tell an epsilon under the root from none.
numbers = st.sampled_from([0.0, -4.0, 4.0, 1.0, 2.0**-20, 2.0**-40, 2.0**-200])


@claim(wrong=(single_where, maximum_first, epsilon_inside), right=double_where, examples=60)
@example(x=[4.0, 1.0, 0.0, -4.0])
@given(x=st.lists(numbers, min_size=1, max_size=6))
def test_where_gradient_of_a_masked_root(answer, device, x):
    """A root that is masked out leaves no trace in the gradient if its input is masked out too.

    x: of which the root is taken, where it is positive
    """
    inputs = torch.tensor(x, dtype=torch.float64, device=device, requires_grad=True)
    chosen = torch.tensor([v for v in x if v > 0], dtype=torch.float64, device=device, requires_grad=True)
    alone = iter(torch.autograd.grad(chosen.sqrt().sum(), chosen)[0].tolist())
    expected = [next(alone) if v > 0 else 0.0 for v in x]

    out = answer(inputs)
    (gradient,) = torch.autograd.grad(out.sum(), inputs)

    assert observe(gradient=gradient.tolist()) == approx(expected)
    assert observe(roots=out.tolist()) == approx([max(v, 0) ** 0.5 for v in x])


@claim(wrong=selected_alone, right=both_unless_split, examples=40)
@example(split=False, rows=64, taken=1, width=64)
@example(split=True, rows=64, taken=1, width=64)
@given(split=st.booleans(), rows=st.integers(2, 64), taken=st.integers(0, 64), width=st.integers(2, 64))
def test_where_flops_of_a_masked_product(answer, device, split, rows, taken, width):
    """A masked product is computed in full for both sides, and a split one by the rows that need it.

    split: whether the rows are gathered by the mask first
    rows: of the input, each times the matrix of its side
    taken: rows for which the mask is true, if there are as many
    """
    x, mask = torch.ones(rows, width, device=device), torch.arange(rows, device=device) < taken
    a, b = torch.ones(2, width, 2 * width, device=device)

    def run():
        if split:
            return x[mask] @ a, x[~mask] @ b
        return torch.where(mask[:, None], x @ a, x @ b)

    assert observe(products=flops(run) / flops(lambda: x @ a)) == answer(split)
