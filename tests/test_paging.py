"""The paged cache, proved on sequences short enough to follow by hand."""

import pytest
import torch

from fixtures.paging import OutOfPages, PagedPool


def grow(pool, sequence, tokens):
    for token in tokens:
        pool.append(sequence, float(token))


def test_a_page_is_taken_when_the_last_one_is_full():
    """Five tokens in pages of two hold three pages, with one slot unfilled."""
    pool = PagedPool(pages=8, block=2)
    grow(pool, pool.open(), range(5))

    assert (pool.held(), pool.unfilled()) == (3, 1)


def test_tokens_are_found_through_the_table():
    """However the sequences interleave, each table leads to its own tokens in order."""
    pool = PagedPool(pages=8, block=2)
    first, second = pool.open(), pool.open()
    for token in range(4):
        pool.append(first, float(token))
        pool.append(second, float(10 + token))

    assert pool.slots[pool.tables[first]].flatten().tolist() == [0, 1, 2, 3]
    assert pool.slots[pool.tables[second]].flatten().tolist() == [10, 11, 12, 13]


def test_pages_come_in_random_order():
    """Reading the pool from its first page would not find a sequence."""
    pool = PagedPool(pages=8, block=1)
    grow(pool, pool.open(), range(8))

    assert pool.tables[0] != sorted(pool.tables[0])


def test_a_fork_shares_until_it_writes():
    """Three tokens in pages of two: the full page stays shared, the partly filled one is copied."""
    pool = PagedPool(pages=8, block=2)
    prompt = pool.open()
    grow(pool, prompt, [1, 2, 3])
    sample = pool.fork(prompt)
    assert pool.held() == 2

    pool.append(sample, 4.0)

    assert pool.held() == 3
    assert pool.tables[sample][0] == pool.tables[prompt][0]
    assert pool.slots[pool.tables[sample]].flatten().tolist() == [1, 2, 3, 4]
    assert pool.slots[pool.tables[prompt]].flatten()[:3].tolist() == [1, 2, 3]
    assert pool.unfilled() == 1


def test_a_full_pool_refuses():
    """The third page of two is an error, and what was written stays."""
    pool = PagedPool(pages=2, block=1)
    sequence = pool.open()
    grow(pool, sequence, [1, 2])

    with pytest.raises(OutOfPages, match="all 2 pages are held"):
        pool.append(sequence, 3.0)
    assert pool.lengths[sequence] == 2


def test_a_token_may_be_a_row():
    """A slot as wide as a key holds a key."""
    pool = PagedPool(pages=1, block=2, width=3)
    pool.append(pool.open(), torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))

    assert pool.slots[0, 0].tolist() == [1, 2, 3]
    assert pool.unfilled() == 1
