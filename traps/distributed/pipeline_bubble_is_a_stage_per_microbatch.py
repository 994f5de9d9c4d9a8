"""The pipeline bubble

A model is cut into 8 pipeline stages, and a batch into 32 micro-batches. Which share of the GPUs' time is
idle?

Answer: (p - 1)/(m + p - 1): 18 % of the time that the step takes. The figure (p - 1)/m, 22 %, is the same
    bubble relative to the useful time, so both stand in papers. 1F1B has the same bubble as all forward
    passes first; what it saves is memory, as a stage holds at most 8 micro-batches instead of 32.
    Interleaving v model chunks per GPU divides the bubble's time by v.
Verdict: not judged: a trap of our own
Asked: nowhere yet
Source: Huang et al. 2019, "GPipe", section 2.3: (K - 1)/(M + K - 1), https://arxiv.org/abs/1811.06965
Source: Narayanan et al. 2021, "Efficient Large-Scale Language Model Training on GPU Clusters Using
    Megatron-LM", section 2.2: (p - 1)/m of the ideal time, https://arxiv.org/abs/2104.04473
Terms: pipeline parallelism, pipeline bubble, pipeline_bubble, GPipe, 1F1B, micro-batches, idle time,
    interleaved schedule, Megatron
Right when: The bubble is given relative to the useful time: then it is (p - 1)/m.
Limits: Interleaving is not run; it takes v times the communication. A simulated schedule: all stages take
    equal time, the backward pass twice the forward pass, and sending takes none. Both papers were read in
    summaries.
"""

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def one_stage_in_all(stages, micro, order):
    """Filling and draining the pipeline leave each stage idle once: 1/m."""
    return 1 / micro


def share_of_the_useful_time(stages, micro, order):
    """(p - 1)/m of the time."""
    return (stages - 1) / micro


def stages_over_both(stages, micro, order):
    """Of m + p slots p are lost."""
    return stages / (micro + stages)


def forward_waits_alone(stages, micro, order):
    """1F1B starts its backward passes early, so only the forward passes wait: a third of the bubble."""
    bubble = (stages - 1) / (1 if order == "all forward first" else 3)
    return bubble / (micro + bubble)


def every_micro_batch(stages, micro, order):
    """Activations of all micro-batches wait for their backward passes, under 1F1B too."""
    return micro


def no_more_than_stages(stages, micro, order):
    """All if the forward passes go first, and under 1F1B no more than there are stages.

    With 32 micro-batches on 8 stages that is 32, and 8 under 1F1B.
    """
    return micro if order == "all forward first" else min(stages, micro)


def share_of_the_whole_step(stages, micro, order):
    """(p - 1)/(m + p - 1): 0.18 for 8 stages and 32 micro-batches.

    Each stage works m slots of a step of m + p - 1.
    """
    return (stages - 1) / (micro + stages - 1)


def schedule(stages, micro, order):
    """When each pass of each stage starts and ends: {(kind, micro-batch, stage): (start, end)}."""
    done, free, queues = {}, [0] * stages, []
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
            if before in done or (kind == "F" and stage == 0):
                queue.pop(0)
                start = max(free[stage], done[before][1] if before in done else 0)
                free[stage] = start + (1 if kind == "F" else 2)
                done[kind, i, stage] = start, free[stage]
    return done


orders = st.sampled_from(["all forward first", "1F1B"])


@claim(
    wrong=(one_stage_in_all, share_of_the_useful_time, stages_over_both, forward_waits_alone),
    right=share_of_the_whole_step,
    evidence="simulated",
)
@example(stages=8, micro=32, order="all forward first")
@example(stages=8, micro=32, order="1F1B")
@example(stages=8, micro=8, order="1F1B")
@given(stages=st.integers(1, 8), micro=st.integers(1, 24), order=orders)
def test_pipeline_bubble(answer, stages, micro, order):
    """Of m + p - 1 slots a stage idles in p - 1, in either order.

    stages: pipeline stages
    micro: micro-batches of a step
    order: whether a stage does all forward passes first, or alternates once the pipeline is full
    """
    passes = schedule(stages, micro, order)
    worked = sum(end - start for start, end in passes.values())
    step = max(end for _, end in passes.values())

    assert observe(idle_share=1 - worked / (step * stages)) == approx(answer(stages, micro, order))


@claim(wrong=every_micro_batch, right=no_more_than_stages, evidence="simulated")
@example(stages=8, micro=32, order="1F1B")
@example(stages=8, micro=32, order="all forward first")
@given(stages=st.integers(1, 8), micro=st.integers(1, 24), order=orders)
def test_pipeline_activations(answer, stages, micro, order):
    """1F1B holds the activations of at most as many micro-batches as there are stages.

    stages: pipeline stages
    micro: micro-batches of a step
    order: whether a stage does all forward passes first, or alternates once the pipeline is full
    """
    passes = schedule(stages, micro, order)
    begun = [passes["F", i, 0][0] for i in range(micro)]
    ended = [passes["B", i, 0][1] for i in range(micro)]

    held = max(sum(b <= at for b in begun) - sum(e <= at for e in ended) for at in begun)
    assert observe(micro_batches=held) == answer(stages, micro, order)
