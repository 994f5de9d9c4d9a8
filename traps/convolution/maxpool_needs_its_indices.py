"""What max pooling must remember

A max pool has no weights, yet its backward pass must know where each maximum stood. What does torch keep for
that, and is there a way back without cached indices?

Verdict: refuted as stated: indices are one way back and not the only one. The input alone is enough, for a
    second look at it, and so is one byte an output. Torch keeps the input and indices of eight bytes
Asked: AI Interview Prep newsletter, Advanced Deep Learning #20
Source: zou3519 2022, "max_pool2d_with_indices(self, ...) shouldn't need to save self for backward", PyTorch
    issue 85485, https://github.com/pytorch/pytorch/issues/85485
Source: eellison 2023, "Return int32 indices in max_pool2d_with_indices", PyTorch issue 103785,
    https://github.com/pytorch/pytorch/issues/103785
Source: amjames 2024, "Retry: Low mem max_pool2d_with_indices", PyTorch pull request 122832,
    https://github.com/pytorch/pytorch/pull/122832
Right when: The input is not kept either. Then nothing but what was cached can tell the way.
Limits: Eager torch, windows side by side, no padding. Compiled code may keep offsets of one byte since the
    pull request above; that is not observed here. The newsletter's abstract breaks off.
"""

import torch
import torch.nn.functional as F
from hypothesis import given, strategies as st

from fixtures import claim, observe
from fixtures.meters import saved_bytes


def input_alone(pixels, outputs, dtype):
    """As for any other function of its input, the input is kept."""
    return pixels * dtype.itemsize


def indices_alone(pixels, outputs, dtype):
    """A router keeps its table: one 64-bit index an output."""
    return 8 * outputs


def short_indices(pixels, outputs, dtype):
    """The input, and an index of 32 bits an output."""
    return pixels * dtype.itemsize + 4 * outputs


def outputs_alone(pixels, outputs, dtype):
    """Only the maxima are kept; the rest has no gradient."""
    return outputs * dtype.itemsize


def input_and_indices(pixels, outputs, dtype):
    """The whole input, and a 64-bit index an output.

    The backward pass reads of the input only its shape. Two bits an output would do for a 2 by 2 window.
    """
    return pixels * dtype.itemsize + 8 * outputs


def lost_without_indices(kept, outputs):
    """Without the cached indices no gradient finds its way."""
    return 0 if kept == "indices" else outputs


def lost_without_input(kept, outputs):
    """The derivative is taken at the input, so without it there is none."""
    return 0 if kept == "input" else outputs


def nothing_lost(kept, outputs):
    """Input, indices, or offsets of one byte: with any of them every gradient arrives, bit for bit.

    From the input the maxima are found anew. An offset within the window is an index, as the window is known.
    """
    return 0


class Pool(torch.autograd.Function):
    """A k by k max pool that keeps its input, its indices or one-byte offsets, and nothing more."""

    @staticmethod
    def forward(ctx, x, k, kept):
        """Pool x [1, 1, height, width]."""
        y, indices = F.max_pool2d(x, k, return_indices=True)
        ctx.shape, ctx.k, ctx.kept = x.shape, k, kept
        width = x.shape[-1]
        offsets = (indices // width % k * k + indices % width % k).to(torch.int8)
        ctx.save_for_backward({"input": x, "indices": indices, "offsets": offsets}[kept])
        return y

    @staticmethod
    def backward(ctx, slopes):
        """Send each slope to where its maximum stood."""
        (saved,), width = ctx.saved_tensors, ctx.shape[-1]
        if ctx.kept == "input":
            saved = F.max_pool2d(saved, ctx.k, return_indices=True)[1]
        if ctx.kept == "offsets":
            rows, columns = (torch.arange(n) * ctx.k for n in slopes.shape[-2:])
            saved = (rows[:, None] + saved // ctx.k) * width + columns + saved % ctx.k
        gradient = torch.zeros(ctx.shape).flatten()
        return gradient.scatter(0, saved.flatten(), slopes.flatten()).view(ctx.shape), None, None


multiples = st.integers(1, 8)


@claim(wrong=(input_alone, indices_alone, short_indices, outputs_alone), right=input_and_indices)
@given(
    rows=multiples,
    columns=multiples,
    k=st.integers(2, 4),
    dtype=st.sampled_from([torch.float32, torch.bfloat16, torch.float64]),
)
def test_pool_bytes_kept_for_backward(answer, device, rows, columns, k, dtype):
    """Max pooling keeps its whole input, and eight bytes an output on top."""
    x = torch.zeros(1, 1, k * rows, k * columns, dtype=dtype, device=device, requires_grad=True)

    kept = saved_bytes(lambda: F.max_pool2d(x, k))

    assert observe(bytes=kept) == answer(x.numel(), rows * columns, dtype)


@claim(wrong=(lost_without_indices, lost_without_input), right=nothing_lost)
@given(
    kept=st.sampled_from(["input", "indices", "offsets"]),
    rows=multiples,
    columns=multiples,
    k=st.integers(2, 4),
    seed=st.integers(0, 1000),
)
def test_pool_gradients_without_indices(answer, kept, rows, columns, k, seed):
    """A max pool that keeps only its input, only indices or only byte offsets loses no gradient."""
    random = torch.Generator().manual_seed(seed)
    # Four values make ties frequent. No slope is 0, so a gradient that does not arrive shows.
    x = torch.randint(4, (1, 1, k * rows, k * columns), generator=random).float().requires_grad_()
    slopes = torch.arange(1.0, rows * columns + 1).view(1, 1, rows, columns)
    expected, gradient = (
        torch.autograd.grad(y, x, slopes)[0] for y in (F.max_pool2d(x, k), Pool.apply(x, k, kept))
    )

    lost = int((gradient != expected).sum())

    assert observe(lost=lost) == answer(kept, rows * columns)
