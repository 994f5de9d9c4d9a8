"""Reshaping a transposed tensor

A matrix has the wrong shape. You transpose it and call .reshape(), or .contiguous().view(). What happens
in memory?

Answer: Transposing only swaps strides. A reshape is a view wherever strides can express the new shape,
    and else it copies in silence: flattening a transposed 4096 by 4096 matrix in fp32 allocates
    67,108,864 bytes. Splitting an axis, or merging across one of size 1, stays free. Use .view() where a
    copy would hurt, as it raises instead; .contiguous() copies whatever is not contiguous, also where a
    reshape would be free.
Says: Transposed tensors become non-contiguous, and reshaping them forces a hidden copy.
Verdict: holds if the new shape merges the transposed axes, and both are longer than 1
Asked: AI Interview Prep newsletter, LLM System Design #31
Source: PyTorch documentation 2025, "Tensor Views": reshape may return a view or a copy,
    https://docs.pytorch.org/docs/stable/tensor_view.html
Terms: view, reshape, contiguous, is_contiguous, stride, transpose, permute, storage, memory layout,
    hidden copy, einops, channels_last
Right when: The axes that the new shape merges lie next to each other in memory, in their order.
Limits: Dense tensors. That a reshape of the wrong shape also scrambles the values is the page
    reshape_undoes_a_transpose. The stored text stops after "forces a".
"""

from math import prod

import torch
from hypothesis import example, given, strategies as st

from fixtures import claim, observe
from fixtures.meters import nbytes


def strides_express_it(shape, order, target, itemsize):
    """Reshape changes the shape and leaves the data where they are."""
    return 0


def what_is_not_contiguous(shape, order, target, itemsize):
    """A transposed tensor is not contiguous, so reshaping copies all of it."""
    return 0 if torch.empty(shape).permute(order).is_contiguous() else prod(shape) * itemsize


def what_changes_the_order(shape, order, target, itemsize):
    """Where the axes are in another order than in memory the data have to be moved."""
    return 0 if list(order) == sorted(order) else prod(shape) * itemsize


def where_strides_cannot_follow(shape, order, target, itemsize):
    """Reshape copies all bytes if an axis of the new shape jumps in memory, and none if not.

    For 4096 by 4096 in fp32 these are 67,108,864. Each new axis needs one stride. Merged axes have one only
    if each steps over the whole of the next; axes of size 1 are never stepped over.
    """
    if not prod(shape):
        return 0
    # Sizes of the blocks of axes that step through memory as one axis would.
    blocks, expected = [], None
    for size, stride in ((shape[axis], prod(shape[axis + 1 :])) for axis in order if shape[axis] != 1):
        if size * stride == expected:
            blocks[-1] *= size
        else:
            blocks.append(size)
        expected = stride
    for size in (size for size in reversed(target) if size != 1):
        blocks[-1], rest = divmod(blocks[-1], size)
        if rest:
            return prod(shape) * itemsize
        if blocks[-1] == 1:
            blocks.pop()
    return 0


def factorized(number, axes):
    """All shapes of that many axes which hold so many numbers."""
    if axes == 1:
        return [(number,)]
    return [
        (f, *rest)
        for f in range(1, number + 1)
        if number % f == 0
        for rest in factorized(number // f, axes - 1)
    ]


@st.composite
def reshapes(draw):
    """A shape of up to four axes, an order of these, and a shape of as many numbers."""
    shape = tuple(draw(st.lists(st.integers(1, 4), min_size=2, max_size=4)))
    order = tuple(draw(st.permutations(range(len(shape)))))
    return shape, order, draw(st.sampled_from(factorized(prod(shape), draw(st.integers(1, 3)))))


@claim(
    wrong=(strides_express_it, what_is_not_contiguous, what_changes_the_order),
    right=where_strides_cannot_follow,
)
@example(case=((4096, 4096), (1, 0), (4096 * 4096,)), itemsize=4)
@example(case=((2, 3), (1, 0), (3, 1, 2)), itemsize=4)
@example(case=((1, 5), (1, 0), (5,)), itemsize=4)
@example(case=((0, 3), (1, 0), (0,)), itemsize=4)
@example(case=((4, 1, 8, 16), (0, 2, 1, 3), (4, 1, 128)), itemsize=2)
@example(case=((4, 8, 1, 16), (0, 2, 1, 3), (4, 128)), itemsize=2)
@given(case=reshapes(), itemsize=st.sampled_from([1, 2, 4]))
def test_reshape_copies(answer, case, itemsize):
    """A reshape of permuted axes copies exactly where strides cannot express the new shape.

    case: shape, order of its axes, new shape
    shape: as the tensor lies in memory
    order: its axes as they are permuted
    target: the shape that is asked for
    """
    shape, order, target = case
    dtype = {1: torch.int8, 2: torch.bfloat16, 4: torch.float32}[itemsize]
    tensor = torch.zeros(shape, dtype=dtype).permute(order)
    reshaped = tensor.reshape(target)
    moved = nbytes(tensor, reshaped) - nbytes(tensor)
    # What shares its storage is written through.
    reshaped.fill_(1)
    assert bool(tensor.all()) == (moved == 0)

    assert observe(bytes=moved) == answer(shape, order, target, itemsize)
