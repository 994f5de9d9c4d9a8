"""The floor of a decoded token

A card computes 312 TFLOP/s and a token costs 2 FLOPs a parameter. Do its tokens a second follow from that?

Verdict: holds if the batch is below the ridge and the contexts are short: weights and bandwidth set the
    floor of a token up to peak/bandwidth requests, in bf16, and FLOPs beyond
Asked: AI Interview Prep newsletter, LLM System Design #28
Source: Gholami et al. 2024, "AI and Memory Wall", IEEE Micro,
    https://arxiv.org/abs/2403.14123
Source: Shazeer 2019, "Fast Transformer Decoding: One Write-Head is All You Need", section 2.4.1,
    https://arxiv.org/abs/1911.02150
Right when: Prefill and large batches: above the ridge it is the FLOPs that count.
Limits: The newsletter's abstract breaks off; only what is visible is judged. Weights alone, in bf16, on a
    played machine at the peak of its data sheet: no caches, and a model of any size on one card. Of Gholami
    et al. the abstract was read.
"""

import torch
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.machines import MACHINES, MODELS, Machine, counted_pass
from fixtures.meters import nbytes


def flops_over_peak(params, batch, machine):
    """A token costs 2 FLOPs a parameter: a card makes its FLOP/s over 2P tokens a second."""
    return machine.peak / (2 * params)


def bytes_over_bandwidth(params, batch, machine):
    """Decoding is memory-bound: each request gets a token whenever the weights have been read."""
    return batch * machine.bandwidth / (2 * params)


def the_slower_of_both(params, batch, machine):
    """As many tokens as requests each time the weights are read, until the FLOPs take longer than that.

    One request of a Llama-3-70B in bf16 gets 15 tokens a second from an A100, 24 from an H100 and 35 from
    an H200. By FLOPs alone it would be 2279, 7227 and 7227.
    """
    return min(batch * machine.bandwidth / (2 * params), machine.peak / (2 * params))


@claim(
    wrong=(flops_over_peak, bytes_over_bandwidth),
    right=the_slower_of_both,
    evidence="simulated",
    examples=60,
)
@given(
    model=st.sampled_from(MODELS),
    batch=st.sampled_from([1, 8, 64, 128, 256, 512]),
    machine=st.sampled_from(MACHINES),
)
def test_decode_throughput(answer, model, batch, machine):
    """Decode waits for the bytes of the weights until the batch has passed the ridge."""
    step = counted_pass(model, batch, 1, context=0)
    throughput = observe(tokens_a_second=batch / step.seconds(machine))

    # A bf16 weight has two bytes. The played machine takes up to 1.6 % more than the slower of its engines.
    assert throughput == approx(answer(step.weights // 2, batch, machine), rel=0.02)


@claim(
    wrong=(flops_over_peak, bytes_over_bandwidth), right=the_slower_of_both, evidence="measured", examples=2
)
@given(batch=st.sampled_from([1, 1024]))
def test_decode_throughput_on_a_gpu(answer, gpu, batch):
    """On a GPU a step of one request takes the time of a read, and one of a thousand that of its FLOPs."""
    # Eight 8192×8192 weights are 1.07 GB in bf16: no cache of a GPU holds them.
    weights = torch.ones(8, 8192, 8192, dtype=torch.bfloat16, device=gpu)
    sums, copied = torch.empty(8, batch, 8192, dtype=weights.dtype, device=gpu), torch.empty_like(weights)
    runs = [lambda: [torch.mm(w[:batch], w, out=out) for w, out in zip(weights, sums, strict=True)]]
    runs += [lambda: copied.copy_(weights), lambda: weights[0] @ weights[1]]
    step, copy, product = seconds(*runs, device=gpu)

    machine = Machine("measured", peak=2 * 8192**3 / product, bandwidth=2 * nbytes(weights) / copy)
    params = weights.numel()
    laws = batch * machine.bandwidth / (2 * params), machine.peak / (2 * params)
    tokens = observe(tokens_a_second=batch / step)

    assert observe(smallest=sums.min().item()) == 8192
    assert nearest(tokens, *laws) == approx(answer(params, batch, machine))
