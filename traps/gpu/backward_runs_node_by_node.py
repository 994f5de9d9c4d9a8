"""Backpropagation node by node

A backpropagation written as a Python loop that visits the network node by node is to run on H100s. Why
does it have to be rewritten, and as what?

Answer: Each node is a dot product: a launch of its own, without reuse of operands, at 0.5 FLOPs per byte,
    far below the ridge of an H100. As matrix products over the batch each weight is read once for all
    rows, and autograd issues two per layer whatever its width, one for the first: 5 for 3 layers, where a
    loop over 8 samples and 16 nodes makes 640. The FLOPs are the same.
Says: Python loops cause sequential memory accesses that starve the tensor cores of an H100.
Verdict: imprecise: small accesses one after the other starve them, each behind a launch of its own and
    without reuse; contiguous access as such is what memory likes
Asked: AI Interview Prep newsletter, Advanced Deep Learning #12
Source: Williams, Waterman and Patterson 2009, "Roofline", section 3,
    https://doi.org/10.1145/1498765.1498785
Source: NVIDIA 2023, "H100 Tensor Core GPU", data sheet: 989 TFLOP/s of dense bf16 and 3.35 TB/s,
    https://resources.nvidia.com/en-us-tensor-core/nvidia-tensor-core-gpu-datasheet
Terms: tensor cores, tensor_core, GEMM, vectorization, Python loop, kernel launch overhead, arithmetic
    intensity, roofline, backpropagation, backprop from scratch, batching, H100 utilization
Right when: There is one sample and one node per layer.
Limits: Counts of products on the CPU, where each is an operation that torch dispatches, and a loop that a
    page writes. Nothing was run on an H100 and no clock is read. The newsletter's stored text stops at
    "dropping"; the data sheet was not re-read.
"""

from itertools import product

import torch
from hypothesis import example, given, strategies as st
from pytest import approx
from torch import nn

from fixtures import claim, observe
from fixtures.meters import kernels


def same_chain_rule(way, layers, width, batch):
    """It is the same chain rule, so the same products."""
    return 2 * layers - 1


def one_per_sample(way, layers, width, batch):
    """A loop repeats each product per sample."""
    return (2 * layers - 1) * (batch if way == "node by node" else 1)


def two_per_layer(way, layers, width, batch):
    """Gradients of input and weight at each layer; node by node as often for each sample and node."""
    return 2 * layers * (batch * width if way == "node by node" else 1)


def none_for_the_first_input(way, layers, width, batch):
    """Gradients of each weight, and of each layer's input but the first; node by node as often for each.

    The first layer's input is data, whose gradient nobody needs: 2 · layers - 1 products, and as often for
    each sample and node. For 3 layers, 8 samples and width 16 that is 5 and 640.
    """
    return (2 * layers - 1) * (batch * width if way == "node by node" else 1)


def as_wide_as_the_layer(rows, d, n):
    """Each number that is read meets a whole row of weights, so it is the width."""
    return float(n)


def grows_with_the_rows(rows, d, n):
    """Each weight is used for all rows, so it is the rows."""
    return float(rows)


def all_three_are_moved(rows, d, n):
    """Rows, weights and results all move, so it is rows·d·n / (rows·d + rows·n + d·n).

    Each is read or written once, two bytes per number in bf16: 1 for one row, 62 for 64 rows at width 4096.
    Node by node, a row times a column, it is 0.5.
    """
    return rows * d * n / (rows * d + rows * n + d * n)


@claim(wrong=(same_chain_rule, one_per_sample, two_per_layer), right=none_for_the_first_input)
@example(way="autograd", layers=3, width=16, batch=8)
@example(way="node by node", layers=3, width=16, batch=8)
@given(
    way=st.sampled_from(["autograd", "node by node"]),
    layers=st.integers(1, 3),
    width=st.integers(1, 5),
    batch=st.integers(1, 4),
)
def test_products_of_a_backward_pass(answer, way, layers, width, batch):
    """Autograd does two products per layer; a loop over samples and nodes does that many for each of them.

    way: torch's backward pass, or a loop over samples and nodes
    """
    torch.manual_seed(width)
    net = nn.Sequential(*(nn.Linear(width, width, bias=False) for _ in range(layers)))
    inputs = [torch.randn(batch, width)]
    for layer in net:
        inputs.append(layer(inputs[-1]))
    outputs = inputs.pop()
    reached = torch.autograd.grad(outputs.sum(), list(net.parameters()), retain_graph=True)

    def node_by_node():
        own = [torch.zeros(width, width) for _ in net]
        slopes = torch.ones(batch, width)
        for layer, x, gradient in zip(net[::-1], inputs[::-1], own[::-1], strict=True):
            before = torch.zeros(batch, width)
            for sample, node in product(range(batch), range(width)):
                gradient[node] += slopes[sample, node] * x[sample]
                if x is not inputs[0]:
                    before[sample, node] = slopes[[sample]] @ layer.weight[:, [node]]
            slopes = before
        return own

    with torch.no_grad():
        issued, own = kernels(node_by_node), node_by_node()
    if way == "autograd":
        issued = kernels(outputs.sum().backward)
    else:
        assert max((a - b).abs().max().item() for a, b in zip(own, reached, strict=True)) < 1e-4

    products = sum(kernel.name in ("mm", "mul") for kernel in issued)
    assert observe(products=products) == answer(way, layers, width, batch)


@claim(wrong=(as_wide_as_the_layer, grows_with_the_rows), right=all_three_are_moved, evidence="derived")
@example(rows=1, d=4096, n=1)
@example(rows=1, d=4096, n=4096)
@example(rows=64, d=4096, n=4096)
@example(rows=2048, d=4096, n=4096)
@given(rows=st.integers(1, 512), d=st.sampled_from([64, 256, 4096]), n=st.sampled_from([1, 64, 256, 4096]))
def test_intensity_of_a_layer(answer, rows, d, n):
    """The arithmetic intensity of a layer's product grows with the rows that share its weights.

    rows: samples of the batch
    n: width of what leaves the layer, numbers
    """
    x, weight = (torch.empty(m, d, dtype=torch.bfloat16, device="meta") for m in (rows, n))
    (one,) = kernels(lambda: x @ weight.T)
    assert observe(flops_per_byte=one.flops / one.bytes) == approx(answer(rows, d, n))
