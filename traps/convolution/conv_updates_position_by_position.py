"""The gradient of a shared kernel

A convolution is trained with a backward pass of one's own. Every position has a gradient for the kernel that
they all share. Which of them counts, and what happens if the optimizer takes a step for each?

Verdict: refuted as stated: the gradient of a shared weight is the sum over its uses, but steps for each do
    not cancel out; under plain SGD they make the summed step, and under Adam one that is too long by as many
    times as there are positions
Asked: AI Interview Prep newsletter, Advanced Deep Learning #17
Source: LeCun et al. 1989, "Backpropagation Applied to Handwritten Zip Code Recognition", Neural Computation
    1(4), pages 541-551, https://doi.org/10.1162/neco.1989.1.4.541
Source: Goodfellow, Bengio and Courville 2016, "Deep Learning", section 9.5,
    https://www.deeplearningbook.org/contents/convnets.html
Right when: The optimizer is plain SGD: then the steps add up to the sum, whatever their order.
Limits: All gradients come from one forward pass. Whoever runs the forward pass anew after each step runs
    another algorithm. In the second claim the positions agree; where they differ, steps of Adam have no such
    simple law. The newsletter's abstract breaks off and was read in a secondary summary. LeCun et al. were
    read as others quote them, of Goodfellow et al. the heading alone.
"""

import torch
import torch.nn.functional as F
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe


def last_position(x, d, k):
    """Each position writes the gradient of the kernel, and the last one stays."""
    return [d[-1] * x[-1 - back] for back in reversed(range(k))]


def mean_of_positions(x, d, k):
    """The kernel is shared, so it takes the average of what its positions ask for."""
    return [total / len(x) for total in sum_of_positions(x, d, k)]


def flipped_kernel(x, d, k):
    """A convolution flips its kernel, so the gradient is flipped too."""
    return sum_of_positions(x, d, k)[::-1]


def sum_of_positions(x, d, k):
    """The sum over positions of the output's slope times the input that the weight has read there.

    The chain rule adds over all paths, and a shared weight has one through each position. The last weight of
    a causal kernel reads the position's own input, those before it read further back.
    """
    return [sum(d[t] * x[t - back] for t in range(back, len(x))) for back in reversed(range(k))]


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
    """As far as the summed step under plain SGD, further with momentum, and once a position under Adam.

    A step of SGD is proportional to its gradient. Momentum counts an early one again at every step that
    follows. Adam divides by the gradient's size, so each of its steps is as long as the summed one.
    """
    speed = rolled = 0
    for _ in range(positions):
        speed = 0.9 * speed + 1
        rolled += speed
    return {"sgd": 1, "momentum": rolled / positions, "adam": positions}[optimizer]


def forward(x, kernel):
    """A causal convolution of one channel, as torch computes it."""
    return F.conv1d(F.pad(x, (len(kernel) - 1, 0))[None, None], kernel[None, None])[0, 0]


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


integers = st.integers(-5, 5)


@claim(wrong=(last_position, mean_of_positions, flipped_kernel), right=sum_of_positions, examples=40)
@given(inputs_and_slopes=st.lists(st.tuples(integers, integers), min_size=3, max_size=6), k=st.integers(2, 3))
def test_conv_gradient_of_a_shared_kernel(answer, device, inputs_and_slopes, k):
    """The gradient of a kernel is the sum of what all its positions contribute."""
    x, d = map(list, zip(*inputs_and_slopes, strict=True))
    kernel = torch.zeros(k, dtype=torch.float64, device=device, requires_grad=True)
    inputs, slopes = torch.tensor([x, d], dtype=torch.float64, device=device)

    forward(inputs, kernel).backward(slopes)

    assert observe(gradient=kernel.grad.tolist()) == answer(x, d, k)


@claim(wrong=(nothing_moves, as_the_sum, full_step_each), right=sgd_alone_adds_up)
@given(
    optimizer=st.sampled_from(["sgd", "adam", "momentum"]),
    positions=st.sampled_from([2, 3, 4, 5, 16]),
    k=st.integers(1, 3),
)
def test_conv_kernel_stepped_by_each_position(answer, optimizer, positions, k):
    """A step a position adds up to the summed step under plain SGD and under no other optimizer here."""
    kernel = torch.zeros(k, dtype=torch.float64, requires_grad=True)
    outputs = forward(torch.ones(positions + k - 1, dtype=torch.float64), kernel)[k - 1 :]
    gradients = [torch.autograd.grad(output, kernel, retain_graph=True)[0] for output in outputs]

    ratio = moved(optimizer, gradients) / moved(optimizer, [sum(gradients)])

    # Adam's eps of 1e-8 shortens a step by that share of the gradient, which is 1 here.
    assert observe(ratio=ratio) == approx(answer(optimizer, positions), rel=1e-6)
