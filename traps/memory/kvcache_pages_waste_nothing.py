"""Paging the KV cache: what waste is left

Sequences of unknown length share one KV cache. Reserving the longest length for each wastes most of it;
PagedAttention hands out pages of b tokens instead. Is the waste then gone, and how many more requests
fit?

Verdict: refuted as stated: paging does not eliminate internal fragmentation, it bounds it by one page a
    sequence; what it eliminates is external fragmentation, the holes between reservations
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 6
Source: Kwon et al. 2023, "Efficient Memory Management for Large Language Model Serving with
    PagedAttention", sections 1 and 4.3, https://arxiv.org/abs/2309.06180
Right when: Every length is a multiple of the page, or the page is one token. At b = 16 and spread
    lengths 7.5 slots a sequence are lost, 7 % at a mean length of 100 and 1.5 % at 500.
Limits: Copies on write and preemption are left out here.
"""

from random import Random

from hypothesis import given, strategies as st

from fixtures import claim, observe
from fixtures.paging import OutOfPages, PagedPool


def paging_eliminates_waste(lengths, block, max_len):
    """Pages are taken on demand, so nothing is held that is not used."""
    return 0


def reservation_is_held(lengths, block, max_len):
    """The server must keep room for the longest answer of every request."""
    return sum(max_len - length for length in lengths)


def last_page_only(lengths, block, max_len):
    """The unfilled rest of each sequence's last page: the sum of -length mod b.

    A new page is taken when the last one is full, so no other page has a hole.
    """
    return sum(-length % block for length in lengths)


def every_slot_serves(lengths, block, pages, max_len):
    """Requests fit until their tokens exceed the slots."""
    served, slots = 0, pages * block
    for length in lengths:
        slots -= length
        if slots < 0:
            break
        served += 1
    return served


def longest_length_each(lengths, block, pages, max_len):
    """Capacity is slots divided by the longest length."""
    return min(len(lengths), pages * block // max_len)


def whole_pages(lengths, block, pages, max_len):
    """Requests fit until their whole pages, each length rounded up, exceed the pool.

    Against a reservation of the longest length the gain is that length over the mean rounded-up length,
    and none when every request reaches it.
    """
    served = 0
    for length in lengths:
        pages -= -(-length // block)
        if pages < 0:
            break
        served += 1
    return served


def serve(lengths, pool, seed):
    """Grow sequences to these lengths token by token, in random turns."""
    turns = [number for number, length in enumerate(lengths) for _ in range(length)]
    Random(seed).shuffle(turns)
    sequences = [pool.open() for _ in lengths]
    for number in turns:
        pool.append(sequences[number])


def admit(lengths, pool):
    """Serve requests one after the other, and count them until the pool refuses."""
    for served, length in enumerate(lengths):
        sequence = pool.open()
        try:
            for _ in range(length):
                pool.append(sequence)
        except OutOfPages:
            return served
    return len(lengths)


# The longest length a request may ask for, and lengths that fill their last page, whatever its size.
MAX_LEN = 64
whole = st.sampled_from([16, 32, 48, 64])


@claim(wrong=(paging_eliminates_waste, reservation_is_held), right=last_page_only, examples=40)
@given(
    lengths=st.lists(st.integers(1, MAX_LEN) | whole, min_size=1, max_size=6),
    block=st.sampled_from([2, 4, 8, 16]),
    seed=st.integers(0, 9),
)
def test_kvcache_pages_waste(answer, lengths, block, seed):
    """What a paged cache holds and does not fill is the rest of each sequence's last page."""
    pool = PagedPool(pages=len(lengths) * MAX_LEN // block, block=block, seed=seed)

    serve(lengths, pool, seed)

    assert observe(unfilled=pool.unfilled()) == answer(lengths, block, MAX_LEN)


@claim(wrong=(every_slot_serves, longest_length_each), right=whole_pages, examples=40)
@given(
    lengths=st.lists(st.integers(1, MAX_LEN) | whole, min_size=2, max_size=6),
    block=st.sampled_from([2, 4, 8, 16]),
    pages=st.integers(1, 16),
)
def test_kvcache_pages_admission(answer, lengths, block, pages):
    """A pool admits requests by whole pages."""
    pool = PagedPool(pages, block)

    assert observe(served=admit(lengths, pool)) == answer(lengths, block, pages, MAX_LEN)
