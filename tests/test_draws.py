"""A claim is tried on the same examples wherever it is tried: in a run of pytest, and by `tools.teeth`."""

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings, strategies as st
from hypothesis.internal.conjecture import providers

from fixtures.trial import draws
from tests.corpus import ROOT
from tests.recorder import Recording
from tools import teeth
from tools.mutants import Mutant

PAGES = [
    "traps/attention/rope_rotates_the_embeddings.py",
    "traps/numerics/fp16_nan_blames_the_matmul.py",
    "traps/memory/kvcache_counts_query_heads.py",
]
"""Claims without a clock of which some take a device, on pages with literals that Hypothesis would draw."""

CLAIMS = """
LITERALS = (119_520, 65_504, 0.7071)


@claim(wrong=as_long_as_one, right=as_long_as_both)
@example(items=7, half=0.5)
@given(items=st.integers(0, 10**6), half=st.floats(0, 1e6))
def test_worked(answer, items, half):
    \"\"\"Both count.\"\"\"
    assert observe(length=items + items) == answer(items)


@claim(wrong=as_long_as_one, right=as_long_as_both, evidence="trained", examples=40)
@given(items=st.integers(0, 10**6))
def test_budgeted(answer, device, items):
    \"\"\"Both count.\"\"\"
    assert observe(length=items + items) == answer(items)


"""


@pytest.fixture
def drawn_by_a_run(pytester, monkeypatch):
    """What the right answers of some pages are tried on by pytest, in a process of its own."""

    def drawn(*arguments: str | Path) -> dict[str, list]:
        file = pytester.path / "drawn.json"
        monkeypatch.setenv("DRAWN", str(file))
        monkeypatch.setenv("PYTHONPATH", str(ROOT))
        assert pytester.runpytest_subprocess("-p", "tests.recorder", *arguments).ret == 0
        return json.loads(file.read_text(encoding="utf-8"))

    return drawn


def drawn_by_teeth(*pages: Path, mutant: Mutant | None = None) -> dict[str, list]:
    """What the claims of some pages are tried on by `tools.teeth`, with a mutant or without."""
    drawn: dict[str, list] = {}
    with teeth._profile():
        for page in pages:
            bench = teeth.Bench(page, seconds=60)
            for claim, (test, fixtures) in bench.claims.items():
                with Recording(test, fixtures, drawn.setdefault(claim, [])):
                    bench.failure(claim, mutant, seconds=60)
    return json.loads(json.dumps(drawn))


def test_teeth_draws_what_a_run_of_pages_draws(drawn_by_a_run):
    """A right answer is tried by teeth on the very examples of the sheet's run, in the same order."""
    pages = [ROOT / page for page in PAGES]
    by_a_run = drawn_by_a_run(*pages, "-k", "right")

    assert len(by_a_run) >= 6
    assert drawn_by_teeth(*pages) == by_a_run


def test_a_mutant_is_tried_on_what_the_answer_is_tried_on(corpus, drawn_by_a_run):
    """Up to its first failing example, which is then replayed, a mutant sees what the right answer sees."""
    page = corpus.write(helpers=CLAIMS, head="from hypothesis import example")
    late = "def as_long_as_both(items): return 2 * items + (items > 700_000)"
    by_a_run = drawn_by_a_run(page)
    by_teeth = drawn_by_teeth(page, mutant=Mutant("as_long_as_both", 1, "", "", late))

    assert by_a_run["test_worked"][0] == {"items": 7, "half": 0.5}
    for claim in ("test_worked", "test_budgeted"):
        *seen, replayed = by_teeth[claim]
        assert 3 < len(seen) < len(by_a_run[claim])
        assert seen == by_a_run[claim][: len(seen)]
        assert replayed == seen[-1]


def test_literals_of_the_modules_loaded_are_not_drawn(monkeypatch):
    """Where teeth or a run draws, Hypothesis' pool of literals in the source around it is empty."""
    monkeypatch.setattr(providers, "_get_local_constants", lambda: pytest.fail("literals were asked for"))
    with teeth._profile():
        settings(max_examples=200)(given(st.integers())(lambda n: None))()


def test_profiles(corpus):
    """The sheet's profile repeats itself and the deep one does not; both forget what failed before."""
    sheet, deep = settings.get_profile("sheet"), settings.get_profile("deep")

    assert (sheet.derandomize, sheet.max_examples, sheet.database) == (True, 100, None)
    assert (deep.derandomize, deep.max_examples, deep.database) == (False, 1000, None)
    assert sheet.phases == deep.phases
    for name in ("sheet", "deep"):
        corpus.run(f"--hypothesis-profile={name}").stdout.no_fnmatch_line("*Error*")
        assert settings.get_current_profile_name() == name


def test_worked_examples_are_left_out_for_a_while():
    """Without its worked examples a test draws from its regime alone, and has them back afterwards."""
    seen = []

    @example(n=1234)
    @settings(max_examples=5)
    @given(n=st.integers(0, 9))
    def test(n):
        seen.append(n)

    assert draws.has_worked_examples(test)
    with draws.without_worked_examples(test):
        assert not draws.has_worked_examples(test)
        test()
    assert seen
    assert 1234 not in seen
    test()
    assert 1234 in seen


def test_a_test_without_worked_examples_stays_so():
    """What has no worked examples is given none."""

    @given(n=st.integers(0, 9))
    def test(n):
        """Nothing."""

    with draws.without_worked_examples(test):
        assert not draws.has_worked_examples(test)
    assert not draws.has_worked_examples(test)


def test_conftest_is_short():
    """conftest.py names the plugins, and is no place for machinery."""
    assert len((ROOT / "conftest.py").read_text(encoding="utf-8").splitlines()) < 25
