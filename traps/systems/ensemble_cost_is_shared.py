"""The cost of an ensemble of twelve

Twelve small models read the same input and run on one GPU. What do they cost beside one of them, and must
they take twelve times as long?

Verdict: holds if cost means FLOPs and memory. What small members multiply is launches, and stacked into one
    batched product they need a single one
Asked: AI Interview Prep newsletter, Advanced Deep Learning #3
Source: Lakshminarayanan et al. 2017, "Simple and Scalable Predictive Uncertainty Estimation using Deep
    Ensembles", section 2.4, https://arxiv.org/abs/1612.01474
Right when: The members are large: one of them fills the GPU, and stacking saves next to nothing.
Limits: Members of one shape; those that differ cannot be stacked. What twelve models cost people, to train,
    to watch and to replace, is not counted. The newsletter's abstract breaks off. Lakshminarayanan et al. say
    how members are trained and averaged, and nothing of their cost.
"""

import torch
from hypothesis import given, strategies as st

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.meters import Meter, flops, nbytes


def input_is_shared(members):
    """All members read the same input, so the work is done once; only the weights add up."""
    return [1, members]


def weights_take_turns(members):
    """One member runs at a time, so there need only be room for one."""
    return [members, 1]


def everything_adds_up(members):
    """FLOPs and bytes of weights are those of one member, times the members.

    The weights differ, so not one product is saved; and whoever answers at once keeps all of them at hand.
    """
    return [members, members]


def launch_each(members, stacked):
    """Twelve models are twelve products to launch, whatever their shape."""
    return members


def launch_the_stack(members, stacked):
    """One launch if the members are stacked into one batched product, and one each if a loop runs them."""
    return 1 if stacked else members


def flops_set_the_pace(members):
    """The FLOPs are the same, stacked or not, and so is the time."""
    return 1


def launches_set_the_pace(members):
    """The loop takes as many times longer as there are members: small products take no longer than a launch.

    Eight rows times a 256 by 256 matrix are a million FLOPs: a nanosecond at 1000 TFLOP/s, where a launch
    takes microseconds.
    """
    return members


def looped(x, weights):
    """The output of each member, one after the other."""
    return [x @ w for w in weights]


def stacked_up(x, weights):
    """The output of each member, all in one batched product."""
    return torch.bmm(x.expand(len(weights), *x.shape), weights)


class Products(Meter):
    """Counts the matrix products that are launched, batched or single."""

    launched = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Count the operation if it is a product, and run it."""
        self.launched += func.overloadpacket in (torch.ops.aten.mm, torch.ops.aten.bmm)
        return func(*args, **(kwargs or {}))


@claim(wrong=(input_is_shared, weights_take_turns), right=everything_adds_up)
@given(members=st.integers(2, 16), stacked=st.booleans(), rows=st.integers(1, 64), width=st.integers(8, 256))
def test_ensemble_cost(answer, members, stacked, rows, width):
    """An ensemble costs the FLOPs and the weights of all its members."""
    run, x = stacked_up if stacked else looped, torch.empty(rows, width, device="meta")
    one, all_of_them = (torch.empty(n, width, width, device="meta") for n in (1, members))

    factors = [
        flops(lambda: run(x, all_of_them)) / flops(lambda: run(x, one)),
        nbytes(all_of_them) / nbytes(one),
    ]

    assert observe(factors=factors) == answer(members)


@claim(wrong=launch_each, right=launch_the_stack)
@given(members=st.integers(2, 16), stacked=st.booleans())
def test_ensemble_launches(answer, members, stacked):
    """A stacked ensemble is one product to launch."""
    with Products() as products:
        (stacked_up if stacked else looped)(torch.ones(8, 16), torch.ones(members, 16, 16))

    assert observe(launches=products.launched) == answer(members, stacked)


@claim(wrong=flops_set_the_pace, right=launches_set_the_pace, evidence="measured", examples=2)
@given(members=st.sampled_from([12, 16]))
def test_ensemble_latency_of_small_members(answer, gpu, members):
    """On a GPU small members take as many times longer in a loop as there are of them."""
    random = torch.Generator().manual_seed(members)
    # Outputs of deviation 1, as the deviation of a weight is 1/sqrt(256).
    weights, x = torch.randn(members, 256, 256, generator=random) / 16, torch.randn(8, 256, generator=random)
    exact = stacked_up(x.double(), weights.double())
    weights, x = weights.to(gpu, torch.bfloat16), x.to(gpu, torch.bfloat16)
    outputs = torch.stack([*looped(x, weights), *stacked_up(x, weights)]).cpu().double()

    loop, stack = seconds(
        *(lambda run=run: [run(x, weights) for _ in range(20)] for run in (looped, stacked_up)), device=gpu
    )
    ratio = observe(ratio=loop / stack)

    # bf16 rounds weights, input and output to 8 bits: outputs of deviation 1 are off by hundredths.
    assert (outputs - torch.cat([exact, exact])).abs().max().item() < 0.1
    assert nearest(ratio, 1, members) == answer(members)
