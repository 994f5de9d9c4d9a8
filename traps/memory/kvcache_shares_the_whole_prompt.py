"""Paging the KV cache: sharing a prompt, and reading through the table

Many samples continue one prompt, and the cache lies scattered over the pages of a pool. How many pages do
the samples hold together, and does attention through a block table still give the exact result?

Verdict: holds if the partly filled page of the prompt is counted once a sample
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 6
Source: Kwon et al. 2023, "Efficient Memory Management for Large Language Model Serving with
    PagedAttention", sections 4.1 and 4.4, https://arxiv.org/abs/2309.06180
Right when: The prompt ends at a page's border: then there is no partly filled page to copy.
"""

import torch
import torch.nn.functional as F
from hypothesis import given, strategies as st

from fixtures import claim, observe
from fixtures.paging import PagedPool


def nothing_is_shared(prompt, samples, new, block):
    """Every sample holds its own prompt."""
    return samples * -(-(prompt + new) // block)


def last_page_is_shared_too(prompt, samples, new, block):
    """All pages of the prompt are shared, and each sample adds pages for what it wrote."""
    room = -prompt % block
    return -(-prompt // block) + samples * max(0, -(-(new - room) // block))


def full_pages_are_shared(prompt, samples, new, block):
    """The full pages of the prompt once, and everything from its partly filled page on n times.

    The first token that a sample writes into the shared page makes a copy of it.
    """
    shared = prompt // block
    return shared + samples * (-(-(prompt + new) // block) - shared)


def contiguous_read(q, keys, values, table, length):
    """The cache is one tensor; its first slots are the sequence."""
    return F.scaled_dot_product_attention(q, keys.flatten(0, 1)[:length], values.flatten(0, 1)[:length])


def whole_pages_read(q, keys, values, table, length):
    """Gather the pages of the table and attend to all that is in them."""
    return F.scaled_dot_product_attention(q, keys[table].flatten(0, 1), values[table].flatten(0, 1))


def through_the_table(q, keys, values, table, length):
    """Gather the pages in the table's order and cut at the length: the order of tokens is restored.

    The rest of the last page holds whatever was there before, and must not be attended to.
    """
    k, v = (pool[table].flatten(0, 1)[:length] for pool in (keys, values))
    return F.scaled_dot_product_attention(q, k, v)


@claim(wrong=(nothing_is_shared, last_page_is_shared_too), right=full_pages_are_shared)
@given(
    prompt=st.integers(1, 20),
    samples=st.integers(2, 4),
    new=st.integers(1, 12),
    block=st.sampled_from([2, 4, 8]),
)
def test_kvcache_of_forked_samples(answer, prompt, samples, new, block):
    """Samples of one prompt share its full pages and copy the last one."""
    pool = PagedPool(pages=samples * (prompt + new), block=block)
    forks = [pool.open()]
    for _ in range(prompt):
        pool.append(forks[0])
    forks += [pool.fork(forks[0]) for _ in range(samples - 1)]

    for fork in forks * new:
        pool.append(fork)

    assert observe(pages=pool.held()) == answer(prompt, samples, new, block)


@claim(wrong=(contiguous_read, whole_pages_read), right=through_the_table, examples=60)
@given(
    length=st.integers(2, 40),
    dim=st.sampled_from([2, 4, 8]),
    block=st.sampled_from([2, 4, 8, 16]),
    seed=st.integers(0, 9),
)
def test_kvcache_read_through_a_block_table(answer, length, dim, block, seed):
    """Attention over scattered pages equals attention over the contiguous cache."""
    random = torch.Generator().manual_seed(seed)
    tokens, stale = (torch.randn(n, 2, dim, generator=random, dtype=torch.float64) for n in (length, 64))
    pool = PagedPool(pages=64 // block, block=block, width=2 * dim, seed=seed)
    pool.slots.copy_(stale.view_as(pool.slots))
    sequence = pool.open()
    for token in tokens:
        pool.append(sequence, token.flatten())
    keys, values = pool.slots.unflatten(-1, (2, dim)).unbind(2)
    q = torch.randn(1, dim, generator=random, dtype=torch.float64)

    exact = F.scaled_dot_product_attention(q, tokens[:, 0], tokens[:, 1])
    paged = answer(q, keys, values, pool.tables[sequence], length)

    # Float64 rounds at 1e-16, and a sum of 40 terms of order one stays far below 1e-10.
    assert observe(error=(paged - exact).abs().max().item()) <= 1e-10
