"""Six FLOPs per weight and token: the first layer, frozen weights, LoRA

Training takes 6 FLOPs per weight and token: 2 forward and 4 backward. Is that so for the first layer, for
frozen weights, and for LoRA?

Answer: Two products of the backward pass are done only if both gradients are wanted. A first layer above
    raw data needs none for its input and takes four FLOPs; above an embedding it takes six. Frozen
    weights take four if anything below them trains, and two if nothing does. So LoRA takes at least 67 %
    of a layer's FLOPs of full training, however small its adapters are.
Says: The backward pass is twice as expensive as the forward pass, as it computes two gradients at every
    layer, for the weights and for the input activations.
Verdict: holds if something below each layer is trained, as the embedding is when a language model is
    pretrained, and no weights are frozen
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 24
Source: Rumelhart, Hinton and Williams 1986, "Learning representations by back-propagating errors", Nature
    323, pages 533-536, https://doi.org/10.1038/323533a0
Source: Hu et al. 2021, "LoRA", section 4.2: 25 % faster training of GPT-3 than full fine-tuning,
    https://arxiv.org/abs/2106.09685
Terms: LoRA, fine-tuning, PEFT, adapters, frozen weights, freezing, first layer, backward pass, backward
    FLOPs, FLOPs, training FLOPs, input gradient, weight gradient, 6ND
Right when: Every weight is trained and every input needs a gradient.
Limits: FLOPs of matrix products only, nothing recomputed (see checkpointing_reruns_every_product). The
    book cites Rumelhart et al., who give the two products but no FLOP law. LoRA is counted on one linear
    layer, unmerged, with something trained below it; the scores of attention save nothing; its speed is
    not measured.
"""

from itertools import pairwise

import torch
from hypothesis import example, given, strategies as st
from torch import nn

from fixtures import claim, observe
from fixtures.meters import flops


def two_at_every_layer(widths, trained, embedded):
    """The backward pass costs twice the forward pass, at every layer."""
    return sum(4 * a * b for a, b in pairwise(widths))


def two_at_trained_layers(widths, trained, embedded):
    """Only what trains has a backward pass, and that is twice the forward pass."""
    return sum(4 * a * b * t for (a, b), t in zip(pairwise(widths), trained, strict=True))


def frozen_ones_pass_it_on(widths, trained, embedded):
    """A trained layer costs twice its forward pass, a frozen one once, as it passes the gradient on."""
    return sum(2 * a * b * (1 + t) for (a, b), t in zip(pairwise(widths), trained, strict=True))


def by_what_lies_below(widths, trained, embedded):
    """A product for the weight if it is trained, and one for the input if anything below is trained.

    Three trained layers of width 8 take 640 FLOPs per token above data, and 768 above an embedding, which
    is twice their forward pass. With the last one alone trained they take 128, as nobody waits for the
    rest.
    """
    total, below = 0, embedded
    for layer, weight_is_trained in enumerate(trained):
        total += 2 * widths[layer] * widths[layer + 1] * (weight_is_trained + below)
        below = below or weight_is_trained
    return total


def six_for_every_weight(d, ffn, rank, below):
    """Forward and backward run through the frozen weights as well, at six FLOPs each."""
    return 6 * (d * ffn + rank * (d + ffn))


def adapters_alone(d, ffn, rank, below):
    """Frozen weights are not trained: two FLOPs each for the forward pass, and six for each of an adapter."""
    return 2 * d * ffn + 6 * rank * (d + ffn)


def four_for_frozen_weights(d, ffn, rank, below):
    """Four FLOPs per frozen weight and six per weight of an adapter; two fewer for each that reads the data.

    The gradient has to pass through a frozen weight to reach the adapters below it. A 4096 by 4096 layer
    of rank 16 takes 67 % of full training.
    """
    return (2 + 2 * below) * d * ffn + (4 + 2 * below) * d * rank + 6 * rank * ffn


layers = st.lists(st.tuples(st.integers(2, 24), st.booleans()), min_size=1, max_size=4)


@claim(wrong=(two_at_every_layer, two_at_trained_layers, frozen_ones_pass_it_on), right=by_what_lies_below)
@example(first=8, layers=[(8, True), (8, True), (8, True)], embedded=False)
@example(first=8, layers=[(8, True), (8, True), (8, True)], embedded=True)
@example(first=8, layers=[(8, False), (8, False), (8, True)], embedded=False)
@given(
    first=st.integers(2, 24),
    layers=layers.filter(lambda drawn: any(t for _, t in drawn)),
    embedded=st.booleans(),
)
def test_backward_flops_of_partly_frozen_layers(answer, device, first, layers, embedded):
    """The backward pass of a layer costs a product per gradient that is wanted: weight's, input's.

    first: numbers that the first layer reads
    widths: numbers between the layers, the first layer's inputs included
    trained: of each layer, whether its weights are trained
    embedded: whether the input comes from something that is trained, such as an embedding
    """
    widths, trained = [first, *(width for width, _ in layers)], [t for _, t in layers]
    net = nn.Sequential()
    for (a, b), t in zip(pairwise(widths), trained, strict=True):
        net += nn.Sequential(nn.Linear(a, b, bias=False).requires_grad_(t), nn.ReLU())
    x = torch.zeros(1, first, requires_grad=embedded, device=device)

    assert observe(flops=flops(net.to(device)(x).sum().backward)) == answer(widths, trained, embedded)


@claim(wrong=(six_for_every_weight, adapters_alone), right=four_for_frozen_weights)
@example(d=4096, ffn=4096, rank=16, below=True)
@given(d=st.integers(1, 24), ffn=st.integers(1, 24), rank=st.integers(1, 4), below=st.booleans())
def test_lora_flops_of_a_layer(answer, d, ffn, rank, below):
    """A frozen weight next to an adapter costs four FLOPs per token if anything below it trains.

    rank: width between the two matrices of the LoRA adapter
    below: whether anything below the layer is trained
    """
    frozen, a, b = nn.Linear(d, ffn, False), nn.Linear(d, rank, False), nn.Linear(rank, ffn, False)
    frozen.requires_grad_(False)
    x = torch.zeros(1, d, requires_grad=below)

    counted = observe(flops=flops(lambda: (frozen(x) + b(a(x))).sum().backward()))

    assert counted == answer(d, ffn, rank, below)
