"""Which phase takes the time of a job

A batch of long prompts is summarised in short answers. Prefill is one pass, decode is one a token. Does
generation take most of the time?

Verdict: refuted as stated: decode owns a chat and a lone summary; a batch of summaries belongs to prefill
    from about the ridge times answer over prompt on, 16 requests of 4000 tokens in and 200 out on an H100
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 14
Source: Agrawal et al. 2024, "Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve",
    section 3.1, https://arxiv.org/abs/2403.02310
Right when: The batch is small or the answers are as long as the prompts. Alone, a prompt of 200 tokens is
    0.2 % of a chat that answers 500.
Limits: A played machine at the peak of its data sheet, one card for all models, bf16. All scores of a
    prompt are counted, masked ones too. All requests of a batch start together and answer equally long.
    Llama-2-7B has no tie below the ridge: its ungrouped caches cost a decode step more than the prefill.
"""

from bisect import bisect_left
from math import inf

from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.machines import LLAMA_3_8B, LLAMA_3_70B, MACHINES, MODELS, Layer, counted_pass
from fixtures.meters import nbytes


def one_pass_among_many(model, machine, batch, prompt, reply):
    """Prefill is one pass and decode one a token, so decode takes as many times longer."""
    return 1 / reply


def token_for_token(model, machine, batch, prompt, reply):
    """Every token goes once through the same weights, so the longer side takes the time."""
    return prompt / reply


def flops_against_bytes(model, machine, batch, prompt, reply):
    """Each pass takes its FLOPs over the peak or its bytes over the bandwidth, whichever is longer.

    A prefill pays FLOPs, in proportion to the batch; a decode step pays the weights once for the whole
    batch. Alone, a long prompt costs as many decode steps as its length over the ridge.
    """

    def seconds(new, context):
        queries, keys = model.heads * model.dim, model.kv_heads * model.dim
        weights = 2 * model.d * (queries + keys) + 3 * model.d * model.ffn
        flops = batch * new * (2 * weights + 4 * queries * context)
        return max(flops / machine.peak, (2 * weights + 4 * batch * keys * context) / machine.bandwidth)

    return seconds(prompt, prompt) / (reply * seconds(1, prompt + reply / 2))


def never_by_batching(ridge, prompt, reply, weights, queries, keys):
    """Generation is sequential, and no batch changes that."""
    return inf


def at_one_request(ridge, prompt, reply, weights, queries, keys):
    """The prompt is longer than the answer, so prefill dominates at any batch."""
    return 1


def ridge_times_reply_over_prompt(ridge, prompt, reply, weights, queries, keys):
    """Prefill takes longer from a batch of about ridge · reply/prompt on.

    A weight of two bytes is read once a decode step, and multiplied once a token of prefill, with two
    FLOPs. Attention, quadratic in the prompt, brings the tie forward; the caches, read a request, put it
    off. Llama-3-70B ties 4000 tokens in and 200 out at 16 requests on an H100.
    """
    flops = prompt * (weights + 4 * queries * prompt)
    caches = reply * 4 * keys * prompt
    return reply * weights * ridge / (flops - caches * ridge)


def phases(model, machine, batch, prompt, reply):
    """Seconds of prefill, and of as many decode steps as the answer has tokens."""
    prefill = counted_pass(model, batch, prompt, prompt)
    # A step's cost grows evenly with its context, so the middle one stands for all.
    step = counted_pass(model, batch, 1, prompt + reply // 2)
    return prefill.seconds(machine), reply * step.seconds(machine)


def tie(longer, batches):
    """Where a growing difference of two times passes zero, between two batches."""
    above = batches[bisect_left(batches, 0, key=longer)]
    before, after = longer(above - 1), longer(above)
    return above - after / (after - before)


@claim(
    wrong=(one_pass_among_many, token_for_token),
    right=flops_against_bytes,
    evidence="simulated",
    examples=40,
)
@given(
    model=st.sampled_from(MODELS),
    machine=st.sampled_from(MACHINES),
    batch=st.integers(1, 512) | st.sampled_from([1, 512]),
    prompt=st.integers(16, 128) | st.integers(512, 8192),
    reply=st.integers(32, 1024).map(lambda n: 2 * n),
)
def test_prefill_time_over_decode_time(answer, model, machine, batch, prompt, reply):
    """The time of prefill against that of decode follows from FLOPs and bytes, pass by pass."""
    prefill, decode = phases(model, machine, batch, prompt, reply)

    # The played machine takes up to 1.6 % more than the slower of its engines.
    assert observe(ratio=prefill / decode) == approx(answer(model, machine, batch, prompt, reply), rel=0.02)


@claim(
    wrong=(never_by_batching, at_one_request),
    right=ridge_times_reply_over_prompt,
    evidence="simulated",
    examples=10,
)
@given(
    model=st.sampled_from([LLAMA_3_70B, LLAMA_3_8B]),
    machine=st.sampled_from(MACHINES),
    prompt=st.integers(2048, 8192),
    reply=st.integers(96, 128),
)
def test_prefill_overtakes_decode_in_a_batch(answer, model, machine, prompt, reply):
    """Batching hands a job of long prompts and short answers from decode to prefill."""

    def prefill_minus_decode(batch):
        prefill, decode = phases(model, machine, batch, prompt, reply)
        return prefill - decode

    crossing = observe(batch=tie(prefill_minus_decode, range(2, 129)))

    # 1.6 % for the played machine, and less than that for caches that grow while the answer is written.
    sizes = nbytes(*Layer(model).weights), model.heads * model.dim, model.kv_heads * model.dim
    assert crossing == approx(answer(machine.ridge, prompt, reply, *sizes), rel=0.04)
