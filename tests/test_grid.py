"""A finite regime is enumerated: every cell is listed, and visited by the right answer's run."""

import re

import pytest
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from fixtures.trial.grid import LIMIT, Shortfall, cells, check_enough

FINITE = {
    "just": (st.just(7), [7]),
    "none": (st.none(), [None]),
    "booleans": (st.booleans(), [False, True]),
    "integers": (st.integers(-1, 2), [-1, 0, 1, 2]),
    "sampled_from": (st.sampled_from(["a", "b"]), ["a", "b"]),
    "sampled_from a range": (st.sampled_from(range(3)), [0, 1, 2]),
    "sampled_from, mapped": (st.sampled_from([1, 2]).map(str), ["1", "2"]),
    "sampled_from, filtered": (st.sampled_from([1, 2, 3]).filter(lambda n: n != 2), [1, 3]),
    "sampled_from, mapped and filtered": (st.sampled_from([1, 2]).map(str).filter("2".__eq__), ["2"]),
    "mapped": (st.integers(1, 3).map(lambda n: 10 * n), [10, 20, 30]),
    "filtered": (st.integers(0, 5).filter(lambda n: n % 2), [1, 3, 5]),
    "filtered by bounds": (st.integers(0, 5).filter(lambda n: n > 3), [4, 5]),
    "one_of": (st.integers(1, 2) | st.just(9), [1, 2, 9]),
    "one_of one_of": (st.none() | (st.booleans() | st.just(9)), [None, False, True, 9]),
    "tuples": (st.tuples(st.booleans(), st.integers(1, 2)), [(False, 1), (False, 2), (True, 1), (True, 2)]),
    "builds": (st.builds(lambda a, b: a - b, st.integers(5, 6), b=st.integers(0, 1)), [5, 4, 6, 5]),
    "lists": (st.lists(st.booleans(), min_size=0, max_size=1), [[], [False], [True]]),
    "lists of two": (st.lists(st.integers(1, 2), min_size=2, max_size=2), [[1, 1], [1, 2], [2, 1], [2, 2]]),
    "lists of nothing": (st.lists(st.just(1).filter(lambda n: n > 1)), [[]]),
    "as many as are enumerated": (st.integers(1, LIMIT), list(range(1, LIMIT + 1))),
}  # fmt: skip


@pytest.mark.parametrize(("strategy", "values"), FINITE.values(), ids=FINITE)
def test_values_of_a_finite_strategy(strategy, values):
    """What a finite strategy can draw is listed, once for each way to draw it."""
    assert [cell["x"] for cell in cells({"x": strategy})] == values


