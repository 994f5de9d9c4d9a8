"""The mutants of right answers, and what becomes of them."""

import ast
import bisect
import heapq
import inspect
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import settings

from tools import teeth
from tools.mutants import Mutant, mutants
from tools.teeth import main, used

ROOT = Path(__file__).parent.parent

FAMILIES = {
    # operators, and the terms of a sum dropped
    "return a + b": ["return a - b", "return a * b", "return a", "return b"],
    "return a - b": ["return a + b", "return a"],
    "return a * b": ["return a + b", "return a / b", "return a", "return b"],
    "return a / b": ["return a * b", "return a // b", "return a"],
    "return a // b": ["return a / b", "return a % b", "return a"],
    "return a % b": ["return a // b", "return a"],
    "return a ** b": ["return a * b", "return a"],
    "return a << b": ["return a >> b", "return a"],
    "return a & b": ["return a | b", "return a"],
    "return a | b": ["return a & b", "return a ^ b", "return a"],
    "return a @ b": ["return a"],
    "return -a": ["return a"],
    "return f(a)": ["return a"],
    "return x.float()": ["return x"],
    "x += a": ["x -= a", "x *= a", "x = a"],
    # constants; 2 * 2 and 2 + 2 are one number
    "return 8": ["return 9", "return 7"],
    "return 0.5": ["return 0.625", "return 0.25"],
    "return 0.0": ["return 1.0"],
    "return True": ["return False"],
    "return -inf": ["return inf", "return -0"],
    "return torch.inf": ["return 0"],
    "return 2 * 2": [
        "return 2 / 2",
        "return 2",
        "return 3 * 2",
        "return 1 * 2",
        "return 2 * 3",
        "return 2 * 1",
    ],
    # off by one
    "return range(n)": ["return range(n + 1)", "return range(n - 1)", "return n"],
    "return x[i]": ["return x[i + 1]", "return x[i - 1]"],
    "return x[i, 'k']": ["return x[i + 1, 'k']", "return x[i - 1, 'k']"],
    "return x[a:]": ["return x[a + 1:]", "return x[a - 1:]", "return x[a:-1]"],
    "return x[:b]": ["return x[:b + 1]", "return x[:b - 1]", "return x[1:b]"],
    "return x[-1]": ["return x[1]", "return x[-2]", "return x[-0]"],
    # order
    "return f(a, b, c)": ["return f(b, a, c)", "return f(a, c, b)"],
    "return f(*a, b)": [],
    "return a, b": ["return (b, a)"],
    "return min(a, b)": ["return max(a, b)"],
    # comparisons and connectives
    "return a < b": ["return a <= b", "return a > b"],
    "return a >= b == c": ["return a > b == c", "return a <= b == c", "return a >= b != c"],
    "return a != b": ["return a == b"],
    "return a in b": ["return a not in b"],
    "return a and b": ["return b", "return a", "return a or b"],
    "return a or b or c": ["return b or c", "return a or c", "return a or b", "return a and b and c"],
    "return not a": ["return a"],
    "return [i for i in x if i]": ["return [i for i in x]"],
    # functions
    "return max(x)": ["return x", "return min(x)", "return sum(x)"],
    "return sum(x)": ["return x", "return max(x)"],
    "return any(x)": ["return x", "return all(x)"],
    "return x.mean()": ["return x", "return x.sum()"],
    "return math.ceil(x)": ["return x", "return math.floor(x)"],
    "return torch.round(x)": ["return x", "return torch.floor(x)", "return torch.ceil(x)"],
    # roundings part at ties and at whole numbers
    "return round(x)": ["return x", "return int(x)", "return int(x + 0.5)"],
    "return round(x, n)": ["return x", "return round(n, x)"],
    "return ceil(x)": ["return x", "return int(x)", "return int(x) + 1"],
    "return floor(x)": ["return x", "return int(x) + 1", "return round(x)"],
    "return -(-a // b)": [
        "return -a // b",
        "return -(-a / b)",
        "return -(-a % b)",
        "return --a",
        "return -(a // b)",
        "return a // b + 1",
    ],
    # branches; of == and not the opposite is made already
    "return a if c else b": ["return a if not c else b"],
    "if a > b: y": ["if not a > b:", "if a >= b:", "if a < b:"],
    "if a == b: y": ["if a != b:"],
    "while not x: y": ["while x:"],
    # statements: each specimen ends in `pass`, see below
    "x = a": [],
    "x: int = a": [],
    "x.append": [],
    "return": [],
    "for i in x: break": [],
    "for i in x: continue": [],
}
"""A statement, and what becomes of it besides the deletion of its one acting statement."""


