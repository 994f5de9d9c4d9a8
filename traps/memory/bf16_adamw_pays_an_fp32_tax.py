"""The memory of AdamW on a bf16 model

A model of seven billion parameters is loaded in bf16 on an A100 with 80 GB. Its weights take 14 GB. Why does
training it with AdamW run out of memory, and when exactly?

Answer: Count weights, gradients, moments and a master copy: in mixed precision 2 + 2 + 8 + 4 = 16 bytes per
    parameter, 112 GB, and without the master copy still 12 bytes, 84 GB. torch's AdamW keeps its moments in
    the dtype of the parameters, so pure bf16 takes 8 bytes, 56 GB, plus activations. The moments appear with
    the first step(), not when AdamW is built. Shard them (ZeRO, FSDP), quantize them or offload them.
Says: The weights occupy only 14 GB of the 80, yet the script runs out of memory as soon as the AdamW …
    (there the public abstract stops; as a digest tells it, AdamW holds two fp32 tensors per parameter, 56
    GB, allocated when it is instantiated).
Verdict: holds if the moments are kept in fp32, as mixed-precision frameworks keep them; torch.optim.AdamW on
    bf16 parameters keeps them in bf16, and allocates nothing before its first step
Asked: AI Interview Prep newsletter, LLM System Design #45
Source: Rajbhandari et al. 2020, "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models",
    section 3.1: 2 + 2 + 12 bytes, https://arxiv.org/abs/1910.02054
Terms: AdamW memory, optimizer state, exp_avg, exp_avg_sq, OOM, out of memory, 16 bytes per parameter, ZeRO,
    master weights, mixed precision, gradients, A100 80 GB, lazy initialization
Right when: The model was loaded in fp32, or a framework keeps fp32 master weights, as DeepSpeed and Megatron
    do: at 16 bytes per parameter 80 GB hold 5 billion.
Limits: Tensors that are held, in GB of 10^9 bytes. Activations are left out, and so is what a step needs for
    a moment: by its documentation (https://docs.pytorch.org/docs/stable/optim.html) torch's foreach path,
    the default on CUDA, takes about one more copy of the parameters. Whether moments in bf16 train as well
    is the page bf16_moments_do_the_harm.
"""

import gc
from itertools import islice

import torch
from hypothesis import example, given, strategies as st
from pytest import approx
from torch import nn

from fixtures import claim, observe
from fixtures.meters import nbytes

PHASES = ["load", "build", "backward", "step"]

# Bytes per parameter that each phase adds: weights, a master copy, gradients, moments.
PARTS = {
    "bf16": (2, 0, 2, 4),
    "bf16, fp32 moments": (2, 0, 2, 8),
    "bf16, fp32 master": (2, 4, 2, 8),
    "bf16, fp32 master and gradients": (2, 4, 4, 8),
    "fp32": (4, 0, 4, 8),
}


def weights_only(policy, phase, params):
    """A model in bf16 takes two bytes per parameter, one in fp32 four."""
    return params * PARTS[policy][0]


def moments_when_built(policy, phase, params):
    """An optimizer allocates its state when it is instantiated."""
    weights, master, gradients, moments = PARTS[policy]
    parts = [weights, master + moments, gradients, 0]
    return params * sum(parts[: PHASES.index(phase) + 1])


def moments_in_fp32(policy, phase, params):
    """AdamW keeps momentum and variance in fp32, eight bytes per parameter, whatever the model is in."""
    parts = [*PARTS[policy][:-1], 8]
    return params * sum(parts[: PHASES.index(phase) + 1])


def moments_like_the_parameters(policy, phase, params):
    """The sum of what is there so far; moments come with the first step, in the dtype that AdamW was given.

    After it a parameter takes 8 bytes in bf16 (2 + 2 + 4), 12 with moments in fp32, 16 in fp32 or with a
    master copy.
    """
    return params * sum(PARTS[policy][: PHASES.index(phase) + 1])


def training(policy, params, device):
    """One step of a training loop: yields, at the end of each phase, all tensors that it holds."""
    dtype = torch.float32 if policy == "fp32" else torch.bfloat16
    model = nn.Parameter(torch.zeros(params, dtype=dtype, device=device))
    yield [model]

    trained = model
    if "master" in policy:
        trained = nn.Parameter(model.detach().float())
    elif "moments" in policy:  # AdamW is lent a copy in fp32 for the length of each step
        trained = nn.Parameter(torch.empty(0, device=device))
    optimizer = torch.optim.AdamW([trained])
    yield held(model, trained, optimizer)

    model.square().sum().backward()
    if "gradients" in policy:
        trained.grad, model.grad = model.grad.float(), None
    yield held(model, trained, optimizer)

    if "moments" in policy:
        trained.data = model.detach().float()
    if trained.grad is None:
        trained.grad = model.grad.float()
    optimizer.step()
    model.data.copy_(trained)
    if trained is not model and model.grad is not None:
        trained.grad = None
    if "moments" in policy:
        trained.data = torch.empty(0, device=device)
    yield held(model, trained, optimizer)


def held(model, trained, optimizer):
    """The model, what is trained in its place, their gradients and the moments, without the step counter."""
    moments = [tensor for name, tensor in optimizer.state[trained].items() if name != "step"]
    return [model, trained, *(p.grad for p in (model, trained) if p.grad is not None), *moments]


policies, phases = st.sampled_from(list(PARTS)), st.sampled_from(PHASES)


@claim(
    wrong=(weights_only, moments_when_built, moments_in_fp32), right=moments_like_the_parameters, examples=60
)
@example(policy="bf16", phase="build", params=7_000_000_000)
@example(policy="bf16", phase="step", params=7_000_000_000)
@example(policy="bf16, fp32 moments", phase="step", params=7_000_000_000)
@example(policy="bf16, fp32 master", phase="step", params=7_000_000_000)
@example(policy="fp32", phase="step", params=5_000_000_000)
@given(policy=policies, phase=phases, params=st.integers(1, 99_999))
def test_memory_of_adamw_by_phase(answer, device, policy, phase, params):
    """AdamW's moments appear at the first step, in the dtype of the tensors that it was given.

    policy: which tensors are bf16 and which fp32
    phase: what happened last: the model was loaded, AdamW built, backward() or step() called
    """
    # On torch's meta device tensors have a size and no content.
    run = training(policy, params, device if params < 10**5 else "meta")

    tensors = next(islice(run, PHASES.index(phase), None))

    assert observe(memory_bytes=nbytes(*tensors)) == answer(policy, phase, params)


@claim(wrong=(moments_when_built, moments_in_fp32), right=moments_like_the_parameters, examples=20)
@given(policy=policies, phase=phases, params=st.integers(5, 8).map(lambda k: k * 2**20))
def test_memory_of_adamw_on_a_gpu(answer, gpu, policy, phase, params):
    """The allocator of a GPU counts the same bytes.

    policy: which tensors are bf16 and which fp32
    phase: what happened last
    """
    gc.collect()
    before = torch.cuda.memory_allocated(gpu)
    run = training(policy, params, gpu)
    tensors = next(islice(run, PHASES.index(phase), None))

    memory = torch.cuda.memory_allocated(gpu) - before

    # The allocator gives a tensor 512 bytes at least, such as the step counter, which may lie on the host.
    assert observe(memory_bytes=memory) == approx(answer(policy, phase, params), abs=512 * (len(tensors) + 1))
