"""Which weights do not cost six FLOPs a token

Training costs 6 FLOPs a weight and token: 2 forward, 4 backward. Is that so "at every layer", for
the first layer, for frozen weights, and under activation checkpointing?

Verdict: refuted as stated: the backward pass is twice the forward pass only where both gradients are
    wanted; the first trained layer and frozen weights cost 4, full checkpointing 8
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 24
Source: Rumelhart, Hinton and Williams 1986, "Learning representations by back-propagating errors",
    Nature 323, pages 533-536, https://doi.org/10.1038/323533a0
Source: PyTorch documentation, torch.utils.checkpoint, set_checkpoint_early_stop,
    https://docs.pytorch.org/docs/stable/checkpoint.html
Right when: Every weight is trained, every input needs a gradient and nothing is recomputed.
Limits: FLOPs of matrix products only. The book cites Rumelhart et al., who give the two products but no FLOP
    law.
"""

from itertools import pairwise

import torch
from hypothesis import given, strategies as st
from torch import nn
from torch.utils.checkpoint import checkpoint, set_checkpoint_early_stop

from fixtures import claim, observe
from fixtures.meters import flops
from fixtures.nets import Block


def twice_at_every_layer(batch, widths):
    """The backward pass costs twice the forward pass, at every layer."""
    return 2 * sum(2 * batch * a * b for a, b in pairwise(widths))


def same_as_forward(batch, widths):
    """The backward pass sends the error back through the same weights, at the same price."""
    return sum(2 * batch * a * b for a, b in pairwise(widths))


def no_gradient_for_the_data(batch, widths):
    """Twice the forward pass, less one product of the first layer: nobody trains the data.

    A layer multiplies once for the gradient of its weight and once for the gradient of its input; the
    input of the first layer is data.
    """
    return 4 * batch * sum(a * b for a, b in pairwise(widths)) - 2 * batch * widths[0] * widths[1]


def frozen_weights_still_cost_six(d, context, tokens):
    """The block runs forward and backward, so it costs 6 FLOPs a weight, trained or not."""
    return 3 * (24 * d * d + 4 * context * d) * tokens


def frozen_weights_cost_two(d, context, tokens):
    """Frozen weights are not trained, so only the forward pass is left."""
    return (24 * d * d + 4 * context * d) * tokens


def frozen_weights_cost_four(d, context, tokens):
    """Frozen weights save their own gradient, and still pass one on to what lies below.

    Each costs 4 FLOPs a token. Attention has no weights to freeze and costs three times its forward
    pass, 4·T·d a token.
    """
    return (4 * 12 * d * d + 3 * 4 * context * d) * tokens


def checkpointing_is_free(d, context, tokens, early_stop):
    """Checkpointing saves memory; the FLOPs are those of training, 6 a weight."""
    return 3 * (24 * d * d + 4 * context * d) * tokens


def checkpointing_costs_eight(d, context, tokens, early_stop):
    """Every block runs forward twice, so each weight costs 8 FLOPs a token."""
    return 4 * (24 * d * d + 4 * context * d) * tokens


def recompute_until_enough(d, context, tokens, early_stop):
    """8 FLOPs a weight, less the products whose results nobody waits for.

    PyTorch stops recomputing a block once it has all that the backward pass needs. The last product,
    d by 4d, is not needed: its result was only added to the residual stream.
    """
    block = 24 * d * d + 4 * context * d
    return (4 * block - early_stop * 2 * 4 * d * d) * tokens


def mlp(widths):
    """A bias-free stack of linear layers with ReLU in between."""
    layers = [nn.Linear(a, b, bias=False) for a, b in pairwise(widths)]
    return nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())))


width = st.integers(1, 8).map(lambda n: 8 * n)


@claim(wrong=(twice_at_every_layer, same_as_forward), right=no_gradient_for_the_data, examples=60)
@given(batch=st.integers(2, 8), widths=st.lists(st.integers(2, 24), min_size=2, max_size=5))
def test_backward_flops_of_an_mlp(answer, batch, widths):
    """The first layer of a network spares the gradient of its input."""
    x = torch.zeros(batch, widths[0])
    loss = mlp(widths)(x).sum()

    assert observe(flops=flops(loss.backward)) == answer(batch, widths)


@claim(
    wrong=(frozen_weights_still_cost_six, frozen_weights_cost_two),
    right=frozen_weights_cost_four,
    examples=30,
)
@given(d=width, context=st.integers(2, 48), batch=st.integers(1, 3))
def test_flops_of_frozen_weights(answer, d, context, batch):
    """A frozen block above something that trains costs 4 FLOPs a weight and token."""
    block = Block(d, heads=2).requires_grad_(False)
    x = torch.zeros(batch, context, d, requires_grad=True)

    counted = flops(lambda: block(x).sum().backward())

    assert observe(flops=counted) == answer(d, context, batch * context)


@claim(
    wrong=(checkpointing_is_free, checkpointing_costs_eight),
    right=recompute_until_enough,
    examples=16,
)
@given(d=width, context=st.integers(2, 48), batch=st.integers(1, 3), early_stop=st.booleans())
def test_flops_of_checkpointing(answer, d, context, batch, early_stop):
    """A checkpointed block costs 8 FLOPs a weight, and by default a third of a forward pass less."""
    block = Block(d, heads=2)
    x = torch.zeros(batch, context, d, requires_grad=True)

    with set_checkpoint_early_stop(early_stop):
        counted = flops(lambda: checkpoint(block, x, use_reentrant=False).sum().backward())

    assert observe(flops=counted) == answer(d, context, batch * context, early_stop)
