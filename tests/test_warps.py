"""The warp interpreter issues what the programming model says."""

from random import Random

import pytest
import torch

from fixtures.warps import LANES, branching, issued


@pytest.mark.parametrize("lanes", [1, LANES])
def test_lanes_that_agree_share_every_instruction(lanes):
    """A warp on one path issues it once, however many lanes it has."""
    assert issued([1] * lanes, [5, 7]) == 7


@pytest.mark.parametrize("odd", [0, 13, LANES - 1])
def test_lanes_that_disagree_take_turns(odd):
    """One lane on another path makes its warp issue both, wherever it stands."""
    assert issued([int(lane == odd) for lane in range(LANES)], [5, 7]) == 12


def test_warps_diverge_alone():
    """What the lanes of one warp do costs another warp nothing."""
    mixed, uniform = [0, 1] * (LANES // 2), [0] * LANES
    assert issued(mixed + uniform, [5, 7]) == 12 + 5
    assert issued(uniform + mixed, [5, 7]) == 5 + 12


def test_every_lane_on_a_path_of_its_own():
    """32 paths run one after the other."""
    assert issued(range(LANES), [3] * LANES) == 3 * LANES


def test_nothing_to_issue():
    """An empty path and an empty block issue nothing."""
    assert issued([0, 1], [0, 4]) == 4
    assert issued([], [4]) == 0


@pytest.mark.parametrize("pick", [min, max, Random(0).choice], ids=["lowest", "highest", "random"])
def test_straight_sides_cost_their_sum_under_any_scheduler(pick):
    """Whichever counter is served first, lanes of one side stand together and each side is issued once."""
    assert issued([0, 1] * (LANES // 2), [5, 7], pick) == 12


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
def test_a_kernel_takes_the_branch_of_each_key():
    """One side settles at 2, the other at the golden ratio."""
    keys = torch.arange(512, device="cuda", dtype=torch.int32) % 2
    out = torch.empty(512, device="cuda")

    branching(keys, out, 100, 100)()

    torch.testing.assert_close(out, torch.where(keys > 0, 2.0, (1 + 5**0.5) / 2))
