"""How large a model AdamW trains in 80 GB

A model of seven billion parameters shall be trained with AdamW on a GPU of 80 GB. Does it fit, and what is
the largest that would, before any activation?

Verdict: refuted as stated: in pure bf16 the model, its gradients and AdamW's moments take 56 GB, and 10.7
    billion parameters would fit; with fp32 master weights they take 112 GB, and 5.3 billion fit
Asked: AI Interview Prep newsletter, LLM System Design #45
Source: Rajbhandari et al. 2020, "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models",
    section 3.1: 2 + 2 + 12 bytes, https://arxiv.org/abs/1910.02054
Source: The PyTorch authors 2026, torch.optim.AdamW, https://docs.pytorch.org/docs/stable/optim.html
Right when: There are fp32 master weights, as DeepSpeed and Megatron keep, or fp32 weights under autocast.
Limits: 80 GB is taken as 80 GiB. Activations are left out, and so is what a step needs for a moment: by its
    documentation torch's foreach path, the default on CUDA, takes about one more copy of the parameters. The
    abstract of the newsletter breaks off.
"""

import torch
from hypothesis import given, strategies as st
from torch import nn

from fixtures import claim, observe
from fixtures.meters import nbytes

# Bytes a parameter of weights, an fp32 master copy, gradients and moments.
PARTS = {
    "bf16": (2, 0, 2, 4),
    "fp32": (4, 0, 4, 8),
    "bf16, fp32 master": (2, 4, 2, 8),
    "bf16, fp32 master and gradients": (2, 4, 4, 8),
}


def weights_alone(policy, gib):
    """A model fits if its weights do: seven billion in bf16 are 14 GB."""
    return gib * 2**30 // (PARTS[policy][0] * 10**8) / 10


def always_sixteen(policy, gib):
    """AdamW takes 16 bytes a parameter."""
    return gib * 2**30 // (16 * 10**8) / 10


def fp32_moments_beside(policy, gib):
    """bf16 shrinks the weights and their gradients; AdamW adds two moments in fp32."""
    weights, _, gradients, _ = PARTS[policy]
    return gib * 2**30 // ((weights + gradients + 8) * 10**8) / 10


def over_the_sum_of_its_parts(policy, gib):
    """The memory over 8, 16 or 18 bytes a parameter.

    80 GiB hold 10.7 billion parameters in bf16; 5.3 billion in fp32, or in bf16 with an fp32 master copy;
    4.7 billion with fp32 gradients as well.
    """
    return gib * 2**30 // (sum(PARTS[policy]) * 10**8) / 10


def after_one_step(policy, parameters):
    """All tensors that training holds once AdamW has made a step, at full size on the meta device."""
    dtype = torch.float32 if policy == "fp32" else torch.bfloat16
    model = nn.Parameter(torch.empty(parameters // 1000, 1000, dtype=dtype, device="meta"))
    (model * torch.empty(1000, dtype=dtype, device="meta")).sum().backward()
    gradient = model.grad.float() if policy.endswith("gradients") else model.grad
    trained = nn.Parameter(model.detach().float()) if "master" in policy else model
    trained.grad = gradient.to(trained.dtype)
    optimizer = torch.optim.AdamW([trained])
    optimizer.step()
    return [model, trained, gradient, *optimizer.state[trained].values()]


@claim(
    wrong=(weights_alone, always_sixteen, fp32_moments_beside), right=over_the_sum_of_its_parts, examples=6
)
@given(policy=st.sampled_from(list(PARTS)), gib=st.sampled_from([80, 40, 24]))
def test_memory_that_adamw_fills(answer, policy, gib):
    """The largest model that AdamW trains, in billions of parameters, fills the memory with all its parts."""
    fits, too_large = 0, 2**8
    while too_large - fits > 1:
        tenths = (fits + too_large) // 2
        memory = nbytes(*after_one_step(policy, tenths * 10**8))
        fits, too_large = (tenths, too_large) if memory <= gib * 2**30 else (fits, tenths)

    assert observe(billions=fits / 10) == answer(policy, gib)
