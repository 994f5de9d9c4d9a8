"""KV cache memory in a high-throughput server

KV caching speeds up decoding. Which bottleneck does it create in a high-throughput server, and how do you
solve it?

Answer: Memory, most of it reserved for tokens that never come. A server that sets aside 2,048 slots for an
    answer that ends at 500 tokens leaves 1,548 of them idle, and 512 blocks of 16 slots serve four requests.
    Hand the blocks out on demand, through a block table (PagedAttention): the same memory serves 16, and
    what idles is the rest of each last block, 12 slots here. A larger batch is what raises throughput.
Says: Contiguous blocks that are allocated in advance for the maximum length waste gigabytes. Pages that are
    allocated on demand and need no contiguous storage eliminate internal fragmentation, and pack more
    requests into VRAM.
Verdict: imprecise: paging on demand ends over-reservation and external fragmentation, and bounds internal
    fragmentation by one block per sequence.
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 6
Source: Kwon et al. 2023, "Efficient Memory Management for Large Language Model Serving with
    PagedAttention", sections 3 and 4.3: earlier systems fill 20.4 to 38.2 % of their KV cache memory with
    tokens, https://arxiv.org/abs/2309.06180
Source: PyTorch source code, torch.nn.attention.experimental._paged_attention.PagedAttention,
    https://github.com/pytorch/pytorch/blob/main/torch/nn/attention/experimental/_paged_attention.py
Terms: PagedAttention, vLLM, KV cache fragmentation, internal fragmentation, external fragmentation, paging,
    block table, page table, over-reservation, preallocation, block size, page size, max_model_len,
    max_num_seqs, admission, out of memory, OOM, continuous batching
Right when: Every request reaches the longest length: then a reservation wastes nothing, and 512 blocks
    of 16 serve four requests of 2,048 tokens either way.
Limits: Sequences that share nothing; how samples share a prompt is the page kvcache_shares_the_whole_prompt.
    A server that admits by the tokens at hand may run out of blocks later and has to preempt, which is left
    out. torch's class is experimental; observed is its page table, on torch 2.13.
"""

import torch
from hypothesis import example, given, strategies as st

from fixtures import claim, observe


def pages_waste_nothing(lengths, block, reserved):
    """Pages are taken on demand and need not lie together, so no slot is held that is not used."""
    return 0


def rest_of_the_reservation(lengths, block, reserved):
    """What was set aside for a longer answer is idle, and nothing else."""
    return sum(max(0, reserved - length) for length in lengths)


def a_page_for_the_next_token(lengths, block, reserved):
    """A sequence always has room for one more token, so after a full page it holds an empty one."""
    return sum(max(length // block + 1, -(-reserved // block)) * block - length for length in lengths)


def whole_pages_less_tokens(lengths, block, reserved):
    """Each sequence holds whole pages for the longer of its length and its reservation.

    Without a reservation the rest of its last page is idle, -length mod b: 12 slots for 500 tokens in pages
    of 16, none for 512. Reserved for 2,048 tokens, pages waste as much as one piece of memory does.
    """
    return sum(-(-max(length, reserved) // block) * block - length for length in lengths)


def every_slot_serves(lengths, block, pages, reserved):
    """Requests fit until their tokens exceed the free slots."""
    return within(pages * block, lengths)


def longest_length_each(lengths, block, pages, reserved):
    """Any request may become as long as the longest, so capacity is the pool over that length."""
    return within(pages, [-(-max(reserved, *lengths) // block)] * len(lengths))


def in_one_piece(lengths, block, pages, reserved):
    """A cache lies in one piece, so where free pages lie apart, only what fits a page is served."""
    return within(pages, [1 if max(n, reserved) <= block else pages + 1 for n in lengths])


def whole_pages_each(lengths, block, pages, reserved):
    """Requests fit until their pages, each length or reservation rounded up, exceed the free ones.

    Where these lie does not matter. 512 pages of 16 serve 16 requests of 500 tokens, and four that reserve
    2,048: the gain is the reservation over the mean rounded-up length.
    """
    return within(pages, [-(-max(length, reserved) // block) for length in lengths])


def within(room, sizes):
    """How many sizes fit, one after the other, before the first that does not."""
    return sum(sum(sizes[: i + 1]) <= room for i in range(len(sizes)))


def paged(pages, block, sequences):
    """The page table of torch's paged KV cache."""
    from torch.nn.attention.experimental._paged_attention import PagedAttention

    return PagedAttention(pages, block, sequences, device="cpu")


def reserve(pool, sequence, tokens):
    """Have the pool hold so many tokens of a sequence, and say whether it does."""
    try:
        pool.reserve(torch.tensor([sequence]), torch.tensor([tokens]))
    except AssertionError:
        return False
    return True


# Lengths at the borders of pages, whatever their size, and others up to the longest reservation.
borders = st.sampled_from([k * 16 + off for k in (1, 2, 3) for off in (-1, 0, 1)])
several = st.lists(st.integers(1, 64) | borders, min_size=1, max_size=6)
blocks, reservations = st.sampled_from([2, 1, 4, 8, 16]), st.sampled_from([0, 20, 32, 64])


@claim(
    wrong=(pages_waste_nothing, rest_of_the_reservation, a_page_for_the_next_token),
    right=whole_pages_less_tokens,
    examples=60,
)
@example(lengths=[500], block=16, reserved=2048)
@example(lengths=[500], block=16, reserved=0)
@example(lengths=[512], block=16, reserved=0)
@example(lengths=[500], block=1, reserved=0)
@given(lengths=several, block=blocks, reserved=reservations)
def test_kvcache_slots_that_idle(answer, lengths, block, reserved):
    """What a paged cache holds without a token is the rest of a last page, or of a reservation.

    lengths: tokens of each sequence in the end
    reserved: tokens for which a sequence takes pages when it arrives
    """
    pool = paged(sum(max(length, reserved) for length in lengths), block, len(lengths))
    for sequence, length in enumerate(lengths):
        for tokens in (reserved, *range(1, length + 1)):
            reserve(pool, sequence, tokens)

    held = (pool.page_table >= 0).sum().item() * block

    assert observe(idle_slots=held - sum(lengths)) == answer(lengths, block, reserved)


@claim(wrong=(every_slot_serves, longest_length_each, in_one_piece), right=whole_pages_each, examples=60)
@example(lengths=[500] * 17, block=16, pages=512, reserved=2048)
@example(lengths=[500] * 17, block=16, pages=512, reserved=0)
@example(lengths=[2048] + [500] * 16, block=16, pages=512, reserved=0)
@example(lengths=[2048] * 5, block=16, pages=512, reserved=0)
@given(lengths=several, block=blocks, pages=st.integers(1, 24), reserved=reservations)
def test_kvcache_requests_that_fit(answer, lengths, block, pages, reserved):
    """Scattered free pages serve requests until the pages of these exceed them.

    lengths: tokens of each request, in the order of arrival
    pages: free blocks, between any two of which lies one that is held
    reserved: tokens for which a request takes pages when it arrives
    """
    pool = paged(2 * pages, block, len(lengths))
    pool.empty_pages = pool.empty_pages[::2]

    fits = [reserve(pool, request, max(length, reserved)) for request, length in enumerate(lengths)]

    assert observe(served=[*fits, False].index(False)) == answer(lengths, block, pages, reserved)