def mutants_of(*statements: str) -> list[Mutant]:
    """The mutants of a function with this body."""
    body = textwrap.indent("\n".join(statements), "    ")
    return list(mutants(ast.parse(f"def f():\n{body}").body[0]))


@pytest.mark.parametrize("statement", FAMILIES)
def test_every_family_yields_its_mutants(statement):
    """Each kind of expression and statement has exactly the mutants that stand beside it."""
    found = [mutant.now for mutant in mutants_of(statement)]

    assert sorted(found) == sorted([*FAMILIES[statement], "pass"])


@pytest.mark.parametrize(
    "statement",
    [
        "'''doc'''",
        "x: int",
        "...",
        "def g(k: x[i]) -> -y: '1'",
        "@cache(1)\ndef g(): ''",
        "f'a', 'bf16', None",
    ],
)
def test_prose_is_left_alone(statement):
    """Docstrings, annotations, decorators, text and None have no mutants."""
    assert [mutant.now for mutant in mutants_of(statement) if mutant.now != "pass"] == []


def test_a_definition_is_told_by_its_name_and_line():
    """A mutant knows its definition, its line, and the head of a compound statement."""
    page = ast.parse(
        "\n\nPAGE = 16\nclass Pool:\n    def free(self, n=2):\n        while n > \\\n            self.n: pass"
    )
    constant, pool = ([*mutants(node)] for node in page.body)

    assert [m.key for m in constant] == [
        ("PAGE", "PAGE = 16", "PAGE = 17"),
        ("PAGE", "PAGE = 16", "PAGE = 15"),
    ]
    assert [(m.answer, m.line, m.now) for m in pool] == [
        ("Pool", 5, "def free(self, n=3):"),
        ("Pool", 5, "def free(self, n=1):"),
        ("Pool", 6, "while not n > self.n:"),
        ("Pool", 6, "while n >= self.n:"),
        ("Pool", 6, "while n < self.n:"),
    ]


def test_the_head_of_a_case_is_a_statement_of_its_own():
    """Where no statement has a line of its own, the nearest part that has one gives it."""
    found = mutants_of("match x:", "    case 1 if y: pass")

    assert [(m.line, m.was, m.now) for m in found] == [
        (3, "case 1 if y:", "case 2 if y:"),
        (3, "case 1 if y:", "case 0 if y:"),
    ]


def test_identical_mutants_are_tried_once():
    """To drop either factor of a square leaves one and the same mutant."""
    found = [mutant.now for mutant in mutants_of("return a * a")]

    assert found.count("return a") == 1


@pytest.mark.parametrize("module", [heapq, bisect])
def test_mutants_of_real_code_are_programs(module):
    """Each mutant is valid Python, differs from all others, and leaves the original as it was."""
    tree = ast.parse(inspect.getsource(module))
    before = ast.unparse(tree)
    found = [m.source for node in tree.body if isinstance(node, ast.FunctionDef) for m in mutants(node)]

    for source in found:
        compile(source, "<mutant>", "exec")

    assert len(found) == len(set(found)) > 50
    assert ast.unparse(tree) == before


def test_names_of_a_function_are_those_of_the_page():
    """A function's parameters and variables are its own; what else it looks up is the page's."""
    function = ast.parse("def f(a, g):\n    size = a\n    return g(size) + helper(PAGE)").body[0]

    assert used(function) == {"helper", "PAGE"}


