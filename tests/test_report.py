"""What a run says: held, refuted, toothless, stopped, unverified; and which verdicts count."""

import re

import pytest

from tests.corpus import SLUG

PAGE = f"traps/lists/{SLUG}.py"
SECOND = '\ndef as_long_as_none(items: int) -> int:\n    """Nothing is left."""\n    return 0\n'


def test_held_and_refuted(corpus):
    """A refuted wrong answer is counted beside the right answer that passed, and the run succeeds."""
    corpus.write()
    result = corpus.run()

    assert result.ret == pytest.ExitCode.OK
    assert f"{PAGE} r." in result.stdout.str()
    assert re.search(r"=+ 1 passed, 1 refuted in", result.outlines[-1])


def test_several_refuted(corpus):
    """Each wrong answer of a claim is refuted on its own."""
    corpus.write(helpers=SECOND, claim="wrong=(as_long_as_one, as_long_as_none), right=as_long_as_both")

    assert "1 passed, 2 refuted" in corpus.run().outlines[-1]


def test_claims_in_full(corpus):
    """Each claim tells what was observed where its wrong answers fail, and where the right one held."""
    corpus.write(helpers=SECOND, claim="wrong=(as_long_as_one, as_long_as_none), right=as_long_as_both")
    result = corpus.run()

    start = next(i for i, line in enumerate(result.outlines) if re.fullmatch("=+ claims =+", line))
    assert result.outlines[start + 1 : -2] == [
        f"{PAGE}: The length of two joined lists",
        "  Two lists of n items each are joined. How many items has the result?",
        "",
        "  The joined list holds the items of both. (exact)",
        "    wrong: “Joining copies nothing, so the length stays.”",
        "           as_long_as_one: observed 4, it says 2, at items=2",
        "    wrong: “Nothing is left.”",
        "           as_long_as_none: observed 4, it says 0, at items=2",
        "    right: Each list hands over every item it has.",
        "           The result is a list of its own.",
        "           as_long_as_both held on 19 examples",
    ]


def test_claims_of_many_pages(corpus):
    """Of more pages than one reads at once each has a line, unless -v asks for all."""
    for slug in ("first", "second", "third", "fourth"):
        corpus.write(slug=slug)
    brief, full = corpus.run(), corpus.run("-v")

    brief.stdout.fnmatch_lines(["lists/first: The length of two joined lists (1 held, 1 refuted)"])
    brief.stdout.no_fnmatch_line("*joined list holds*")
    assert sum("joined list holds" in line for line in full.outlines) == 4


def test_smallest_counterexample(corpus):
    """A refutation is shown where it is smallest, in each of its inputs."""
    corpus.write(
        given="items=st.integers(2, 20), more=st.lists(st.integers()), word=st.text()",
        signature="answer, items, more, word",
        body="assert observe(n=2 * items) - answer(items) < 7 or len(more) < 2",
    )
    told = " ".join(" ".join(corpus.run().outlines).split())

    assert "as_long_as_one: assert ((14 - 7) < 7 or 2 < 2), at items=7, more=[0, 0], word=''" in told


def test_toothless(corpus):
    """A wrong answer that survives every example fails the run, with its belief and two remedies."""
    corpus.write(given="items=st.just(0)")
    result = corpus.run()

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "toothless: the wrong answer survived every example of test_length.",
            "    as_long_as_one: Joining copies nothing, so the length stays.",
            "Draw nearer to the boundary where the two answers part, or let the observation see what this",
            "answer gets wrong.",
        ]
    )
    result.stdout.no_fnmatch_line("*XPASS*")


def test_one_of_two_is_toothless(corpus):
    """A claim that refutes one wrong answer is toothless all the same if another survives."""
    corpus.write(
        helpers=SECOND.replace("return 0", "return items + items"),
        claim="wrong=(as_long_as_one, as_long_as_none), right=as_long_as_both",
    )
    result = corpus.run()

    assert "1 failed, 1 passed, 1 refuted" in result.outlines[-1]
    result.stdout.fnmatch_lines(["toothless: *", "    as_long_as_none: Nothing is left."])


LIBRARY = "import numpy.testing as npt"
CHECK = "\ndef check(length, expected):\n    assert length == expected\n"
COUNT = "import itertools\n\ncount = itertools.count()"

