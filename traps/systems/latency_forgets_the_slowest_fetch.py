"""Waiting for many fetches

The ranker of a recommender needs features of many candidates from several stores, all of them asked at once.
How long does a request wait, how often is it slow if a call seldom is, and what does one more candidate cost?

Verdict: holds if each query is a trip over the network
Asked: AI Interview Prep newsletter, ML System Design #26
Source: Dean and Barroso 2013, "The Tail at Scale", CACM 56(2), pages 74-80: of requests to 100 servers 63 %
    are slow if 1 % of the calls are, https://research.google/pubs/the-tail-at-scale/
Source: SQLite documentation, "Many Small Queries Are Efficient In SQLite",
    https://www.sqlite.org/np1queryprob.html
Right when: The chance of a slow call times their number, n·p, is far below 1: then it is nearly the chance of
    a slow request. Where no network lies between, as in SQLite itself, many small queries do little harm.
Limits: The calls are independent, and a query takes one trip however many ids it names. Stores that slow down
    together make fewer requests slow. The newsletter's abstract breaks off before its solution; what it says
    of batching is "poorly batched feature joins".
"""

import asyncio
import sqlite3
from contextlib import closing
from fractions import Fraction
from functools import cache

from hypothesis import given, strategies as st

from fixtures import claim, observe
from fixtures.chance import law
from fixtures.worlds import duration


def fetches_add_up(fetches, model):
    """Every store takes its time, so the request pays for all of them."""
    return sum(fetches) + model


def average_fetch(fetches, model):
    """The fetches overlap, so what counts is how long one takes on average."""
    return sum(fetches) / len(fetches) + model


def slowest_fetch(fetches, model):
    """The slowest fetch and then the model: a faster store is worth nothing unless it is the slowest."""
    return max(fetches) + model


def as_rare_as_a_slow_call(calls, slow):
    """If one call in a hundred is slow, so is one request in a hundred."""
    return slow


def once_for_each_call(calls, slow):
    """Each call adds its chance: n·p."""
    return calls * slow


def unless_all_are_fast(calls, slow):
    """A request is fast if all of its calls are: it is slow with probability 1 - (1 - p)^n.

    With 100 calls, of which each is slow once in 100 times, 63 % of the requests are slow.
    """
    return 1 - (1 - slow) ** calls


def a_query_an_id(store, ids):
    """Look each candidate up by its key, which is what a key-value store is quick at."""
    return [store.execute("SELECT value FROM features WHERE id = ?", [i]).fetchone()[0] for i in ids]


def a_query_a_new_id(store, ids):
    """Keep what was fetched: only an id not seen before costs a query."""
    known = {}
    for i in ids:
        if i not in known:
            known[i] = store.execute("SELECT value FROM features WHERE id = ?", [i]).fetchone()[0]
    return [known[i] for i in ids]


def a_query_for_all(store, ids):
    """Ask once for all ids, and put the rows in order afterwards.

    A query is a trip over the network. Its length counts little, its number counts in full.
    """
    marks = ", ".join("?" * len(ids))
    known = dict(store.execute(f"SELECT id, value FROM features WHERE id IN ({marks})", ids))
    return [known[i] for i in ids]


async def request(fetches, model):
    """Serve a request: all fetches at once, then the model."""
    await asyncio.gather(*map(asyncio.sleep, fetches))
    await asyncio.sleep(model)


@cache
def is_slow(calls):
    """Whether a request takes longer than a fast call, which takes 1 ms, where a slow one takes 1000."""
    return duration(request([1000 if slow else 1 for slow in calls], 0)) > 1


def feature_store():
    """A table of 40 features, each worth the square of its id."""
    store = sqlite3.connect(":memory:")
    store.execute("CREATE TABLE features (id INTEGER PRIMARY KEY, value INTEGER)")
    store.executemany("INSERT INTO features VALUES (?, ?)", [(i, i * i) for i in range(40)])
    return store


milliseconds = st.integers(1, 80).map(lambda n: 10 * n)


@claim(wrong=(fetches_add_up, average_fetch), right=slowest_fetch, evidence="simulated")
@given(fetches=st.lists(milliseconds, min_size=2, max_size=8), model=milliseconds)
def test_latency_of_parallel_fetches(answer, fetches, model):
    """A request that fetches in parallel waits for the slowest fetch."""
    taken = duration(request(fetches, model))

    assert observe(milliseconds=taken) == answer(fetches, model)


@claim(wrong=(as_rare_as_a_slow_call, once_for_each_call), right=unless_all_are_fast, evidence="simulated")
@given(calls=st.integers(1, 4), one_in=st.integers(2, 5))
def test_latency_tail_of_a_fan_out(answer, calls, one_in):
    """The more calls a request waits for, the more often it waits for a slow one."""
    chance = law(lambda rng: is_slow(tuple(rng.randrange(one_in) == 0 for _ in range(calls))))

    assert observe(slow=chance[True]) == answer(calls, Fraction(1, one_in))


@claim(wrong=(a_query_an_id, a_query_a_new_id), right=a_query_for_all)
@given(ids=st.lists(st.integers(0, 39), min_size=2, max_size=30))
def test_fetch_of_many_features(answer, ids):
    """The features of all candidates are one query away."""
    queries = []
    with closing(feature_store()) as store:
        store.set_trace_callback(queries.append)

        assert answer(store, ids) == [i * i for i in ids]
    assert observe(queries=len(queries)) == 1