PAGE = '''
from hypothesis import given, strategies as st

from fixtures import claim, observe


def first_alone(a, b):
    """Only the first counts."""
    return a


{answer}


@claim(wrong=first_alone, right=total)
@given(a=st.integers(1, 9), b=st.integers({b}))
def test_total(answer, a, b):
    """Both count."""
    {claim}
'''

ADDS = '''
def total(a, b):
    """Both count.

    One after the other.
    """
    return a + b
'''

MEASURES = "assert observe(total=len([*range(a), *range(b)])) == answer(a, b)"


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a page of the test's own, and give its name."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "traps/sums").mkdir(parents=True)

    def write(answer=ADDS, b="1, 9", claim=MEASURES, text=PAGE, slug="sum_forgets_a_term"):
        name = f"traps/sums/{slug}.py"
        Path(name).write_text(text.format(answer=textwrap.dedent(answer).strip(), b=b, claim=claim))
        return name

    return write


def declare(page, *entries, **others):
    """Declare mutants of a page equivalent; `others` override what every entry says."""
    default = {"answer": "total", "was": "return a + b", "now": "return a", "reason": "Because."}
    text = ""
    for entry in entries or [{}]:
        fields = {**default, **entry, **others}
        text += "[[mutant]]\n" + "".join(f"{k} = {v!r}\n" for k, v in fields.items() if v is not None)
    Path(page).with_suffix(".equivalent.toml").write_text(text)


def test_a_sharp_claim_kills_every_mutant(write, capsys):
    """Where all mutants die the page's count is all that is said, and the status is 0."""
    page = write()

    assert main([page]) == 0
    summary = "5 mutants of 1 right answer on the sheet's draws, 5 killed, 0 survived"
    assert capsys.readouterr().out == f"{page}: {summary}\n"


def test_a_blunt_claim_leaves_a_survivor(write, capsys):
    """A domain in which b is 1 cannot tell b from 1: the survivor is shown as a diff, with its claim."""
    page = write(answer=ADDS.replace("a + b", "a + 1 * b"), b="1, 1")

    assert main([page]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"{page}: 11 mutants of 1 right answer on the sheet's draws, 8 killed, 3 surv")
    assert (
        f"{page}:17 total survived\n"
        "    - return a + 1 * b\n"
        "    + return a + b\n"
        "    test_total\n"
    ) in out  # fmt: skip
    assert "    + return a + 1 / b\n" in out
    assert "    + return a + 1\n" in out


def test_a_wide_tolerance_is_blunt(write, capsys):
    """What a tolerance lets through survives."""
    page = write(
        answer=ADDS.replace("a + b", "a + b + 1"), claim="assert observe(d=abs(answer(a, b) - a - b)) < 3"
    )

    assert main([page]) == 1
    assert "    + return a + b + 2\n" in capsys.readouterr().out


def test_verbose_tells_each_mutant(write, capsys):
    """With -v each mutant has a line: its place, its fate, the claim and error that killed it, its diff."""
    page = write()
    main([page, "-v"])

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{page}:17 killed by test_total (AssertionError)    return a + b  →  pass"
    assert len(lines) == 6


STOPS = """
def total(a, b):
    'Both count.'
    if not a:
        raise {error}
    return a + b
"""


def test_every_error_kills(write, capsys):
    """A mutant dies of whatever it raises, be it an exit."""
    page = write(answer=STOPS.format(error="SystemExit"))

    assert main([page, "-v"]) == 0
    assert "killed by test_total (SystemExit)    if not a:  →  if a:" in capsys.readouterr().out


WORKED = PAGE.replace("given,", "example, given,").replace(
    "@given(", "@example(a=7, b=70)\n@example(a=7, b=71)\n@given("
)
CAPPED = ADDS.replace("a + b", "a + min(b, 70)")


def test_a_worked_example_kills(write, capsys):
    """What only a worked example kills is dead, and counted apart: a search alone would have missed it."""
    page = write(answer=CAPPED, text=WORKED, claim=MEASURES.replace("range(b)", "range(min(b, 70))"))

    assert main([page, "-v"]) == 0
    out = capsys.readouterr().out
    assert "killed by test_total (AssertionError)    return a + min(b, 70)  →  return a\n" in out
    by_the_example = "killed by a worked example of test_total (AssertionError)    return a + min(b, 70)"
    for cap in (69, 71):
        assert f"{by_the_example}  →  return a + min(b, {cap})\n" in out
    assert " killed (2 by worked examples alone), 0 survived\n" in out


