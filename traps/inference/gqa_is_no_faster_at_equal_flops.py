"""Does grouped-query attention decode faster, at equal FLOPs?

One decode step attends with 32 query heads, to 32 key/value heads or to 4 that are shared. The scores and
their FLOPs are the same. Is the time?

Verdict: holds
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 15
Source: Ainslie et al. 2023, "GQA: Training Generalized Multi-Query Transformer Models from Multi-Head
    Checkpoints", table 1, https://arxiv.org/abs/2305.13245
Right when: The machine computes slower than it reads. A CPU without bf16 arithmetic took the same time for
    both in bf16, 1.07 to 1, as it converts every number first; hence fp32 here.
Limits: A measurement decides only which of two laws is nearer. On a CPU of 10 GB/s a core the factor was 4.2
    of 8, where arithmetic begins to count, and part of it is a matrix-vector product becoming a matrix
    product. "4-8x" of the book for 64 heads on 8 should read 8x, in the limit.
"""

import torch
from hypothesis import given, strategies as st

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds


def flops_decide(heads, kv_heads):
    """The same number of FLOPs takes the same time."""
    return 1


def bytes_decide(heads, kv_heads):
    """A decode step waits for keys and values, so the group's factor in bytes is a factor in time.

    Each number read is used for one multiply-add a query head of the group; a machine that can do more in
    the time of a read has nothing else to wait for.
    """
    return heads // kv_heads


def decode_step(kv_heads, group, context, dim, batch, dtype, device):
    """Attention of one new token a sequence, ready to run on ones, whose mean is one."""
    q = torch.ones(batch, kv_heads, group, dim, dtype=dtype, device=device)
    k, v = torch.ones(2, batch, kv_heads, context, dim, dtype=dtype, device=device)
    return lambda: (q @ k.transpose(-1, -2)).softmax(-1) @ v


@claim(wrong=flops_decide, right=bytes_decide, evidence="measured", examples=2)
@given(kv_heads=st.sampled_from([4, 5]))
def test_gqa_decode_latency(answer, kv_heads):
    """On a CPU the time of decode attention follows the bytes of the cache."""
    heads, cpu = 8 * kv_heads, torch.device("cpu")
    # 4096 tokens of 32 heads are 134 MB in fp32: no cache of the CPU holds them.
    shape = {"context": 4096, "dim": 128, "batch": 1, "dtype": torch.float32, "device": cpu}

    steps = decode_step(heads, 1, **shape), decode_step(kv_heads, 8, **shape)
    many, few = seconds(*steps, device=cpu)

    assert observe(outputs=[step().unique().tolist() for step in steps]) == [[1.0], [1.0]]
    assert nearest(observe(ratio=many / few), 1, 8) == answer(heads, kv_heads)


@claim(wrong=flops_decide, right=bytes_decide, evidence="measured", examples=2)
@given(batch=st.sampled_from([32, 24]))
def test_gqa_decode_latency_on_a_gpu(answer, gpu, batch):
    """On a GPU the time of decode attention follows the bytes of the cache."""
    # 8192 tokens of 64 heads, batch 32: 8.6 GB in bf16, far above the second-level cache.
    shape = {"context": 8192, "dim": 128, "batch": batch, "dtype": torch.bfloat16, "device": gpu}

    steps = decode_step(64, 1, **shape), decode_step(8, 8, **shape)
    many, few = seconds(*steps, device=gpu)

    assert observe(outputs=[step().unique().tolist() for step in steps]) == [[1.0], [1.0]]
    assert nearest(observe(ratio=many / few), 1, 8) == answer(64, 8)
