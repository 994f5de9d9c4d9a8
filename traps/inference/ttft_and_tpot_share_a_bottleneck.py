"""TTFT, TPOT, and what prefill and decode wait for

One model serves a chatbot, which needs a fast time to first token, and a summarization job, which needs
throughput. How do the two stress the GPU, and which tradeoff do you manage?

Answer: Prefill sends the whole prompt through each weight it reads, so TTFT is compute-bound and grows
    with the prompt; decode sends one token per request, so TPOT is bound by HBM bandwidth. For the
    weights tokens per pass decide, not the phase; attention stays memory-bound in decode at any batch.
    Llama-3-8B in bf16 on an H100 takes 4.2 ms for a decode step, 4.2 ms for a prompt of 200 tokens and
    28.2 ms for one of 2000. Larger batches buy throughput with TPOT; chunked prefill or disaggregation
    keeps long prompts from stalling the replies of others.
Says: TTFT is dominated by the compute-bound prefill, the throughput of a batch job limited by the
    memory-bandwidth-bound generation; small batches fail to saturate memory bandwidth, so that compute
    units idle.
Verdict: imprecise: a short prompt is memory-bound too, and what a small batch leaves idle is the
    arithmetic, not the bandwidth of its weights.
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 14
Source: Kwon et al. 2023, "Efficient Memory Management for Large Language Model Serving with
    PagedAttention", sections 2.2 and 2.3, https://arxiv.org/abs/2309.06180
Source: Agrawal et al. 2024, "Taming Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve",
    section 3.1, https://arxiv.org/abs/2403.02310
Terms: TTFT, TPOT, time to first token, time per output token, inter-token latency, prefill, decode,
    compute-bound, memory-bound, arithmetic intensity, roofline, ridge, HBM, bandwidth, MFU, model FLOPs
    utilization, chunked prefill, disaggregation
Right when: Prompts have thousands of tokens and decode batches dozens of requests, as they mostly do.
Limits: Counts are of a small layer with a key per query head; times are of the weights alone. The clock
    decides in fp32 between one row and 128, far below and above the ridge; from 2 to 64 rows a CPU is
    neither flat nor linear. No kernel reaches the data sheet. What the cache's reads cost is the page
    decode_waits_for_the_cache, where a layer becomes compute-bound ridge_counts_the_tokens_alone.
"""

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.machines import H100, LLAMA_3_8B, MACHINES, MODELS, counted_pass
from fixtures.meters import ColdReads, kernels
from fixtures.served import ServedLayer
from fixtures.stack import measured, stack


def by_phase(phase, tokens, params, itemsize, peak, bandwidth):
    """Prefill multiplies matrices and is compute-bound; decode multiplies vectors and is memory-bound."""
    return 2 * params * tokens / peak if phase == "prefill" else itemsize * params / bandwidth


def by_tokens_per_pass(phase, tokens, params, itemsize, peak, bandwidth):
    """A pass takes the longer of reading the weights and computing its tokens, in either phase.

    A weight that is read serves every token of the pass with 2 FLOPs.
    """
    return max(2 * params * tokens / peak, itemsize * params / bandwidth)


def intensity_of_the_batch(phase, part, requests, prompt, itemsize):
    """A pass reads weights and caches once for its batch, in either phase."""
    return 2 * requests / itemsize


def intensity_of_the_phase(phase, part, requests, prompt, itemsize):
    """Prefill uses what it reads for a whole prompt, a decode step for the one token that it writes."""
    return 2 * (prompt if phase == "prefill" else 1) / itemsize


def tokens_that_share_a_read(phase, part, requests, prompt, itemsize):
    """Tokens that share a read decide: at the weights all of the pass, at a cache its request's.

    Each has 2 FLOPs. So many requests make up for decode's single tokens at the weights, and never at
    the caches.
    """
    new = prompt if phase == "prefill" else 1
    return 2 * new * (requests if part == "weights" else 1) / itemsize


def small_batch_fills_neither(engine, batch, ridge, itemsize):
    """A small batch saturates neither compute nor bandwidth; both fill up as it grows."""
    return min(1.0, 2 * batch / itemsize / ridge)


def gpu_is_busy(engine, batch, ridge, itemsize):
    """A device that reads all the time is a device at full utilization."""
    return 1.0