def test_a_claim_that_skips_itself_kills_nothing(write, capsys):
    """A claim that is unverified here is untried with its reason, and its mutants are no survivors."""
    claim = "__import__('pytest').skip('the clock varies by 60 % here')"
    page = write(claim=claim)

    assert main([page]) == 0
    out = capsys.readouterr().out
    assert "0 killed, 0 survived, 5 untried\n" in out
    assert f"{page}: test_total untried: the clock varies by 60 % here\n" in out


def test_a_mutant_does_not_die_of_a_skip(write, capsys):
    """A claim that skips itself with a mutant has not killed it."""
    claim = "answer(a, b) == a + b or __import__('pytest').skip('odd'); observe(total=a + b)"
    page = write(claim=claim)

    assert main([page, "-v"]) == 1
    assert ":17 survived    return a + b  →  return a - b\n" in capsys.readouterr().out


def test_an_interrupt_is_no_death(write):
    """Who presses Ctrl-C stops the tool, not the mutant."""
    page = write(answer=STOPS.format(error="KeyboardInterrupt"))

    with pytest.raises(KeyboardInterrupt):
        main([page])


INSISTS = """
def total(a, b):
    'Both count.'
    while True:
        try:
            return a + b
        except Exception:
            pass
"""


def test_an_endless_mutant_is_killed_by_the_clock(write, capsys):
    """A loop without end dies of time, even where it catches every exception, and is counted."""
    page = write(answer=INSISTS)

    assert main([page, "--seconds", "10", "-v"]) == 0
    out = capsys.readouterr().out
    assert re.search(
        r"killed by test_total \(OutOfTime: stopped after .+ s\)    return a \+ b  →  pass\n", out
    )
    assert " 6 killed (1 out of time), 0 survived\n" in out


def test_an_answer_slower_than_the_clock_proves_nothing(write, capsys):
    """The answer itself must end within the time that its mutants have, or they would all die of it."""
    page = write(answer=ADDS.replace("return", "__import__('time').sleep(1); return"))

    assert main([page, "--seconds", "0.1"]) == 2
    assert "(OutOfTime: stopped after 0.1 s). Give it more --seconds" in capsys.readouterr().err


STUBBORN = """
import time
while True:
    try:
        {act}
    except BaseException:
        pass
"""


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("raise SystemExit", "cannot be imported (SystemExit). Mend the page first."),
        ("raise SystemExit(0)", "cannot be imported (SystemExit: 0). Mend the page first."),
        ("__import__('pytest').skip('no')", "cannot be imported (Skipped: no). Mend the page first."),
        ("while True: pass", "cannot be imported (OutOfTime: stopped after 0.2 s). Mend the page first."),
        ("__import__('time').sleep(99)", "cannot be imported (OutOfTime: stopped after 0.2 s)."),
    ],
)
def test_a_page_that_does_not_end_as_a_page_does(write, capsys, text, seen):
    """A page that exits, skips, loops or sleeps on import is an error of this page, and the next is tried."""
    bad, good = write(text=f"{text}\n{PAGE}"), write(slug="sum_forgets_nothing")

    assert main([bad, "--seconds", "0.2"]) == 2
    assert capsys.readouterr().err.startswith(f"{bad}: {seen}")
    assert main([bad, good, "--seconds", "1"]) == 2
    assert f"{good}: 5 mutants" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("act", "seen"),
    [
        ("raise SystemExit(0)", "fails test_total (SystemExit: 0). Mend the page first"),
        ("while True: pass", "fails test_total (OutOfTime: stopped after 0.5 s). Give it more --seconds"),
    ],
)
def test_a_claim_that_does_not_end_as_a_claim_does(write, capsys, act, seen):
    """A claim that exits or loops with its right answer is an error of its page."""
    page = write(answer=STOPS.format(error="KeyError").replace("if not a:", f"{act}\n    if not a:"))

    assert main([page, "--seconds", "0.5"]) == 2
    assert seen in capsys.readouterr().err


