"""Every example of a claim is written down as it was seen, and seeing changes no verdict."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from fixtures import observe
from fixtures.trial.evidence import LONGEST, SAMPLES, Example, Watch, first_line, plain

VALUES = {
    "none": (None, None),
    "bool": (True, True),
    "int": (7, 7),
    "a long int": (2**70, 2**70),
    "float": (0.1, 0.1),
    "inf": (math.inf, "inf"),
    "-inf": (-math.inf, "-inf"),
    "nan": (math.nan, "nan"),
    "string": ("a'b", '"a\'b"'),
    "empty string": ("", "''"),
    "fraction": (Fraction(2, 6), "1/3"),
    "dtype": (torch.bfloat16, "bfloat16"),
    "device": (torch.device("cpu"), "cpu"),
    "numpy's number": (np.int64(3), 3),
    "numpy's float": (np.float32(0.5), 0.5),
    "numpy's bool": (np.bool_(True), True),
    "array": (np.arange(4).reshape(2, 2), [[0, 1], [2, 3]]),
    "tensor": (torch.tensor([1.5, math.inf]), [1.5, "inf"]),
    "scalar tensor": (torch.tensor(3), 3),
    "shape": (torch.Size([2, 3]), [2, 3]),
    "list": ([1, "a", None], [1, "'a'", None]),
    "nested tuple": ((1, (2.0, Fraction(1, 2))), [1, [2.0, "1/2"]]),
    "dict": ({"a": 1}, "{'a': 1}"),
    "set": ({"b", "a", "c"}, "{'a', 'b', 'c'}"),
    "frozenset": (frozenset({2, 1}), "{1, 2}"),
    "function": (math.gcd, "gcd"),
    "class": (Fraction, "Fraction"),
}


@pytest.mark.parametrize(("value", "expected"), VALUES.values(), ids=VALUES)
def test_plain(value, expected):
    """Numbers stand as they are, and everything else as Python prints it."""
    found = plain(value)

    assert found == expected
    assert type(found) is type(expected)


def test_plain_objects():
    """An object's address, which changes from run to run, is left out."""
    assert plain(object()) == "<object object>"


def test_long_values():
    """What is too long to print is cut, and ends in an ellipsis."""
    text, items = plain("x" * 1000), plain(list(range(1000)))

    assert text == "'" + "x" * (LONGEST - 2) + "…"
    assert items.startswith("[0, 1, 2, ")
    assert items.endswith("…")
    assert len(items) == len(text) == LONGEST


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (AssertionError("assert 1 == 2\n  +where"), "assert 1 == 2"),
        (AssertionError("\nItems are not equal"), "Items are not equal"),
        (AssertionError(), ""),
        (ValueError("no\nnumber"), "ValueError: no"),
        (ValueError(), "ValueError: "),
    ],
)
def test_first_line(error, line):
    """An assertion is known by its first line, any other error by its type as well."""
    assert first_line(error) == line


def test_observe_outside_a_claim():
    """Outside a claim a measurement is handed back, and nothing is written."""
    value = [1]

    assert observe(length=value) is value


@pytest.mark.parametrize("names", [(), ("a", "b")])
def test_observe_takes_one_name(names):
    """A measurement has one name."""
    with pytest.raises(TypeError, match=r"observe\(\) takes one measurement, as observe\(name=value\); got"):
        observe(**dict.fromkeys(names, 1))


def test_inputs_are_copied():
    """An input that a claim changes is recorded as it was drawn."""
    row = [1]
    example = Example({"row": row})
    row.append(2)

    assert example.inputs == {"row": [1]}


@pytest.mark.parametrize("count", [0, 1, 2, 31, 32, 33, 100, 1000])
def test_samples_are_spread(count):
    """Up to 32 examples are kept, evenly spread, with the first and the last."""
    watch = Watch()
    for n in range(count):
        watch.examples.append(Example({"n": n}))
    kept = watch.samples().inputs.get("n", [])
    gaps = [right - left for left, right in itertools.pairwise(kept)]

    assert len(kept) == min(count, SAMPLES)
    assert kept[:1] + kept[-1:] == ([0, count - 1] if count else [])
    assert max(gaps, default=1) - min(gaps, default=1) <= 1


def test_run_of_a_right_answer(corpus):
    """A right answer that holds leaves what was drawn, observed and predicted, and no counterexample."""
    corpus.write(
        given="items=st.integers(2, 50), kind=st.sampled_from([list, tuple])",
        signature="answer, items, kind",
        body="joined = kind([0] * items) + kind([1] * items)\n\n"
        "    assert observe(length=len(joined)) == answer(items)",
    )
    run = corpus.runs()["right-as_long_as_both"]

    assert (run.page, run.claim) == ("traps/lists/joined_lists_keep_their_length.py", "test_length")
    assert (run.device, run.evidence, run.outcome, run.reason) == ("cpu", "exact", "held", "")
    assert (run.counterexample, run.assertion) == (None, "")
    assert run.examples > SAMPLES
    assert len(run.samples.inputs["items"]) == SAMPLES
    assert set(run.samples.inputs) == {"items", "kind"}
    assert set(run.samples.inputs["kind"]) == {"list", "tuple"}
    assert run.samples.observed == {"length": [2 * items for items in run.samples.inputs["items"]]}
    assert run.samples.predicted == run.samples.observed["length"]
    length = run.observed["length"]
    assert (length.smallest, length.largest) == (4, 100)
    assert length.last == run.samples.observed["length"][-1]