STOPPED = {
    "a TypeError in the answer": (
        {"wrong": 'return "one" + items'},
        rf'{SLUG}.py:19, TypeError: can only concatenate str \(not "int"\) to str',
    ),
    "a TypeError in the comparison": (
        {"wrong": 'return "one"', "body": "assert observe(length=2 * items) <= answer(items)"},
        rf"{SLUG}.py:35, TypeError: '<=' not supported between instances of 'int' and 'str'",
    ),
    "an assert of the answer": (
        {"wrong": "assert items < 5\n    return 2 * items"},
        rf"{SLUG}.py:19, assert 5 < 5",
    ),
    "an assert of a library": (
        {"head": LIBRARY, "body": "npt.assert_equal(observe(length=2 * items), answer(items))"},
        r"utils.py:\d+, Items are not equal:",
    ),
    "an assert of a helper on the page": (
        {"helpers": CHECK, "body": "check(observe(length=2 * items), answer(items))"},
        rf"{SLUG}.py:31, assert 4 == 2",
    ),
    "an AssertionError of a comparison": (
        {
            "helpers": "\nclass Odd:\n    def __eq__(self, other):\n        raise AssertionError('odd')\n",
            "wrong": "return Odd()",
        },
        rf"{SLUG}.py:32, odd",
    ),
    "pytest.fail": (
        {
            "head": "import pytest",
            "body": "if observe(length=2 * items) != answer(items):\n        pytest.fail('unequal')",
        },
        r"outcomes.py:\d+, Failed: unequal",
    ),
    "an unreliable assert": (
        {"head": COUNT, "body": "assert observe(length=2 * items) == answer(items) or next(count) % 3 == 2"},
        r"core.py:\d+, FlakyFailure: .* produces unreliable results: .*",
    ),
}


@pytest.mark.parametrize(("changed", "place"), STOPPED.values(), ids=STOPPED)
def test_what_is_no_refutation(corpus, changed, place):
    """A wrong answer that is stopped by anything but the claim's own assert is not refuted."""
    corpus.write(**changed)
    result = corpus.run(f"{PAGE}::test_length[wrong-as_long_as_one]", "-v")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            f"as_long_as_one was not refuted by the claim's own assert: it stopped at {place}$",
            "A wrong answer must be a working function whose result the assert of test_length finds false.",
        ]
    )
    result.stdout.no_fnmatch_line("*toothless*")


def test_a_search_that_gives_up(corpus):
    """Where Hypothesis gives up on a search, a right answer has not held and a wrong one has not survived."""
    corpus.write(
        head="from hypothesis import assume",
        given="items=st.integers(2, 5000)",
        wrong="return items if items > 2 else 4",
        body="assume(items == 2)\n    assert observe(length=2 * items) == answer(items)",
    )
    result = corpus.run("--evidence=evidence")

    result.assert_outcomes(failed=2)
    stopped = r"it stopped at \w+.py:\d+, FailedHealthCheck: .*"
    result.stdout.re_match_lines([f"as_long_as_one was not refuted by the claim's own assert: {stopped}"])
    result.stdout.no_fnmatch_line("*toothless*")
    assert {run.outcome for run in corpus.read_failed().runs} == {"failed"}


EMPTY = {
    "an input that is hardly ever drawn": ("items=st.integers(2, 5000)", "items == 1234"),
    "every draw is rejected": ("items=st.integers(2, 5000)", "False"),
    "every cell of a finite regime is rejected": ("items=st.integers(2, 5)", "False"),
    "no draw passes a filter": ("items=st.integers(2, 5000).filter(lambda n: n % 10_007 == 0)", "True"),
}


@pytest.mark.parametrize(("given", "condition"), EMPTY.values(), ids=EMPTY)
def test_no_example_is_no_evidence(corpus, given, condition):
    """An answer that was tried on no example has neither held nor survived; two sentences say so."""
    body = f"assume({condition})\n    assert observe(length=2 * items) == answer(items)"
    corpus.write(head="from hypothesis import assume", given=given, body=body)
    result = corpus.run("--evidence=evidence", "-v")

    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            f"test_length?{answer}? was tried on no example: every draw was rejected. "
            "Draw inputs that the claim accepts."
            for answer in ("wrong-as_long_as_one", "right-as_long_as_both")
        ]
    )
    result.stdout.no_fnmatch_line("*toothless*")
    result.stdout.no_fnmatch_line("*it stopped at*")
    assert {run.outcome for run in corpus.read_failed().runs} == {"failed"}


@pytest.mark.parametrize(
    "changed",
    [
        {"helpers": "import pytest\n\n\n@pytest.mark.xfail", "right": "return items"},
        {"helpers": "import pytest\n\n\n@pytest.mark.xfail(raises=TypeError)", "wrong": 'return "a" + items'},
        {"head": "import pytest", "body": "observe(length=2 * items)\n    pytest.xfail('soon')"},
    ],
    ids=["a mark on a right answer", "a mark on a wrong answer", "a call"],
)
def test_no_xfail_of_its_own(corpus, changed):
    """An expected failure that the claim did not declare is a failure."""
    corpus.write(**changed)
    result = corpus.run()

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*carries an xfail of its own. Take it away: *"])
    result.stdout.no_fnmatch_line("*xfailed*")


