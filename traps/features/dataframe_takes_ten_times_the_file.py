"""How much memory a dataframe of strings takes

A pandas script for features runs out of memory on logs that are smaller than its 16 GB. Is it true that
pandas takes 5 to 10 times the size of the file?

Answer: With Python strings, yes if they are short: each costs an 8-byte pointer and an object around its
    text, so a column of 5 characters takes some 10 times its bytes in the file and one of 100 characters
    1.6 times. Arrow's strings, the default of pandas 3 with PyArrow, take the text and an offset: 2.2 and
    1.1 times. So read columns as Arrow, and only those you need, before you buy a larger machine.
Says: Pandas takes 5 to 10 times the size of the raw data, by its object pointers.
Verdict: imprecise: of a column at rest that holds for short strings as Python objects; Arrow's strings
    take 1 to 2 times the file
Asked: AI Interview Prep newsletter, ML System Design #32
Source: pandas documentation 2026, "Migration guide for the new string data type",
    https://pandas.pydata.org/docs/user_guide/migration-3-strings.html
Source: McKinney 2017, "Apache Arrow and the 10 Things I Hate About pandas": 5 to 10 times as much RAM as
    the data, https://wesmckinney.com/blog/apache-arrow-pandas-internals/
Terms: pandas, Polars, PyArrow, Arrow, object dtype, memory_usage, dataframe, string dtype, CSV, out of
    memory, RAM, feature engineering
Right when: The columns are short strings, held as Python objects.
Limits: ASCII strings, each another one, by pandas's own count; an empty string of CPython takes 49 bytes
    before 3.12 and 41 since; numbers take 8 bytes in either. Copies that operations make come on top.
    Without pandas the claim is unverified. The newsletter's stored text stops at its solution.
"""

import sys

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.optional import library


def ten_times_the_file(kind, length):
    """A dataframe takes some 10 times the size of its file, as each string is an object."""
    return 10.0


def as_the_file(kind, length):
    """A character is a byte, in the file as in memory."""
    return 1.0


def pointers_or_offsets(kind, length):
    """Each string takes its text and a fixed overhead, large for objects and small in Arrow.

    That is a pointer and an object around the text, or an offset of 8 bytes; in the file it is a line
    end. An object has many bytes more than its text: 10 times the file for 5 characters, 1.6 for 100.
    """
    extra = 8 + sys.getsizeof("") if kind == "objects" else 8
    return (extra + length) / (length + 1)


@claim(wrong=(ten_times_the_file, as_the_file), right=pointers_or_offsets)
@example(kind="objects", length=5)
@example(kind="objects", length=100)
@example(kind="Arrow", length=5)
@example(kind="Arrow", length=100)
@given(kind=st.sampled_from(["objects", "Arrow"]), length=st.integers(4, 200))
def test_dataframe_bytes_of_a_string_column(answer, kind, length):
    """A column of strings takes the text and a fixed number of bytes per string, which objects have many of.

    kind: of the column: Python objects, or Arrow's strings
    length: characters of each string
    """
    strings = [f"{i:0{length}d}" for i in range(1000)]
    column = library("pandas").Series(strings, dtype=object if kind == "objects" else "large_string[pyarrow]")

    file = sum(len(string) + 1 for string in strings)
    taken = column.memory_usage(index=False, deep=True)
    # Buffers are rounded up to 64 bytes, and there is an offset more than strings.
    assert observe(times_the_file=taken / file) == approx(answer(kind, length), rel=0.004)
