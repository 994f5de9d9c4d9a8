"""Every example of a claim is written down as it was seen, and seeing changes no verdict."""

import itertools

import pytest

from fixtures import observe
from fixtures.trial.watch import SAMPLES, Example, Watch, first_line


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

    assert (run.claim, run.evidence, run.outcome, run.reason) == ("test_length", "exact", "held", "")
    assert (run.counterexample, run.worked) == (None, None)
    assert run.examples > SAMPLES
    assert len(run.samples.inputs["items"]) == SAMPLES
    assert set(run.samples.inputs) == {"items", "kind"}
    assert set(run.samples.inputs["kind"]) == {"list", "tuple"}
    assert run.samples.observed == {"length": [2 * items for items in run.samples.inputs["items"]]}
    assert run.samples.predicted["right-as_long_as_both"] == run.samples.observed["length"]
    assert run.samples.predicted["wrong-as_long_as_one"] == run.samples.inputs["items"]
    length = run.observed["length"]
    assert (run.quantity, length.smallest, length.largest) == ("length", 4, 100)
    assert length.last == run.samples.observed["length"][-1]


def test_fits(corpus):
    """A right answer's run knows on how many examples each rival is right, and by which factor it is off."""
    corpus.write(given="items=st.integers(2, 20)", wrong="return min(2 * items, 36) if items > 2 else 8")
    run = corpus.runs()["right-as_long_as_both"]
    right, wrong = run.fits["right-as_long_as_both"], run.fits["wrong-as_long_as_one"]

    assert (right.agrees, right.of, right.raised, right.off) == (19, 19, 0, None)
    assert (right.ratio.smallest, right.ratio.median, right.ratio.largest) == (1, 1, 1)
    assert (wrong.agrees, wrong.of, wrong.raised) == (16, 19, 0)
    assert (wrong.ratio.smallest, wrong.ratio.median, wrong.ratio.largest) == (0.9, 1, 2)
    assert (wrong.off.smallest, wrong.off.median, wrong.off.largest) == (0.9, 0.947368, 2)


def test_ratios_are_taken_before_rounding(corpus):
    """An answer that says exactly what was observed is off by a factor of exactly 1."""
    corpus.write(
        wrong="return items / 7",
        right="return items / 3",
        body="assert observe(length=items / 3) == answer(items)",
    )
    run = corpus.runs()["right-as_long_as_both"]
    ratio = run.fits["right-as_long_as_both"].ratio

    assert run.samples.observed["length"][0] == 0.666667
    assert (ratio.smallest, ratio.largest) == (1, 1)
    assert run.fits["wrong-as_long_as_one"].ratio.median == 0.428571


def test_run_of_a_wrong_answer(corpus):
    """A refutation leaves its smallest counterexample, what was seen there, and what the answer predicts."""
    corpus.write(wrong="return min(2 * items, 36)")
    run = corpus.runs()["wrong-as_long_as_one"]
    found = run.counterexample

    assert (run.outcome, run.samples, run.worked, run.fits) == ("refuted", None, None, {})
    assert (found.inputs, found.at) == ({"items": 19}, "items=19")
    assert (found.observed, found.predicted, found.assertion) == (38, 36, "assert 38 == 36")
    assert run.observed["length"].last == 38
    assert run.observed["length"].smallest <= 38 <= run.observed["length"].largest


def test_counterexample_of_an_implementation(corpus):
    """An implementation predicts nothing: its counterexample is told by the assertion."""
    corpus.write(
        wrong="return items",
        right="return items + items",
        body="observe(length=len(answer([0] * items)))\n    assert len(answer([0] * items)) == 2 * items",
    )
    runs = corpus.runs()
    found = runs["wrong-as_long_as_one"].counterexample

    assert (found.observed, found.predicted, found.inputs) == (None, None, {"items": 2})
    assert found.assertion.startswith("assert 2 == ")
    assert (runs["right-as_long_as_both"].quantity, runs["right-as_long_as_both"].fits) == ("", {})


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
    """An answer that is a word is compared, and has no ratio to what was observed."""
    corpus.write(
        wrong="return 'odd' if items > 3 else 'even'",
        right="return 'even'",
        body="assert observe(rest=('even', 'odd')[2 * items % 2]) == answer(items)",
    )
    run = corpus.runs()["right-as_long_as_both"]
    wrong = run.fits["wrong-as_long_as_one"]

    assert (wrong.agrees, wrong.of, wrong.ratio, wrong.off) == (2, 19, None, None)
    assert set(run.samples.predicted["wrong-as_long_as_one"]) == {"'even'", "'odd'"}


