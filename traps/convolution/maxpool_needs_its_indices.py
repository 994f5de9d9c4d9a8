"""What max pooling must keep for the backward pass

A CUDA kernel for max pooling that returns the pooled values alone cuts the latency of inference by 40 %, and
training with it fails. What does the backward pass lack, and are cached indices the only way?

Answer: It has to send each output's gradient to the input that has won, and pooled values do not tell where
    that stood: a 2 by 2 window has 4 places. Keep the index, or an offset in the window, or the input, in
    which the maximum is found again. Torch keeps both.
Says: A kernel that returns only pooled values and discards the argmax indices fails in training: without
    cached spatial metadata, automatic differentiation cannot route gradients to the inputs that won.
Verdict: holds if the input is not kept either; else a second look at it finds the same routes
Asked: AI Interview Prep newsletter, Advanced Deep Learning #20
Source: zou3519 2022, "max_pool2d_with_indices(self, ...) shouldn't need to save self for backward", PyTorch
    issue 85485, https://github.com/pytorch/pytorch/issues/85485
Source: amjames 2024, "Retry: Low mem max_pool2d_with_indices", PyTorch pull request 122832,
    https://github.com/pytorch/pytorch/pull/122832
Terms: max pooling, maxpool, max_pool2d, argmax, return_indices, autograd, backward pass, saved tensors,
    custom CUDA kernel, MaxUnpool, recomputation, activation memory
Right when: The pool has to work in inference alone, where no gradient is routed.
Limits: The windows of one map. What torch keeps is the page maxpool_keeps_indices_alone, ties are the page
    maxpool_feeds_every_tie. The newsletter's stored text stops after "route gradients to".
"""

import torch
import torch.nn.functional as F
from hypothesis import assume, example, given, strategies as st

from fixtures import claim, observe


def values_are_enough(kept, k):
    """The derivative of a maximum is 1; its value tells the rest."""
    return 1


def indices_alone_tell(kept, k):
    """Without the cached indices no gradient finds its way."""
    return 1 if kept == "indices" else k * k


def anything_but_the_values(kept, k):
    """Input, index or offset tell the winner's place; values do not.

    The pooled values leave all places of the window open; an index, or a byte of offset, leaves one. A
    pool of 2 by 2 has 4 places, which is two bits per output. The input shows them, if it is looked at
    again.
    """
    return k * k if kept == "values" else 1


def lost_without_indices(kept, outputs):
    """Without the cached indices no gradient finds its way."""
    return 0 if kept == "indices" else outputs


def lost_without_input(kept, outputs):
    """The derivative is taken at the input, so without it there is none."""
    return 0 if kept == "input" else outputs


def nothing_lost(kept, outputs):
    """From the input or the indices alone every gradient arrives bit for bit.

    From the input the maxima are found anew, at the price of a second forward pass.
    """
    return 0


class Pool(torch.autograd.Function):
    """A max pool that keeps its input or its indices, and nothing more."""

    @staticmethod
    def forward(ctx, x, shape, kept):
        """Pool x [1, 1, height, width] in windows of this size, stride and padding."""
        y, indices = F.max_pool2d(x, *shape, return_indices=True)
        ctx.pixels, ctx.shape, ctx.kept = x.shape, shape, kept
        ctx.save_for_backward(x if kept == "input" else indices)
        return y

    @staticmethod
    def backward(ctx, slopes):
        """Send each slope to where its maximum stood."""
        (saved,) = ctx.saved_tensors
        indices = F.max_pool2d(saved, *ctx.shape, return_indices=True)[1] if ctx.kept == "input" else saved
        gradient = torch.zeros(ctx.pixels, device=slopes.device).flatten()
        return gradient.scatter_add(0, indices.flatten(), slopes.flatten()).view(ctx.pixels), None, None


@claim(wrong=(indices_alone_tell, values_are_enough), right=anything_but_the_values)
@example(kept="values", k=2)
@example(kept="input", k=2)
@given(kept=st.sampled_from(["values", "input", "indices", "offsets"]), k=st.integers(2, 5))
def test_pool_routes_that_look_alike(answer, device, kept, k):
    """Inputs of one window that leave the same behind have the same gradient, unless only values are left.

    kept: what the forward pass leaves for the backward pass
    k: width of the window
    """
    routes = {}
    for place in range(k * k):
        x = torch.zeros(k * k, device=device)
        x[place] = 1.0
        x = x.view(1, 1, k, k).requires_grad_()
        y, index = F.max_pool2d(x, k, return_indices=True)
        left = {"values": y, "input": x, "indices": index, "offsets": index.to(torch.int8)}[kept]
        (gradient,) = torch.autograd.grad(y.sum(), x)
        routes.setdefault(str(left.tolist()), set()).add(str(gradient.tolist()))

    assert observe(routes=max(map(len, routes.values()))) == answer(kept, k)


sizes = st.integers(1, 12)
# Size, stride and padding of the windows: side by side, overlapping, apart, padded.
shapes = st.sampled_from([(2, 2, 0), (3, 2, 1), (3, 1, 1), (2, 3, 0), (2, 1, 0), (4, 4, 0)])


@claim(wrong=(lost_without_indices, lost_without_input), right=nothing_lost)
@example(kept="input", rows=8, columns=8, shape=(3, 2, 1), seed=0)
@example(kept="input", rows=12, columns=12, shape=(3, 1, 1), seed=0)
@given(
    kept=st.sampled_from(["input", "indices"]),
    rows=sizes,
    columns=sizes,
    shape=shapes,
    seed=st.integers(0, 9999),
)
def test_pool_gradients_without_indices(answer, device, kept, rows, columns, shape, seed):
    """A max pool that keeps only its input or only its indices loses no gradient.

    kept: what the forward pass leaves for the backward pass
    rows: height of the input
    columns: its width
    shape: size, stride and padding of the windows
    outputs: pooled values
    """
    assume(min(rows, columns) + 2 * shape[2] >= shape[0])
    random = torch.Generator().manual_seed(seed)
    # Four values make ties frequent. No slope is 0, so a gradient that does not arrive shows.
    x = torch.randint(4, (1, 1, rows, columns), generator=random).float().to(device).requires_grad_()
    y = F.max_pool2d(x, *shape)
    slopes = torch.arange(1.0, y.numel() + 1, device=device).view_as(y)
    expected, gradient = (torch.autograd.grad(out, x, slopes)[0] for out in (y, Pool.apply(x, shape, kept)))

    assert observe(lost=int((gradient != expected).sum())) == answer(kept, y.numel())
