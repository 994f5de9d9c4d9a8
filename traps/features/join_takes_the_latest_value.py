"""Joining features to labels in time

Labels of past days are to be joined with a feature store for training. A join takes each user's latest
value. What is wrong, and what does the model see in production?

Answer: The latest value knows the future: of values of days 1, 5 and 9 a label of day 6 gets that of day
    9, where the model in production had that of day 5. Join the last value that could be read at the
    label's time, and leave the feature empty if there is none yet. If a day's value is there only the day
    after, as from daily batches, that is the last one before the label's day.
Verdict: not judged: a trap of our own
Asked: nowhere yet
Source: pandas documentation 2025, "pandas.merge_asof",
    https://pandas.pydata.org/docs/reference/api/pandas.merge_asof.html
Source: SQLite documentation 2025, "Correlated subqueries", https://www.sqlite.org/lang_expr.html
Terms: point_in_time, point-in-time join, as-of join, feature_store, feature store, data leakage, leakage,
    training_serving_skew, time travel, backfill, merge_asof, event time
Right when: Features never change.
Limits: Times are whole days, and all values take as long to arrive. How much such a leak lifts an offline
    metric is not shown.
"""

import sqlite3
from contextlib import closing

from hypothesis import example, given, strategies as st

from fixtures import claim, observe

SELECT = "SELECT value FROM features WHERE {} ORDER BY day {} LIMIT 1"


def latest_of_all(store, day, delay):
    """The feature store holds the user's value: take the latest."""
    return first(store, SELECT.format("1", "DESC"))


def nearest_in_time(store, day, delay):
    """The value that was taken nearest to the label describes it best."""
    return first(store, SELECT.format("1", "").replace("day ", f"abs(day - {day}) "))


def at_or_before(store, day, delay):
    """The last value at or before the label's time is what was known then."""
    return first(store, SELECT.format(f"day <= {day}", "DESC"))


def strictly_before(store, day, delay):
    """A value of the label's own day may know the label, so take an earlier one."""
    return first(store, SELECT.format(f"day < {day}", "DESC"))


def last_readable_then(store, day, delay):
    """The last value that had arrived at the label's time, or none if none had.

    Of values of days 1, 5 and 9 a label of day 6 gets that of day 5.
    """
    return first(store, SELECT.format(f"day <= {day - delay}", "DESC"))


def first(store, query):
    """The value of a query's only row, or -1."""
    row = store.execute(query).fetchone()
    return row[0] if row else -1


# Another order than that of the days 0 to 20, each value once: 8 has no divisor in common with 21.
VALUES = [(8 * day + 4) % 21 for day in range(21)]


@claim(wrong=(latest_of_all, nearest_in_time, at_or_before, strictly_before), right=last_readable_then)
@example(days=[1, 5, 9], day=6, delay=0)
@example(days=[1, 5, 9], day=5, delay=0)
@example(days=[1, 5, 9], day=5, delay=1)
@example(days=[1, 5, 9], day=8, delay=0)
@example(days=[5], day=1, delay=0)
@example(days=[1, 5, 9], day=9, delay=3)
@given(
    days=st.lists(st.integers(0, 20), max_size=6, unique=True),
    day=st.integers(0, 20),
    delay=st.integers(0, 3),
)
def test_feature_of_a_past_label(answer, days, day, delay):
    """A training row gets the value that a model in production would have had at that time.

    store: an open database with the values of a user, each with the day that it is of
    days: of each value
    day: of the label, which gets -1 if there is no value
    delay: days until a value can be read
    """
    with closing(sqlite3.connect(":memory:")) as store:
        store.execute("CREATE TABLE features (day INTEGER, value INTEGER)")
        store.executemany("INSERT INTO features VALUES (?, ?)", [(d, VALUES[d]) for d in days])
        joined = answer(store, day, delay)

    served = -1
    for today in range(day + 1):  # production sees the days go by
        served = VALUES[today - delay] if today - delay in days else served
    assert observe(joined=joined) == served
