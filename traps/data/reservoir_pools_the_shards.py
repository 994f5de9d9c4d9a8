"""What a reservoir sample does not promise: shards and users

Two shards each keep a uniform sample of k events of their own streams. May you pool the two buffers
and sample from the pool? And has every user the same chance to appear in a uniform sample of events?

Verdict: holds if there is one stream and the unit that matters is the event; shards merge in proportion
    to what they have seen, and a user weighs what his events weigh
Asked: AI Interview Prep newsletter, ML System Design #33
Source: Vitter 1985, "Random sampling with a reservoir", ACM TOMS 11(1), pages 37-57,
    https://doi.org/10.1145/3147.3165
Right when: Both shards have seen the same number of events, or all users cause equally many.
Limits: The newsletter says nothing of shards or users; this page shows where the obvious extension
    of its answer is biased.
"""

from fractions import Fraction
from itertools import combinations
from math import comb

from hypothesis import given, strategies as st

from fixtures import claim, observe
from fixtures.chance import law, rarest


def pool_the_buffers(left, left_seen, right, right_seen, k, rng):
    """Both buffers are uniform samples, so any k of their union are one too."""
    pool = [*left, *right]
    return [pool.pop(rng.randrange(len(pool))) for _ in range(min(k, len(pool)))]


def draw_by_events_seen(left, left_seen, right, right_seen, k, rng):
    """Draw each event from a shard with the odds of the events that it still stands for.

    A buffer of k speaks for all that its shard has seen, be it ten events or ten million.
    """
    left, right, kept = list(left), list(right), []
    while len(kept) < k and left_seen + right_seen:
        if rng.randrange(left_seen + right_seen) < left_seen:
            kept.append(left.pop(rng.randrange(len(left))))
            left_seen -= 1
        else:
            kept.append(right.pop(rng.randrange(len(right))))
            right_seen -= 1
    return kept


def every_user_alike(counts, user, k):
    """The sample is uniform, so each of the users has a chance of k in their number."""
    return Fraction(k, len(counts))


def share_of_the_events(counts, user, k):
    """A user is in the sample k times as likely as in a single draw."""
    return min(Fraction(1), Fraction(k * counts[user], sum(counts)))


def misses_all_draws(counts, user, k):
    """One minus the chance that all k events belong to others: 1 - C(N - c, k) / C(N, k).

    A sample that is uniform over events favours those who cause many.
    """
    return 1 - Fraction(comb(sum(counts) - counts[user], k), comb(sum(counts), k))


@claim(wrong=pool_the_buffers, right=draw_by_events_seen)
@given(k=st.integers(1, 3), left=st.integers(1, 3), right=st.integers(1, 2))
def test_merged_reservoirs_are_uniform(answer, k, left, right):
    """Two uniform shards merge into a uniform sample of both streams."""
    events = range(left + right)
    streams = events[:left], events[left:]
    shards = [list(combinations(stream, min(k, len(stream)))) for stream in streams]

    def merge(rng):
        first, second = (shard[rng.randrange(len(shard))] for shard in shards)
        return frozenset(answer(first, left, second, right, k, rng))

    size = min(k, len(events))

    assert observe(rarest=rarest(law(merge), events, size)) == Fraction(1, comb(len(events), size))


@claim(wrong=(every_user_alike, share_of_the_events), right=misses_all_draws)
@given(counts=st.lists(st.integers(1, 4), min_size=2, max_size=4), k=st.integers(1, 2))
def test_chance_of_a_user(answer, counts, k):
    """A user's chance grows with his events, short of proportion."""
    owners = [user for user, count in enumerate(counts) for _ in range(count)]
    samples = list(combinations(owners, k))

    seen = Fraction(sum(0 in sample for sample in samples), len(samples))

    assert observe(chance=seen) == answer(counts, 0, k)
