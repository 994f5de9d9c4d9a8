"""Reservoir sampling: uniform over the whole stream

A stream of events has no known end, and you may keep k of them. Each arrival replaces a random kept
event on the toss of a coin. Is what you keep a uniform sample of the stream?

Verdict: holds if every event of the whole past shall weigh the same
Asked: AI Interview Prep newsletter, ML System Design #33
Source: Vitter 1985, "Random sampling with a reservoir", ACM TOMS 11(1), pages 37-57 (algorithm R),
    https://doi.org/10.1145/3147.3165
Right when: Recency is wanted. The coin-flip buffer is then a feature: the second claim gives its law.
Limits: The newsletter's abstract breaks off after "naive approaches like"; only what is visible is
    judged. Of Vitter's paper the abstract and the introduction were read.
"""

from fractions import Fraction
from math import comb

from hypothesis import given, strategies as st

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
    """The i-th arrival takes a slot with probability k/i, and the slot is random.

    Whoever is kept before stays with probability 1 - 1/i, which brings k/(i-1) down to k/i as well.
    """
    kept = []
    for seen, event in enumerate(stream):
        if seen < k:
            kept.append(event)
        elif (slot := rng.randrange(seen + 1)) < k:
            kept[slot] = event
    return kept


def same_share(k, arrivals, age):
    """Whatever its age, an event is kept with probability k/n."""
    return Fraction(k, k + arrivals)


def halves_then_fades(k, arrivals, age):
    """The coin admits an arrival half the time; each later one evicts it with probability 1/(2k).

    The age of what is kept is geometric: the buffer is a soft window over the last few times k
    events, and its bias towards the recent grows without end.
    """
    return Fraction(1, 2) * (1 - Fraction(1, 2 * k)) ** age


@claim(wrong=(replace_on_a_coin_flip, always_replace, keep_the_last, keep_the_first), right=algorithm_r)
@given(k=st.integers(1, 3), later=st.integers(0, 4))
def test_reservoir_is_uniform(answer, k, later):
    """All k-subsets of the stream are equally likely, so even the rarest has its full share."""
    events = list(range(k + later))

    chance = law(lambda rng: frozenset(answer(events, k, rng)))

    assert observe(rarest=rarest(chance, events, k)) == Fraction(1, comb(k + later, k))


@claim(wrong=same_share, right=halves_then_fades)
@given(k=st.integers(1, 3), older=st.integers(0, 2), age=st.integers(0, 3))
def test_coin_flip_buffer_fades(answer, k, older, age):
    """In a coin-flip buffer the chance of an event falls by a constant factor an arrival."""
    event, arrivals = k + older, older + 1 + age

    chance = law(lambda rng: event in replace_on_a_coin_flip(range(k + arrivals), k, rng))

    assert observe(kept=chance[True]) == answer(k, arrivals, age)
