"""A rare branch, and what sorting does to it

One lane in a hundred takes the slow side of a branch. Is divergence then as rare, and what does it help to
sort the data by side first?

Verdict: holds if lanes decide alone: one in a hundred then makes 28 % of the warps diverge, and after sorting
    at most one warp does
Asked: AI Interview Prep newsletter, LLM System Design #43
Source: NVIDIA, "CUDA C++ Programming Guide", hardware implementation, SIMT architecture,
    https://docs.nvidia.com/cuda/cuda-c-programming-guide/
Right when: Neighbours decide alike, as in an image or a sorted batch: then few warps are mixed anyway.
Limits: Sorting costs time too and scatters the accesses to memory, which is not counted. The newsletter's
    abstract breaks off; only what is visible, that divergence is costly, is judged.
"""

from random import Random

import torch
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.warps import LANES, issued


def as_rare_as_the_lane(share):
    """What one lane in a hundred does concerns one warp in a hundred."""
    return share


def as_many_as_the_lanes(share):
    """A warp has 32 lanes, so it diverges 32 times as often."""
    return min(1.0, LANES * share)


def unless_all_agree(share):
    """1 - p³² - (1 - p)³²: a warp stays together if all of its lanes take the side, or none.

    3 % of the warps diverge at p = 0.001, 28 % at 0.01, 81 % at 0.05.
    """
    return 1 - share**LANES - (1 - share) ** LANES


def order_does_not_matter(warps, taken, if_cost, else_cost):
    """The same lanes take the same sides, in whatever order: each warp pays both."""
    return warps * (if_cost + else_cost)


def each_lane_its_side(warps, taken, if_cost, else_cost):
    """Sorted, no warp is mixed, and each pays one side for its lanes."""
    return (taken * if_cost + (warps * LANES - taken) * else_cost) / LANES


def one_warp_is_mixed(warps, taken, if_cost, else_cost):
    """All but one warp pay one side; the one in which the sides meet pays both.

    There is none where they meet between two warps.
    """
    full, rest = divmod(taken, LANES)
    return full * if_cost + (warps - full) * else_cost + (if_cost if rest else 0)


@claim(
    wrong=(as_rare_as_the_lane, as_many_as_the_lanes),
    right=unless_all_agree,
    evidence="simulated",
    examples=20,
)
@given(share=st.sampled_from([0.01, 0.001, 0.05, 0.1, 0.95]), seed=st.integers(0, 999))
def test_warp_divergence_of_a_rare_side(answer, share, seed):
    """A warp diverges unless all of its lanes agree."""
    warps, random = 20_000, torch.Generator().manual_seed(seed)
    taken = (torch.rand(warps, LANES, generator=random) < share).sum(1)
    diverging = ((taken > 0) & (taken < LANES)).double().mean().item()

    # Five standard errors of a share of so many warps.
    tolerance = 5 * (diverging * (1 - diverging) / warps) ** 0.5
    assert observe(diverging=diverging) == approx(answer(share), abs=tolerance)


@claim(
    wrong=(order_does_not_matter, each_lane_its_side),
    right=one_warp_is_mixed,
    evidence="simulated",
    examples=60,
)
@given(
    warps=st.integers(2, 6),
    taken=st.sampled_from([1, 32, 0, 64]) | st.integers(0, 64),
    if_cost=st.integers(1, 20),
    else_cost=st.integers(1, 20),
)
def test_warp_divergence_after_sorting(answer, warps, taken, if_cost, else_cost):
    """After sorting by side at most one warp diverges."""
    sides = [int(lane < taken) for lane in range(warps * LANES)]
    Random(0).shuffle(sides)

    count = issued(sorted(sides), [else_cost, if_cost])

    assert observe(issued=count) == answer(warps, taken, if_cost, else_cost)
