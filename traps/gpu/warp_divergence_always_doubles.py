"""What a branch costs a warp

The lanes of a warp share one instruction stream. Half of a kernel's threads take the `if`, half the `else`.
Does the branch then cost twice the time?

Verdict: holds if both sides cost the same, lanes of one warp disagree, and the kernel waits for arithmetic: a
    warp pays the sum of the distinct paths that its own lanes take, and nothing for a branch they agree on
Asked: AI Interview Prep newsletter, LLM System Design #43
Source: NVIDIA, "CUDA C++ Programming Guide", hardware implementation, SIMT architecture,
    https://docs.nvidia.com/cuda/cuda-c-programming-guide/
Source: NVIDIA, "CUDA C++ Best Practices Guide", branching and divergence, branch predication,
    https://docs.nvidia.com/cuda/cuda-c-best-practices-guide/
Right when: The sides are a few instructions short. The compiler may then predicate them: every warp issues
    both, always.
Limits: An interpreter that issues one instruction at a time stands in for the hardware. Memory-bound kernels
    hide the arithmetic. The newsletter's abstract breaks off; only what is visible is judged.
"""

from functools import cache

import torch
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.warps import LANES, issued


def every_warp_pays_both(taken, if_cost, else_cost):
    """Every warp steps through both sides of the branch."""
    return len(taken) * (if_cost + else_cost)


def longer_side(taken, if_cost, else_cost):
    """The sides run next to each other, so a warp takes as long as the longer one."""
    return len(taken) * max(if_cost, else_cost)


def lanes_on_average(taken, if_cost, else_cost):
    """A warp takes the mean of what its lanes take."""
    return sum(t * if_cost + (LANES - t) * else_cost for t in taken) / LANES


def block_in_step(taken, if_cost, else_cost):
    """A block runs in step: one lane on the other side makes all of its warps pay both."""
    return len(taken) * (if_cost * any(taken) + else_cost * any(t < LANES for t in taken))


def paths_of_its_lanes(taken, if_cost, else_cost):
    """A warp issues every side that some lane of its own takes.

    A lane off the side is masked and waits. Where all agree the other side is never issued.
    """
    return sum(if_cost * (t > 0) + else_cost * (t < LANES) for t in taken)


def two_at_most(costs):
    """A branch at most doubles the time."""
    return 2 * max(costs)


def sum_of_the_paths(costs):
    """All paths that the lanes take, one after the other: k equal cases take k times as long, up to 32."""
    return sum(costs)


@cache
def branch_kernel():
    """A branch on each thread's key between two loops: x/2 + 1 settles at 2, √(x + 1) at the golden ratio.

    The lengths of the loops are arguments, so that no compiler can predicate them.
    """
    source = """
        extern "C" __global__ void branch(const int* keys, float* out, int if_steps, int else_steps) {
            int i = blockIdx.x * blockDim.x + threadIdx.x;
            float x = i % 7;
            if (keys[i]) for (int s = 0; s < if_steps; ++s) x = fmaf(x, 0.5f, 1.0f);
            else for (int s = 0; s < else_steps; ++s) x = sqrtf(x + 1.0f);
            out[i] = x;
        }"""
    return torch.cuda._compile_kernel(source, "branch")


def branch(keys, out, *steps):
    """One launch of the kernel, ready to run."""
    return lambda: branch_kernel()((len(keys) // 256, 1, 1), (256, 1, 1), [keys, out, *steps])


def lanes_taking(taken):
    """Lanes of some warps, of each as many on path 1 as told, the rest on path 0."""
    return [int(lane < t) for t in taken for lane in range(LANES)]


sides = st.integers(1, 20)


@claim(
    wrong=(every_warp_pays_both, longer_side, lanes_on_average, block_in_step),
    right=paths_of_its_lanes,
    evidence="simulated",
    examples=50,
)
@given(
    taken=st.lists(st.sampled_from([1, 0, 32, 31, 16]), min_size=1, max_size=4),
    if_cost=sides,
    else_cost=sides,
)
def test_warp_divergence_of_two_sides(answer, taken, if_cost, else_cost):
    """A warp pays for the sides that its own lanes take."""
    assert observe(issued=issued(lanes_taking(taken), [else_cost, if_cost])) == answer(
        taken, if_cost, else_cost
    )


@claim(wrong=two_at_most, right=sum_of_the_paths, evidence="simulated", examples=50)
@given(costs=st.lists(sides, min_size=3, max_size=LANES))
def test_warp_divergence_of_many_cases(answer, costs):
    """The cases of a switch add up, as far as there are lanes to take them."""
    paths = [lane % len(costs) for lane in range(LANES)]

    assert observe(issued=issued(paths, costs)) == answer(costs)


@claim(
    wrong=(every_warp_pays_both, longer_side, lanes_on_average, block_in_step),
    right=paths_of_its_lanes,
    evidence="measured",
    examples=2,
)
@given(equal=st.sampled_from([1, 32]))
def test_warp_divergence_on_a_gpu(answer, gpu, equal):
    """On a GPU threads that alternate one by one take twice as long as those that alternate 32 by 32."""
    thread = torch.arange(2**20, device=gpu)
    keys, out = (thread // equal % 2).int(), torch.empty(2**20, device=gpu)
    ones, zeros = torch.ones_like(keys), torch.zeros_like(keys)
    # As many steps of the slower side as make both sides equally long.
    quick, slow = seconds(branch(ones, out, 4000, 0), branch(zeros, out, 0, 4000), device=gpu)
    steps = 4000, round(4000 * quick / slow)
    runs = [branch(key, out, *steps) for key in (ones, zeros, keys)]
    if_time, else_time, time = seconds(*runs, device=gpu)
    taken = [16, 16] if equal == 1 else [32, 0]

    # Both loops shrink an error at each step, and fp32 rounds numbers below 2 by 1.2e-7.
    exact = torch.where(keys > 0, 2.0, (1 + 5**0.5) / 2)
    assert observe(error=(out - exact).abs().max().item()) < 1e-5
    both = if_time + else_time
    sides = observe(sides=2 * time / both)
    # Both sides take the same time, but for the rounding of their steps and the launch.
    assert nearest(sides, 1, 2) == approx(answer(taken, if_time, else_time) / both, rel=0.1)