@pytest.mark.parametrize("act", ["sum(range(10**6))", "time.sleep(0.1)"])
def test_what_cannot_be_stopped_ends_the_tool(write, act):
    """Code that swallows every attempt to stop it ends the tool, loudly."""
    good, bad = write(), write(text=STUBBORN.format(act=act), slug="sum_never_ends")
    arguments = [good, bad, "--seconds", "1"]
    code = f"import sys; from tools import teeth; teeth.GRACE = 0.5; sys.exit(teeth.main({arguments}))"
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert run.returncode == 2
    assert f"{good}: 5 mutants" in run.stdout
    assert run.stderr == (
        f"{bad}: its import cannot be stopped: it was told to after 1 s and went on. "
        "Mend the page; what was to come after it was not tried.\n"
    )


def test_the_clock_is_put_back(write):
    """After a run no alarm is pending, and the former handler stands."""
    before = teeth.signal.getsignal(teeth.signal.SIGALRM)
    main([write()])

    assert teeth.signal.getsignal(teeth.signal.SIGALRM) is before
    assert teeth.signal.getitimer(teeth.signal.ITIMER_REAL) == (0.0, 0.0)


def test_a_declared_mutant_is_no_survivor(write, capsys):
    """Equivalent mutants are declared with the two lines of their diff, and counted apart."""
    page = write(b="0, 0")
    declare(page, {"now": "return a"}, {"now": "return a - b"})

    assert main([page]) == 0
    assert "on the sheet's draws, 3 killed, 0 survived, 2 declared equivalent" in capsys.readouterr().out


def test_an_entry_speaks_for_one_mutant(write, capsys):
    """Of two statements that read alike, one entry declares one."""
    page = write(answer='def total(a, b):\n    """Both."""\n    a = a + 0\n    a = a + 0\n    return a + b')
    twin = {"was": "a = a + 0", "now": "a = a"}
    declare(page, twin)
    main([page])
    assert capsys.readouterr().out.count("    + a = a\n") == 1

    declare(page, twin, twin)
    main([page])
    assert capsys.readouterr().out.count("    + a = a\n") == 0


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ({"now": "return b"}, "total: return a + b  →  return b: this mutant was killed."),
        ({"was": "return a+b"}, "total: return a+b  →  return a: this mutant is not among the survivors."),
        ({"answer": "sum"}, "sum: return a + b  →  return a: this mutant is not among the survivors."),
    ],
)
def test_a_stale_declaration_is_an_error(write, capsys, entry, error):
    """What is declared and killed, or matches no mutant, has to go."""
    page = write()
    declare(page, entry)

    assert main([page]) == 2
    file = Path(page).with_suffix(".equivalent.toml")
    assert capsys.readouterr().err == f"{file}: {error} The entry is stale: remove it.\n"


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        *(({key: None}, f"[[mutant]] number 2: has no {key!r}. Write {key} = ") for key in teeth.KEYS),
        ({"reason": " "}, "[[mutant]] number 2: has no 'reason'."),
        ({"reason": 1}, "[[mutant]] number 2: has no 'reason'."),
        ({"raeson": "x"}, "[[mutant]] number 2: has an unknown key 'raeson'. Did you mean 'reason'?"),
    ],
)
def test_a_declaration_says_all_it_must(write, capsys, entry, error):
    """A declaration names the answer, both lines and a reason; file and entry at fault are named."""
    page = write()
    declare(page, {}, entry)

    assert main([page]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"{Path(page).with_suffix('.equivalent.toml')}: {error}")
    assert captured.out == ""


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[[mutant]", "is not TOML (Expected ']]' at the end of an array declaration"),
        ("[mutant]\nanswer = 'total'", "is no list of [[mutant]] tables."),
        ("mutant = [1]", "is no list of [[mutant]] tables."),
        ("[[mutants]]\nanswer = 'total'", "is no list of [[mutant]] tables."),
    ],
)
def test_a_file_of_declarations_holds_nothing_else(write, capsys, text, error):
    """A file that is no TOML, or no list of mutants, is refused."""
    page = write()
    Path(page).with_suffix(".equivalent.toml").write_text(text)

    assert main([page]) == 2
    assert error in capsys.readouterr().err


