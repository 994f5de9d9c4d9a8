"""claim() refuses what cannot be tried, and sets a claim's budget and phases."""

import os

import pytest
from hypothesis import Phase, given, settings, strategies as st

from fixtures import claim, observe
from fixtures.trial.claims import UNSHRUNK, ClaimError, parameters, sentence
from fixtures.trial.page import EVIDENCE
from tests.corpus import SLUG

SECOND = '\ndef as_long_as_none(items: int) -> int:\n    """Nothing is left."""\n    return 0\n'

NOT_NAMED = "is not a named function. Write each rival as a function: its name and docstring are printed."

REFUSED = {
    "other parameters": (
        {
            "helpers": '\ndef of_two(items: int, more: int) -> int:\n    """Two count."""\n',
            "claim": "wrong=(as_long_as_one, of_two), right=as_long_as_both",
        },
        30,
        "of_two(items, more) and as_long_as_both(items) differ in their parameters. "
        "Give every rival the same names in the same order, used or not.",
    ),
    "other names": (
        {
            "helpers": '\ndef of_n(n: int) -> int:\n    """n."""\n',
            "claim": "wrong=of_n, right=as_long_as_both",
        },
        30,
        "of_n(n) and as_long_as_both(items) differ in their parameters. "
        "Give every rival the same names in the same order, used or not.",
    ),
    "a lambda": (
        {"claim": "wrong=lambda items: items, right=as_long_as_both"},
        31,
        f"<lambda> {NOT_NAMED}",
    ),
    "a number": (
        {"claim": "wrong=as_long_as_one, right=2"},
        31,
        f"2 {NOT_NAMED}",
    ),
    "a builtin": (
        {"claim": "wrong=as_long_as_one, right=len"},
        31,
        f"len {NOT_NAMED}",
    ),
    "an undocumented rival": (
        {"belief": ""},
        17,
        "as_long_as_one has no docstring. Say what it believes: the sheet prints it.",
    ),
    "the same function on both sides": (
        {"claim": "wrong=as_long_as_both, right=as_long_as_both"},
        31,
        "as_long_as_both stands on both sides of the claim. No answer is both wrong and right.",
    ),
    "the same wrong answer twice": (
        {"claim": "wrong=(as_long_as_one, as_long_as_one), right=as_long_as_both"},
        31,
        "as_long_as_one is named twice. Each rival runs once.",
    ),
    "no wrong answer": (
        {"claim": "wrong=(), right=as_long_as_both"},
        31,
        "test_length has no wrong answer. A claim that nobody disputes is no trap.",
    ),
    "no docstring on the test": (
        {"sentence": ""},
        31,
        "test_length has no docstring. State the claim in one sentence.",
    ),
    "no answer on trial": (
        {"given": "items=st.integers(2, 20), answer=st.just(len)"},
        31,
        "test_length takes no parameter 'answer'. Name the rival on trial 'answer'.",
    ),
    "an unknown kind of evidence": (
        {"claim": 'wrong=as_long_as_one, right=as_long_as_both, evidence="exakt"'},
        31,
        "evidence='exakt' is no kind of evidence. Did you mean 'exact'?",
    ),
    "too few examples to prove a thing": (
        {
            "claim": "wrong=as_long_as_one, right=as_long_as_both, examples=9",
            "given": "items=st.integers(2, 5000)",
        },
        31,
        "examples=9 proves too little for exact evidence. "
        "Try it on 10 or more, or on a regime of few cells: that is enumerated.",
    ),
    "a single measurement": (
        {
            "claim": 'wrong=as_long_as_one, right=as_long_as_both, evidence="measured", examples=1',
            "given": "items=st.integers(2, 5000)",
        },
        31,
        "examples=1 proves too little for measured evidence. "
        "Try it on 2 or more, or on a regime of few cells: that is enumerated.",
    ),
    "settings of its own": (
        {"head": "from hypothesis import settings", "given": "items=st.just(3))\n@settings(max_examples=1"},
        31,
        "test_length carries @settings. Say its budget as @claim(examples=…).",
    ),
    "an empty regime": (
        {"given": "items=st.nothing()"},
        31,
        "test_length draws items from nothing. Give it a regime with inputs.",
    ),
    "evidence unlike any kind": (
        {"claim": 'wrong=as_long_as_one, right=as_long_as_both, evidence="hearsay"'},
        31,
        f"evidence='hearsay' is no kind of evidence. Known are {', '.join(EVIDENCE)}.",
    ),
}


