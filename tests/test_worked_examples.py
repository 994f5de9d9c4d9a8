"""@example states the figures that people argue about: the right answer meets them first, wrong ones last."""

import pytest

from tests.corpus import SLUG

PAGE = f"traps/lists/{SLUG}.py"
HEAD = "from hypothesis import assume, example"


def claimed(*examples, **parts):
    """The parts of a page whose claim has worked examples, in the order of the page."""
    claim = parts.pop("claim", "wrong=as_long_as_one, right=as_long_as_both")
    last, more = examples[-1], examples[:-1]
    decorators = "".join(f")\n@example({inputs}" for inputs in (*more, last))
    return {"head": HEAD, "claim": claim + decorators, **parts}


def test_recorded_in_the_order_of_the_page(corpus):
    """The right answer's run tries the worked examples first, and records what each rival says there."""
    corpus.write(**claimed("items=4096", "items=1", "items=7"))
    run = corpus.runs()["right-as_long_as_both"]

    assert run.worked.inputs == {"items": [4096, 1, 7]}
    assert run.worked.observed == {"length": [8192, 2, 14]}
    assert run.worked.predicted == {
        "right-as_long_as_both": [8192, 2, 14],
        "wrong-as_long_as_one": [4096, 1, 7],
    }
    assert run.examples == run.fits["wrong-as_long_as_one"].of == 3 + 19
    assert sorted(run.samples.inputs["items"]) == list(range(2, 21))


def test_the_search_draws_as_without_them(corpus):
    """Worked examples change none of the examples that are drawn."""
    corpus.write(given="items=st.integers(2, 9999)")
    without = corpus.runs()["right-as_long_as_both"]
    corpus.write(**claimed("items=5", given="items=st.integers(2, 9999)"))
    among = corpus.runs()["right-as_long_as_both"]

    assert among.samples == without.samples
    assert (without.worked, among.examples) == (None, without.examples + 1)


@pytest.mark.parametrize("evidence", ["exact", "trained"])
def test_a_search_finds_its_own_counterexample(corpus, evidence):
    """A wrong answer is refuted by its smallest counterexample, not by the worked example."""
    kind = f'wrong=as_long_as_one, right=as_long_as_both, evidence="{evidence}"'
    corpus.write(**claimed("items=4096", claim=kind))
    run = corpus.runs()["wrong-as_long_as_one"]

    assert run.outcome == "refuted"
    assert run.counterexample.inputs["items"] <= 20
    assert run.worked is None


def test_a_search_falls_back_on_them(corpus):
    """A wrong answer that only a worked example refutes is refuted by it, and that is its counterexample."""
    corpus.write(**claimed("items=3", "items=4096", wrong="return 2 * items if items < 999 else 7"))
    runs = corpus.runs()
    found = runs["wrong-as_long_as_one"].counterexample

    assert runs["wrong-as_long_as_one"].outcome == "refuted"
    assert (found.inputs, found.observed, found.predicted) == ({"items": 4096}, 8192, 7)
    assert found.assertion == "assert 8192 == 7"
    assert runs["wrong-as_long_as_one"].examples == 19 + 2


def test_toothless_after_all(corpus):
    """A wrong answer that survives the search and every worked example is toothless."""
    corpus.write(**claimed("items=0", wrong="return 2 * items"))
    result = corpus.run()

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["toothless: the wrong answer survived every example of test_length."])


def test_a_right_answer_fails_on_them_first(corpus):
    """A right answer that is wrong at a worked example fails there, before anything is drawn."""
    corpus.write(**claimed("items=4096", right="return 2 * items if items < 999 else 7"))
    run = corpus.failed()["right-as_long_as_both"]

    assert (run.outcome, run.examples) == ("failed", 1)
    assert (run.counterexample.inputs, run.counterexample.predicted) == ({"items": 4096}, 7)


def test_your_answer_is_tried_on_them(corpus):
    """A reader's own answer must pass the worked examples as well."""
    corpus.write(**claimed("items=4096"))
    corpus.pytester.makepyfile(
        mine="def mine(items):\n    '''Mine.'''\n    return 2 * items if items < 999 else 7\n"
    )
    result = corpus.run("--answer=mine.py:mine")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["mine does not hold.", "    assert 8192 == 7    at items=4096"])


@pytest.mark.parametrize("evidence", ["exact", "measured"])
def test_they_hold_in_hypothesis_own_hands(corpus, evidence):
    """A worked example runs as any other: with Hypothesis' seed, and its assume()."""
    corpus.write(
        **claimed(
            "items=4096",
            claim=f'wrong=as_long_as_one, right=as_long_as_both, evidence="{evidence}"',
            wrong="return 2 * items if items < 999 else 7",
            body="import random\n    from hypothesis import note\n    note('seen')\n    assume(items)\n"
            "    observe(chance=random.random())\n    assert observe(length=2 * items) == answer(items)",
        )
    )
    first, second = corpus.runs(), corpus.runs("--retake")

    assert first["wrong-as_long_as_one"].outcome == "refuted"
    assert first == second


def test_one_that_the_claim_rejects(corpus):
    """A worked example that the claim's own assume() rejects is never skipped quietly."""
    corpus.write(
        **claimed(
            "items=5",
            "items=4",
            body="assume(items % 2 == 0)\n    assert observe(length=2 * items) == answer(items)",
        )
    )
    result = corpus.run()

    result.assert_outcomes(failed=1)
    assert "1 refuted" in result.outlines[-1]
    assert (
        "test_length[right-as_long_as_both] rejects its worked example @example(items=5). "
        "Take inputs that its assume() admits."
    ) in result.outlines


def test_the_next_example_is_not_taken_for_it(corpus):
    """What is drawn after a rejected worked example is not recorded as worked."""
    corpus.write(
        **claimed(
            "items=5",
            "items=4",
            body="assume(items % 2 == 0)\n    assert observe(length=2 * items) == answer(items)",
        )
    )

    assert corpus.failed()["right-as_long_as_both"].worked.inputs == {"items": [4]}


REFUSED = {
    "an unknown name": (
        "items=5, item=4",
        "@example(items, item) names other inputs than @given, which draws items",
    ),
    "a missing name": ("item=4", "@example(item) names other inputs than @given, which draws items"),
    "no name": ("4", "@example() names other inputs than @given, which draws items"),
    "the answer": (
        "items=4, answer=max",
        "@example(items, answer) names other inputs than @given, which draws items",
    ),
}


@pytest.mark.parametrize(("inputs", "seen"), REFUSED.values(), ids=REFUSED)
def test_other_inputs(corpus, inputs, seen):
    """A worked example outside the test's parameters is refused where it is declared, in two sentences."""
    corpus.write(**claimed(inputs))
    result = corpus.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [f"{PAGE}:*: {seen.replace('[', '[[]')}. Give each drawn input its value by name, and nothing more."]
    )
    result.stdout.no_fnmatch_line("*fixtures*")
