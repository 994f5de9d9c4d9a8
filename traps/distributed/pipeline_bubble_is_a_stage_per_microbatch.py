"""The pipeline bubble

A model is cut into 8 pipeline stages, and a batch into 32 micro-batches. Which share of the GPUs' time is
idle?

Answer: (p - 1)/(m + p - 1): 18 % of the time that the step takes. The figure (p - 1)/m, 22 %, is the same
    bubble relative to the useful time, so both stand in papers. Bubbles shrink with more micro-batches,
    and not with more stages; interleaving v model chunks per GPU divides the bubble by v.
Verdict: not judged: a trap of our own
Asked: nowhere yet
Source: Huang et al. 2019, "GPipe", section 2.3: (K - 1)/(M + K - 1), https://arxiv.org/abs/1811.06965
Source: Narayanan et al. 2021, "Efficient Large-Scale Language Model Training on GPU Clusters Using
    Megatron-LM", section 2.2: (p - 1)/m of the ideal time, https://arxiv.org/abs/2104.04473
Terms: pipeline parallelism, pipeline bubble, pipeline_bubble, GPipe, 1F1B, micro-batches, idle time,
    interleaved schedule, Megatron
Right when: The bubble is told relative to the useful time: then it is (p - 1)/m.
Limits: A simulated schedule: all stages take equal time, the backward pass twice the forward pass, and
    sending takes none. Both papers were read in summaries.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def one_stage_in_all(stages, micro):
    """Filling and draining the pipeline leave each stage idle once: 1/m."""
    return 1 / micro


def share_of_the_useful_time(stages, micro):
    """(p - 1)/m of the time."""
    return (stages - 1) / micro


def stages_over_both(stages, micro):
    """P of the m + p slots."""
    return stages / (micro + stages)


def share_of_the_whole_step(stages, micro):
    """(p - 1)/(m + p - 1): 0.18 for 8 stages and 32 micro-batches.

    Each stage works m slots of a step of m + p - 1.
    """
    return (stages - 1) / (micro + stages - 1)


@claim(
    wrong=(one_stage_in_all, share_of_the_useful_time, stages_over_both),
    right=share_of_the_whole_step,
    evidence="simulated",
)
@example(stages=8, micro=32, order="all forward first")
@example(stages=8, micro=32, order="1F1B")
@example(stages=8, micro=8, order="1F1B")
@given(
    stages=st.integers(1, 8), micro=st.integers(1, 24), order=st.sampled_from(["all forward first", "1F1B"])
)
def test_pipeline_bubble(answer, stages, micro, order):
    """A pipeline idles for the stages less one, of micro-batches and stages less one.

    stages: pipeline stages
    micro: micro-batches of a step
    order: whether a stage does all forward passes first, or alternates once the pipeline is full
    """
    done, free, queues = {}, [0] * stages, []
    working = torch.zeros(stages, 3 * stages * (micro + 1), dtype=torch.float64)
    for stage in range(stages):
        ahead = micro if order == "all forward first" else min(micro, stages - stage)
        forward, backward = [("F", i) for i in range(micro)], [("B", i) for i in range(micro)]
        queue = forward[:ahead]
        for i in range(micro):
            queue += backward[i : i + 1] + forward[ahead + i : ahead + i + 1]
        queues.append(queue)
    # Whatever is next at a stage starts once the stage is free and its input is there.
    while any(queues):
        for stage, queue in enumerate(queues):
            if not queue:
                continue
            kind, i = queue[0]
            before = ("F", i, stage - 1) if kind == "F" else ("B", i, stage + 1)
            if kind == "B" and stage == stages - 1:
                before = ("F", i, stage)
            if kind == "F" and stage == 0:
                ready = 0
            elif before in done:
                ready = done[before]
            else:
                continue
            queue.pop(0)
            takes = 1 if kind == "F" else 2
            start = max(free[stage], ready)
            working[stage, start : start + takes] = 1
            free[stage] = done[kind, i, stage] = start + takes

    idle = 1 - working[:, : max(free)].mean().item()
    assert observe(idle_share=idle) == approx(answer(stages, micro))
