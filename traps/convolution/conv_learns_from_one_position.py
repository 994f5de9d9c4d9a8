"""A convolution that learns from its last position alone

A custom backward pass of a 1D convolution overwrites the kernel's gradient at every position, so that the
last position is the only one to count. The kernel is shared by all of them: how much worse is it learned
than from the mean over positions?

Answer: It learns, as each position teaches the same kernel, but from a gradient whose variance is as many
    times that of the mean as there are positions. At 16 positions, the same steps and the same learning
    rate its squared error is about 16 times that of the mean. A loss that goes down is therefore no proof
    of a right backward pass: compare with autograd, with torch.autograd.gradcheck.
Verdict: not judged: the newsletter's sentence is judged on the page conv_steps_per_position
Asked: AI Interview Prep newsletter, Advanced Deep Learning #17
Source: Goodfellow, Bengio and Courville 2016, "Deep Learning", section 8.1.3 (a mean over more examples
    is less noisy) and chapter 9 (shared parameters), https://www.deeplearningbook.org/
Source: PyTorch documentation, torch.autograd.gradcheck,
    https://docs.pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradcheck.html
Terms: weight sharing, gradient noise, conv1d, custom backward, gradcheck, gradient aggregation, minibatch
    noise, translation invariance, SGD, time steps
Right when: Targets have no noise: then the last position reaches the same kernel.
Limits: Against the sum at the same learning rate, which is as many times longer a step, it learns more
    slowly and ends no worse. The ratio takes the steps to have converged: at first the loss goes down as
    well. All positions are alike and independent, noise is large relative to what is left to learn, plain
    SGD at one learning rate. If the last position is unlike the others, a padded edge for instance, the
    kernel fits that one. The newsletter's stored text stops after "time".
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def one_is_as_good_as_all(positions):
    """Every position teaches the same kernel, so one of them will do."""
    return 1.0


def by_the_root(positions):
    """Averaging over positions takes the root of their number off the error."""
    return positions**0.5


def by_the_number(positions):
    """One position of T ends at T times the squared error of their mean.

    Its gradient has T times the variance.
    """
    return positions


KERNELS = 256


def squared_error(last_alone, positions, seed, device):
    """How far kernels are from those that made their targets, in noise, after 200 steps of SGD."""
    random = torch.Generator().manual_seed(seed)
    made_by = torch.randn(KERNELS, 1, 3, generator=random)
    kernels = torch.zeros(KERNELS, 1, 3, device=device, requires_grad=True)
    optimizer = torch.optim.SGD([kernels], lr=0.015)
    for _ in range(200):
        x = torch.randn(1, KERNELS, positions + 2, generator=random)
        target = F.conv1d(x, made_by, groups=KERNELS)
        target += 0.5 * torch.randn(target.shape, generator=random)
        errors = (F.conv1d(x.to(device), kernels, groups=KERNELS) - target.to(device)).square()
        optimizer.zero_grad()
        (errors[..., -1] if last_alone else errors.mean(-1)).sum().backward()
        optimizer.step()
    return (kernels.detach().cpu() - made_by).square().mean().item()


@claim(wrong=(one_is_as_good_as_all, by_the_root), right=by_the_number, evidence="trained", examples=4)
@example(positions=16, seed=0)
@example(positions=8, seed=0)
@example(positions=32, seed=0)
@given(positions=st.sampled_from([8, 16, 32]), seed=st.integers(1000, 9999))
def test_conv_kernel_learned_from_the_last_position(answer, device, positions, seed):
    """A kernel that learns from its last position alone is off by as many times as there are positions.

    positions: outputs of the convolution
    """
    last, mean = (squared_error(alone, positions, seed, device) for alone in (True, False))

    # Over 50 seeds of 16 positions the ratio is 0.93 to 1.19 times their number, over ten of 8 0.96 to
    # 1.13.
    assert observe(error_ratio=last / mean) == approx(answer(positions), rel=0.35)