@pytest.mark.parametrize(("changed", "line", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals(corpus, changed, line, message):
    """A declaration that cannot be tried names its file, its line, the cause and the repair, and no more."""
    page = corpus.write(**changed).relative_to(corpus.path)
    result = corpus.run()

    result.assert_outcomes(errors=1)
    start = next(i for i, text in enumerate(result.outlines) if "ERROR collecting" in text) + 1
    end = next(i for i, text in enumerate(result.outlines) if "short test summary" in text)
    assert result.outlines[start:end] == [f"{page}:{line}: {message}"]


def test_no_given(corpus):
    """A claim without a regime, or with its regime above it, is told where to put it."""
    page = corpus.write()
    text = page.read_text().replace("@given(items=st.integers(2, 20))\n", "")
    page.write_text(text)
    result = corpus.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [f"traps/lists/{SLUG}.py:31: test_length has no @given below @claim. Put the regime there, *"]
    )


def test_place_of_an_error():
    """An error names the test's own line, not one inside Hypothesis."""

    def rule():
        """A rule."""

    def declare():
        @claim(wrong=(), right=rule)
        @given(n=st.integers())
        def test(answer, n):
            """A claim."""

    with pytest.raises(ClaimError) as error:
        declare()

    line = declare.__code__.co_firstlineno + 1
    assert str(error.value).startswith(f"{os.path.relpath(__file__)}:{line}: test has no wrong answer.")


def test_several_wrong_answers(corpus):
    """Every wrong answer is tried, in the order in which it is named, and the right one last."""
    corpus.write(helpers=SECOND, claim="wrong=(as_long_as_none, as_long_as_one), right=as_long_as_both")
    result = corpus.run("-vv")

    assert [line.split()[:2] for line in result.outlines if "::" in line] == [
        [f"traps/lists/{SLUG}.py::test_length[wrong-as_long_as_none]", "REFUTED"],
        [f"traps/lists/{SLUG}.py::test_length[wrong-as_long_as_one]", "REFUTED"],
        [f"traps/lists/{SLUG}.py::test_length[right-as_long_as_both]", "PASSED"],
    ]


def test_evidence_is_a_mark(corpus):
    """Every kind of evidence selects its claims with -m, and exact is the kind of a claim that names none."""
    corpus.write()
    for kind in EVIDENCE:
        corpus.write(slug=kind, claim=f'wrong=as_long_as_one, right=as_long_as_both, evidence="{kind}"')
    exact, untrained = corpus.run("-m", "exact"), corpus.run("-m", "not trained")

    exact.assert_outcomes(passed=2, deselected=2 * len(EVIDENCE) - 2)
    untrained.assert_outcomes(passed=len(EVIDENCE), deselected=2)
    assert "2 refuted" in exact.stdout.str()
    assert f"{len(EVIDENCE)} refuted" in untrained.stdout.str()


def believe(n: int) -> int:
    """A belief
    of two lines.

    And its reason.
    """
    return n


def know(n: int) -> int:
    """A rule."""
    return n + 1


def budget(profile=None, regime=None, **declared):
    """How a claim is run when it is declared under a profile."""
    name = settings.get_current_profile_name()
    settings.load_profile(profile or name)
    try:

        @claim(wrong=believe, right=know, **declared)
        @given(n=st.integers() if regime is None else regime)
        def test(answer, n):
            """A claim."""
            assert observe(n=n + 1) == answer(n)

    finally:
        settings.load_profile(name)
    return test._hypothesis_internal_use_settings


@pytest.mark.parametrize(
    ("declared", "sheet", "deep"),
    [
        ({}, 100, 1000),
        ({"examples": 30}, 30, 300),
        ({"examples": 400}, 400, 4000),
        ({"examples": 5, "evidence": "trained"}, 5, 50),
        ({"evidence": "trained"}, 100, 1000),
    ],
)
def test_budget(declared, sheet, deep):
    """A claim's budget is the profile's or its own, and its own scales with the profile."""
    assert budget("sheet", **declared).max_examples == sheet
    assert budget("deep", **declared).max_examples == deep


def test_budget_of_a_finite_regime():
    """A regime of few cells is enumerated, whatever its budget; it may ask for more than it has."""
    cells = st.integers(1, 12)

    assert budget(regime=cells, examples=2, evidence="trained").max_examples == 12
    assert budget(regime=cells, examples=30).max_examples == 30


def test_settings_above_a_claim_are_refused(corpus):
    """A budget that stands above the claim's own is an error of its page."""
    corpus.write(head="from hypothesis import settings", helpers="@settings(max_examples=1)")
    result = corpus.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*test_length has already been decorated with a settings object.*"])


def test_budget_is_never_nothing(monkeypatch):
    """However small the profile, a claim is tried at least once."""
    settings.register_profile("shallow", settings.get_profile("sheet"), max_examples=1)

    assert budget("shallow", examples=20).max_examples == 1


@pytest.mark.parametrize("kind", EVIDENCE)
def test_what_is_shrunk(kind):
    """A smaller seed or a second measurement explains nothing, so only other claims are shrunk."""
    found = budget("sheet", evidence=kind, examples=10)

    assert (Phase.shrink in found.phases) == (kind not in UNSHRUNK)
    assert Phase.generate in found.phases
    assert UNSHRUNK == ("trained", "measured")
    assert found.derandomize


def test_examples_of_a_run(corpus):
    """A claim runs as often as it asks, and ten times as often under the deep profile."""
    corpus.write(
        claim="wrong=as_long_as_one, right=as_long_as_both, examples=20", given="items=st.integers(2, 10_000)"
    )
    plain = corpus.run("-v")
    deep = corpus.run("-v", "--hypothesis-profile=deep")

    plain.stdout.fnmatch_lines(["*as_long_as_both held on 20 examples"])
    deep.stdout.fnmatch_lines(["*as_long_as_both held on 200 examples"])


def test_trained_counterexample_is_not_shrunk(corpus):
    """The counterexample of a trained claim is the first one found, as it was found."""
    parts = {
        "given": "items=st.integers(2, 1000)",
        "body": "assert observe(length=len([0] * items + [1] * items)) - answer(items) < 300",
    }
    corpus.write(**parts)
    corpus.write(
        slug="shown", claim='wrong=as_long_as_one, right=as_long_as_both, evidence="trained"', **parts
    )
    corpus.run("--evidence=evidence")
    shrunk, shown = (corpus.read(slug).runs[1].counterexample for slug in (SLUG, "shown"))

    assert shrunk.inputs == {"items": 300}
    assert shown.inputs["items"] > 300


def test_words_of_an_answer():
    """An answer is known by its parameters and the first paragraph of its docstring."""
    assert parameters(believe) == ("n",)
    assert sentence(believe) == "A belief of two lines."
