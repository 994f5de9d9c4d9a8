"""Where a sigmoid saturates: fp32, fp16, bf16

From which input on is a sigmoid exactly 1 and its gradient exactly 0, and what does that do to a loss?

Answer: From 16.75 on in fp32, from 8.375 in fp16 and already from 6.25 in bf16, counting in eighths. In
    bf16 a confidently wrong logit of 7 then has no gradient, if the loss is taken of the sigmoid. Take it
    of the logit (BCEWithLogitsLoss), whose gradient there is 1, and compute it in fp32.
Verdict: not judged: the newsletter says that a sigmoid compresses distances, not where they are gone
Asked: AI Interview Prep newsletter, Advanced Deep Learning #7
Source: PyTorch documentation, torch.nn.BCEWithLogitsLoss: more numerically stable than a Sigmoid followed
    by a BCELoss, https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html
Terms: sigmoid, saturation, vanishing gradient, bf16, fp16, logits, BCEWithLogitsLoss, binary
    cross-entropy, zero gradient, squashing, machine epsilon, underflow
Right when: Inputs are negative: near 0 a format has numbers enough, and a sigmoid in fp32 is not 0 at
    -17; far enough from 0 it underflows all the same.
Limits: Results of 16 bits are rounded from fp32, as torch does on the CPU. The newsletter's stored text
    stops after "compresses".
"""

from math import exp, inf, log

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.floats import nearest


def never_quite_one(dtype):
    """A sigmoid comes near 1 and never reaches it."""
    return inf


def one_for_all(dtype):
    """It saturates at 16.6, where e^-x is lost next to 1 in fp32."""
    return 24 * log(2)


def when_the_rest_is_lost(dtype):
    """From -log(eps/4) on in 16 bits, from -log(eps/2) in fp32 and fp64.

    A 16-bit result is rounded from fp32: it is 1 where e^-x is a quarter of eps, half the gap below 1. In
    fp32 the sum 1 + e^-x is rounded first, and its gap is twice as wide.
    """
    eps = torch.finfo(dtype).eps
    return -log(eps / 2) if dtype in (torch.float32, torch.float64) else -log(eps / 4)


def all_stay_apart(dtype, low, high):
    """A sigmoid rises everywhere, so different inputs have different outputs."""
    return high - low + 1


def both_tails_are_lost(dtype, low, high):
    """It is flat for large inputs of either sign, so few outputs are left at both ends."""
    return len(
        {nearest(dtype, abs(n) / n / (1 + exp(-abs(n) / 4)) if n else 0.5) for n in range(low, high + 1)}
    )


def as_many_as_the_format_tells_apart(dtype, low, high):
    """Large inputs become one, negative ones stay apart, as floats are dense near zero.

    Near 1 they are sparse: in bf16 a sigmoid makes 22 numbers of the 161 quarters from 0 upwards, and
    161 of as many downwards.
    """
    return len({nearest(dtype, 1 / (1 + exp(-n / 4))) for n in range(low, high + 1)})


def the_loss_repairs_it(from_logits, logit):
    """The logarithm of the loss undoes the sigmoid: its gradient is the sigmoid itself."""
    return nearest(torch.bfloat16, 1 / (1 + exp(-logit)))


def lost_with_the_sigmoid(from_logits, logit):
    """A sigmoid that is 1 passes no gradient, and so neither does any loss of it."""
    return the_loss_repairs_it(from_logits, logit) if logit < when_the_rest_is_lost(torch.bfloat16) else 0.0


def kept_by_the_logits(from_logits, logit):
    """A loss of logits pulls with the sigmoid itself, one of a saturated sigmoid not at all.

    The first is worked out without the sigmoid's slope, and is 1 at a logit of 7. The second multiplies by
    the slope, which is 0.
    """
    return (
        the_loss_repairs_it(from_logits, logit) if from_logits else lost_with_the_sigmoid(from_logits, logit)
    )


@claim(wrong=(never_quite_one, one_for_all), right=when_the_rest_is_lost)
@example(dtype=torch.bfloat16)
@example(dtype=torch.float16)
@example(dtype=torch.float32)
@given(dtype=st.sampled_from([torch.float32, torch.bfloat16, torch.float16, torch.float64]))
def test_sigmoid_saturates_exactly(answer, device, dtype):
    """From some x on, far sooner in bf16, a sigmoid is exactly 1 and its gradient exactly 0."""
    x = (torch.arange(0, 320, dtype=dtype, device=device) / 8).requires_grad_()
    y = torch.sigmoid(x)
    (slope,) = torch.autograd.grad(y.sum(), x)

    # Inputs are eighths, so the first is at most an eighth behind the law.
    first = observe(saturates_from=x[(y == 1) & (slope == 0)].min().item())
    assert answer(dtype) <= first <= answer(dtype) + 1 / 8


@claim(wrong=(all_stay_apart, both_tails_are_lost), right=as_many_as_the_format_tells_apart)
@example(dtype=torch.bfloat16, low=0, high=160)
@example(dtype=torch.bfloat16, low=-160, high=0)
@given(
    dtype=st.sampled_from([torch.bfloat16, torch.float16]),
    low=st.integers(-160, 0),
    high=st.integers(0, 160),
)
def test_outputs_of_a_sigmoid_in_16_bits(answer, device, dtype, low, high):
    """A sigmoid in 16 bits makes few different numbers of large inputs, and many of negative ones.

    low: the smallest input, in quarters
    high: the largest input, in quarters
    """
    inputs = torch.arange(low, high + 1, device=device).to(dtype) / 4

    assert observe(outputs=len(torch.sigmoid(inputs).unique())) == answer(dtype, low, high)


@claim(wrong=(the_loss_repairs_it, lost_with_the_sigmoid), right=kept_by_the_logits)
@example(from_logits=False, logit=7.0)
@example(from_logits=True, logit=7.0)
@given(from_logits=st.booleans(), logit=st.integers(0, 80).map(lambda n: n / 4) | st.just(6.25))
def test_gradient_of_a_wrong_logit_in_bf16(answer, device, from_logits, logit):
    """The loss of a saturated sigmoid has no gradient, and the loss of its logit has.

    from_logits: whether the loss reads the logit, and not the sigmoid of it
    logit: what speaks for a class that is wrong
    """
    x = torch.tensor([logit], dtype=torch.bfloat16, device=device, requires_grad=True)
    wrong = torch.zeros_like(x)
    if from_logits:
        F.binary_cross_entropy_with_logits(x, wrong).backward()
    else:
        F.binary_cross_entropy(torch.sigmoid(x), wrong).backward()

    # Each of a handful of roundings to eight bits is off by 2^-9 at most.
    assert observe(gradient=x.grad.item()) == approx(answer(from_logits, logit), abs=2**-6)
