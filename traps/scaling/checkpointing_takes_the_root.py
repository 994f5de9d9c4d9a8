"""How many segments to checkpoint

A stack of n equal layers is checkpointed in k segments: only the input of each is kept, and its layers
run again in the backward pass. How many layers' activations are held at the peak, and which k is best?

Answer: The inputs of k - 1 segments and all layers of the last one, k - 1 + n/k: 7 for 16 layers in 4
    segments, where 16 are held without. It is least at k = √n, with 2√n - 1. One segment per layer keeps
    every input and so saves nothing of this, and a single segment keeps all layers at once.
Verdict: not judged: a trap of our own
Asked: nowhere yet
Source: Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost", section 4.1,
    https://arxiv.org/abs/1604.06174
Source: PyTorch documentation 2025, torch.utils.checkpoint.checkpoint_sequential,
    https://docs.pytorch.org/docs/stable/checkpoint.html
Terms: activation checkpointing, gradient checkpointing, checkpoint_sequential, sublinear memory, square
    root, segments, recomputation, rematerialization, activation memory, peak memory
Right when: The layers of a segment keep far less than its input does.
Limits: Layers that keep one tensor each, of the size of their input; a transformer block keeps many, so
    that every block may be a segment of its own. Reentrant checkpoints, of which torch leaves the last
    segment out. The paper was read in reproductions.
"""

import weakref
from math import isqrt

import torch
from hypothesis import example, given, strategies as st
from torch import nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.checkpoint import checkpoint_sequential

from fixtures import claim, observe


def one_input_per_segment(layers, segments):
    """Only the inputs of segments are kept."""
    return segments


def one_segment_at_a_time(layers, segments):
    """A segment is run again by itself, so its layers are all that is held."""
    return layers - (segments - 1) * (layers // segments)


def inputs_and_one_segment(layers, segments):
    """The inputs of all segments but the last, and its layers: 3 + 4 for 16 layers in 4 segments."""
    return segments - 1 + layers - (segments - 1) * (layers // segments)


def a_segment_per_layer(layers):
    """The finer the segments, the less has to run again at once."""
    return layers


def half_of_the_layers(layers):
    """Two segments halve what is held."""
    return layers // 2 + 1


def twice_the_root(layers):
    """2√n - 1 for a square number of layers, at √n segments of √n layers: 7 of 16, 11 of 36."""
    return 2 * isqrt(layers) - 1


class Held:
    """What autograd saves, by reference."""

    def __init__(self, tensor):
        self.tensor = tensor


def peak(layers, segments):
    """The most activations that autograd holds at a time, in forward and backward pass, counted in layers."""
    net = nn.Sequential(*(nn.Linear(4, 4, bias=False) for _ in range(layers)))
    weights = {weight.untyped_storage().data_ptr() for weight in net.parameters()}
    saved, most = weakref.WeakSet(), 0

    def pack(tensor):
        nonlocal most
        held = Held(tensor.detach())
        if tensor.untyped_storage().data_ptr() not in weights:
            saved.add(held)
        # Two layers may save one tensor, as a segment's input is its first layer's.
        most = max(most, len({item.tensor.untyped_storage().data_ptr() for item in saved}))
        return held

    x = torch.ones(2, 4, requires_grad=True)
    with saved_tensors_hooks(pack, lambda held: held.tensor):
        checkpoint_sequential(net, segments, x, use_reentrant=True).sum().backward()
    return most


@claim(wrong=(one_input_per_segment, one_segment_at_a_time), right=inputs_and_one_segment, examples=40)
@example(layers=16, segments=4)
@example(layers=16, segments=1)
@example(layers=16, segments=16)
@given(layers=st.integers(2, 20), segments=st.integers(1, 20))
def test_checkpointed_layers_held(answer, layers, segments):
    """With checkpointing the inputs of the segments and the layers of one of them are held at the peak.

    segments: into which the layers are cut
    """
    segments = min(segments, layers)

    assert observe(layers_held=peak(layers, segments)) == answer(layers, segments)


@claim(wrong=(a_segment_per_layer, half_of_the_layers), right=twice_the_root, examples=6)
@example(layers=16)
@example(layers=36)
@given(layers=st.sampled_from([4, 9, 16, 25, 36]))
def test_checkpointing_at_its_best(answer, layers):
    """The best number of segments holds twice the root of the layers, less one."""
    assert observe(layers_held=min(peak(layers, k) for k in range(1, layers + 1))) == answer(layers)