def test_run_of_a_wrong_answer(corpus):
    """A refutation leaves its smallest counterexample, the assertion's first line, and what was predicted."""
    corpus.write(wrong="return min(2 * items, 36)")
    run = corpus.runs()["wrong-as_long_as_one"]

    assert run.outcome == "refuted"
    assert run.counterexample == {"items": 19}
    assert run.at == "items=19"
    assert run.assertion == "assert 38 == 36"
    assert run.samples.inputs["items"][-1] == 19
    assert run.samples.observed["length"][-1] == 38
    assert run.samples.predicted[-1] == 36
    assert run.observed["length"].last == 38
    assert run.observed["length"].smallest <= 38 <= run.observed["length"].largest


def test_several_observations(corpus):
    """A quantity that only some examples observe has a place in every sample all the same."""
    corpus.write(
        body="if items > 16:\n        observe(large=items)\n\n"
        "    assert observe(length=2 * items) == answer(items)"
    )
    run = corpus.runs()["right-as_long_as_both"]

    assert set(run.observed) == {"large", "length"}
    assert run.observed["large"].smallest > 16
    assert run.samples.observed["large"] == [n if n > 16 else None for n in run.samples.inputs["items"]]


def test_observation_that_is_no_number(corpus):
    """Of a shape or a word only the last value is kept; a number beside infinity is still the largest."""
    corpus.write(
        head="import math",
        body="observe(shape=(items, 2))\n    observe(ratio=math.inf if items > 16 else items / 4)\n"
        "    assert observe(length=2 * items) == answer(items)",
    )
    run = corpus.runs()["right-as_long_as_both"]
    last = run.samples.inputs["items"][-1]

    assert (run.observed["shape"].smallest, run.observed["shape"].largest) == (None, None)
    assert run.observed["shape"].last == [last, 2]
    assert (run.observed["ratio"].smallest, run.observed["ratio"].largest) == (0.5, 4.0)
    assert "inf" in run.samples.observed["ratio"]


def test_prediction_that_is_no_number(corpus):
    """An answer that is a word, or a policy that is never a number, leaves no predictions."""
    corpus.write(
        wrong="return 'long'",
        right="return 'even'",
        body="assert ('even', 'odd')[observe(rest=2 * items % 2)] == answer(items)",
    )

    assert corpus.runs()["right-as_long_as_both"].samples.predicted == []


def test_assumptions_are_no_examples(corpus):
    """An example that its own assumption rejects counts for nothing."""
    corpus.write(
        head="from hypothesis import assume",
        body="assume(items % 2)\n    assert observe(length=2 * items) == answer(items)",
    )
    run = corpus.runs()["right-as_long_as_both"]

    assert run.examples == 9
    assert all(items % 2 for items in run.samples.inputs["items"])


def test_unverified_run(corpus, monkeypatch):
    """A run that was skipped is recorded with its reason, and with nothing seen."""
    monkeypatch.setattr("fixtures.device.devices", lambda: ("cpu",))
    corpus.write(signature="answer, gpu, items")
    run = corpus.runs()["right-as_long_as_both"]

    assert (run.outcome, run.reason) == ("unverified", "no CUDA device here")
    assert (run.examples, run.observed, run.counterexample) == (0, {}, None)


def test_surviving_run(corpus):
    """A wrong answer that survives is recorded as that, which no sheet will print as refuted."""
    corpus.write(given="items=st.just(0)")
    run = corpus.runs()["wrong-as_long_as_one"]

    assert (run.outcome, run.examples, run.counterexample) == ("survived", 1, None)


def test_failing_run(corpus):
    """A right answer that fails is recorded as that, with where it failed."""
    corpus.write(right="return min(2 * items, 36)")
    run = corpus.runs()["right-as_long_as_both"]

    assert (run.outcome, run.at, run.assertion) == ("failed", "items=19", "assert 38 == 36")


def test_stopped_run(corpus):
    """A wrong answer that was stopped is recorded as failed, with the error's type."""
    corpus.write(wrong="return 1 // (items - items)")
    run = corpus.runs()["wrong-as_long_as_one"]

    assert run.outcome == "failed"
    assert run.assertion.startswith("ZeroDivisionError: ")


def test_evidence_leaks_nowhere(corpus):
    """What travels with a report stays out of JUnit files."""
    corpus.write()
    corpus.run("--junitxml=junit.xml")

    text = (corpus.path / "junit.xml").read_text()
    assert "as_long_as_both" in text
    assert "digest" not in text


def test_watching_leaves_the_claim_as_it_was(corpus):
    """A claim's body is its own again when it was watched: the next rival runs the same function."""
    corpus.write()
    corpus.conftest(
        """
bodies = set()

def pytest_runtest_setup(item):
    bodies.add(item.obj.hypothesis.inner_test)

def pytest_unconfigure():
    print("bodies", len(bodies))
"""
    )

    corpus.run("-s").stdout.fnmatch_lines(["bodies 1"])
