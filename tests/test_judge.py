"""With --answer a reader's own answer is tried on the claims: it holds, fails, or cannot be tried."""

import pytest

from fixtures.trial.judge import NOT_TRIED
from tests.corpus import SLUG, page

PAGE = f"traps/lists/{SLUG}.py"


@pytest.fixture
def yours(corpus):
    """Try an answer of one's own on the corpus."""

    def run(text, *arguments, name=None):
        (corpus.path / "mine.py").write_text(f"{text}\n", encoding="utf-8")
        name = name or text.split("def ")[1].split("(")[0]
        return corpus.run(f"--answer=mine.py:{name}", *arguments)

    return run


def failure(result):
    """The lines between the head of the first failure and the short summary."""
    start = next(i for i, line in enumerate(result.outlines) if line.startswith("____")) + 1
    end = next(i for i, line in enumerate(result.outlines) if "short test summary" in line)
    return result.outlines[start:end]


def errors(result):
    """What pytest says of a run that it refuses."""
    return [line for line in result.errlines if line]


def test_an_answer_holds(corpus, yours):
    """A right answer passes, alone, and says on how many examples."""
    corpus.write()
    result = yours("def twice(items): return items + items")

    result.assert_outcomes(passed=1)
    assert result.ret == pytest.ExitCode.OK
    result.stdout.fnmatch_lines([f"{PAGE} .*", "twice: held on 19 examples of test_length"])


def test_an_answer_is_reported_by_name(corpus, yours):
    """The reader's answer stands under the name by which he calls it."""
    corpus.write()
    result = yours("def twice(items): return items + items", "-vv")

    result.stdout.fnmatch_lines([f"{PAGE}::test_length[[]yours-twice[]] PASSED*"])
    result.stdout.no_fnmatch_line("*claims*")


