"""The memory of AdamW on a bf16 model

A model of seven billion parameters is loaded in bf16, and AdamW is built on it. How many bytes a parameter
does training hold, and from when on?

Verdict: refuted as stated: torch's AdamW keeps its moments in the dtype of the parameters and makes them at
    the first step, so bf16 training holds 8 bytes a parameter, 56 GB, and building it holds none
Asked: AI Interview Prep newsletter, LLM System Design #45
Source: The PyTorch authors 2026, torch.optim.AdamW, https://docs.pytorch.org/docs/stable/optim.html
Source: Rajbhandari et al. 2020, "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models",
    section 3.1: 2 + 2 + 12 bytes, https://arxiv.org/abs/1910.02054
Source: AReaL issue 1292, 2026: AdamW takes the dtype of bf16 parameters,
    https://github.com/areal-project/AReaL/issues/1292
Right when: The framework keeps fp32 master weights, as DeepSpeed and Megatron do, or the model is fp32 under
    autocast: 16 bytes a parameter, 112 GB for seven billion.
Limits: Tensors that are held; activations, and what a step needs for a moment, are not. Whether bf16 moments
    train as well is another page's question. The abstract of the newsletter breaks off.
"""

import gc
from functools import reduce
from itertools import islice

import torch
from hypothesis import given, strategies as st
from pytest import approx
from torch import nn

from fixtures import claim, observe
from fixtures.meters import nbytes

PHASES = ["load", "build", "backward", "step"]

# Bytes a parameter of weights, master copy, gradients and moments: what each phase adds.
PARTS = {
    "bf16": (2, 0, 2, 4),
    "fp32": (4, 0, 4, 8),
    "bf16, fp32 master": (2, 4, 2, 8),
    "bf16, fp32 master and gradients": (2, 4, 4, 8),
}


def weights_only(policy, phase, n, tensors):
    """A bf16 model takes two bytes a parameter, an fp32 model four."""
    return n * PARTS[policy][0]


def moments_when_built(policy, phase, n, tensors):
    """An optimizer allocates its state when it is built."""
    weights, master, gradients, moments = PARTS[policy]
    parts = [weights, master + moments, gradients, 0]
    return n * sum(parts[: PHASES.index(phase) + 1]) + (0 if phase == "load" else 4 * tensors)


def moments_in_fp32(policy, phase, n, tensors):
    """AdamW keeps momentum and variance in fp32, eight bytes a parameter, whatever the model is in."""
    parts = [*PARTS[policy][:-1], 8]
    return n * sum(parts[: PHASES.index(phase) + 1]) + (4 * tensors if phase == "step" else 0)


def moments_like_the_parameters(policy, phase, n, tensors):
    """Moments come with the first step, and each is like the parameter that AdamW was given.

    So 8 bytes a parameter in bf16; 16 with fp32 parameters or an fp32 master copy; 18 if the gradients
    are fp32 as well. A step counter a tensor takes four bytes more.
    """
    parts = PARTS[policy]
    return n * sum(parts[: PHASES.index(phase) + 1]) + (4 * tensors if phase == "step" else 0)


def training(shapes, policy, device):
    """One step of a training loop: yields, at the end of each phase, all tensors that it holds."""
    dtype = torch.float32 if policy == "fp32" else torch.bfloat16
    weights = [nn.Parameter(torch.zeros(shape, dtype=dtype, device=device)) for shape in shapes]
    yield weights

    trained = [nn.Parameter(w.detach().float()) for w in weights] if "master" in policy else weights
    optimizer = torch.optim.AdamW(trained)
    yield held(weights, trained, optimizer)

    reduce(torch.matmul, weights, torch.ones(3, shapes[0][0], dtype=dtype, device=device)).sum().backward()
    if policy == "bf16, fp32 master and gradients":
        for w, t in zip(weights, trained, strict=True):
            t.grad, w.grad = w.grad.float(), None
    yield held(weights, trained, optimizer)

    if policy == "bf16, fp32 master":
        for w, t in zip(weights, trained, strict=True):
            t.grad = w.grad.float()
    optimizer.step()
    for w, t in zip(weights, trained, strict=True):
        w.data.copy_(t)
        if t is not w and w.grad is not None:  # a copy for the step alone
            t.grad = None
    yield held(weights, trained, optimizer)


def held(weights, trained, optimizer):
    """Weights and what is trained in their place, the gradients of both, and the optimizer's state."""
    gradients = [p.grad for p in (*weights, *trained) if p.grad is not None]
    state = [tensor for entry in optimizer.state.values() for tensor in entry.values()]
    return [*weights, *trained, *gradients, *state]


policies, phases = st.sampled_from(list(PARTS)), st.sampled_from(PHASES)


@claim(
    wrong=(weights_only, moments_when_built, moments_in_fp32), right=moments_like_the_parameters, examples=60
)
@given(policy=policies, phase=phases, inner=st.integers(1, 40), outer=st.integers(2, 40))
def test_memory_of_adamw_by_phase(answer, device, policy, phase, inner, outer):
    """AdamW's moments appear at the first step, in the dtype of the parameters."""
    run = training([(outer, inner), (inner, outer)], policy, device)

    tensors = next(islice(run, PHASES.index(phase), None))

    assert observe(memory=nbytes(*tensors)) == answer(policy, phase, 2 * inner * outer, 2)


@claim(
    wrong=(weights_only, moments_when_built, moments_in_fp32), right=moments_like_the_parameters, examples=16
)
@given(policy=policies, phase=phases, inner=st.integers(5, 8).map(lambda k: 512 * k))
def test_memory_of_adamw_on_a_gpu(answer, gpu, policy, phase, inner):
    """The allocator of a GPU counts the same bytes."""
    # Tensors of whole 2 MiB, which is how the allocator takes memory, so that no block is left half used.
    shapes = [(2048, inner), (inner, 2048)]
    for _ in training(shapes, policy, gpu):  # after which all libraries have their workspaces
        pass
    del _
    gc.collect()
    before = torch.cuda.memory_allocated(gpu)
    run = training(shapes, policy, gpu)
    tensors = next(islice(run, PHASES.index(phase), None))

    memory = torch.cuda.memory_allocated(gpu) - before

    # A tensor takes 512 bytes at least, and step counters of four bytes may lie on the host.
    assert observe(memory=memory) == approx(answer(policy, phase, 4096 * inner, 2), abs=512 * len(tensors))