@pytest.mark.parametrize(("strategy", "values"), FINITE.values(), ids=FINITE)
def test_hypothesis_draws_what_is_listed(strategy, values):
    """Hypothesis, left to exhaust a finite strategy, draws the values listed and no other."""
    drawn = []

    @settings(
        max_examples=10 * LIMIT,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def draw(value):
        drawn.append(value)

    draw()
    assert {repr(value) for value in drawn} == {repr(value) for value in values}


def test_cells_are_combinations():
    """The cells of a regime are the combinations of what its strategies can draw."""
    assert cells({"n": st.integers(1, 2), "on": st.booleans()}) == [
        {"n": 1, "on": False},
        {"n": 1, "on": True},
        {"n": 2, "on": False},
        {"n": 2, "on": True},
    ]


LARGE = {
    "more than are enumerated": {"n": st.integers(1, LIMIT + 1)},
    "a product of more": {"a": st.integers(1, 15), "b": st.integers(1, 14)},
    "integers without an end": {"n": st.integers(min_value=0)},
    "integers without a start": {"n": st.integers(max_value=0)},
    "huge integers": {"n": st.integers(-(2**100), 2**100)},
    "floats": {"x": st.floats(0, 1)},
    "text": {"x": st.text(max_size=1)},
    "many samples": {"n": st.sampled_from(range(10**9))},
    "one_of with an endless branch": {"n": st.just(1) | st.integers()},
    "a map of an endless one": {"n": st.integers().map(abs)},
    "a filter of an endless one": {"n": st.integers().filter(abs)},
    "lists without an end": {"n": st.lists(st.booleans())},
    "many lists": {"n": st.lists(st.booleans(), max_size=30)},
    "lists of what is endless": {"n": st.lists(st.integers(), min_size=1, max_size=2)},
    "lists that look back at themselves": {"n": st.lists(st.booleans(), max_size=2, unique=True)},
    "builds of an endless one": {"n": st.builds(abs, st.integers())},
    "a strategy that depends on a draw": {"n": st.booleans().flatmap(lambda b: st.just(b))},
    "a map that fails": {"n": st.integers(0, 3).map(lambda n: 1 // n)},
    "data": {"data": st.data()},
}


@pytest.mark.parametrize("regime", LARGE.values(), ids=LARGE)
def test_a_regime_that_is_sampled(regime):
    """A regime of more cells, or of strategies that cannot be listed, is sampled."""
    assert cells(regime) is None


def test_enough():
    """Every cell visited, or the fewest examples tried, is enough; rejected draws are visits, too."""
    grid = [{"n": 1}, {"n": 2}]

    check_enough("test", [{"n": 2}, {"n": 1}], grid, tried=1, fewest=10)
    check_enough("test", [{"n": 2}] * 10, None, tried=10, fewest=10)


SHORT = {
    "nothing": (
        ([{"n": 1}], None, 0),
        "was tried on no example: every draw was rejected. Draw inputs that the claim accepts.",
    ),
    "nothing of a grid": (
        ([{"n": 1}, {"n": 2}], [{"n": 1}, {"n": 2}], 0),
        "was tried on no example: every draw was rejected. Draw inputs that the claim accepts.",
    ),
    "few": (
        ([{"n": 1}], None, 9),
        "held on 9 examples, and it needs 10. Raise its examples=…, or draw inputs that the claim accepts.",
    ),
    "a part of a grid": (
        ([{"n": 1, "on": True}], [{"n": n, "on": on} for n in (1, 2) for on in (False, True)], 1),
        "never drew 3 of the 4 cells of its finite regime, as n=1, on=False. "
        "Name the values with st.sampled_from() instead of filtering them.",
    ),
    "one cell that is drawn in two ways": (
        ([{"n": 1}], [{"n": 1}, {"n": 2}, {"n": 2}], 1),
        "never drew 1 of the 2 cells of its finite regime, as n=2. "
        "Name the values with st.sampled_from() instead of filtering them.",
    ),
}


@pytest.mark.parametrize(("run", "message"), SHORT.values(), ids=SHORT)
def test_shortfall(run, message):
    """What a run left out is said in two sentences."""
    drawn, grid, tried = run
    with pytest.raises(Shortfall, match=f"^{re.escape(f'test {message}')}$"):
        check_enough("test", drawn, grid, tried, fewest=10)


GRIDS = {
    "exact": "items=st.integers(2, 151)",
    "measured": "items=st.sampled_from([2, 3]) | st.integers(10, 20).map(lambda n: 2 * n)",
    "trained": "items=st.builds(lambda a, b: 2 * a + b, st.integers(1, 20), st.integers(0, 1))",
}


@pytest.mark.parametrize(("kind", "given"), GRIDS.items(), ids=GRIDS)
def test_a_finite_regime_is_enumerated(corpus, kind, given):
    """However small its budget, a right answer is tried on every cell of a finite regime, once."""
    corpus.write(
        given=given,
        claim=f'wrong=as_long_as_one, right=as_long_as_both, evidence="{kind}", examples=1',
    )
    corpus.conftest(VISITS)
    result = corpus.run("-s")

    assert result.parseoutcomes()["passed"] == 1
    (visits,) = [line for line in result.outlines if "visits:" in line]
    tried, distinct, all_cells = map(int, visits.split("visits:")[1].split())
    assert tried == distinct == all_cells > 10


VISITS = '''
from fixtures.trial.evidence import WATCH


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item):
    """Tell how often a right answer was tried, on how many inputs, and how many its regime has."""
    if "right-" in item.name:
        tried = [example.inputs["items"] for example in item.stash[WATCH].examples]
        print("visits:", len(tried), len({*tried}), len(item.obj.claim.cells))
'''


def test_a_cell_that_is_never_drawn_fails_the_claim(corpus):
    """A right answer that held on a part of a finite regime has not held; two sentences name a cell."""
    corpus.write(
        head="import random",
        given="items=st.integers(1, 150).map(lambda n: n + 100 * (n > 1 and random.random() < 0.7))",
    )
    result = corpus.run()

    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            r"test_length\[right-as_long_as_both\] never drew \d+ of the \d+ cells of its finite regime, as "
            r"items=\d+. Name the values with st.sampled_from\(\) instead of filtering them.$"
        ]
    )


def test_a_cell_that_a_claim_rejects_is_visited(corpus):
    """A claim may reject cells of its grid: it has seen them."""
    corpus.write(
        head="from hypothesis import assume",
        given="items=st.integers(2, 30)",
        body="assume(items % 3)\n    assert observe(length=2 * items) == answer(items)",
    )
    result = corpus.run("-v")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*as_long_as_both held on 19 examples"])


def test_a_worked_example_is_a_visit(corpus):
    """A cell that stands in @example is visited, and counted once."""
    corpus.write(
        head="from hypothesis import example",
        given="items=st.integers(2, 3))\n@example(items=1000",
    )
    corpus.run().assert_outcomes(passed=1)


def test_few_examples_are_no_evidence(corpus):
    """A search that ends after fewer examples than its kind of evidence needs has shown nothing."""
    corpus.write(given="items=st.integers(2, 5000)")
    corpus.conftest(
        "from hypothesis import settings\n\n"
        "def pytest_collection_modifyitems(items):\n"
        "    for item in items:\n"
        "        item.obj._hypothesis_internal_use_settings = settings(max_examples=9)\n"
    )
    result = corpus.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["test_length?right-as_long_as_both? held on 9 examples, and it needs 10. Raise its examples=…, *"]
    )