def test_right_answer_that_fails(corpus):
    """A right answer that fails shows the smallest counterexample and the page, not the machinery."""
    corpus.write(right="return min(2 * items, 36)")
    result = corpus.run()

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">   *assert observe(length=len(joined)) == answer(items)",
            "E   *assert 38 == 36",
            "E   *items=19,",
        ]
    )
    result.stdout.no_fnmatch_line("*fixtures*")
    result.stdout.no_fnmatch_line("*overheard*")


def test_runxfail_shows_a_refutation(corpus):
    """With --runxfail a refutation is shown as the failure that it is, page, assertion and inputs."""
    corpus.write()
    result = corpus.run("--runxfail")

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            ">   *assert observe(length=len(joined)) == answer(items)",
            "E   *assert 4 == 2",
            "E   *items=2,",
        ]
    )
    for line in ("*toothless*", "*was not refuted*", "*fixtures*"):
        result.stdout.no_fnmatch_line(line)


def test_claim_without_observation(corpus):
    """A right answer that holds although nothing was observed has proved nothing, and fails."""
    corpus.write(body="assert 2 * items == answer(items)")
    result = corpus.run()

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 1 refuted" in result.outlines[-1]
    result.stdout.fnmatch_lines(
        [
            "test_length[[]right-as_long_as_both[]] observes nothing: it compares without a look at reality. "
            "Wrap what it measures in observe(name=value)."
        ]
    )


def test_your_answer_without_observation(corpus):
    """A reader's own answer proves no more by a claim that observes nothing."""
    corpus.write(body="assert 2 * items == answer(items)")
    result = corpus.run(f"--answer={PAGE}:as_long_as_both")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["test_length[[]yours-as_long_as_both[]] observes nothing: *"])


@pytest.mark.parametrize(("call", "got"), [("observe(a=items, b=1)", "['a', 'b']"), ("observe()", "[]")])
def test_observe_takes_one_measurement(corpus, call, got):
    """observe() with two names or none is an error on the page's own line."""
    corpus.write(body=f"assert {call} == answer(items)")
    result = corpus.run()

    result.assert_outcomes(failed=2)
    assert (
        f"TypeError: observe() takes one measurement, as observe(name=value); got {got}"
        in result.stdout.str()
    )
    result.stdout.fnmatch_lines([f">   *assert {call} == answer(items)"])
    result.stdout.no_fnmatch_line("*fixtures/*:*: TypeError")


def test_unverified(corpus, monkeypatch):
    """A claim about a GPU is unverified where there is none, in words, with its reason, and never passed."""
    monkeypatch.setattr("fixtures.device.devices", lambda: ("cpu",))
    corpus.write()
    corpus.write(slug="on_a_gpu", signature="answer, gpu, items")
    result = corpus.run()

    assert "1 passed, 1 refuted, 2 unverified" in result.outlines[-1]
    assert "traps/lists/on_a_gpu.py uu" in result.stdout.str()
    start = next(i for i, line in enumerate(result.outlines) if "unverified here" in line)
    assert result.outlines[start + 1] == "traps/lists/on_a_gpu.py::test_length: no CUDA device here"
    assert "on_a_gpu" not in result.outlines[start + 2]


def test_unverified_by_name(corpus, monkeypatch):
    """Under -vv an unverified run says so on its line, and its claim tells of no example."""
    monkeypatch.setattr("fixtures.device.devices", lambda: ("cpu",))
    corpus.write(signature="answer, gpu, items")
    result = corpus.run("-vv")

    result.stdout.fnmatch_lines([f"{PAGE}::test_length[[]right-as_long_as_both[]] UNVERIFIED*"])
    result.stdout.no_fnmatch_line("*held on*")


def test_skipped_by_the_page(corpus):
    """A page that skips in the middle has verified nothing either."""
    corpus.write(
        head="import pytest", body="observe(length=2 * items)\n    pytest.skip('too small a machine')"
    )

    corpus.run().stdout.fnmatch_lines([f"{PAGE}::test_length: too small a machine", "*= 2 unverified in *"])


def test_fixture_that_fails(corpus):
    """A claim whose surroundings cannot be set up is an error, not a refutation."""
    corpus.write(
        helpers="import pytest\n\n\n@pytest.fixture\ndef world():\n    assert False\n\n",
        signature="answer, world, items",
    )
    result = corpus.run("--evidence=evidence")

    result.assert_outcomes(errors=2)
    assert {run.outcome for run in corpus.read_failed().runs} == {"failed"}
