"""Every claim is tried by its rivals in turn."""

from tests.corpus import SLUG

PAGE = f"traps/lists/{SLUG}.py"


def test_rivals_of_a_claim(corpus):
    """A claim has an item for each rival, named for its side and its function."""
    corpus.write()
    result = corpus.run("--collect-only", "-q")

    assert result.outlines[:2] == [
        f"{PAGE}::test_length[wrong-as_long_as_one]",
        f"{PAGE}::test_length[right-as_long_as_both]",
    ]


def test_opening_of_an_area_is_no_page(corpus):
    """The `__init__.py` of an area is not collected, not even when it is named."""
    file = corpus.write()
    result = corpus.run(file.parent / "__init__.py", "--collect-only")

    assert "no tests collected" in result.stdout.str()


def test_tests_beside_claims(corpus):
    """A plain test is none of a claim's runs: it is neither parametrized nor recorded."""
    corpus.write()
    (corpus.path / "tests").mkdir()
    (corpus.path / "tests" / "test_plain.py").write_text("def test_plain(): pass\n", encoding="utf-8")
    result = corpus.run("traps", "tests", "-v", "--evidence=evidence")

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["tests/test_plain.py .*", "evidence: *: 1 taken, *"])
