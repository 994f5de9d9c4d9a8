"""Why decoding is slower than its FLOPs suggest

A large model computes 2 FLOPs per parameter and token, and generates tokens far more slowly than that
suggests. What throttles it, and what speeds it up?

Answer: Every decode step streams all weights from memory, so the bytes of the weights over the bandwidth
    are its floor. Llama-3-8B in bf16 on an H100 gives one user at most 240 tokens per second, where FLOPs
    alone promise 70,881. Fewer bytes help, as int8 weights do: 480 at batch 1, and nothing above the
    ridge, 295 requests. So do more tokens per read: batching, and speculative decoding.
Says: Token generation is often throttled by GPU memory bandwidth rather than compute, as billions of
    weights must be streamed for each token; speculative decoding is the way out.
Verdict: holds if the batch stays below the ridge and the contexts are short
Asked: AI Interview Prep newsletter, LLM System Design #28
Source: Gholami et al. 2024, "AI and Memory Wall", IEEE Micro, abstract, https://arxiv.org/abs/2403.14123
Source: Shazeer 2019, "Fast Transformer Decoding: One Write-Head is All You Need", section 2.4.1,
    https://arxiv.org/abs/1911.02150
Terms: memory-bound decoding, decode, memory bandwidth, HBM, tokens per second, TPOT, quantization,
    weight-only quantization, int8, W8A16, arithmetic intensity, ridge, roofline, MFU, speculative
    decoding
Right when: In prefill and in large batches it is the FLOPs that count: at batch 512 an H100 is at its
    peak, and int8 weights with bf16 arithmetic gain nothing.
Limits: The newsletter's stored text stops before its solution. Weights alone, no caches, and the head and
    embedding left out; activations move the crossing (ridge_counts_the_tokens_alone). Tokens per second
    of cards follow from their data sheets; int8 is derived as well, its conversion hidden in the product
    as in a fused kernel: on a CPU the kernels, not the bytes, decided.
"""

from math import inf

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.machines import A100, H100, H200, LLAMA_3_8B, MACHINES, MODELS, counted_pass
from fixtures.stack import measured, stack


def flops_over_peak(params, batch, itemsize, peak, bandwidth):
    """A token costs 2 FLOPs per parameter: a card makes its FLOP/s over 2P tokens per second.

    Int8 weights save no FLOPs, so they save no time.
    """
    return peak / (2 * params)


def bytes_over_bandwidth(params, batch, itemsize, peak, bandwidth):
    """Decoding is memory-bound: each request gets a token whenever the weights have been read.

    Int8 weights are half the bytes, so always twice as fast.
    """
    return batch * bandwidth / (itemsize * params)


def the_slower_of_both(params, batch, itemsize, peak, bandwidth):
    """min(batch · bandwidth / (itemsize · params), peak / (2 · params)) tokens per second.

    Each read of the weights gives a token to every request, until the FLOPs take longer than the read.
    One user of Llama-3-8B in bf16 gets 146 tokens per second from an A100, 240 from an H100, 344 from an
    H200.
    """
    return min(batch * bandwidth / (itemsize * params), peak / (2 * params))


def always_memory_bound(itemsize, ridge):
    """Decoding is memory-bound at any batch, as each token waits for the weights."""
    return inf


def at_the_ridge(itemsize, ridge):
    """A machine turns from memory to arithmetic at its ridge, whatever it reads."""
    return ridge


def ridge_by_itemsize(itemsize, ridge):
    """The ridge counts FLOPs per byte, so weights of half the bytes halve the batch.

    A weight serves 2 FLOPs per request, so it is ridge · itemsize / 2 requests. In bf16 that is 153 on an
    A100, 295 on an H100 and 206 on an H200; with int8 weights and bf16 arithmetic half.
    """
    return ridge * itemsize / 2


@claim(wrong=(flops_over_peak, bytes_over_bandwidth), right=the_slower_of_both, evidence="measured")
@given(batch=st.sampled_from([1, 128]))
def test_decode_throughput_by_the_clock(answer, device, batch):
    """One row through real weights takes the time of reading them, and 128 rows that of their FLOPs."""
    machine, params = measured(device), stack(device).params
    (step,) = seconds(stack(device).passing(batch, 1), device=device)
    laws = batch * machine.bandwidth / (4 * params), machine.peak / (2 * params)

    throughput = observe(tokens_per_second=batch / step)

    assert nearest(throughput, *laws) == approx(answer(params, batch, 4, machine.peak, machine.bandwidth))


@claim(
    wrong=(flops_over_peak, bytes_over_bandwidth),
    right=the_slower_of_both,
    evidence="derived",
    examples=60,
)
@example(model=LLAMA_3_8B, batch=1, itemsize=2, machine=A100)
@example(model=LLAMA_3_8B, batch=1, itemsize=2, machine=H100)
@example(model=LLAMA_3_8B, batch=1, itemsize=2, machine=H200)
@example(model=LLAMA_3_8B, batch=1, itemsize=1, machine=H100)
@example(model=LLAMA_3_8B, batch=512, itemsize=2, machine=H100)
@example(model=LLAMA_3_8B, batch=512, itemsize=1, machine=H100)
@given(
    model=st.sampled_from([m for m in MODELS if m.d == 4096]),
    batch=st.integers(1, 1024),
    itemsize=st.sampled_from([1, 2]),
    machine=st.sampled_from(MACHINES),
)
def test_decode_throughput_at_full_size(answer, model, batch, itemsize, machine):
    """By the data sheet decode waits for the bytes of the weights until the batch has passed the ridge."""
    step = counted_pass(model, batch, 1, context=0)
    taken = max(step.flops / machine.peak, itemsize / 2 * step.weights / machine.bandwidth)

    assert observe(tokens_per_second=batch / taken) == approx(
        answer(step.weights / 2, batch, itemsize, machine.peak, machine.bandwidth)
    )


@claim(wrong=(always_memory_bound, at_the_ridge), right=ridge_by_itemsize, evidence="derived", examples=20)
@example(itemsize=2, machine=A100)
@example(itemsize=2, machine=H100)
@example(itemsize=2, machine=H200)
@example(itemsize=1, machine=H100)
@given(itemsize=st.sampled_from([1, 2, 4]), machine=st.sampled_from(MACHINES))
def test_decode_batch_at_the_ridge(answer, itemsize, machine):
    """The batch at which weights turn compute-bound is in proportion to the bytes that store one."""
    one = counted_pass(LLAMA_3_8B, 1, 1, context=0)
    intensity = one.flops / (itemsize / 2 * one.weights)

    assert observe(batch=machine.ridge / intensity) == approx(answer(itemsize, machine.ridge))
