"""Fifty convolutions without padding

To save VRAM a colleague drops the zero padding of a CNN with 50 layers of 3x3 convolutions: each loses a
border that is negligible. What is left of a 224 pixel image?

Answer: 124 pixels a side, as each layer takes 2 away, 100 in all; an image of 100 pixels is gone. Memory
    is saved, the activations come down to 63 %, but only because the maps shrink. What is lost is the
    border: a corner pixel reaches a single output without padding, 2,601 with it, and a pixel in the
    middle 10,201. Pad, and save memory by checkpointing or an early stride.
Says: The loss of a 2-pixel border per layer is no negligible matter for a 50-layer CNN: unpadded 3x3
    convolutions shrink the spatial dimensions.
Verdict: holds
Asked: AI Interview Prep newsletter, Advanced Deep Learning #21
Source: Dumoulin and Visin 2016, "A guide to convolution arithmetic for deep learning", section 2.1,
    https://arxiv.org/abs/1603.07285
Source: Islam, Jia and Bruce 2020, "How Much Position Information Do Convolutional Neural Networks
    Encode?": zero padding tells positions, https://arxiv.org/abs/2001.08248
Terms: padding, zero padding, same padding, valid convolution, unpadded convolution, Conv2d, output size,
    border, spatial dimensions, VRAM, activation memory, receptive field
Right when: The network is shallow, or the image is much larger than twice its depth.
Limits: No dilation, a stride in the first layer at most. Padding has a price of its own, which is not run
    here: zeros at the border tell positions. Neither source was read. The stored text stops at "shrink
    spatial dimensions by".
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx
from torch import nn

from fixtures import claim, observe
from fixtures.meters import saved_bytes


def once_per_network(pixels, convs, k, stride):
    """The border is lost once, where the image ends."""
    return max(0, (pixels - k) // stride + 1)


def one_pixel_per_layer(pixels, convs, k, stride):
    """Each layer loses the half of its kernel that hangs over."""
    return max(0, (pixels - k) // stride + 1 - (convs - 1) * (k // 2))


def whole_kernel_but_one(pixels, convs, k, stride):
    """Each layer loses the width of its kernel less one.

    That is k - 1 pixels, half at either edge: 224 - 50 · 2 = 124; a map of 100 vanishes. Behind a stride
    of 2 each pixel is two of the image.
    """
    return max(0, (pixels - k) // stride + 1 - (convs - 1) * (k - 1))


def as_the_last_map(pixels, convs):
    """What is left of the image is what is left of the activations."""
    return ((pixels - 2 * convs) / pixels) ** 2


def mean_of_all_maps(pixels, convs):
    """What is left is the mean area of the maps that the layers read.

    At 224 pixels and 50 layers that is 0.63. Early maps are nearly whole, and each layer keeps its input
    for the backward pass.
    """
    return sum((1 - 2 * layer / pixels) ** 2 for layer in range(convs)) / convs


def as_any_pixel(convs, place, padding):
    """A convolution treats all pixels alike: each reaches 2 · convs + 1 pixels a side."""
    return (2 * convs + 1) ** 2


def padding_makes_up_for_it(convs, place, padding):
    """Padding gives the border what the middle has."""
    return 1 if place == "corner" and not padding else (2 * convs + 1) ** 2


def a_quarter_with_padding(convs, place, padding):
    """A corner reaches one output, and with padding about a quarter of what the middle does.

    The middle reaches (2 · convs + 1)², a corner 1, and (convs + 1)² with padding: 10,201, 1 and 2,601. A
    corner lies at the edge of the windows that see it, and with padding there is nothing beyond.
    """
    if place == "middle":
        return (2 * convs + 1) ** 2
    return (convs + 1) ** 2 if padding else 1


def stack(convs, k=3, padding=0, stride=1, device="meta"):
    """Convolutions of one channel, the first with the stride."""
    return nn.Sequential(
        *(nn.Conv2d(1, 1, k, 1 if layer else stride, padding, device=device) for layer in range(convs))
    )


@claim(wrong=(once_per_network, one_pixel_per_layer), right=whole_kernel_but_one)
@example(pixels=224, convs=50, k=3, stride=1)
@example(pixels=100, convs=50, k=3, stride=1)
@example(pixels=101, convs=50, k=3, stride=1)
@given(
    pixels=st.integers(1, 128),
    convs=st.integers(1, 50),
    k=st.sampled_from([1, 3, 5]),
    stride=st.integers(1, 2),
)
def test_unpadded_size(answer, pixels, convs, k, stride):
    """Without padding a convolution makes each side shorter by the width of its kernel less one.

    pixels: width and height of the image
    convs: convolutions in a row
    k: width of the kernels
    stride: of the first layer
    """
    maps = torch.empty(1, 1, pixels, pixels, device="meta")
    for layer in stack(convs, k, stride=stride):
        # Torch refuses a map that is smaller than the kernel.
        maps = layer(maps) if maps.shape[-1] >= k else maps[..., :0]

    assert observe(pixels_left=maps.shape[-1]) == answer(pixels, convs, k, stride)


@claim(wrong=as_the_last_map, right=mean_of_all_maps)
@example(pixels=224, convs=50)
@given(pixels=st.integers(101, 300), convs=st.integers(1, 50))
def test_unpadded_activation_memory(answer, pixels, convs):
    """Without padding the stored activations shrink as the maps do on average, and not as the last one.

    pixels: width and height of the image
    convs: convolutions in a row
    """
    image = torch.empty(1, 1, pixels, pixels, device="meta", requires_grad=True)
    nets = [stack(convs, padding=padding) for padding in (0, 1)]
    unpadded, padded = (saved_bytes(lambda net=net: net(image), besides=net.parameters()) for net in nets)

    assert observe(share=unpadded / padded) == approx(answer(pixels, convs))


@claim(wrong=(as_any_pixel, padding_makes_up_for_it), right=a_quarter_with_padding)
@example(convs=50, place="corner", padding=False)
@example(convs=50, place="corner", padding=True)
@example(convs=50, place="middle", padding=True)
@given(convs=st.integers(1, 8), place=st.sampled_from(["corner", "middle"]), padding=st.booleans())
def test_unpadded_reach_of_a_pixel(answer, convs, place, padding):
    """A corner pixel reaches one output without padding, and with it towards a quarter of a middle one's.

    convs: convolutions in a row
    place: where the pixel lies
    padding: whether each layer pads by one pixel
    """
    side = 4 * convs + 1
    image = torch.zeros(1, 1, side, side)
    at = 0 if place == "corner" else 2 * convs
    image[0, 0, at, at] = 1
    net = stack(convs, padding=int(padding), device="cpu")
    for layer in net:
        nn.init.constant_(layer.weight, 1 / 9)
        nn.init.zeros_(layer.bias)

    assert observe(outputs=int((net.double()(image.double()) > 0).sum())) == answer(convs, place, padding)
