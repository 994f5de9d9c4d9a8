"""Translation equivariance and invariance of a convolution

A convolution is trained with a broken gradient, that of its last position alone. Does it lose its
translation invariance, or has it had any, and what can take it away?

Answer: A convolution is equivariant, by sharing one kernel and not by training: its output follows each
    of 7 circular shifts even untrained, and a pool behind it ignores all 7. A stride of 2 leaves 3 of
    them, and zero padding none exactly, as the edges differ. A wrong gradient harms the fit alone.
Says: A custom 1D convolution fails to learn translation invariance, despite a right forward pass and
    right derivatives, because it neglects to aggregate the gradients computed at each time step.
Verdict: imprecise: equivariance comes from sharing the kernel, and a pool makes it invariance, without a
    gradient
Asked: AI Interview Prep newsletter, Advanced Deep Learning #17
Source: LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition", Proceedings of the
    IEEE 86(11), section II: shift invariance is obtained by shared weights,
    https://doi.org/10.1109/5.726791
Source: Zhang 2019, "Making Convolutional Networks Shift-Invariant Again",
    https://arxiv.org/abs/1904.11486
Terms: CNN, translation equivariance, translation invariance, shift, weight sharing, pooling, padding,
    stride
Right when: Copies of the kernel are stored and updated apart: then a missing sum lets them differ.
Limits: Whole circular shifts, one layer.
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from torch import nn

from fixtures import claim, observe


def must_be_learned(kernels, training, pool):
    """A net learns from its data that patterns may shift; before the training it knows nothing of it."""
    return [0, 0] if training == "none" else shared_kernel_follows(kernels, training, pool)


def needs_the_sum(kernels, training, pool):
    """Without the gradients of all positions the kernel cannot learn the invariance."""
    return [0, 0] if training != "all positions" else shared_kernel_follows(kernels, training, pool)


def convolution_is_invariant(kernels, training, pool):
    """A convolution answers alike wherever the pattern is."""
    return [SHIFTS, SHIFTS] if kernels == "one" else [0, 0]


def shared_kernel_follows(kernels, training, pool):
    """One kernel makes the output follow every shift, and a pool over all positions then ignores it.

    A shift renames the positions, and one kernel does the same at each of them.
    """
    shifts = SHIFTS if kernels == "one" else 0
    return [shifts, shifts if pool else 0]


def any_convolution_follows(padding, stride):
    """A convolution is equivariant."""
    return SHIFTS


def padding_alone_matters(padding, stride):
    """Zeros at the edges tell positions apart; a stride only makes the output shorter."""
    return SHIFTS if padding == "circular" else 0


def whole_strides_follow(padding, stride):
    """A shift by whole strides moves the output, if no edge tells positions apart.

    At a stride of 2 that leaves 3 shifts of 7, and zeros at the edges leave none.
    """
    return SHIFTS // stride if padding == "circular" else 0


POSITIONS, SHIFTS = 8, 7


class OneEach(nn.Module):
    """A kernel of three weights for each position, circular as the convolution."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(POSITIONS, 3))

    def forward(self, x):
        """[1, 1, POSITIONS] to the same shape."""
        return (F.pad(x, (1, 1), mode="circular").unfold(-1, 3, 1) * self.weight).sum(-1)


def trained(net, training, random):
    """A random layer after five steps towards random targets, at all positions, the last or none."""
    nn.init.normal_(net.weight, generator=random)
    x, target = torch.randn(2, 1, 1, POSITIONS, generator=random)
    counted = {"none": 0, "last position": 1, "all positions": POSITIONS}[training]
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
    for _ in range(5):
        optimizer.zero_grad()
        (net(x) - target)[..., POSITIONS - counted :].square().sum().backward()
        optimizer.step()
    return net


def follows(net, x, stride=1):
    """The shifts of the input by which the output of a layer shifts too."""
    y = net(x)
    return sum(
        torch.allclose(net(x.roll(by)), y.roll(by // stride), atol=1e-5) for by in range(1, SHIFTS + 1)
    )


@claim(wrong=(must_be_learned, needs_the_sum, convolution_is_invariant), right=shared_kernel_follows)
@example(kernels="one", training="none", pool=False, seed=0)
@example(kernels="one", training="last position", pool=True, seed=0)
@example(kernels="one each", training="all positions", pool=False, seed=0)
@given(
    kernels=st.sampled_from(["one", "one each"]),
    training=st.sampled_from(["none", "last position", "all positions"]),
    pool=st.booleans(),
    seed=st.integers(0, 9999),
)
def test_conv_follows_shifts(answer, kernels, training, pool, seed):
    """The output of one kernel follows every shift, however it was trained; a pool over it ignores them.

    kernels: one for all positions, or one for each
    training: which positions' errors the kernels have learned from
    pool: whether a maximum over all positions follows
    """
    random = torch.Generator().manual_seed(seed)
    shared = nn.Conv1d(1, 1, 3, padding=1, padding_mode="circular", bias=False)
    net = trained(shared if kernels == "one" else OneEach(), training, random)
    x = torch.randn(1, 1, POSITIONS, generator=random)
    pooled = nn.AdaptiveMaxPool1d(1) if pool else nn.Identity()

    y = pooled(net(x))
    ignored = sum(torch.allclose(pooled(net(x.roll(by))), y, atol=1e-5) for by in range(1, SHIFTS + 1))

    assert observe(shifts_followed_and_ignored=[follows(net, x), ignored]) == answer(kernels, training, pool)


@claim(wrong=(any_convolution_follows, padding_alone_matters), right=whole_strides_follow)
@example(padding="circular", stride=1, seed=0)
@example(padding="circular", stride=2, seed=0)
@example(padding="zeros", stride=1, seed=0)
@given(
    padding=st.sampled_from(["circular", "zeros"]),
    stride=st.sampled_from([1, 2, 4]),
    seed=st.integers(0, 9999),
)
def test_conv_follows_whole_strides(answer, padding, stride, seed):
    """A strided convolution follows shifts by whole strides, and one that pads with zeros follows none.

    padding: what torch's Conv1d reads beyond the edges, its `padding_mode`
    stride: inputs from one position to the next
    """
    random = torch.Generator().manual_seed(seed)
    net = nn.Conv1d(1, 1, 3, stride, padding=1, padding_mode=padding, bias=False)
    nn.init.normal_(net.weight, generator=random)
    x = torch.randn(1, 1, POSITIONS, generator=random)

    assert observe(shifts=follows(net, x, stride)) == answer(padding, stride)
