"""Backpropagation node by node

A backpropagation written as a Python loop that visits the network node by node is to run on H100s. Why does it have to be rewritten,
and as what?

Answer: Each node is a dot product: a launch of its own, without reuse of operands, at about 1 FLOP per byte where an H100's ridge lies
    near 295. As matrix products over the batch each weight is read once for all rows, and autograd issues two per layer
    whatever its width, one for the first: 5 products for 3 layers, where a loop over 32 samples and 64 nodes makes
    10,240. The FLOPs are the same.
Says: Python loops cause sequential memory accesses that starve the tensor cores of an H100.
Verdict: imprecise: launches and operands that are not reused starve them; sequential access is the pattern that memory likes
Asked: AI Interview Prep newsletter, Advanced Deep Learning #12
Source: Williams, Waterman and Patterson 2009, "Roofline", section 3, https://doi.org/10.1145/1498765.1498785
Source: NVIDIA 2023, "H100 Tensor Core GPU", data sheet: 989 TFLOP/s of dense bf16 and 3.35 TB/s,
    https://resources.nvidia.com/en-us-tensor-core/nvidia-tensor-core-gpu-datasheet
Terms: tensor cores, tensor_core, GEMM, vectorization, Python loop, kernel launch overhead, arithmetic intensity, roofline,
    backpropagation, backprop from scratch, batching, H100 utilization
Right when: There is one sample and one node per layer.
Limits: Counts of products on the CPU, where each is an operation that torch dispatches, and a loop that a page writes. Nothing was run
    on an H100 and no clock is read. The newsletter's stored text stops at "dropping"; the data sheet was not re-read.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx
from torch import nn

from fixtures import claim, observe
from fixtures.meters import kernels

PRODUCTS = ("mm", "addmm", "dot")


def same_chain_rule(way, layers, width, batch):
    """It is the same chain rule, so the same products."""
    return 2 * layers - 1


def one_per_sample(way, layers, width, batch):
    """A loop repeats each product per sample."""
    return (2 * layers - 1) * (batch if way == "node by node" else 1)


def two_per_layer(way, layers, width, batch):
    """A gradient for the input and one for the weight at each layer; node by node for each sample and node."""
    return 2 * layers * (batch * width if way == "node by node" else 1)


def none_for_the_first_input(way, layers, width, batch):
    """2 · layers - 1, and as often for each sample and node: 5 and 10,240 for 3 layers, 32 samples, width 64.

    The first layer's input is data, whose gradient nobody needs.
    """
    return (2 * layers - 1) * (batch * width if way == "node by node" else 1)


def always_compute_bound(rows, width):
    """A matrix product is what the tensor cores are made for."""
    return float(width)


def grows_with_the_rows(rows, width):
    """Each weight is used for all rows, so it is the rows."""
    return float(rows)


def rows_and_width(rows, width):
    """Rows · width / (2 · rows + width): 1 FLOP per byte for one row, 62 for 64 rows at width 4096.

    Rows, weights and results are each read or written once, two bytes per number in bf16.
    """
    return rows * width / (2 * rows + width)


@claim(wrong=(same_chain_rule, one_per_sample, two_per_layer), right=none_for_the_first_input)
@example(way="autograd", layers=3, width=64, batch=32)
@example(way="node by node", layers=3, width=64, batch=32)
@given(
    way=st.sampled_from(["autograd", "node by node"]),
    layers=st.integers(1, 3),
    width=st.integers(1, 5),
    batch=st.integers(1, 4),
)
def test_products_of_a_backward_pass(answer, way, layers, width, batch):
    """Autograd does two products per layer; a loop over samples and nodes does that many for each of them.

    way: torch's backward pass, or a loop over samples and nodes
    layers: linear layers without biases
    width: of each of them
    """
    net = nn.Sequential(*(nn.Linear(width, width, bias=False) for _ in range(layers)))
    x = torch.ones(batch, width)

    def node_by_node():
        with torch.no_grad():
            inputs = [x]
            for layer in net:
                inputs.append(layer(inputs[-1]))
        slopes = torch.ones(batch, width)
        counted = []
        for number, layer in reversed(list(enumerate(net))):
            before = torch.zeros(batch, width)
            for sample in range(batch):
                for node in range(width):
                    counted.append(("weight", inputs[number][sample] * slopes[sample, node]))
                    if number:
                        before[sample, node] = torch.dot(slopes[sample], layer.weight[:, node])
            slopes = before
        return counted
    ...