def test_a_right_answer_that_fails_proves_nothing(write, capsys):
    """Before any mutant the answer itself is tried; if it fails, that is said and no more."""
    page = write(answer=ADDS.replace("a + b", "a - b"))

    assert main([page]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        f"{page}: the right answer total fails test_total (AssertionError). "
        "Mend the page first: its mutants prove nothing.\n"
    )


HELPED = '''
STEP = 1
LAST = 9


def twice(n):
    """Reality counts with this, too."""
    return n + n


def second(b):
    """The answer's own."""
    return deeper(b)


def deeper(b):
    """The answer's own, through another."""
    return b * STEP


def total(a, b):
    """Both count."""
    return (twice(a) + twice(second(b))) // 2
'''


def test_helpers_of_the_answer_alone_are_mutated(write, capsys):
    """What only the right answer needs is mutated with it; what reality needs as well is not."""
    page = write(
        answer=HELPED, b="1, LAST", claim="assert observe(total=len('x' * twice(a + b)) // 2) == answer(a, b)"
    )
    main([page, "-v"])

    lines = capsys.readouterr().out.splitlines()
    tried = {line.split("    ", 1)[1].split("  →  ")[0] for line in lines if "→" in line}
    assert tried == {
        "STEP = 1",
        "return deeper(b)",
        "return b * STEP",
        "return (twice(a) + twice(second(b))) // 2",
    }
    assert any("killed" in line and line.endswith("STEP = 1  →  STEP = 2") for line in lines)


def test_what_a_wrong_answer_needs_is_not_mutated(write, capsys):
    """A helper that a wrong answer calls stays as it is."""
    answer = 'def same(n):\n    """As it is."""\n    return n * 1\n\n\n' + ADDS.replace(
        "a + b", "same(a) + b"
    )
    page = write(answer=answer, text=PAGE.replace("return a\n", "return same(a)\n"))
    main([page, "-v"])

    assert "n * 1" not in capsys.readouterr().out


SECOND = '''

@claim(wrong=first_alone, right=total_of_three)
@given(a=st.integers(1, 9), b=st.integers(1, 9))
def test_three(answer, a, b):
    """The second counts twice."""
    assert observe(total=len([*range(a), *range(b), *range(b)])) == answer(a, b)
'''

THREE = '''

def total_of_three(a, b):
    """The second counts twice."""
    return total(a, b=b) + b
'''


def test_each_claim_that_uses_the_answer_tries_it(write, capsys):
    """A right answer that calls another is changed with it: the one claim's survivor dies of the other."""
    page = write(answer=ADDS + THREE, b="0, 0", text=PAGE + SECOND)

    assert main([page, "-v"]) == 0
    out = capsys.readouterr().out
    assert "killed by test_three (AssertionError)    return a + b  →  return a - b" in out
    assert "10 mutants of 2 right answers on the sheet's draws, 10 killed, 0 survived" in out


def test_a_page_may_postpone_its_annotations(write):
    """A mutant is built under the page's own __future__ imports."""
    text = "from __future__ import annotations\n" + PAGE
    page = write(answer=ADDS.replace("(a, b):", "(a: NotDefined, b: NotDefined):"), text=text)

    assert main([page]) == 0


def test_mutants_run_in_silence(write, capsys):
    """What a claim prints or warns of while it dies is not shown."""
    claim = "print('noise'); __import__('warnings').warn('noise'); " + MEASURES
    main([write(claim=claim)])

    captured = capsys.readouterr()
    assert "noise" not in captured.out + captured.err
    assert "Falsifying" not in captured.out + captured.err


def test_the_profile_is_the_tool_s_own(write, capsys):
    """A page is imported under a profile that does not shrink, and the former one is put back."""
    before = settings.get_current_profile_name()
    text = PAGE + "\nassert 'shrink' not in [phase.name for phase in settings.default.phases]"
    page = write(text=text.replace("given,", "given, settings,"))

    assert main([page]) == 0
    assert settings.get_current_profile_name() == before


