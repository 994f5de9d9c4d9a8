"""What a network of 1x1 kernels sees

To save VRAM a colleague replaces the 3x3 convolutions of a network by 1x1 and keeps its depth. What does
it no longer see?

Answer: A 1x1 kernel mixes channels and looks at no neighbor, at any depth: the receptive field of 1x1
    layers is 1 pixel, and with mean pooling behind them such layers give the same result for all 24
    orders of four pixels. A single 3x3 layer tells all of them apart. Use 1x1 between 3x3 layers, to have
    these read fewer channels.
Says: Swapping 3x3 convolutions for 1x1 filters to save VRAM is a trap: a 3x3 kernel scans a pixel and its
    surrounding neighborhood, learning edges, geometry and local context.
Verdict: holds
Asked: AI Interview Prep newsletter, Advanced Deep Learning #19
Source: Lin, Chen and Yan 2013, "Network In Network", section 3.1, https://arxiv.org/abs/1312.4400
Source: Araujo, Norris and Sim 2019, "Computing Receptive Fields of Convolutional Neural Networks",
    Distill, https://distill.pub/2019/computing-receptive-fields
Terms: 1x1, 1x1 convolution, pointwise convolution, bottleneck, receptive field, stride, Conv2d, channel
    mixing, local context, VRAM, activation memory
Right when: Other layers in between mix places: larger kernels, pooling, attention.
Limits: Networks of convolutions alone; a 1x1 kernel with a stride skips pixels. Whether memory is saved
    is the page one_by_one_divides_memory_by_nine. Neither source was read. The stored text stops at "A
    1x1".
"""

from itertools import chain, permutations

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from torch import nn

from fixtures import claim, observe


def two_pixels_per_layer(convs):
    """Every layer adds its ring, so depth makes up for small kernels."""
    return 1 + 2 * len(convs)


def sum_of_kernels(convs):
    """Each layer adds its kernel's width less one."""
    return 1 + sum(kernel - 1 for kernel, _ in convs)


def kernels_by_the_strides_before(convs):
    """Each layer adds its kernel's width less one, times earlier strides.

    Layers of 1x1 leave it at 1. Behind a stride of 2 neighbors are two pixels apart.
    """
    field, step = 1, 1
    for kernel, stride in convs:
        field += (kernel - 1) * step
        step *= stride
    return field


def depth_tells_them_apart(kernels):
    """Enough layers combine all pixels, so each order of the four gives another result."""
    return 24


def any_1x1_blinds(kernels):
    """A single 1x1 layer loses where things are."""
    return 1 if 1 in kernels else 24


def only_1x1_blinds(kernels):
    """1 for a network of 1x1 layers alone; 24 as soon as one layer is 3x3.

    Each pixel goes the same way by itself, and their mean has no order.
    """
    return 1 if set(kernels) == {1} else 24


@claim(wrong=(two_pixels_per_layer, sum_of_kernels), right=kernels_by_the_strides_before)
@example(convs=[(1, 1)] * 5)
@example(convs=[(3, 2), (1, 1), (3, 1)])
@given(convs=st.lists(st.tuples(st.sampled_from([1, 3, 5]), st.integers(1, 2)), min_size=1, max_size=4))
def test_receptive_field_of_small_kernels(answer, convs):
    """Layers of 1x1 add nothing to the receptive field, however many there are.

    convs: kernel and stride of each layer
    """
    image = torch.ones(1, 1, 1, 128, dtype=torch.float64, requires_grad=True)
    maps = image
    for kernel, stride in convs:
        maps = F.conv2d(maps, torch.ones(1, 1, 1, kernel, dtype=torch.float64), stride=(1, stride))
    (gradient,) = torch.autograd.grad(maps[0, 0, 0, 0], image)

    # From the first pixel that counts to the last; a stride may leave some between them out.
    seen = gradient.flatten().nonzero().flatten()
    assert observe(pixels=int(seen[-1] - seen[0]) + 1) == answer(convs)


@claim(wrong=(depth_tells_them_apart, any_1x1_blinds), right=only_1x1_blinds)
@example(kernels=[1, 1, 1, 1], seed=0)
@example(kernels=[1, 3], seed=0)
@given(kernels=st.lists(st.sampled_from([1, 3]), min_size=1, max_size=4), seed=st.integers(0, 999))
def test_one_by_one_and_shuffled_pixels(answer, kernels, seed):
    """With mean pooling behind it a network of 1x1 layers cannot tell an image from its shuffled pixels.

    kernels: widths of the layers' kernels
    """
    torch.manual_seed(seed)
    layers = ((nn.Conv2d(3, 3, kernel, padding=kernel // 2), nn.Tanh()) for kernel in kernels)
    net = nn.Sequential(*chain.from_iterable(layers)).double()
    pixels = torch.randn(3, 4, dtype=torch.float64)
    images = torch.stack([pixels[:, order].view(3, 2, 2) for order in map(list, permutations(range(4)))])

    outputs = net(images).mean((2, 3))
    # Pairs of outputs that differ by rounding alone are the same.
    distinct = len({tuple(output) for output in outputs.mul(1e9).round().tolist()})
    assert observe(distinct_outputs=distinct) == answer(kernels)
