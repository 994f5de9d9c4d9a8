"""Latency spikes and chunked prefill

Users of a server see pauses in the middle of an answer, and the decode batch is large. Does a smaller
batch cure them?

Answer: No: the pause is a pass in which somebody else's whole prompt runs between two tokens. On an H100
    a prompt of 4096 tokens holds 32 replies of Llama-3-8B up for 58.2 ms, and 16 replies for 58.0 ms.
    Chunked prefill with a budget of 512 tokens per pass makes that 7.2 ms: decodes go first, and a chunk
    of the prompt fills the rest. The price is a longer TTFT.
Verdict: not judged: chapter 18 does not say where pauses come from, and names chunked prefill as the
    contribution of the paper that it cites
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 18
Source: Agrawal et al. 2024, "Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve",
    sections 3 and 4, https://arxiv.org/abs/2403.02310
Terms: chunked prefill, latency spike, generation stall, inter-token latency, ITL, TBT, TPOT,
    Sarathi-Serve, stall-free scheduling, max_num_batched_tokens, token budget, continuous batching,
    head-of-line blocking
Right when: No prompt ever joins: then latency is a matter of the batch and its caches alone.
Limits: Weights alone: chunks read the cache of earlier chunks again, which makes small ones dearer, and a
    budget below the ridge wastes compute. Running requests never end. The clock decides in fp32 between
    passes of 512 and of 64 tokens.
"""

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.machines import H100, LLAMA_3_8B, counted_pass
from fixtures.stack import stack


def prefill_first(prompts, running, budget):
    """Prompts go first: they join the batch sooner, and a prefill uses the machine best."""
    return [(0, prompt) for prompt in prompts]


def decode_first(prompts, running, budget):
    """Running requests go first, and prompts wait until they have ended."""
    return [(running, 0) for _ in prompts]


def halve_the_batch(prompts, running, budget):
    """Latency is a matter of batch size: half of the requests per pass, and a prompt next to them."""
    return [(running // 2, prompt) for prompt in prompts]


def fill_with_prompts(prompts, running, budget):
    """Each pass takes as many prompt tokens as the budget holds, next to the running requests."""
    left = sum(prompts)
    return [(running, min(budget, left - done)) for done in range(0, left, budget)]


def stall_free(prompts, running, budget):
    """Running requests go first, and prompt tokens fill what they leave of the budget.

    No pass exceeds the budget and every running request is in it, so no pause is longer than such a pass.
    What is left goes to prompts in every pass, so none starves.
    """
    left, room = sum(prompts), budget - running
    return [(running, min(room, left - done)) for done in range(0, left, room)]


def by_the_batch(prompt, running, flops, peak):
    """A pass takes as long as it has requests, so half the batch is half the pause."""
    return 1e3 * running * flops / peak


def by_the_prompt(prompt, running, flops, peak):
    """Above the ridge a pass takes as long as it has tokens, most of them the prompt's.

    On an H100 4,096 tokens hold 32 replies of Llama-3-8B up for 58.2 ms and 16 for 58.0; 480 of them hold
    32 up for 7.2 ms.
    """
    return 1e3 * (prompt + running) * flops / peak


def longest_pause(passes, running, duration):
    """How long a running request waits for a token at most, each pass serving those who waited longest.

    Once the prompts are read, all requests are served again.
    """
    waits, longest = [0.0] * running, 0.0
    for decodes, tokens in [*passes, (running, 0)]:
        waits = sorted((wait + duration(decodes + tokens) for wait in waits), reverse=True)
        longest = max(longest, waits[0])
        waits[:decodes] = [0.0] * decodes
    return longest


@claim(wrong=(prefill_first, halve_the_batch), right=stall_free, evidence="measured")
@given(budget=st.sampled_from([64]))
def test_latency_spike_by_the_clock(answer, device, budget):
    """Chunks cut the pause that a prompt makes by the whole pass over the budget; a smaller batch does not.

    prompts: tokens of the prompts that wait
    running: requests that are being decoded
    budget: tokens per pass, of decodes and prompts together
    """
    # A prompt of 496 tokens and 16 running requests: 512 tokens are in the pass that runs it whole.
    passes = answer([496], 16, budget)
    sizes = sorted({16, 512, *map(sum, passes)})
    taken = dict(zip(sizes, seconds(*map(stack(device).passing, sizes), device=device), strict=True))

    shorter = observe(shorter=taken[512] / longest_pause(passes, 16, taken.__getitem__))

    assert observe(prompt_tokens=sum(tokens for _, tokens in passes)) == 496
    assert nearest(shorter, 1, 8) == 512 / budget


@claim(wrong=by_the_batch, right=by_the_prompt, evidence="derived")
@example(prompt=4096, running=32)
@example(prompt=4096, running=16)
@example(prompt=480, running=32)
@given(prompt=st.integers(300, 8000), running=st.integers(1, 128))
def test_latency_of_a_pass_with_a_prompt(answer, prompt, running):
    """By the data sheet the pause is the prompt's, whatever the batch, if it is above the ridge.

    running: requests that are being decoded
    flops: FLOPs per token
    """
    one = counted_pass(LLAMA_3_8B, 1, 1, 0)

    taken = max((prompt + running) * one.flops / H100.peak, one.weights / H100.bandwidth)

    assert observe(pause_ms=1e3 * taken) == approx(answer(prompt, running, one.flops, H100.peak))


@claim(
    wrong=(prefill_first, decode_first, halve_the_batch, fill_with_prompts),
    right=stall_free,
    evidence="simulated",
    examples=60,
)
@example(prompts=[4096], running=32, budget=512)
@example(prompts=[960, 960], running=32, budget=512)
@example(prompts=[961], running=32, budget=512)
@example(prompts=[100], running=255, budget=256)
@given(
    prompts=st.lists(st.integers(1, 8000), min_size=1, max_size=4),
    running=st.integers(1, 128),
    budget=st.sampled_from([512, 256, 2048]),
)
def test_latency_between_tokens_has_a_bound(answer, prompts, running, budget):
    """With a token budget per pass no running request waits longer than that pass, and all prompts are read.

    prompts: tokens of the prompts that wait
    running: requests that are being decoded
    budget: tokens per pass, of decodes and prompts together, more than are running
    """
    one = counted_pass(LLAMA_3_8B, 1, 1, 0)

    def milliseconds(tokens):
        return 1e3 * max(tokens * one.flops / H100.peak, one.weights / H100.bandwidth)

    passes = answer(prompts, running, budget)

    assert observe(prompt_tokens=sum(tokens for _, tokens in passes)) == sum(prompts)
    assert observe(pause_ms=longest_pause(passes, running, milliseconds)) <= milliseconds(budget)
    assert observe(passes=len(passes)) < 1 + sum(prompts) / (budget - running)