NUMBERS = {
    "infinity": ("math.inf", ["inf"] * 19),
    "numpy's scalar": ("np.float32(items)", [float(n) for n in range(2, 21)]),
    "torch's scalar": ("torch.tensor(items)", list(range(2, 21))),
    "a huge int": ("10**250", None),
    "a longer one than Python prints": ("10**5000", None),
    "a fraction": ("Fraction(items, 3)", None),
}


@pytest.mark.parametrize(("number", "predicted"), NUMBERS.values(), ids=NUMBERS)
def test_what_an_answer_may_be(corpus, number, predicted):
    """Whatever kind of number a rival predicts, it is recorded, and the right answer's verdict stays."""
    corpus.write(
        head="import math\nfrom fractions import Fraction\n\nimport numpy as np\nimport torch",
        wrong=f"return {number}",
    )
    runs = corpus.runs()
    fit = runs["right-as_long_as_both"].fits["wrong-as_long_as_one"]
    told = runs["right-as_long_as_both"].samples.predicted["wrong-as_long_as_one"]

    assert [run.outcome for run in runs.values()] == ["held", "refuted"]
    assert (fit.agrees, fit.of, fit.raised) == (0, 19, 0)
    assert len(told) == 19
    assert predicted is None or sorted(told) == sorted(predicted)


def test_rival_that_raises(corpus):
    """A wrong answer that raises where the right one holds is recorded so, and refuted by its own run."""
    corpus.write(wrong="return items if items < 9 else 1 // 0")
    runs = corpus.runs()
    fit = runs["right-as_long_as_both"].fits["wrong-as_long_as_one"]
    samples = runs["right-as_long_as_both"].samples

    assert [run.outcome for run in runs.values()] == ["held", "refuted"]
    assert (fit.agrees, fit.of, fit.raised) == (0, 19, 12)
    assert samples.predicted["wrong-as_long_as_one"] == [
        n if n < 9 else "raised ZeroDivisionError" for n in samples.inputs["items"]
    ]


def test_asking_changes_no_draw(corpus):
    """What a claim draws, observes and decides is the same whether rivals are asked or not."""
    corpus.write(
        head="import random\n\nimport torch",
        given="items=st.integers(2, 9999), share=st.floats(0, 1)",
        signature="answer, items, share",
        wrong="random.random()\n    torch.rand(1)\n    return items",
        body="observe(chance=random.random())\n    assert observe(length=2 * items) == answer(items)",
    )
    asked = corpus.runs()
    corpus.conftest(
        "from fixtures.trial.compare import Comparison\n\n"
        "def pytest_runtest_setup(item):\n    item.session.ask = Comparison.ask\n"
        "    Comparison.ask = lambda *arguments: None\n\n"
        "def pytest_runtest_teardown(item):\n    Comparison.ask = item.session.ask\n"
    )
    unasked = corpus.runs("--retake")

    for answer, run in asked.items():
        other = unasked[answer]
        assert (run.quantity, other.quantity) == ("length", "")
        assert (run.outcome, run.examples, run.observed) == (other.outcome, other.examples, other.observed)
        assert run.samples is None or run.samples.inputs == other.samples.inputs
        assert run.samples is None or run.samples.observed == other.samples.observed


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
    run = corpus.failed()["wrong-as_long_as_one"]

    assert (run.outcome, run.examples, run.counterexample) == ("survived", 1, None)


def test_failing_run(corpus):
    """A right answer that fails is recorded as that, with where it failed and what it said there."""
    corpus.write(right="return min(2 * items, 36)")
    run = corpus.failed()["right-as_long_as_both"]
    found = run.counterexample

    assert (run.outcome, found.at, found.assertion) == ("failed", "items=19", "assert 38 == 36")
    assert (found.observed, found.predicted) == (38, 36)


def test_stopped_run(corpus):
    """A wrong answer that was stopped is recorded as failed, with the error's type."""
    corpus.write(wrong="return 1 // (items - items)")
    run = corpus.failed()["wrong-as_long_as_one"]

    assert run.outcome == "failed"
    assert run.counterexample.assertion.startswith("ZeroDivisionError: ")
    assert run.counterexample.predicted is None


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
