"""Every claim is tried by its rivals in turn, or with --answer by a reader's own answer."""

import pytest

from tests.corpus import SLUG, page

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


@pytest.fixture
def yours(corpus):
    """Try an answer of one's own on the corpus."""

    def run(function, *arguments, name=None):
        (corpus.path / "mine.py").write_text(f"{function}\n", encoding="utf-8")
        name = name or function.split("def ")[1].split("(")[0]
        return corpus.run(f"--answer=mine.py:{name}", *arguments)

    return run


def test_your_answer_holds(corpus, yours):
    """A right answer passes, alone, and says on how many examples."""
    corpus.write()
    result = yours("def twice(items): return items + items")

    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines([f"{PAGE} .*", "twice: held on 19 examples of test_length"])


def test_your_answer_by_name(corpus, yours):
    """The reader's answer stands under his own name."""
    corpus.write()
    result = yours("def twice(items): return items + items", "-v")

    result.stdout.fnmatch_lines([f"{PAGE} .*"])
    result.stdout.no_fnmatch_line("*claims*")


def failure(result):
    """The lines between the head of the first failure and the short summary."""
    start = next(i for i, line in enumerate(result.outlines) if line.startswith("____")) + 1
    end = next(i for i, line in enumerate(result.outlines) if "short test summary" in line)
    return result.outlines[start:end]


def test_your_answer_is_wrong(corpus, yours):
    """A wrong answer fails with its smallest counterexample, and nothing of the framework is shown."""
    corpus.write()
    result = yours("def capped(items): return min(2 * items, 36)")

    result.assert_outcomes(failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert failure(result) == [
        "capped does not hold.",
        "    assert 38 == 36    at items=19",
        "    capped(19) = 36",
        "test_length: The joined list holds the items of both.",
    ]


def test_your_answer_raises(corpus, yours):
    """An answer that raises is reported with the smallest inputs that make it raise."""
    corpus.write()
    result = yours("import math\n\ndef root(items): return 2 * items + 0 * math.sqrt(19 - items)")

    result.assert_outcomes(failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    lines = failure(result)
    assert lines[0].startswith("root raised ValueError: ")
    assert lines[1:] == ["    in root(20)", "    at items=20"]


def test_your_answer_is_called_by_name(corpus, yours):
    """The call is shown as the page makes it."""
    corpus.write(body="assert observe(length=len([0] * items * 2)) == answer(items=items)")

    assert "    one(items=2) = 2" in failure(yours("def one(items): return items"))


def test_your_answer_is_tried_where_it_fits(corpus, yours):
    """Claims whose answers take other parameters are deselected, and so is every plain test."""
    corpus.write()
    corpus.write(page().replace("(items: int)", "(items: int, more: int = 0)"), slug="other")
    (corpus.path / "tests").mkdir()
    (corpus.path / "tests" / "test_plain.py").write_text("def test_plain(): pass\n", encoding="utf-8")
    result = yours("def twice(items): return items + items", "traps", "tests")

    result.assert_outcomes(passed=1, deselected=3)


def test_your_answer_within_a_selection(corpus, yours):
    """The reader's answer is tried on the selected claims alone."""
    corpus.write()
    corpus.write(slug="other")
    result = yours("def twice(items): return items + items", "-k", "other")

    result.assert_outcomes(passed=1)


def test_your_answer_fits_no_claim(corpus, yours):
    """An answer with other parameters than any selected claim's is told what they want."""
    corpus.write()
    corpus.write(
        page().replace("(items: int)", "(items: int, more: int = 0)").replace("test_l", "test_other_l"),
        slug="other",
    )
    result = yours("def both(left, right): return left + right")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == [
        "ERROR: --answer: both(left, right) fits no selected claim. The selected claims want:",
        "    test_length(items)",
        "    test_other_length(items, more)",
    ]


def test_your_answer_without_a_claim(corpus, yours):
    """Where no claim is selected there is nothing to fit, and pytest says so."""
    corpus.write()
    result = yours("def both(left, right): return left + right", "-k", "xyzzy")

    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_your_answer_in_one_process(corpus, yours):
    """Workers would each refuse an answer that fits no claim, so it is tried in one process."""
    corpus.write()
    result = yours("def twice(items): return items + items", "-n2")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == [
        "ERROR: --answer and -n exclude each other. Try your answer in one process."
    ]


def test_answer_of_a_page(corpus):
    """A function of any page can stand as one's own answer, a wrong one too."""
    corpus.write()
    result = corpus.run(f"--answer={PAGE}:as_long_as_one")

    result.assert_outcomes(failed=1)
    assert failure(result)[1] == "    assert 4 == 2    at items=2"


def test_answer_with_a_dataclass(corpus, yours):
    """An answer's file is a module like any other: its classes find it."""
    corpus.write()
    result = yours(
        "from __future__ import annotations\nimport dataclasses\n\n"
        "@dataclasses.dataclass\nclass Pair:\n    items: int\n\n"
        "def pair(items): return 2 * Pair(items).items",
        name="pair",
    )

    result.assert_outcomes(passed=1)


NOT_FOUND = {
    "no colon": ("mine.py", "names no function. Write --answer FILE.py:FUNCTION."),
    "no function": ("mine.py:", "names no function. Write --answer FILE.py:FUNCTION."),
    "no file": (":twice", "names no function. Write --answer FILE.py:FUNCTION."),
    "a missing file": ("yours.py:twice", "there is no file yours.py. Check the path."),
    "a missing function": ("mine.py:twise", "mine.py has no function twise. Did you mean 'twice'?"),
    "a name that is no function": (
        "mine.py:LENGTH",
        "mine.py has no function LENGTH. Known are twice, thrice.",
    ),
    "a file without functions": ("empty.py:twice", "empty.py has no function twice. It defines none."),
    "a file that is not Python": ("mine.txt:twice", "mine.txt is no Python file. Name one that is."),
    "a file that raises": (
        "raises.py:twice",
        "raises.py cannot be imported (ZeroDivisionError: division by zero). Mend the file first.",
    ),
    "a file with a syntax error": (
        "broken.py:twice",
        "broken.py cannot be imported (SyntaxError: invalid syntax (broken.py, line 1)). "
        "Mend the file first.",
    ),
}


@pytest.mark.parametrize(("where", "message"), NOT_FOUND.values(), ids=NOT_FOUND)
def test_no_answer_there(corpus, where, message):
    """What names no function of a file that can be imported is one clear error, before anything runs."""
    corpus.write()
    for name, text in {
        "mine.py": "LENGTH = 2\n\ndef twice(n): return 2 * n\n\ndef thrice(n): return 3 * n\n",
        "empty.py": "LENGTH = 2\n",
        "mine.txt": "def twice(items): return items + items\n",
        "raises.py": "1 / 0\n",
        "broken.py": "def twice(items): return 2 *\n",
    }.items():
        (corpus.path / name).write_text(text, encoding="utf-8")
    result = corpus.run(f"--answer={where}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == [f"ERROR: --answer {where}: {message}"]
    assert result.outlines == []
