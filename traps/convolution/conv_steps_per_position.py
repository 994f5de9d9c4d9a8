"""The gradient of a shared convolution kernel

A custom 1D convolution has a right forward pass and right derivatives at every position, yet it learns
badly. What is missing in its backward pass, and may the optimizer take a step for each position?

Answer: The sum. All positions share the kernel, so its gradient is the sum of theirs, and then the
    optimizer steps once. If each position overwrites the gradient, the last one alone is left to learn
    from. A step for each position comes to the same under plain SGD, but with 16 positions Adam moves the
    kernel up to 16 times too far at every pass, and SGD with momentum 5.4 times in the first one.
Says: A custom 1D convolution fails to learn translation invariance, despite a right forward pass and
    right derivatives, because it neglects to aggregate the gradients computed at each time step.
Verdict: imprecise: the gradients are to be summed, and without the sum the kernel learns from fewer
    positions. Its equivariance comes from sharing the kernel, not from learning.
Asked: AI Interview Prep newsletter, Advanced Deep Learning #17
Source: LeCun et al. 1989, "Backpropagation Applied to Handwritten Zip Code Recognition", Neural
    Computation 1(4), pages 541-551, https://doi.org/10.1162/neco.1989.1.4.541
Terms: CNN, weight sharing, shared kernel, parameter sharing, conv1d, convolution, backward pass, chain
    rule, gradient accumulation, custom autograd, time steps, stride, padding, Adam, translation
    invariance
Right when: The optimizer is plain SGD: then the steps add up to the sum, in any order. The mean is the
    sum at a smaller learning rate, and under Adam the same step.
Limits: The steps are those of one forward pass; one that runs forward anew after each step is another
    algorithm. The optimizer is fresh: once its momentum has built up over some passes, a step per
    position goes as far as the sum. They agree at all positions; where they differ, steps of Adam have no
    such simple law. What is learned from the last position is the page conv_learns_from_one_position,
    invariance conv_learns_its_invariance. LeCun et al. were read as others quote them.
"""

import torch
import torch.nn.functional as F
from hypothesis import assume, example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def last_position(x, slopes, k, stride, padding):
    """Each position writes the gradient of the kernel, and the last one stays."""
    silent = [0] * (len(slopes) - 1)
    return sum_of_positions(x, silent + slopes[-1:], k, stride, padding)


def mean_of_positions(x, slopes, k, stride, padding):
    """The kernel is shared, so it takes the average of what its positions ask for."""
    return [total / len(slopes) for total in sum_of_positions(x, slopes, k, stride, padding)]


def flipped_kernel(x, slopes, k, stride, padding):
    """A convolution flips its kernel, so the gradient is flipped too."""
    return sum_of_positions(x, slopes, k, stride, padding)[::-1]


def sum_of_positions(x, slopes, k, stride, padding):
    """Each position adds its output's slope times the input that the weight reads there.

    The chain rule adds over all paths, and a shared weight has one through each position. Inputs 1 and 2,
    slopes of 1 and a kernel of one weight make 3, not 2 or 1.5. A step of stride skips inputs, padding
    reads zeros.
    """
    padded = [0] * padding + x + [0] * padding
    return [sum(slope * padded[t * stride + tap] for t, slope in enumerate(slopes)) for tap in range(k)]


def nothing_moves(optimizer, positions):
    """Without the sum the steps cancel out, and the kernel does not learn."""
    return 0


def as_the_sum(optimizer, positions):
    """Many small steps or one that is their sum: it comes to the same."""
    return 1


def full_step_each(optimizer, positions):
    """Every position makes a full step, so the kernel goes too far by as many times."""
    return positions


def sgd_alone_adds_up(optimizer, positions):
    """As far as the summed step under plain SGD, and further with momentum or Adam.

    A step of SGD is proportional to its gradient. Momentum counts an early one again at every step that
    follows, which for 16 positions makes 5.4 times the summed step. Adam divides by the gradient's size,
    so each of its steps is as long as the summed one: 16 times as far.
    """
    speed = rolled = 0
    for _ in range(positions):
        speed = 0.9 * speed + 1
        rolled += speed
    return {"sgd": 1, "momentum": rolled / positions, "adam": positions}[optimizer]


OPTIMIZERS = {
    "sgd": lambda w: torch.optim.SGD([w], lr=0.01),
    "momentum": lambda w: torch.optim.SGD([w], lr=0.01, momentum=0.9),
    "adam": lambda w: torch.optim.Adam([w], lr=0.01),
}


def moved(optimizer, gradients):
    """How far an optimizer takes a fresh kernel with these gradients, one step each."""
    kernel = torch.zeros_like(gradients[0], requires_grad=True)
    stepper = OPTIMIZERS[optimizer](kernel)
    for gradient in gradients:
        kernel.grad = gradient
        stepper.step()
    return kernel.detach().abs().sum().item()


integers = st.lists(st.integers(-5, 5), min_size=1, max_size=6)


@claim(wrong=(last_position, mean_of_positions, flipped_kernel), right=sum_of_positions, examples=60)
@example(x=[1, 2], pattern=[1, 1], k=1, stride=1, padding=0)
@given(x=integers, pattern=integers, k=st.integers(1, 3), stride=st.integers(1, 3), padding=st.integers(0, 2))
def test_conv_gradient_of_a_shared_kernel(answer, device, x, pattern, k, stride, padding):
    """The gradient of a kernel is the sum of what all its positions contribute.

    x: the inputs
    pattern: gradients of the outputs, used over again
    slopes: gradients of the outputs, one each
    k: weights of the kernel
    stride: inputs from one position to the next
    padding: zeros on each side of the inputs
    """
    assume(k <= len(x) + 2 * padding)
    kernel = torch.zeros(1, 1, k, dtype=torch.float64, device=device, requires_grad=True)
    inputs = torch.tensor([[x]], dtype=torch.float64, device=device)
    outputs = F.conv1d(inputs, kernel, stride=stride, padding=padding)
    slopes = [pattern[t % len(pattern)] for t in range(outputs.numel())]

    outputs.backward(torch.tensor([[slopes]], dtype=torch.float64, device=device))

    assert observe(gradient=kernel.grad.flatten().tolist()) == answer(x, slopes, k, stride, padding)


@claim(wrong=(nothing_moves, as_the_sum, full_step_each), right=sgd_alone_adds_up)
@example(optimizer="sgd", positions=16, k=3)
@example(optimizer="momentum", positions=16, k=3)
@example(optimizer="adam", positions=16, k=3)
@given(
    optimizer=st.sampled_from(["sgd", "adam", "momentum"]),
    positions=st.sampled_from([2, 1, 3, 4, 5, 16]),
    k=st.integers(1, 3),
)
def test_conv_kernel_stepped_by_each_position(answer, optimizer, positions, k):
    """A step per position adds up to the summed step under plain SGD and under no other optimizer here.

    positions: outputs of the convolution
    k: weights of the kernel
    """
    kernel = torch.zeros(1, 1, k, dtype=torch.float64, requires_grad=True)
    outputs = F.conv1d(torch.ones(1, 1, positions + k - 1, dtype=torch.float64), kernel).flatten()
    gradients = [torch.autograd.grad(output, kernel, retain_graph=True)[0] for output in outputs]

    ratio = moved(optimizer, gradients) / moved(optimizer, [sum(gradients)])

    # Adam's eps of 1e-8 shortens a step by that share of the gradient, which is 1 here.
    assert observe(ratio=ratio) == approx(answer(optimizer, positions), rel=1e-6)
