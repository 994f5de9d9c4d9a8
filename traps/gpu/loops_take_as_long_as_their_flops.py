"""A Python loop over heads or experts

A model multiplies one input by 16 weight matrices, as of heads or experts, in a Python loop: in one case 16
rows at width 8, in another 128 rows at width 256. Stacked into one product they take the same FLOPs.
When is the loop slow, and when not?

Answer: It depends on the work per operation. Each pass of the loop dispatches an operation, which takes
    microseconds however little it computes. Of 16 rows and width 8 a loop of 16 products takes several
    times as long as the stacked one, on a logarithmic scale nearer to 16 times than to once; of 128 rows
    and width 256 both take the same. So batch what is small, by a stacked product, or by bmm or vmap where
    inputs differ, and leave large products in their loop.
Says: Python loops cause sequential memory accesses that starve the tensor cores of an H100.
Verdict: not judged: that sentence is judged on the page backward_runs_node_by_node
Asked: AI Interview Prep newsletter, Advanced Deep Learning #12
Source: PyTorch documentation 2025, "Performance Tuning Guide": eager mode runs a kernel per operation,
    https://docs.pytorch.org/tutorials/recipes/recipes/tuning_guide.html
Terms: Python loop, vectorization, batched matmul, bmm, vmap, kernel launch overhead, dispatch overhead, GEMM,
    tensor_core, experts, H100 utilization, batching
Right when: Each product is large: then FLOPs are what takes the time.
Limits: Square matrices and one shared input in fp32, forward, by the CPU time of one thread; inputs of
    their own, by bmm or vmap, were not timed. Ratios are told apart on a logarithmic scale, and between
    the two ends nothing is claimed. The loop's results are not put together, which would be one copy
    more. A GPU does more FLOPs in the time of a launch, so a product should have to be far larger there:
    that claim was not run.
"""

import torch
from hypothesis import example, given, strategies as st

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.meters import kernels

# Rows of the input, and the width of the matrices.
ON_A_CPU = {"small": (16, 8), "large": (128, 256)}
ON_A_GPU = {"small": (16, 64), "large": (4096, 4096)}


def as_long_as_the_flops(passes, products):
    """As many FLOPs take as long, however they are issued."""
    return 1


def as_often_as_python_turns(passes, products):
    """A Python loop takes as many times as long as it has passes."""
    return passes


def launches_where_work_is_small(passes, products):
    """A loop slows down with its passes where products are small.

    Relative to the stacked product its time is then nearer to the number of passes, on a logarithmic
    scale, and else nearer to 1. It is less than their number, as the stacked product takes longer than one
    of them. An operation takes microseconds to be dispatched, and longer only if its work takes longer.
    """
    return passes if products == "small" else 1


def same_work_per_operation(way, passes, rows, d):
    """The same products are done either way, so an operation does the same FLOPs."""
    return 2 * rows * d * d


def all_in_one_operation(way, passes, rows, d):
    """Stacked, one operation does the FLOPs of all passes of the loop.

    A pass has 2 · rows · d · d of them.
    """
    return 2 * rows * d * d * (passes if way == "stacked" else 1)


def looped_and_stacked(passes, rows, d, device):
    """The same matrices [passes, d, d] applied to an input [rows, d], as a loop and as one product."""
    random = torch.Generator(device).manual_seed(0)
    x, stack = (torch.randn(shape, generator=random, device=device) for shape in ((rows, d), (passes, d, d)))
    stacked = stack.transpose(0, 1).reshape(d, passes * d)
    return lambda: [x @ weight for weight in stack], lambda: x @ stacked


@claim(
    wrong=(as_long_as_the_flops, as_often_as_python_turns),
    right=launches_where_work_is_small,
    evidence="measured",
)
@example(passes=16, products="small")
@example(passes=16, products="large")
@given(passes=st.sampled_from([4, 16]), products=st.sampled_from(list(ON_A_CPU)))
def test_time_of_a_python_loop(answer, passes, products):
    """Relative to a stacked product a loop slows down with its passes if they are small, and not if large.

    passes: of the loop, one per weight matrix
    products: whether one is of 16 rows and width 8, or of 128 rows and width 256
    """
    runs = looped_and_stacked(passes, *ON_A_CPU[products], "cpu")
    loop, stacked = seconds(*runs, device=torch.device("cpu"))
    assert nearest(observe(ratio=loop / stacked), 1, passes) == answer(passes, products)


@claim(
    wrong=(as_long_as_the_flops, as_often_as_python_turns),
    right=launches_where_work_is_small,
    evidence="measured",
)
@example(passes=16, products="small")
@example(passes=16, products="large")
@given(passes=st.sampled_from([4, 16]), products=st.sampled_from(list(ON_A_GPU)))
def test_time_of_a_python_loop_on_a_gpu(answer, gpu, passes, products):
    """On a GPU a loop would need far larger products to break even.

    passes: of the loop, one per weight matrix
    products: whether one is of 16 rows and width 64, or of 4,096 rows and width 4,096
    """
    loop, stacked = seconds(*looped_and_stacked(passes, *ON_A_GPU[products], gpu), device=gpu)
    assert nearest(observe(ratio=loop / stacked), 1, passes) == answer(passes, products)


@claim(wrong=same_work_per_operation, right=all_in_one_operation, examples=40)
@example(way="loop", passes=16, rows=16, d=8)
@example(way="stacked", passes=16, rows=16, d=8)
@given(
    way=st.sampled_from(["loop", "stacked"]),
    passes=st.integers(1, 8),
    rows=st.integers(1, 8),
    d=st.integers(1, 16),
)
def test_flops_per_operation_of_a_loop(answer, way, passes, rows, d):
    """A loop over matrices dispatches an operation for each, and a stacked product one for all.

    way: how the products are computed
    passes: of the loop, one per weight matrix
    rows: of the input
    """
    loop, stacked = looped_and_stacked(passes, rows, d, "cpu")
    # The same numbers come out.
    assert max((a - b).abs().max().item() for a, b in zip(loop(), stacked().split(d, 1), strict=True)) < 1e-4

    issued = kernels(loop if way == "loop" else stacked)

    assert observe(flops=sum(one.flops for one in issued) / len(issued)) == answer(way, passes, rows, d)