def test_an_answer_is_wrong(corpus, yours):
    """A wrong answer fails with its smallest counterexample, and nothing of the framework is shown."""
    corpus.write()
    result = yours("def capped(items): return min(2 * items, 36)")

    result.assert_outcomes(failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert failure(result) == [
        "capped does not hold.",
        "    assert 38 == 36    at items=19",
        "    capped(items=19) = 36",
        "test_length: The joined list holds the items of both.",
    ]


def test_an_answer_raises(corpus, yours):
    """An answer that raises is reported with type, line, and the smallest inputs that make it raise."""
    corpus.write()
    result = yours("import math\n\ndef root(items):\n    return 2 * items + 0 * math.sqrt(19 - items)")

    result.assert_outcomes(failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    lines = failure(result)
    assert lines[0].startswith("root raised ValueError: ")
    assert lines[0].endswith("(mine.py:4)")
    assert lines[1:] == ["    in root(items=20)", "    at items=20"]


def test_a_page_of_its_own_folder(corpus):
    """A function of any page can stand as one's own answer, a wrong one too."""
    corpus.write()
    result = corpus.run(f"--answer={PAGE}:as_long_as_one")

    result.assert_outcomes(failed=1)
    assert failure(result)[1] == "    assert 4 == 2    at items=2"


TWO = {
    "helpers": "\ndef times(items: int, more: int) -> int:\n    "
    '"""As many as one times the other."""\n    return items * more\n\n\n'
    'def plus(items: int, more: int) -> int:\n    """As many as both."""\n    return items + 2 * more\n',
    "claim": "wrong=times, right=plus",
    "given": "items=st.integers(2, 20), more=st.integers(0, 9)",
    "signature": "items, more",
    "body": "assert observe(length=len([0] * items + [1] * more * 2)) == answer(items, more)",
}
"""A claim whose answers take two inputs, which are not to be confused."""

TAKEN = {
    "in another order": "def mine(more, items): return items + 2 * more",
    "with extras of its own": "def mine(items, more, by=2, *, plus=0): return items + by * more + plus",
    "by position alone": "def mine(more, items, /): return items + 2 * more",
    "by name alone": "def mine(*, more, items): return items + 2 * more",
    "by whatever name": "def mine(**given): return given['items'] + 2 * given['more']",
    "annotated": "from __future__ import annotations\n\n"
    "def mine(more: Unheard, items: list[Of]) -> None: return items + 2 * more",
    "decorated": "import functools\n\ndef loud(f):\n    @functools.wraps(f)\n"
    "    def g(*a, **k): return f(*a, **k)\n    return g\n\n"
    "@loud\ndef mine(more, items): return items + 2 * more",
    "cached": "import functools\n\n@functools.lru_cache\ndef mine(more, items): return items + 2 * more",
    "partial": "import functools\n\ndef f(factor, more, items): return items + factor * more\n\n"
    "mine = functools.partial(f, 2)\n",
    "vectorised": "import numpy\n\n@numpy.vectorize\ndef mine(more, items): return items + 2 * more",
    "an object": "class F:\n    def __call__(self, more, items): return items + 2 * more\n\nmine = F()",
    "a lambda": "mine = lambda more, items: items + 2 * more",
    "a closure": "def make():\n    def f(items, more): return items + 2 * more\n    return f\n\n"
    "mine = make()",
    "with a dataclass": "from __future__ import annotations\nimport dataclasses\n\n@dataclasses.dataclass\n"
    "class Pair:\n    items: int\n\ndef mine(more, items): return Pair(items).items + 2 * more",
}


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN)
def test_inputs_go_by_name(corpus, yours, text):
    """An answer takes its inputs by name, in any order, whatever kind of callable it is."""
    corpus.write(**TWO)

    assert yours(text, name="mine").ret == pytest.ExitCode.OK


def test_a_method_of_an_object(corpus, yours):
    """An answer may be a method of an object of the file, at any depth."""
    corpus.write()
    text = (
        "class A:\n    class B:\n        @staticmethod\n        def twice(items): return 2 * items\n\na = A()"
    )
    result = yours(text, name="a.B.twice")

    assert "a.B.twice: held on 19 examples of test_length" in result.outlines


RETURNED = {
    "rounded": "2 * items * (1 + 2 ** -52)",
    "numpy scalar": "numpy.float32(2) * numpy.int8(items)",
    "numpy array": "numpy.array(2 * items)",
    "torch scalar": "torch.tensor(2.0) * items",
    "fraction": "Fraction(4 * items, 2)",
    "decimal": "Decimal(2) * items",
    "its own int": "Number(2 * items)",
}


@pytest.mark.parametrize("expression", RETURNED.values(), ids=RETURNED)
def test_numbers_compare_as_numbers(corpus, yours, expression):
    """A right number holds in whatever type it comes, and where doubles have rounded it."""
    corpus.write()
    library = next((name for name in ("torch", "numpy") if f"{name}." in expression), "math")
    text = (
        f"import {library}\nfrom decimal import Decimal\nfrom fractions import Fraction\n\n"
        f"class Number(int): pass\n\ndef mine(items): return {expression}"
    )

    assert yours(text, name="mine").ret == pytest.ExitCode.OK


@pytest.mark.parametrize(
    "expression", ["2 * items + 1", "2 * items * (1 + 2 ** -36)", "-2 * items", "None", "'4'"]
)
def test_other_numbers_do_not(corpus, yours, expression):
    """What differs from the right number by more than rounding is refuted, however little."""
    corpus.write()

    assert yours(f"def mine(items): return {expression}").ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize(
    "answer", ["(2 * items, items)", "np.array([2 * items, items])", "[2.0 * items, items]"]
)
def test_a_sequence_takes_the_right_answers_type(corpus, yours, answer):
    """Several numbers may come as list, tuple or array."""
    corpus.write(
        right="return [2 * items, items]", body="assert observe(both=[2 * items, items]) == answer(items)"
    )

    assert yours(f"import numpy as np\n\ndef mine(items): return {answer}").ret == pytest.ExitCode.OK


def test_an_answer_is_tried_where_it_fits(corpus, yours):
    """Claims whose answers take other inputs are deselected, and so is every plain test."""
    corpus.write()
    corpus.write(slug="other", **TWO)
    (corpus.path / "tests").mkdir()
    (corpus.path / "tests" / "test_plain.py").write_text("def test_plain(): pass\n", encoding="utf-8")
    result = yours("def twice(items): return items + items", "traps", "tests")

    result.assert_outcomes(passed=1, deselected=3)


def test_an_answer_within_a_selection(corpus, yours):
    """The reader's answer is tried on the selected claims alone."""
    corpus.write()
    corpus.write(slug="other")
    result = yours("def twice(items): return items + items", "-k", "other")

    result.assert_outcomes(passed=1)


def test_an_answer_that_fits_no_claim(corpus, yours):
    """An answer that takes other inputs is told those of the nearest claims, with an empty one to paste."""
    corpus.write()
    text = page(**TWO, sentence='"""More is counted twice.\n\n    more: items of the other\n    """')
    corpus.write(text.replace("test_length", "test_more"), slug="other")
    result = yours("def mine(items, less): return items")

    assert result.ret == NOT_TRIED
    start = next(i for i, line in enumerate(result.outlines) if "fits no selected claim" in line)
    assert result.outlines[start : start + 18] == [
        "mine(items, less) fits no selected claim: inputs go by their names. The nearest are:",
        "",
        "test_length: The joined list holds the items of both.",
        "    items  not explained  int: 2 to 20",
        "  mine wants less, which the claim does not have.",
        "    def your_answer(items):",
        '        """What you believe."""',
        "        return ...  # the length you expect",
        "",
        "test_more: More is counted twice.",
        "    items  not explained       int: 2 to 20",
        "    more   items of the other  int: 0 to 9",
        "  mine does not take more.",
        "  mine wants less, which the claim does not have.",
        "    def your_answer(items, more):",
        '        """What you believe."""',
        "        return ...  # the length you expect",
        "",
    ]


def test_an_answer_without_names(corpus, yours):
    """An answer that takes any number of inputs by position is told that they go by name."""
    corpus.write()
    result = yours("def mine(*numbers): return 2 * numbers[0]")

    assert result.ret == NOT_TRIED
    assert "  mine does not take items." in result.outlines


def test_signatures(corpus):
    """What a claim's answers are given can be asked before one is written."""
    corpus.write()
    result = corpus.run("--signatures")

    assert result.ret == pytest.ExitCode.OK
    assert "    items  not explained  int: 2 to 20" in result.outlines
    assert "1 described" in result.outlines[-1]


def test_an_answer_without_a_claim(corpus, yours):
    """Where no claim is selected there is nothing to fit, and pytest says so."""
    corpus.write()
    result = yours("def both(left, right): return left + right", "-k", "xyzzy")

    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED


@pytest.mark.parametrize("option", ["--answer=mine.py:twice", "--signatures"])
def test_an_answer_in_one_process(corpus, option):
    """Workers would each describe a part, so an answer is tried in one process."""
    corpus.write()
    result = corpus.run(option, "-n2")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    name = option.partition("=")[0]
    assert errors(result) == [f"ERROR: {name} and -n exclude each other. Try your answer in one process."]


NEITHER = {
    "where nothing ran": (["--collect-only"], {}),
    "where a device is missing": ([], {"signature": "answer, gpu, items"}),
    "where the page skips": ([], {"head": "import pytest", "body": "observe(n=1)\n    pytest.skip('small')"}),
}


@pytest.mark.parametrize(("arguments", "changed"), NEITHER.values(), ids=NEITHER)
def test_no_verdict(corpus, yours, monkeypatch, arguments, changed):
    """A run that tried the answer nowhere exits neither as if it held nor as if it were refuted."""
    monkeypatch.setattr("fixtures.device.devices", lambda: ("cpu",))
    corpus.write(**changed)

    assert yours("def twice(items): return 2 * items", *arguments).ret == NOT_TRIED


def test_held_where_it_was_tried(corpus, yours, monkeypatch):
    """An answer that held on one claim, and could not be tried on another, has held."""
    monkeypatch.setattr("fixtures.device.devices", lambda: ("cpu",))
    corpus.write()
    corpus.write(slug="other", signature="answer, gpu, items")

    assert yours("def twice(items): return 2 * items").ret == pytest.ExitCode.OK


LOADED = {
    "beside its neighbours": ("import helper\n\ndef twice(items): return helper.TWO * items", "mine.py"),
    "by a name that a package has": ("import torch\n\ndef twice(items): return 2 * items", "torch.py"),
    "by a name of the standard library": ("import random\n\ndef twice(items): return 2 * items", "random.py"),
    "by a name with a dot": ("def twice(items): return 2 * items", "my.answer.py"),
    "with prints": ("print('hello')\n\ndef twice(items): return 2 * items", "mine.py"),
}


@pytest.mark.parametrize(("text", "file"), LOADED.values(), ids=LOADED)
def test_a_file_is_loaded(corpus, text, file):
    """A file is loaded beside its neighbours, whatever it is called, and what it prints is not shown."""
    corpus.write()
    folder = corpus.path / "notes"
    folder.mkdir()
    (folder / "helper.py").write_text("TWO = 2\n", encoding="utf-8")
    (folder / file).write_text(f"{text}\n", encoding="utf-8")
    result = corpus.run(f"--answer=notes/{file}:twice")

    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("hello")


NOT_FOUND = {
    "no colon": ("mine.py", "names no function. Write --answer FILE.py:FUNCTION."),
    "no function": ("mine.py:", "names no function. Write --answer FILE.py:FUNCTION."),
    "no file": (":twice", "names no function. Write --answer FILE.py:FUNCTION."),
    "a missing file": ("yours.py:twice", "there is no file yours.py. Check the path."),
    "a missing function": ("mine.py:twise", "mine.py has no function twise. Did you mean 'twice'?"),
    "a missing method": ("mine.py:twice.of", "mine.py has no function twice.of. Did you mean 'twice'?"),
    "what cannot be called": ("mine.py:LENGTH", "mine.py has no function LENGTH. Known are twice, thrice."),
    "no functions": ("empty.py:twice", "empty.py has no function twice. It defines none."),
    "a file that is not Python": ("mine.txt:twice", "mine.txt is no Python file. Name one that is."),
    "a file that raises": (
        "raises.py:twice",
        "raises.py cannot be imported (ZeroDivisionError: division by zero). Mend the file first.",
    ),
    "a syntax error": (
        "broken.py:twice",
        "broken.py cannot be imported (SyntaxError: invalid syntax (broken.py, line 1)). "
        "Mend the file first.",
    ),
    "a script": (
        "script.py:twice",
        "script.py cannot be imported (SystemExit: 0). Put what runs as a script below "
        "`if __name__ == '__main__':`.",
    ),
    "a file that asks": (
        "asks.py:twice",
        "asks.py cannot be imported (EOFError: EOF when reading a line). Mend the file first.",
    ),
    "a file that leaves": (
        "leaves.py:twice",
        "leaves.py ended its process, with exit status 0. Mend the file first.",
    ),
    "a file that never ends": (
        "endless.py:twice",
        "endless.py was still loading after 3 s. Mend the file first.",
    ),
    "a builtin without a signature": (
        "mine.py:bare",
        "the parameters of bare cannot be read. Wrap it in a function that names them.",
    ),
}


@pytest.mark.parametrize(("where", "message"), NOT_FOUND.values(), ids=NOT_FOUND)
def test_no_answer_there(corpus, where, message):
    """What names no function of a file that can be imported is one clear error, before anything runs."""
    corpus.write()
    for name, text in {
        "mine.py": "from math import sqrt\nLENGTH = 2\nbare = max\n\ndef twice(n): return 2 * n\n\n"
        "def thrice(n): return 3 * n\n",
        "empty.py": "LENGTH = 2\n",
        "mine.txt": "def twice(items): return items + items\n",
        "raises.py": "1 / 0\n",
        "broken.py": "def twice(items): return 2 *\n",
        "script.py": "import sys\n\nsys.exit(0)\n",
        "asks.py": "n = input('How many? ')\n",
        "leaves.py": "import os\n\nos._exit(0)\n",
        "endless.py": "while True: pass\n",
    }.items():
        (corpus.path / name).write_text(text, encoding="utf-8")
    result = corpus.run(f"--answer={where}", "--answer-seconds=0.5")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert errors(result) == [f"ERROR: --answer {where}: {message}"]
    assert result.outlines == []


def test_random_numbers_that_cannot_be_walked(corpus, yours):
    """An implementation that draws real numbers is told what to draw, and is not refuted."""
    corpus.write(
        head="from fractions import Fraction\n\nfrom fixtures.chance import law",
        helpers='\ndef fixed(items, rng):\n    """The first."""\n    return 0\n\n\n'
        'def fair(items, rng):\n    """Each alike."""\n    return rng.randrange(items)\n',
        claim="wrong=fixed, right=fair",
        given="items=st.integers(2, 3)",
        body="chance = law(lambda rng: answer(items, rng))\n    "
        "assert observe(share=chance.get(1, 0)) == Fraction(1, items)",
    )
    drawn = yours("def real(rng, items): return int(rng.random() * items)")
    rolled = yours("def rolled(rng, items): return rng.randint(1, items) - 1")

    assert drawn.ret == NOT_TRIED
    assert rolled.ret == pytest.ExitCode.OK
    assert (
        f"{PAGE}::test_length: could not be tried: rng.random cannot be walked branch by branch. "
        "Use rng.randrange."
    ) in drawn.outlines