def arithmetic_idles(engine, batch, ridge, itemsize):
    """Below the ridge the bandwidth is full and arithmetic idles, above it inversely.

    The used share of the peak, below the ridge intensity over ridge, is the MFU.
    """
    intensity = 2 * batch / itemsize
    return min(1.0, ridge / intensity if engine == "bandwidth" else intensity / ridge)


phases, parts = st.sampled_from(["prefill", "decode"]), st.sampled_from(["weights", "cache"])


@claim(wrong=(intensity_of_the_batch, intensity_of_the_phase), right=tokens_that_share_a_read, examples=40)
@example(phase="decode", part="weights", requests=8, prompt=5)
@example(phase="decode", part="cache", requests=8, prompt=5)
@example(phase="prefill", part="weights", requests=1, prompt=8)
@given(phase=phases, part=parts, requests=st.integers(1, 8), prompt=st.integers(1, 12))
def test_ttft_and_tpot_intensity(answer, phase, part, requests, prompt):
    """Prefill and decode are one function of their tokens at the weights, and two at the KV cache.

    phase: the pass that is counted, of all prompts at once, or of the next token behind each of them
    part: what the counted FLOPs and bytes belong to
    requests: in the pass
    """
    layer = ServedLayer(requests, prompt + 1)
    layer(0, prompt)
    start, stop = (0, prompt) if phase == "prefill" else (prompt, prompt + 1)
    with ColdReads(*layer.weights, layer.cache) as cold:
        layer(start, stop)
    product, read = ("mm", layer.weights) if part == "weights" else ("bmm", [layer.cache])
    computed = sum(kernel.flops for kernel in kernels(lambda: layer(start, stop)) if kernel.name == product)
    intensity = computed / cold.of(*read)

    assert observe(flops_per_byte=intensity) == approx(answer(phase, part, requests, prompt, 4))


@claim(wrong=(small_batch_fills_neither, gpu_is_busy), right=arithmetic_idles, evidence="measured")
@given(engine=st.sampled_from(["bandwidth", "compute"]), batch=st.sampled_from([1, 128]))
def test_bandwidth_and_mfu_of_a_batch(answer, device, engine, batch):
    """A small batch uses the bandwidth of its weights and leaves the arithmetic idle, a large one inversely.

    engine: whose use is observed, as a share of what the device reaches at best
    """
    machine, params = measured(device), stack(device).params
    (taken,) = seconds(stack(device).passing(batch), device=device)
    best = 4 * params / machine.bandwidth if engine == "bandwidth" else 2 * params * batch / machine.peak
    partly = min(batch / 2 / machine.ridge, 2 * machine.ridge / batch)

    assert nearest(observe(share=best / taken), 1, partly) == approx(answer(engine, batch, machine.ridge, 4))


@claim(wrong=by_phase, right=by_tokens_per_pass, evidence="derived", examples=40)
@example(phase="decode", batch=1, new=1, model=LLAMA_3_8B, machine=H100, itemsize=2)
@example(phase="prefill", batch=1, new=200, model=LLAMA_3_8B, machine=H100, itemsize=2)
@example(phase="prefill", batch=1, new=2000, model=LLAMA_3_8B, machine=H100, itemsize=2)
@example(phase="decode", batch=512, new=1, model=LLAMA_3_8B, machine=H100, itemsize=2)
@given(
    phase=phases,
    batch=st.integers(1, 512),
    new=st.integers(1, 4096),
    model=st.sampled_from([m for m in MODELS if m.d == 4096]),
    machine=st.sampled_from(MACHINES),
    itemsize=st.sampled_from([1, 2]),
)
def test_ttft_and_tpot_at_full_size(answer, phase, batch, new, model, machine, itemsize):
    """By the data sheet TTFT and TPOT lie on one roofline of the weights, at the tokens of their pass.

    phase: prefill of the new tokens of one request, or the next token of a batch
    """
    tokens = new if phase == "prefill" else batch
    one = counted_pass(model, tokens, 1, 0)
    params = one.weights / 2  # counted in bf16
    taken = observe(seconds=max(one.flops / machine.peak, params * itemsize / machine.bandwidth))

    assert taken == approx(answer(phase, tokens, params, itemsize, machine.peak, machine.bandwidth))
