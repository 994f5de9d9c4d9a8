"""Prefill or decode: which phase takes the time of a job

A batch of long prompts is summarized in short answers; a chat has short prompts and long answers. Prefill
is one pass and brings the first token, decode is a pass for each further one. Does decode take most of
the time of each job?

Answer: A chat belongs to decode: with 200 tokens in and 500 out, alone, prefill is 0.2 % of the time. A
    batch of summaries goes over to prefill, since prefill pays for every token, and decode reads the
    weights once per step for the whole batch. Of Llama-3-8B on an H100, with 4000 tokens in and 200 out,
    prefill has 7 % of the time at batch 1 and 53 % at batch 32. So offline summarization in large batches
    is limited by compute if the caches are grouped.
Says: The batch job's throughput is limited by the memory-bandwidth-bound generation phase; its question
    makes that job a summarization.
Verdict: imprecise: true of one summary at a time; in a batch of long prompts and short answers prefill,
    which is compute-bound, takes most of the time.
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 14
Source: Agrawal et al. 2024, "Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve",
    section 3.1, https://arxiv.org/abs/2403.02310
Terms: summarization, offline inference, batch inference, prefill, decode, prefill share, decode share,
    prompt length, output length, TTFT, TPOT, throughput, tokens per second, HBM, arithmetic intensity,
    ridge
Right when: The batch is small, the answers are as long as the prompts, or the caches are ungrouped: of
    Llama-2-7B on an A100 with 3800 in and 200 out prefill has 34 % at batch 8 and 43 % at batch 28, which
    is all that fits.
Limits: The shares follow from peak and bandwidth of the data sheet; all requests of a batch start
    together and answer equally long. All scores of a prompt are counted, masked ones too, which favors
    prefill a little: a kernel that skips them moves the half from batch 26 to about 30. Measured is one
    prompt of 128 tokens against steps of one row, of the weights alone: on a CPU rows 2 to 64 do not ride
    along.
"""

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.machines import A100, H100, LLAMA_2_7B, LLAMA_3_8B, MACHINES, QWEN_3_4B, counted_pass
from fixtures.stack import measured, stack


def one_step_for_a_prompt(prompt, ridge, itemsize):
    """Prefill is one pass through the model, and so is each step of decode."""
    return 1.0


def token_for_token(prompt, ridge, itemsize):
    """Every token of the prompt goes once through the same weights, as each new one does."""
    return prompt


def prompt_over_ridge(prompt, ridge, itemsize):
    """A prompt costs one step up to the ridge, and above it in proportion to its length.

    Prefill computes 2 FLOPs per weight and token; a step reads the bytes of each weight. So above the
    ridge it is 2 · prompt / (itemsize · ridge) steps.
    """
    return max(1.0, 2 * prompt / (itemsize * ridge))


def steps_alone(model, machine, batch, prompt, reply):
    """Prefill is one pass and decode one per further token, so it has one share in the reply's tokens."""
    return 1 / reply


def by_tokens(model, machine, batch, prompt, reply):
    """All tokens cost the same, so prefill's share is the prompt's share of the tokens."""
    return prompt / (prompt + reply)


def no_batch_changes_it(model, machine, batch, prompt, reply):
    """Generation is sequential and owns the job; a larger batch makes both phases longer alike."""
    return by_flops_and_bytes(model, machine, 1, prompt, reply)


def by_flops_and_bytes(model, machine, batch, prompt, reply):
    """Each pass takes its FLOPs over the peak or its bytes over the bandwidth, whichever is longer.

    A prefill pays FLOPs, in proportion to the batch; a decode step reads the weights once for the whole
    batch, and a cache per request. So prefill's share grows with the batch: of Llama-3-8B on an H100,
    with 4000 tokens in and 200 out, it passes one half at batch 26.
    """

    def duration(new, context):
        queries, keys = model.heads * model.dim, model.kv_heads * model.dim
        weights = 2 * model.d * (queries + keys) + 3 * model.d * model.ffn
        flops = batch * new * (2 * weights + 4 * queries * context)
        return max(flops / machine.peak, (2 * weights + 4 * batch * keys * context) / machine.bandwidth)

    prefill = duration(prompt, prompt)
    return prefill / (prefill + (reply - 1) * duration(1, prompt + reply / 2))


def phases(model, machine, batch, prompt, reply):
    """Seconds of prefill, which brings the first token, and of a decode step for each further one.

    Of these the middle one is counted, as their costs grow evenly.
    """
    passes = (counted_pass(model, batch, prompt, prompt), counted_pass(model, batch, 1, prompt + reply // 2))
    prefill, step = (max(one.flops / machine.peak, one.bytes / machine.bandwidth) for one in passes)
    return prefill, (reply - 1) * step


@claim(wrong=(one_step_for_a_prompt, token_for_token), right=prompt_over_ridge, evidence="measured")
@given(prompt=st.sampled_from([1, 128]))
def test_prefill_in_decode_steps(answer, device, prompt):
    """A long prompt costs fewer decode steps than it has tokens, and more than one."""
    prefill, step = seconds(*(stack(device).passing(1, rows) for rows in (prompt, 1)), device=device)
    laws = {1.0, 2 * prompt / 4 / measured(device).ridge, float(prompt)}
    steps = observe(steps=prefill / step)

    assert nearest(steps, *laws) == approx(answer(prompt, measured(device).ridge, 4))


jobs = {
    "batch": st.integers(1, 512),
    "prompt": st.integers(16, 128) | st.integers(512, 8192),
    "reply": st.integers(1, 256).map(lambda n: 2 * n),
}


@claim(
    wrong=(steps_alone, by_tokens, no_batch_changes_it),
    right=by_flops_and_bytes,
    evidence="derived",
    examples=40,
)
@example(model=LLAMA_3_8B, machine=H100, batch=1, prompt=200, reply=500)
@example(model=LLAMA_3_8B, machine=H100, batch=1, prompt=4000, reply=200)
@example(model=LLAMA_3_8B, machine=H100, batch=26, prompt=4000, reply=200)
@example(model=LLAMA_3_8B, machine=H100, batch=32, prompt=4000, reply=200)
@example(model=LLAMA_2_7B, machine=A100, batch=8, prompt=3800, reply=200)
@example(model=LLAMA_2_7B, machine=A100, batch=28, prompt=3800, reply=200)
@example(model=LLAMA_3_8B, machine=A100, batch=512, prompt=100, reply=100)  # decode is compute-bound too
@given(model=st.sampled_from([LLAMA_3_8B, LLAMA_2_7B, QWEN_3_4B]), machine=st.sampled_from(MACHINES), **jobs)
def test_prefill_share_of_a_job(answer, model, machine, batch, prompt, reply):
    """The share of prefill in a job's time follows from FLOPs and bytes, pass by pass."""
    prefill, decode = phases(model, machine, batch, prompt, reply)

    assert observe(share=prefill / (prefill + decode)) == approx(answer(model, machine, batch, prompt, reply))
