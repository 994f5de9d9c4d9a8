"""The memory that max pooling keeps for the backward pass

A max pool has no weights. How many bytes does torch keep of it for the backward pass, in training?

Answer: The whole input and a 64-bit index per output: 3,211,264 and 1,605,632 bytes per image in the stem
    of a ResNet in fp32. In bf16 the indices of a 2 by 2 pool take as many bytes as its input. The
    backward pass reads no value of the input, so the indices would do, and of a 2 by 2 pool two bits of
    each.
Verdict: not judged: the newsletter's sentence is judged on the page maxpool_needs_its_indices
Asked: AI Interview Prep newsletter, Advanced Deep Learning #20
Source: zou3519 2022, "max_pool2d_with_indices(self, ...) shouldn't need to save self for backward",
    PyTorch issue 85485, https://github.com/pytorch/pytorch/issues/85485
Source: eellison 2023, "Return int32 indices in max_pool2d_with_indices", PyTorch issue 103785,
    https://github.com/pytorch/pytorch/issues/103785
Source: amjames 2024, "Retry: Low mem max_pool2d_with_indices", PyTorch pull request 122832,
    https://github.com/pytorch/pytorch/pull/122832
Terms: max pooling, maxpool, max_pool2d, activation memory, saved tensors, saved_tensors_hooks, argmax,
    indices, return_indices, int64, autograd, training memory
Right when: The input lives anyway, as the output of an operation that keeps it, a ReLU for instance: then
    the indices are all that is added.
Limits: Eager torch; kernels of other devices may keep other things. Compiled code may keep offsets of one
    byte since the pull request above, which is not observed. That one of the two is enough is the page
    maxpool_needs_its_indices. The newsletter's stored text stops after "route gradients to".
"""

import torch
import torch.nn.functional as F
from hypothesis import assume, example, given, strategies as st

from fixtures import claim, observe
from fixtures.meters import saved_bytes


def input_alone(pixels, outputs, dtype):
    """As for any other function of its input, the input is kept."""
    return pixels * dtype.itemsize


def indices_alone(pixels, outputs, dtype):
    """A router keeps its table: one 64-bit index per output."""
    return 8 * outputs


def short_indices(pixels, outputs, dtype):
    """The input, and an index of 32 bits per output."""
    return pixels * dtype.itemsize + 4 * outputs


def outputs_alone(pixels, outputs, dtype):
    """Only the maxima are kept; the rest has no gradient."""
    return outputs * dtype.itemsize


def input_and_indices(pixels, outputs, dtype):
    """The whole input, and a 64-bit index per output.

    The backward pass reads of the input only its shape. A pool of 3 by 3 at stride 2 keeps 3,211,264
    bytes of a 64 by 112 by 112 input in fp32 and 1,605,632 bytes of indices. In bf16 a pool of 2 by 2
    keeps as many bytes of indices as of input.
    """
    return pixels * dtype.itemsize + 8 * outputs


sizes = st.integers(1, 12)
# Size, stride and padding of the windows: side by side, overlapping, apart, padded, more than pixels.
shapes = st.sampled_from([(2, 2, 0), (3, 2, 1), (3, 1, 1), (2, 3, 0), (2, 1, 0), (2, 1, 1), (4, 4, 0)])


@claim(wrong=(input_alone, indices_alone, short_indices, outputs_alone), right=input_and_indices)
@example(channels=64, rows=112, columns=112, shape=(3, 2, 1), dtype=torch.float32)  # the stem of a ResNet
@example(channels=1, rows=4, columns=4, shape=(2, 2, 0), dtype=torch.bfloat16)
@given(
    channels=st.integers(1, 3),
    rows=sizes,
    columns=sizes,
    shape=shapes,
    dtype=st.sampled_from([torch.float32, torch.bfloat16, torch.float64]),
)
def test_pool_bytes_kept_for_backward(answer, device, channels, rows, columns, shape, dtype):
    """Max pooling keeps its whole input, and eight bytes per output on top.

    channels: maps of the input
    rows: height of the input
    columns: its width
    shape: size, stride and padding of the windows
    pixels: numbers in the input
    outputs: pooled values
    """
    assume(min(rows, columns) + 2 * shape[2] >= shape[0])
    x = torch.zeros(1, channels, rows, columns, dtype=dtype, device=device, requires_grad=True)
    outputs = F.max_pool2d(x, *shape).numel()

    assert observe(kept_bytes=saved_bytes(lambda: F.max_pool2d(x, *shape))) == answer(
        x.numel(), outputs, dtype
    )