def test_a_claim_gets_the_device_it_names(write, monkeypatch):
    """`device` is the CPU and `gpu` the CUDA device."""
    monkeypatch.setattr(teeth, "devices", lambda: ("cpu", "cuda"))
    text = PAGE.replace("(answer, a, b)", "(answer, device, gpu, a, b)")

    assert main([write(text=text, claim="assert (device, gpu) == ('cpu', 'cuda'); " + MEASURES)]) == 0


def test_a_claim_without_its_gpu_is_untried(write, monkeypatch, capsys):
    """Where there is no CUDA device its claim kills nothing; what it might have killed is counted apart."""
    monkeypatch.setattr(teeth, "devices", lambda: ("cpu",))
    text = PAGE + SECOND.replace("(answer,", "(answer, gpu,")
    page = write(answer=ADDS + THREE, b="0, 0", text=text)

    assert main([page]) == 0
    out = capsys.readouterr().out
    assert "10 mutants of 2 right answers on the sheet's draws, 3 killed, 0 survived, 7 untried\n" in out
    assert f"{page}: test_three untried: no CUDA device here\n" in out


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("traps/sums/absent.py", "there is no such page. Check the path."),
        ("traps/sums/__init__.py", "is no page. Name a file traps/<area>/<slug>.py."),
        ("traps/sums", "is no page."),
        ("elsewhere/sums/page.py", "is no page."),
    ],
)
def test_a_path_that_is_no_page(write, capsys, name, error):
    """Only a file traps/<area>/<slug>.py is a page."""
    assert main([name]) == 2
    assert capsys.readouterr().err.startswith(f"{name}: {error}")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("x = (", "cannot be imported (SyntaxError: '(' was never closed"),
        (
            "import no_such_module",
            "cannot be imported (ModuleNotFoundError: No module named 'no_such_module').",
        ),
        ("x = 1", "no claim stands on it."),
        (
            PAGE.replace("def first_alone(a, b)", "def first_alone(a)"),
            "first_alone(a) and total(a, b) differ",
        ),
        (
            PAGE.replace("(answer, a, b)", "(answer, tmp_path, a, b)"),
            "test_total asks for the fixture 'tmp_path'",
        ),
        (
            PAGE.replace("{answer}", "from math import nan; exec('''{answer}''')").replace('"""', "'"),
            "the right answer total is not defined on it.",
        ),
    ],
)
def test_a_page_that_cannot_be_tried(write, capsys, text, error):
    """A page at fault is named together with what was seen."""
    page = write(
        answer="def total(a, b):\n    'Both'\n    return a + b" if "exec" in text else ADDS, text=text
    )

    assert main([page]) == 2
    err = capsys.readouterr().err
    assert err.startswith(page)
    assert error in err


def test_one_bad_page_does_not_hide_the_next(write, capsys):
    """Every page is tried, and the worst status is the run's."""
    good, bad = write(), write(b="0, 0", slug="sum_of_nothing")

    assert main(["traps/sums/absent.py", bad, good]) == 2
    assert main([bad, good]) == 1
    summary = "5 mutants of 1 right answer on the sheet's draws, 5 killed, 0 survived"
    assert capsys.readouterr().out.count(f"{good}: {summary}\n") == 2


def test_no_time_is_refused(write, capsys):
    """A limit of nothing would be no limit."""
    with pytest.raises(SystemExit, match="2"):
        main([write(), "--seconds", "0"])
    assert "--seconds 0: is no time at all." in capsys.readouterr().err


def test_the_command_ends_with_the_status(write, tmp_path):
    """The module runs as a command, from the root of the repository."""
    page = tmp_path / write(b="0, 0")
    run = subprocess.run(
        [sys.executable, "-m", "tools.teeth", page], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (run.returncode, run.stderr) == (1, "")
    assert "5 mutants of 1 right answer on the sheet's draws, 3 killed, 2 survived" in run.stdout
