"""A measured claim whose clock decides nothing is unverified, and one whose clock decides is not."""

import pytest

from fixtures.trial.unsteady import NOT_REPEATED
from tests.corpus import SLUG

CLAIM = 'wrong=as_long_as_one, right=as_long_as_both, evidence="measured"'
CLOCK = "import itertools\n\nfrom fixtures.clocks import nearest, settled\n\n{}\n"
NOISE = "noise = itertools.cycle([1.0, 1.6, 1.2, 1.9, 1.4, 1.8, 1.1, 2.0, 1.5])"
BODY = """(length,) = settled(lambda: [{} * items], patience=0)
    assert nearest(observe(length=length), items, 2 * items) == answer(items)"""


@pytest.fixture
def measure(corpus):
    """Write a measured page: what precedes its answers, and the reading of its clock per item."""

    def write(before, reading, **changed):
        corpus.write(**{"head": CLOCK.format(before), "claim": CLAIM, "body": BODY.format(reading)} | changed)
        return corpus

    return write


def outcomes(corpus):
    """Each answer's outcome and reason, and the exit status of the run that recorded them."""
    result = corpus.run("--evidence=evidence")
    record = corpus.read() if result.ret == pytest.ExitCode.OK else corpus.read_failed()
    return {run.answer: (run.outcome, run.reason) for run in record.runs}, result.ret


def both(*outcome):
    """The same outcome of the right answer and of the wrong one."""
    return dict.fromkeys(("wrong-as_long_as_one", "right-as_long_as_both"), outcome)


def test_a_clock_that_varies(measure):
    """Takes that do not agree refute no wrong answer and fail no right one, and the run succeeds."""
    found, status = outcomes(measure(NOISE, "next(noise)"))

    assert found == both("unverified", "the clock varies by 40 % here")
    assert status == pytest.ExitCode.OK


def test_a_clock_that_varies_is_told(measure):
    """The summary counts both answers as unverified, and gives the claim's reason once."""
    result = measure(NOISE, "next(noise)").run()

    assert "2 unverified in" in result.outlines[-1]
    lines = [line for line in result.outlines if "clock varies" in line]
    assert lines == [f"traps/lists/{SLUG}.py::test_length: the clock varies by 40 % here"]


def test_a_measurement_between_the_laws(measure):
    """A steady clock that reads the middle between two laws decides neither answer."""
    found, status = outcomes(measure("", "1.4", given="items=st.just(10)"))

    assert found == both("unverified", "the measured 14 decides nothing between 10 and 20")
    assert status == pytest.ExitCode.OK


def test_a_steady_clock_decides(measure):
    """Where takes agree the right answer holds, the wrong one is refuted, and what was measured is told."""
    corpus = measure("", "1.9", given="items=st.just(10)")
    found, status = outcomes(corpus)
    (wrong,) = (run for run in corpus.read().runs if run.outcome == "refuted")

    assert found == {"wrong-as_long_as_one": ("refuted", ""), "right-as_long_as_both": ("held", "")}
    assert (wrong.counterexample.observed, wrong.counterexample.predicted) == (19, 10)
    assert wrong.counterexample.assertion == "assert 20 (measured 19, nearer to 20 than to 10) == 10"
    assert status == pytest.ExitCode.OK


def test_a_steady_clock_contradicts_the_right_answer(measure):
    """A right answer that a steady clock refutes fails, and its wrong rival survives."""
    found, status = outcomes(measure("", "1.1"))

    assert found == {"wrong-as_long_as_one": ("survived", ""), "right-as_long_as_both": ("failed", "")}
    assert status == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize("first", [1, 2])
def test_a_refutation_that_does_not_repeat(measure, first):
    """If each measurement agrees with itself and not with the next one, no answer is refuted by it."""
    laws = f"laws = (law for law in itertools.cycle([{first}, {3 - first}]) for _ in range(9))"
    found, status = outcomes(measure(laws, "next(laws)"))

    assert found == both("unverified", NOT_REPEATED)
    assert status == pytest.ExitCode.OK


def test_a_refutation_whose_repetition_is_undecided(measure):
    """A clock that refutes and then varies has refuted nothing."""
    before = f"{NOISE}\nclock = itertools.chain([2.0] * 9, noise)"
    found, _ = outcomes(measure(before, "next(clock)", given="items=st.just(10)"))

    assert found["wrong-as_long_as_one"] == ("unverified", "the clock varies by 40 % here")


def test_an_undecided_worked_example(measure):
    """A stated example is undecided like any other."""
    before = f"from hypothesis import example\n\n{NOISE}"
    found, _ = outcomes(measure(before, "next(noise)", claim=f"{CLAIM})\n@example(items=3"))

    assert found == both("unverified", "the clock varies by 40 % here")


def test_only_a_measured_claim_may_be_undecided(measure):
    """Anything else that comes out differently each time is at fault, and fails."""
    exact = "wrong=as_long_as_one, right=as_long_as_both"
    found, status = outcomes(measure(NOISE, "next(noise)", claim=exact))

    assert {outcome for outcome, _ in found.values()} == {"failed"}
    assert status == pytest.ExitCode.TESTS_FAILED


def test_an_error_that_does_not_repeat(measure):
    """A measured claim that once raises something else than its own assert fails, as every claim does."""
    result = measure("calls = itertools.count()", "2 // min(1, next(calls))").run(
        f"traps/lists/{SLUG}.py::test_length[right-as_long_as_both]"
    )

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*FlakyFailure: * produces unreliable results: *", "*ZeroDivisionError: *"])


def test_the_claim_is_left_as_it_was(measure):
    """A claim's body is its own again when it was undecided: the next rival runs the same function."""
    corpus = measure(NOISE, "next(noise)")
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
