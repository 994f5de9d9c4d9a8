"""A 31x31 kernel in the first layer, or fifteen of 3x3

A defect detector for 4K images has 31x31 kernels in its first layer, from RGB to 64 channels. Fifteen 3x3
layers have the same receptive field. Do they have fewer weights, and do they see as much?

Answer: Not in the first layer: with 64 channels the stack has 2.8 times the weights and FLOPs, since
    fourteen of its layers read 64 channels and not 3. It wins sevenfold where input and output have as
    many channels, and from RGB below 23. Nor does it see as much: with equal weights its effective
    receptive field has a standard deviation of 3.2 pixels, an even window of 31 pixels one of 8.9. What
    helps at 4K is an early stride.
Says: 31x31 filters in the first layer of a 4K defect detector explode the parameter count.
Verdict: holds if they are compared with a single 3x3 layer; a stack of 3x3 layers with the same receptive
    field has more weights from RGB to 64 channels
Asked: AI Interview Prep newsletter, Advanced Deep Learning #18
Source: Simonyan and Zisserman 2014, "Very Deep Convolutional Networks", section 2.3: three 3x3 layers
    against one 7x7 at equal channels, https://arxiv.org/abs/1409.1556
Source: Luo et al. 2016, "Understanding the Effective Receptive Field in Deep CNNs", abstract,
    https://arxiv.org/abs/1701.04128
Source: Ding et al. 2022, "Scaling Up Your Kernels to 31x31: RepLKNet", abstract: depthwise 31x31 kernels,
    https://arxiv.org/abs/2203.06717
Terms: large kernel, 31x31, 3x3, kernel size, first layer, stem, receptive field, effective receptive
    field, ERF, VGG, RepLKNet, depthwise convolution, parameter count, Conv2d
Right when: Input and output have as many channels, as inside a network.
Limits: No biases, no grouped or depthwise kernels, padded to the same size at stride 1. The effective
    field is that of equal weights without activations; a trained one differs. Of the papers none was read
    but for abstracts. The stored text stops at "explode parameter count and".
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx
from torch import nn

from fixtures import claim, observe
from fixtures.meters import flops, nbytes


def nine_against_the_square(inputs, channels, convs):
    """Layers of 9 weights against one of its square, so the stack is always the smaller one."""
    return 9 * convs / (2 * convs + 1) ** 2


def nine_of_a_layer(inputs, channels, convs):
    """A 3x3 kernel has 9 weights instead of the square, and depth is free."""
    return 9 / (2 * convs + 1) ** 2


def later_layers_read_channels(inputs, channels, convs):
    """Only the first layer of the stack reads the inputs, the others all channels.

    From 3 to 64 channels with 15 layers that is 2.8 times the weights, from 3 to 22 it is 0.97 and to 23
    it is 1.01, from 64 to 64 it is 0.14.
    """
    return 9 * (inputs + (convs - 1) * channels) / ((2 * convs + 1) ** 2 * inputs)


def even_window(convs):
    """The receptive field is the window, and all of it counts alike."""
    return (((2 * convs + 1) ** 2 - 1) / 12) ** 0.5


def third_of_the_reach(convs):
    """The weight falls off to the edges, so a third of the reach."""
    return convs / 3


def sum_of_steps(convs):
    """The weight spreads like a random walk, by the root of the depth.

    The root of 2/3 · convs is 3.2 pixels for 15, where an even window of 31 pixels has 8.9. Each layer of
    three equal weights adds the variance of a step to the left, to the right or none.
    """
    return (2 * convs / 3) ** 0.5


@claim(wrong=(nine_against_the_square, nine_of_a_layer), right=later_layers_read_channels)
@example(inputs=3, channels=64, convs=15)
@example(inputs=3, channels=22, convs=15)
@example(inputs=3, channels=23, convs=15)
@example(inputs=64, channels=64, convs=15)
@given(inputs=st.sampled_from([1, 3, 8, 16]), channels=st.integers(1, 64), convs=st.integers(2, 15))
def test_conv_stack_against_one_kernel(answer, inputs, channels, convs):
    """A stack of 3x3 layers is smaller than one large kernel unless it has many more channels than inputs.

    inputs: channels of the image
    channels: channels of all that follows
    convs: 3x3 layers whose receptive field the large kernel has
    """
    widths = [inputs, *[channels] * convs]
    stack = nn.Sequential(
        *(nn.Conv2d(a, b, 3, padding=1, bias=False, device="meta") for a, b in pairwise(widths))
    )
    large = nn.Conv2d(inputs, channels, 2 * convs + 1, padding=convs, bias=False, device="meta")
    image = torch.empty(1, inputs, 64, 64, device="meta")

    times = nbytes(*stack.parameters()) / nbytes(*large.parameters())
    assert flops(lambda: stack(image)) / flops(lambda: large(image)) == approx(times)
    assert observe(times=times) == approx(answer(inputs, channels, convs))


@claim(wrong=(even_window, third_of_the_reach), right=sum_of_steps)
@example(convs=15)
@given(convs=st.integers(1, 24))
def test_effective_receptive_field(answer, convs):
    """The gradient of one output pixel spreads over its receptive field as a bell, and not evenly.

    convs: 3x3 layers of equal weights
    """
    side = 2 * convs + 1
    image = torch.zeros(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    maps = image
    for _ in range(convs):
        maps = F.conv2d(maps, torch.full((1, 1, 3, 3), 1 / 9, dtype=torch.float64))
    (gradient,) = torch.autograd.grad(maps.sum(), image)

    offsets = torch.arange(side, dtype=torch.float64) - convs
    variance = (gradient[0, 0].sum(0) * offsets**2).sum()
    assert observe(pixels=variance.sqrt().item()) == approx(answer(convs))
