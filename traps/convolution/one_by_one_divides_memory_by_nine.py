"""Training memory of 1x1 kernels

A 1x1 kernel has a ninth of the weights of a 3x3 one. How much of the memory of training does a network
save that replaces one by the other?

Answer: Hardly anything on images: weights, gradients and optimizer state shrink to a ninth and the
    activations not at all, so that four layers of 64 channels on a 224 pixel image still take 97 % of the
    memory. With 512 channels on maps of 8 by 8, at a batch of one, it is 11 %, the ninth. To save
    activations use checkpointing, an early stride or a smaller batch.
Verdict: not judged: the source's reason is the lost neighborhood, and it does not say how much memory is
    saved
Asked: AI Interview Prep newsletter, Advanced Deep Learning #19
Source: Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost": activations dominate,
    checkpointing, https://arxiv.org/abs/1604.06174
Terms: 1x1, 1x1 convolution, pointwise convolution, VRAM, training memory, activation memory, saved
    tensors, optimizer state, Conv2d
Right when: The weights outweigh the activations, as with hundreds of channels on small maps and a small
    batch.
Limits: One image, fp32, Adam's two moments, and ReLU, whose output is what the next layer keeps. No
    workspace of a kernel is counted. What is lost with the neighbors is the page
    one_by_one_sees_its_neighbors. The source was not read.
"""

from itertools import chain

import torch
from hypothesis import example, given, strategies as st
from pytest import approx
from torch import nn

from fixtures import claim, observe
from fixtures.meters import nbytes, saved_bytes


def ninth_of_the_memory(channels, pixels, convs):
    """A 1x1 kernel has a ninth of the weights, so a ninth of the memory."""
    return 1 / 9


def nothing_to_gain(channels, pixels, convs):
    """Memory is activations, so nothing is saved."""
    return 1


def weights_alone_shrink(channels, pixels, convs):
    """Weights, gradients and moments are a ninth, and activations stay.

    At 64 channels, 224 pixels and 4 layers 0.97 is left; on maps of 8 by 8 with 512 channels it is 0.11,
    a ninth.
    """
    activations = (convs + 1) * channels * pixels**2
    weights = 4 * convs * channels**2
    return (activations + weights) / (activations + 9 * weights)


@claim(wrong=(ninth_of_the_memory, nothing_to_gain), right=weights_alone_shrink)
@example(channels=64, pixels=224, convs=4)
@example(channels=512, pixels=8, convs=4)
@given(channels=st.integers(1, 16), pixels=st.integers(4, 64), convs=st.integers(1, 4))
def test_one_by_one_training_memory(answer, channels, pixels, convs):
    """Training with 1x1 kernels stores the same activations, and a ninth of the weights.

    channels: of all maps
    pixels: width and height of the image
    convs: convolutions in a row
    """
    bytes_of = []
    for kernel in (1, 3):
        with torch.device("meta"):
            layers = (
                (nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False), nn.ReLU())
                for _ in range(convs)
            )
            net = nn.Sequential(*chain.from_iterable(layers))
            image = torch.empty(1, channels, pixels, pixels)
        # Weight, gradient and Adam's two moments.
        weights = 4 * nbytes(*net.parameters())
        bytes_of.append(
            weights + saved_bytes(lambda net=net, image=image: net(image), besides=net.parameters())
        )

    assert observe(share=bytes_of[0] / bytes_of[1]) == approx(answer(channels, pixels, convs))
