"""N+1 queries: fetching the features of many candidates

A ranker needs the features of 20 candidates, and its code looks each one up by its key in a loop. What
does one more candidate cost, and what is the cure?

Answer: Each look-up is a query, so a list of n candidates costs n round trips over the network, N+1 with
    the query for the list: 20 candidates take 20. Ask once for all ids (an IN query, a multi-get), and
    put the rows in order afterwards: 1 query instead of 20, or one per chunk of some thousand ids, as
    statements have a limit. A cache spares repeats alone.
Says: Poorly batched feature joins, not the model, make p99 explode past 400 ms, through their hops over
    the network alone.
Verdict: holds if each query is a trip over the network
Asked: AI Interview Prep newsletter, ML System Design #26
Source: SQLite documentation, "Many Small Queries Are Efficient In SQLite",
    https://www.sqlite.org/np1queryprob.html
Terms: N+1, n_plus_one, nplus1, N+1 queries, batching, IN query, multi-get, round trip, feature store,
    feature join, ORM, SQLite, p99, tail latency
Right when: No network lies between, as in SQLite itself: there many small queries do little harm.
Limits: Queries are counted, not timed, and one takes one trip however many ids it names. The post's
    stored text stops before its solution. What many calls do to p99 is the page
    latency_forgets_the_slowest_fetch.
"""

import sqlite3
from contextlib import closing

from hypothesis import example, given, strategies as st

from fixtures import claim, observe


def a_query_per_id(store, ids):
    """Look each candidate up by its key, which is what a key-value store is quick at."""
    return [store.execute("SELECT value FROM features WHERE id = ?", [i]).fetchone()[0] for i in ids]


def a_query_per_new_id(store, ids):
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
    if not ids:
        return []
    marks = ", ".join("?" * len(ids))
    known = dict(store.execute(f"SELECT id, value FROM features WHERE id IN ({marks})", ids))
    return [known[i] for i in ids]


# Below 999, which was the limit of one statement in SQLite before its version 3.32.
FEATURES = 900


def feature_store():
    """A table of features, each worth the square of its id."""
    store = sqlite3.connect(":memory:")
    store.execute("CREATE TABLE features (id INTEGER PRIMARY KEY, value INTEGER)")
    store.executemany("INSERT INTO features VALUES (?, ?)", [(i, i * i) for i in range(FEATURES)])
    return store


@claim(wrong=(a_query_per_id, a_query_per_new_id), right=a_query_for_all)
@example(ids=list(range(20)))
@example(ids=[])
@example(ids=[7])
@example(ids=list(range(FEATURES)))
@given(ids=st.lists(st.integers(0, FEATURES - 1), min_size=0, max_size=30))
def test_fetch_of_many_features(answer, ids):
    """The features of all candidates are one query away, and no candidates take none.

    store: an open database
    ids: the candidates, which may repeat
    """
    queries = []
    with closing(feature_store()) as store:
        store.set_trace_callback(queries.append)

        assert answer(store, ids) == [i * i for i in ids]
    assert observe(queries=len(queries)) <= min(1, len(ids))
