"""What ZeRO stage 1 frees

How much memory does ZeRO-1 free per GPU, and which part stays however many GPUs you add?

Answer: It divides what the optimizer keeps among n ranks, 12 of the 16 bytes per parameter that mixed
    precision with AdamW takes; bf16 weights and gradients stay. On 64 GPUs a 7.5B model comes down from
    120 GB to 31.4, by stage 2 to 16.6 and by stage 3 to 1.9. But a 70B model keeps 281 GB even on 1,024
    GPUs, which takes FSDP or tensor parallelism.
Says: Sharding Adam's states by ZeRO-1 eliminates the VRAM bottleneck.
Verdict: holds if weights and gradients fit on one GPU
Asked: AI Interview Prep newsletter, LLM System Design #46
Source: Rajbhandari et al. 2020, "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models",
    figure 1: 7.5B on 64 GPUs take 120, 31.4, 16.6 and 1.9 GB, https://arxiv.org/abs/1910.02054
Terms: ZeRO, ZeRO-1, ZeRO-2, ZeRO-3, optimizer state, FSDP, 16 bytes per parameter, master weights, mixed
    precision, OOM, VRAM
Right when: Stage 3, or FSDP, divides weights and gradients as well.
Limits: Weights, gradients and state; activations come on top. Frameworks that accumulate gradients in
    fp32 keep 4 bytes of them, 6 + 12/n in stage 1. PyTorch's ZeroRedundancyOptimizer deals out whole
    tensors, and so less evenly. The paper was read in a reproduction. Sizes of the states are the page
    bf16_adamw_pays_an_fp32_tax.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def all_of_it_is_divided(stage, n):
    """Sharding divides the 16 bytes among the ranks."""
    return 16 / n


def without_the_master(stage, n):
    """The optimizer's state is its two moments; the fp32 weights are weights, and stay."""
    return {0: 16, 1: 8 + 8 / n, 2: 6 + 10 / n, 3: 16 / n}[stage]


def what_each_stage_divides(stage, n):
    """Stage 1 divides fp32 weights and moments, stage 2 the gradients as well, stage 3 all.

    That leaves 4 + 12/n, 2 + 14/n and 16/n of 16 bytes per parameter: 31.4 GB for 7.5B in stage 1 on 64
    GPUs.
    """
    return {0: 16, 1: 4 + 12 / n, 2: 2 + 14 / n, 3: 16 / n}[stage]


@claim(wrong=(all_of_it_is_divided, without_the_master), right=what_each_stage_divides, evidence="derived")
@example(stage=1, n=64, billions=7.5)
@example(stage=2, n=64, billions=7.5)
@example(stage=3, n=64, billions=7.5)
@example(stage=1, n=1024, billions=70)
@given(stage=st.integers(0, 3), n=st.integers(1, 64), billions=st.sampled_from([7.5, 70]))
def test_zero_memory_per_rank(answer, stage, n, billions):
    """By stage ZeRO divides fp32 state, gradients and weights of mixed precision among the ranks.

    stage: what is sharded, from nothing to all
    n: ranks
    billions: parameters of the model, in billions
    """
    size = 64 * n
    weights, gradients = torch.zeros(2, size, dtype=torch.bfloat16, device="meta")
    state = torch.zeros(3, size, device="meta")  # fp32 weights, momentum, variance
    sharded = [state, gradients, weights][:stage]

    kept = sum(
        part.nbytes / (n if any(part is s for s in sharded) else 1) for part in (weights, gradients, state)
    )
    assert observe(gigabytes=billions * kept / size) == approx(billions * answer(stage, n))
