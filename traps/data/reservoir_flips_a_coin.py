"""Reservoir sampling from an unbounded stream

Events stream in without a known end, and your buffer holds k of them. A colleague lets each arrival
replace a random kept event on the toss of a coin. Is that a uniform sample of everything seen so far, and
if not, what is?

Answer: No; reservoir sampling is (algorithm R): keep the first k; the n-th event enters with probability
    k/n and replaces a random slot. Then each event seen is kept with probability k/n, and n need not be
    known beforehand. A coin flip favors the recent: a buffer of one keeps the second of three events
    with 1/4, not 1/3, and the bias grows with every arrival.
Says: Reservoir sampling guarantees each event of an unbounded stream the same probability to be in a
    buffer of fixed size.
Verdict: holds
Asked: AI Interview Prep newsletter, ML System Design #33
Source: Vitter 1985, "Random sampling with a reservoir", ACM TOMS 11(1), pages 37-57 (algorithm R),
    https://doi.org/10.1145/3147.3165
Terms: reservoir sampling, algorithm R, streaming, uniform sampling, recency bias, sliding window,
    fixed-size buffer, Vitter, online sampling, unbounded stream
Right when: Recency is wanted: then the coin-flip buffer is a feature, and the second claim gives its law.
Limits: The stored abstract stops after "naive approaches like". Of Vitter's paper the abstract and the
    introduction were read. Several streams are the page reservoir_pools_the_shards.
"""

from math import comb

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.chance import law, rarest


def replace_on_a_coin_flip(stream, k, rng):
    """Each arrival replaces a random kept event if a fair coin says so."""
    kept = []
    for event in stream:
        if len(kept) < k:
            kept.append(event)
        elif rng.randrange(2):
            kept[rng.randrange(k)] = event
    return kept


def always_replace(stream, k, rng):
    """Each arrival replaces a random kept event, so every slot is random."""
    kept = []
    for event in stream:
        if len(kept) < k:
            kept.append(event)
        else:
            kept[rng.randrange(k)] = event
    return kept


def keep_the_last(stream, k, rng):
    """A window over the newest k events represents the stream."""
    return stream[-k:]


def keep_the_first(stream, k, rng):
    """The first k events are as good a sample as any."""
    return stream[:k]


def algorithm_r(stream, k, rng):
    """The n-th event enters with probability k/n and takes a random slot.

    What was kept before stays with probability 1 - 1/n, which brings k/(n-1) down to k/n as well.
    """
    kept = []
    for seen, event in enumerate(stream):
        if seen < k:
            kept.append(event)
        elif (slot := rng.randrange(seen + 1)) < k:
            kept[slot] = event
    return kept


def same_share(k, arrivals, age):
    """Whatever its age, an event is kept with probability k/n, n being the events seen."""
    return k / (k + arrivals)


def halves_then_fades(k, arrivals, age):
    """An event gets in half the time, and fades by the same factor with each later arrival.

    Each later one evicts it with probability 1/(2k). So the buffer is a soft window over the last few
    times k events, and its bias towards the recent grows without end.
    """
    return (1 - 1 / (2 * k)) ** age / 2


@claim(
    wrong=(replace_on_a_coin_flip, always_replace, keep_the_last, keep_the_first),
    right=algorithm_r,
    evidence="simulated",
)
@example(k=1, later=2)
@example(k=1, later=1)
@example(k=3, later=0)
@given(k=st.integers(1, 3), later=st.integers(-2, 4))
def test_reservoir_is_uniform(answer, k, later):
    """All k-subsets of the stream are equally likely, so even the rarest has its full share.

    stream: the events, in their order
    k: events that the buffer holds
    later: events beyond those, none if negative
    """
    events = list(range(max(0, k + later)))
    size = min(k, len(events))

    chance = law(lambda rng: frozenset(answer(events, k, rng)))

    assert observe(rarest=float(rarest(chance, events, size))) == approx(1 / comb(len(events), size))


@claim(wrong=same_share, right=halves_then_fades, evidence="simulated")
@example(k=1, older=0, age=1)
@given(k=st.integers(1, 3), older=st.integers(0, 2), age=st.integers(0, 3))
def test_coin_flip_buffer_fades(answer, k, older, age):
    """In a coin-flip buffer the chance of an event falls by a constant factor per arrival.

    k: events that the buffer holds
    older: events that came after the buffer was full and before the one that counts
    age: events that came after it
    arrivals: events that came after the buffer was full
    """
    stream = [*range(k + older), "the one", *range(100, 100 + age)]
    chance = law(lambda rng: "the one" in replace_on_a_coin_flip(stream, k, rng))

    assert observe(kept=float(chance.get(True, 0))) == approx(answer(k, older + 1 + age, age))
