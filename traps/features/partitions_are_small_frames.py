"""Mapping a feature script over partitions

A pandas script is spread over partitions of a large file by map_partitions, each of which it treats as a
dataframe. Is the result that of the whole file?

Answer: Not wherever a row needs its neighbors or a total. A rolling mean over w rows is wrong, or
    missing, for the first w - 1 rows of each partition but the first: with three partitions of 4 rows and
    w = 3 that is 4 rows. Dask's own rolling reads over the border and is right. So use the engine's own
    operations, for means, ranks and codes of categories too, and compare with the whole on a small file.
Verdict: not judged: the stored text stops before it says what wrapping breaks
Asked: AI Interview Prep newsletter, ML System Design #32
Source: Dask documentation 2026, "dask.dataframe.DataFrame.map_partitions" and "map_overlap",
    https://docs.dask.org/en/stable/dataframe-api.html
Terms: pandas, Dask, map_partitions, partition, rolling window, groupby, shuffle, map_overlap, distributed
    dataframe, Spark, feature engineering, z-score
Right when: Each row is computed from itself alone.
Limits: Dask's dataframes on one machine; Spark and Ray have the same borders and were not run. Partitions
    shorter than the window, which Dask's own rolling refuses, are left out. Without Dask the claim is
    unverified.
"""

from hypothesis import example, given, strategies as st

from fixtures import claim, observe
from fixtures.optional import library


def row_by_row(sizes, window, way):
    """The function sees all rows, some at a time, so the result is the same."""
    return 0


def every_row_at_a_border(sizes, window, way):
    """At each border one row lacks its neighbor, so three partitions have 2 wrong rows."""
    return len(sizes) - 1 if way == "map_partitions" and window > 1 else 0


def any_way_of_cutting(sizes, window, way):
    """A distributed frame has no rows before a partition's own, so any rolling window is cut there."""
    return first_rows_of_the_parts(sizes, window, "map_partitions")


def first_rows_of_the_parts(sizes, window, way):
    """Window - 1 rows of each partition but the first, unless Dask's own rolling reads over the border.

    That is 4 for three partitions of 4 rows and a window of 3.
    """
    return 0 if way == "rolling" else (len(sizes) - 1) * (window - 1)


@claim(
    wrong=(row_by_row, every_row_at_a_border, any_way_of_cutting), right=first_rows_of_the_parts, examples=25
)
@example(sizes=[4, 4, 4], window=3, way="map_partitions")
@example(sizes=[4, 4, 4], window=3, way="rolling")
@example(sizes=[4, 4], window=1, way="map_partitions")
@given(
    sizes=st.lists(st.integers(4, 9), min_size=1, max_size=4),
    window=st.integers(1, 4),
    way=st.sampled_from(["map_partitions", "rolling"]),
)
def test_partitions_of_a_rolling_mean(answer, sizes, window, way):
    """A function that is mapped over partitions cuts each rolling window at their borders.

    sizes: rows of each partition
    window: rows of the rolling mean
    way: the pandas function mapped over partitions, or Dask's own rolling
    """
    dask, dataframe, pandas = map(library, ("dask", "dask.dataframe", "pandas"))
    rows = pandas.DataFrame({"x": [float(i * i) for i in range(sum(sizes))]})
    borders = [sum(sizes[:i]) for i in range(len(sizes))] + [sum(sizes) - 1]
    with dask.config.set(scheduler="synchronous"):
        frame = dataframe.from_pandas(rows, npartitions=1).repartition(divisions=borders, force=True)
        mapped = frame.map_partitions(lambda part: part.rolling(window).mean())
        cut = (mapped if way == "map_partitions" else frame.rolling(window).mean()).compute()["x"]

    whole = rows["x"].rolling(window).mean()
    assert observe(wrong_rows=int((~(cut.eq(whole) | cut.isna() & whole.isna())).sum())) == answer(
        sizes, window, way
    )
