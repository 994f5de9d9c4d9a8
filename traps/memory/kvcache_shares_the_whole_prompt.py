"""Sharing a prompt in a paged KV cache

Several samples continue one prompt, and its cache lies scattered over the blocks of a pool. How many
blocks do the samples hold together, and is attention through the block table still exact?

Answer: The full blocks of the prompt once; everything from its partly filled block on once per sample, as
    two samples that write into one block overwrite each other (copy on write). Four samples of a prompt
    of 20 tokens with 10 new ones hold 5 blocks of 16 where separate caches hold 8. Read in the order of
    the block table and cut at the length, the cache gives attention exactly as one piece of memory would.
Says: A block table maps a logical sequence to physical blocks, which lets requests share pages, and a
    specialized kernel fetches the scattered blocks without contiguous storage.
Verdict: holds if blocks are copied on write: a block that is not full is shared until a sample writes
    into it
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 6
Source: Kwon et al. 2023, "Efficient Memory Management for Large Language Model Serving with
    PagedAttention", sections 4.1 and 4.4, https://arxiv.org/abs/2309.06180
Source: PyTorch source code, torch.nn.attention.experimental._paged_attention.PagedAttention,
    https://github.com/pytorch/pytorch/blob/main/torch/nn/attention/experimental/_paged_attention.py
Terms: PagedAttention, prefix caching, prefix sharing, copy on write, copy-on-write, fork, parallel
    sampling, beam search, block table, page table, paged attention kernel, tail masking, vLLM
Right when: The prompt ends at the border of a block: four samples of 16 tokens with 10 new ones hold 5
    blocks of 16, and there is none to copy.
Limits: Samples of one request, each of which writes at least one token. Until a sample writes, all share
    the last block too. Across requests only full blocks with equal tokens in them and before them can be
    shared. torch's class is experimental and copies nothing on write: shown is how much may be shared.
    What caches waste without sharing is the page kvcache_reserves_the_longest_answer.
"""

from functools import partial
from random import Random

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st

from fixtures import claim, observe


def contiguous_read(q, caches, table, length):
    """The cache is one tensor; its first slots are the sequence."""
    return F.scaled_dot_product_attention(q, *caches.flatten(1, 2)[:, :length])


def blocks_as_they_lie(q, caches, table, length):
    """Attention does not mind the order of its keys, so read the blocks in the pool's order."""
    return F.scaled_dot_product_attention(q, *caches[:, table.sort().values].flatten(1, 2)[:, :length])


def whole_blocks_read(q, caches, table, length):
    """Gather the blocks of the table and attend to all that is in them."""
    return F.scaled_dot_product_attention(q, *caches[:, table].flatten(1, 2))


def through_the_table(q, caches, table, length):
    """Gather the blocks in the table's order and cut at the length: the order of tokens is restored.

    The rest of the last block holds whatever was there before, and must not be attended to.
    """
    return F.scaled_dot_product_attention(q, *caches[:, table].flatten(1, 2)[:, :length])


def nothing_is_shared(prompt, samples, new, block):
    """Every sample holds its own prompt."""
    return samples * -(-(prompt + new) // block)


def last_block_is_shared_too(prompt, samples, new, block):
    """All blocks of the prompt stay shared, and each sample adds blocks for what it writes beyond them."""
    shared = -(-prompt // block)
    return shared + samples * (-(-(prompt + new) // block) - shared)


def full_blocks_are_shared(prompt, samples, new, block):
    """The full blocks of the prompt once, and everything from its partly filled block on once per sample.

    The next token of each sample belongs in the slot after the prompt, and no two can have it.
    """
    shared = prompt // block
    return shared + samples * (-(-(prompt + new) // block) - shared)


def paged(pages, block, sequences):
    """The page table of torch's paged KV cache."""
    from torch.nn.attention.experimental._paged_attention import PagedAttention

    return PagedAttention(pages, block, sequences, device="cpu")


def write(pool, sequence, start, tokens, caches):
    """Write keys and values [2, n, width] of a sequence into caches [2, slots, width], from a position on."""
    of, at = torch.tensor([sequence]), torch.arange(start, start + tokens.shape[1])[None]
    pool.reserve(of, at[:, -1] + 1)
    pool.assign(of, at, *tokens[:, None, None], *caches[:, None, None])


@claim(wrong=(contiguous_read, blocks_as_they_lie, whole_blocks_read), right=through_the_table, examples=60)
@example(length=500, block=16, width=128, seed=0)
@given(
    length=st.integers(1, 40) | st.sampled_from([16, 32, 48]),
    block=st.sampled_from([2, 1, 4, 8, 16]),
    width=st.sampled_from([2, 4, 8]),
    seed=st.integers(0, 9999),
)
def test_kvcache_read_through_a_block_table(answer, length, block, width, seed):
    """Attention over scattered blocks equals attention over the contiguous cache.

    q: a query [1, width]
    caches: the pool's keys and values [2, blocks, block, width]
    table: the sequence's blocks
    length: the sequence's tokens
    """
    random = torch.Generator().manual_seed(seed)
    draw = partial(torch.randn, generator=random, dtype=torch.float64)
    pool = paged(512 // block, block, 1)
    # Blocks are free in any order, and hold what was there before.
    Random(seed).shuffle(pool.empty_pages)
    q, tokens, caches = draw(1, width), draw(2, length, width), draw(2, 512, width)
    write(pool, 0, 0, tokens, caches)
    table = pool.page_table[0]

    read = answer(q, caches.view(2, -1, block, width), table[table >= 0], length)

    error = (read - F.scaled_dot_product_attention(q, *tokens)).abs().max().item()
    # Float64 rounds at 1e-16: a mean of 500 terms of order one stays far below 1e-10.
    assert observe(error=error) <= 1e-10


@claim(wrong=(nothing_is_shared, last_block_is_shared_too), right=full_blocks_are_shared, examples=60)
@example(prompt=20, samples=4, new=10, block=16)
@example(prompt=16, samples=4, new=10, block=16)
@given(
    prompt=st.integers(1, 20),
    samples=st.integers(1, 4),
    new=st.integers(1, 12),
    block=st.sampled_from([2, 1, 4, 8]),
)
def test_kvcache_blocks_of_samples(answer, prompt, samples, new, block):
    """Samples that share as many blocks as they can, and read back their own tokens, share the full ones.

    samples: sequences that continue one prompt
    """
    length, held = prompt + new, -(-(prompt + new) // block)
    texts = torch.arange(float(length)).view(-1, 1).repeat(samples, 2, 1, 1)
    texts[:, :, prompt:] += 100 * torch.arange(samples).view(-1, 1, 1, 1)
    for shared in range(-(-prompt // block), -1, -1):
        pool, caches = paged(samples * held, block, samples), torch.zeros(2, samples * held * block, 1)
        write(pool, 0, 0, texts[0], caches)
        pool.page_table[1:, :shared], pool.capacity[1:] = pool.page_table[0, :shared], shared * block
        for sample in range(1, samples):
            start = min(shared * block, prompt)
            write(pool, sample, start, texts[sample, :, start:], caches)
        tables = pool.page_table[:, :held]
        if caches.view(2, -1, block)[:, tables].flatten(2)[..., :length].equal(texts[..., 0].transpose(0, 1)):
            break

    assert observe(blocks=tables.unique().numel()) == answer(prompt, samples, new, block)
