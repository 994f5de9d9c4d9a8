"""Merging reservoir samples of two shards

Two shards keep k events each, samples of streams of different length. May you pool the two buffers and
draw k of the pool? And does a uniform sample of events show every user with the same chance?

Answer: No: draw each event from a shard with the odds of what that shard still stands for. With one event
    seen on the left, two on the right and a buffer of one, the pool takes the left event with 1/2, where
    1/3 is right; with a buffer of two even two shards of three events each give pairs of one shard too
    rarely. Users are not alike either: a user who causes c of N events is in the sample with probability
    1 - C(N-c, k)/C(N, k), so with one event of three and a sample of one it is 1/3, though there are but
    two users.
Verdict: not judged: the newsletter's abstract speaks of one stream, and of events
Asked: AI Interview Prep newsletter, ML System Design #33
Source: Vitter 1985, "Random sampling with a reservoir", ACM TOMS 11(1), pages 37-57,
    https://doi.org/10.1145/3147.3165
Terms: distributed reservoir, merge, shards, weighted sampling, uniform sample, map-reduce, user-level
    sampling, heavy users, stratified sampling, streaming
Right when: The buffer holds one event and both shards have seen equally many, or neither has dropped any;
    all users cause equally many.
Limits: Two shards, and samples without replacement. How one shard samples is the page
    reservoir_flips_a_coin.
"""

from math import comb

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.chance import law, rarest


def pool_the_buffers(left, left_seen, right, right_seen, k, rng):
    """Both buffers are uniform samples, so any k of their union are one too."""
    return rng.sample([*left, *right], min(k, len(left) + len(right)))


def draw_by_events_kept(left, left_seen, right, right_seen, k, rng):
    """Draw each event from a shard with the odds of the events that its buffer still holds."""
    return draw_by_events_seen(left, len(left), right, len(right), k, rng)


def draw_by_events_seen(left, left_seen, right, right_seen, k, rng):
    """Draw each event from a shard with the odds of the events that it still stands for.

    A buffer of k speaks for all that its shard has seen, be it ten events or ten million. With each event
    that is taken the shard stands for one less.
    """
    kept = []
    while len(kept) < k and left_seen + right_seen:
        if rng.randrange(left_seen + right_seen) < left_seen:
            kept.append(left.pop(rng.randrange(len(left))))
            left_seen -= 1
        else:
            kept.append(right.pop(rng.randrange(len(right))))
            right_seen -= 1
    return kept


def every_user_alike(counts, k):
    """The sample is uniform, so each of the users has a chance of k in their number."""
    return min(1.0, k / len(counts))


def share_of_the_events(counts, k):
    """A user is in the sample k times as likely as in a single draw."""
    return min(1.0, k * counts[0] / sum(counts))


def misses_all_draws(counts, k):
    """One minus the chance that all k events of the sample belong to others.

    That is 1 - C(N-c, k)/C(N, k). A sample that is uniform over events favors those who cause many.
    """
    return 1 - comb(sum(counts) - counts[0], k) / comb(sum(counts), k)


@claim(
    wrong=(pool_the_buffers, draw_by_events_kept),
    right=draw_by_events_seen,
    evidence="simulated",
    examples=40,
)
@example(k=1, left=1, right=2)
@example(k=2, left=3, right=3)
@example(k=1, left=2, right=2)
@example(k=2, left=1, right=3)
@example(k=2, left=0, right=3)
@given(k=st.integers(1, 3), left=st.integers(0, 3), right=st.integers(0, 3))
def test_merged_reservoirs_are_uniform(answer, k, left, right):
    """Two shards that hold uniform samples, once merged, keep all sets of events with the same chance.

    k: events that each buffer holds, and the merged one
    left: events of the left shard; to a merge, those in its buffer
    right: the same of the right shard
    left_seen: events that the left shard has seen
    right_seen: events that the right shard has seen
    """
    events = range(left + right)
    size = min(k, len(events))

    def merge(rng):
        buffers = [
            rng.sample(seen, k) if len(seen) > k else list(seen) for seen in (events[:left], events[left:])
        ]
        return frozenset(answer(buffers[0], left, buffers[1], right, k, rng))

    chance = law(merge)

    assert observe(rarest=float(rarest(chance, events, size))) == approx(1 / comb(len(events), size))


@claim(
    wrong=(every_user_alike, share_of_the_events), right=misses_all_draws, evidence="simulated", examples=40
)
@example(counts=[1, 2], k=1)
@example(counts=[2, 2], k=1)
@given(
    counts=st.lists(st.integers(1, 3), min_size=2, max_size=2)
    | st.lists(st.integers(1, 2), min_size=3, max_size=3),
    k=st.integers(1, 2),
)
def test_chance_of_a_user(answer, counts, k):
    """A user's chance to be in the sample grows with their events, at most in proportion.

    counts: how many events each user causes, first the user that counts
    k: events in the sample
    """
    owners = [user for user, count in enumerate(counts) for _ in range(count)]

    chance = law(lambda rng: 0 in rng.sample(owners, min(k, len(owners))))

    assert observe(chance=float(chance.get(True, 0))) == approx(answer(counts, k))
