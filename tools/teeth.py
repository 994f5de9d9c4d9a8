"""Try a page's teeth: `python -m tools.teeth traps/<area>/<slug>.py`.

The right answers of the page are changed in one small place at a time, and every claim that uses the
changed answer runs with it. A claim with teeth kills the mutant. A mutant that survives shows what the
claims do not observe, unless it is equivalent: then it is declared in `<slug>.equivalent.toml`, beside
the page, with the two lines of its diff:

    [[mutant]]
    answer = "algorithm_r"
    was = "kept[slot] = event"
    now = "kept[slot - 1] = event"
    reason = "The slot is uniform, and so is the one to its left."

Exit status: 0 if every mutant is killed or declared, 1 if one survives, 2 if nothing could be proved.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib.util
import io
import signal
import sys
import time
import tomllib
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, settings

from fixtures.claims import Answer, Claim, ClaimError, Test, parameters
from fixtures.device import NO_GPU, devices
from fixtures.page import did_you_mean

SECONDS = 20.0
"""The longest that a claim may run with a mutant."""

PATIENCE = 20
"""It is stopped earlier once it has run two seconds and this many times what the original takes."""

KEYS = ("answer", "was", "now", "reason")
"""What a declaration says; the first three are a mutant's `key`."""

# What is easily mistaken for an operator, a comparison or a function.
OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult), ast.Sub: (ast.Add,), ast.Mult: (ast.Add, ast.Div), ast.Pow: (ast.Mult,),
    ast.Div: (ast.Mult, ast.FloorDiv), ast.FloorDiv: (ast.Div, ast.Mod), ast.Mod: (ast.FloorDiv,),
    ast.LShift: (ast.RShift,), ast.RShift: (ast.LShift,),
    ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd, ast.BitXor), ast.BitXor: (ast.BitOr,),
}  # fmt: skip
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
FUNCTIONS = {
    "min": ("max",), "max": ("min", "sum"), "sum": ("max",), "mean": ("sum",), "any": ("all",),
    "all": ("any",), "amin": ("amax",), "amax": ("amin",), "argmin": ("argmax",), "argmax": ("argmin",),
    "minimum": ("maximum",), "maximum": ("minimum",), "floor": ("ceil",), "ceil": ("floor",),
}  # fmt: skip

SYMMETRIC = {"min", "max", "gcd", "lcm", "hypot", "isclose", "minimum", "maximum", "allclose", "equal"}
"""Functions that do not mind the order of their arguments."""

PROSE = {"annotation", "returns", "decorator_list"}
"""Fields of a node that no mutation enters."""

ONE = ast.Constant(1)


@dataclass(frozen=True)
class Mutant:
    """A definition with one place changed: its name, the line, the statement before and after."""

    answer: str
    line: int
    was: str
    now: str
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What a declaration knows it by."""
        return self.answer, self.was, self.now


class TeethError(Exception):
    """A page or a declaration that proves nothing: what was seen, what to do."""


class OutOfTime(BaseException):
    """A mutant ran too long; no `except Exception` on the way shall swallow it."""


# Families of mutations: each takes a node and yields what may stand in its place.


def changed(node: ast.AST, **fields: Any) -> Any:
    """A copy of the node with other fields."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def operators(node: ast.AST) -> Iterator[ast.AST]:
    """`a + b` → `a - b`, and likewise `a += b`."""
    match node:
        case ast.BinOp(ast.Constant(value=2), ast.Mult() | ast.Pow(), ast.Constant(value=2)):
            yield changed(node, op=ast.Div())  # the others make 4 as well
        case ast.BinOp(op=op) | ast.AugAssign(op=op):
            yield from (changed(node, op=near()) for near in OPERATORS.get(type(op), ()))


def comparisons(node: ast.AST) -> Iterator[ast.AST]:
    """`a < b` → `a <= b`: the boundary first, then the direction."""
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for near in COMPARISONS[type(op)]:
                yield changed(node, ops=[*node.ops[:i], near(), *node.ops[i + 1 :]])


def constants(node: ast.AST) -> Iterator[ast.AST]:
    """`8` → `9`, `7`; `0.5` → a quarter more, a half; `True` → `False`. Text stays as it is."""
    match node:
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Constant(value=float(value)):
            yield from (ast.Constant(1.25 * value if value else 1.0), ast.Constant(value / 2))


def bounds(node: ast.AST) -> Iterator[ast.AST]:
    """`range(n)` → `range(n + 1)`, `x[i]` → `x[i - 1]`, `x[a:]` → `x[a:-1]`."""
    match node:
        case ast.Call(func=ast.Name(id="range"), args=args):
            yield from (changed(node, args=near) for near in _one_off(args))
        case ast.Subscript(slice=ast.Tuple(elts=elements) as index):
            yield from (changed(node, slice=changed(index, elts=near)) for near in _one_off(elements))
        case ast.Subscript(slice=index):
            yield from (changed(node, slice=near) for [near] in _one_off([index]))
        case ast.Slice(lower=lower, upper=upper, step=step):
            for first, last, stride in _one_off([lower, upper, step]):
                yield changed(node, lower=first, upper=last, step=stride)
            if lower and not upper:
                yield changed(node, upper=ast.Constant(-1))
            if upper and not lower:
                yield changed(node, lower=ONE)


def _one_off(items: Sequence[ast.expr | None]) -> Iterator[list[ast.expr | None]]:
    """Each item in turn one more and one less, except where `constants` sees to it."""
    for i, item in enumerate(items):
        ends_in_one = isinstance(item, ast.BinOp) and isinstance(item.right, ast.Constant)
        if (
            isinstance(item, ast.Name | ast.Attribute | ast.BinOp | ast.Call | ast.Subscript)
            and not ends_in_one
        ):
            for step in (ast.Add(), ast.Sub()):
                yield [*items[:i], ast.BinOp(item, step, ONE), *items[i + 1 :]]


def dropped_terms(node: ast.AST) -> Iterator[ast.AST]:
    """`a + b` → `a`, `b`; `f(a)` → `a`; `x.f()` → `x`; `-a` → `a`; `x += a` → `x = a`."""
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            yield from (left, right) if isinstance(op, ast.Add | ast.Mult) else (left,)
        case ast.BoolOp(values=values):
            for i in range(len(values)):
                rest = [*values[:i], *values[i + 1 :]]
                yield changed(node, values=rest) if len(rest) > 1 else rest[0]
        case ast.comprehension(ifs=filters):
            yield from (changed(node, ifs=[f for f in filters if f is not out]) for out in filters)
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.Call(args=[arg], keywords=[]) if not isinstance(arg, ast.Starred):
            yield arg
        case ast.Call(func=ast.Attribute(value=receiver), args=[], keywords=[]):
            yield receiver
        case ast.AugAssign(target=target, value=value):
            yield ast.Assign([target], value, lineno=node.lineno)


def swapped_arguments(node: ast.AST) -> Iterator[ast.AST]:
    """`f(a, b)` → `f(b, a)`; `return a, b` → `return b, a`."""
    match node:
        case ast.Call(args=args) if _called(node) not in SYMMETRIC:
            yield from (changed(node, args=other) for other in _swaps(args))
        case ast.Return(value=ast.Tuple(elts=elements) as pair):
            yield from (changed(node, value=changed(pair, elts=other)) for other in _swaps(elements))


def _swaps(items: list[ast.expr]) -> Iterator[list[ast.expr]]:
    for i in range(len(items) - 1):
        if not any(isinstance(item, ast.Starred) for item in items[i : i + 2]):
            yield [*items[:i], items[i + 1], items[i], *items[i + 2 :]]


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "id", getattr(call.func, "attr", "")))


def neighbours(node: ast.AST) -> Iterator[ast.AST]:
    """`min(x)` → `max(x)`, `x.sum()` → `x.max()`, `math.ceil(x)` → `math.floor(x)`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
        field = "id" if isinstance(node.func, ast.Name) else "attr"
        for near in FUNCTIONS.get(_called(node), ()):
            yield changed(node, func=changed(node.func, **{field: near}))


def conditions(node: ast.AST) -> Iterator[ast.AST]:
    """`a and b` → `a or b`; the branches of an `if` change places: `if a` → `if not a`."""
    match node:
        case ast.BoolOp(op=op):
            yield changed(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) if not _opposed(test):
            yield changed(node, test=ast.UnaryOp(ast.Not(), test))


def _opposed(test: ast.expr) -> bool:
    """Whether another family makes the opposite of a condition already."""
    match test:
        case ast.Constant() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Compare(ops=[op]):
            return not isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE)
    return False


def deletions(node: ast.AST) -> Iterator[ast.AST]:
    """A statement that acts → `pass`. A deleted return in a branch falls through."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.AnnAssign(value=None):
            return
        case ast.Expr() | ast.Assign() | ast.AugAssign() | ast.AnnAssign():
            yield ast.Pass()
        case ast.Return() | ast.Break() | ast.Continue():
            yield ast.Pass()


FAMILIES: tuple[Callable[[ast.AST], Iterator[ast.AST]], ...] = (
    operators, comparisons, constants, bounds, dropped_terms,
    swapped_arguments, neighbours, conditions, deletions,
)  # fmt: skip


def mutants(definition: ast.stmt) -> Iterator[Mutant]:
    """Every mutant of a function, a class or a constant, in the order of its text, each once."""
    seen = {ast.unparse(definition)}
    for node, statement, siblings, place in _places(definition, definition):
        for other in (other for family in FAMILIES for other in family(node)):
            was = _line(statement)
            siblings[place] = other
            now, source = _line(other if node is statement else statement), ast.unparse(definition)
            siblings[place] = node
            if source not in seen:
                seen.add(source)
                line = next(part.lineno for part in ast.walk(node) if hasattr(part, "lineno"))
                yield Mutant(bound(definition), line, was, now, source)


def _places(node: ast.AST, statement: Any) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Each node below this one, its innermost statement, and the list or fields in which it stands."""
    for name, value in ast.iter_fields(node):
        siblings: Any = value if isinstance(value, list) else vars(node)
        for place in range(len(value)) if isinstance(value, list) else (name,):
            child = siblings[place]
            if isinstance(child, ast.AST) and name not in PROSE:
                own = isinstance(child, ast.stmt | ast.excepthandler | ast.match_case)
                inner = child if own else statement
                yield child, inner, siblings, place
                yield from _places(child, inner)


def _line(statement: ast.AST) -> str:
    """A statement on one line; of a compound one its head."""
    blocks = ("body", "orelse", "finalbody", "handlers", "cases", "decorator_list")
    return ast.unparse(changed(statement, **{b: [] for b in blocks if hasattr(statement, b)})).strip()


# A page on the bench: which definitions are the answer's own, and which claims they concern.


def bound(statement: ast.AST) -> str:
    """The name that a function, a class or a constant at the top of a page defines, or none."""
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return str(name)
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return str(name)
    return ""


def used(statement: ast.AST) -> set[str]:
    """The names that a statement looks up outside itself."""
    names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    found = {name.id for name in names if isinstance(name.ctx, ast.Load)}
    if isinstance(statement, ast.FunctionDef):
        found -= {name.id for name in names if isinstance(name.ctx, ast.Store)}
        found -= {node.arg for node in ast.walk(statement) if isinstance(node, ast.arg)}
    return found


class Bench:
    """A page whose claims can run with an answer of which one definition is changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.module = _imported(path)
        self.body = ast.parse(path.read_text(encoding="utf-8")).body
        self.definitions = {bound(node): node for node in self.body if bound(node)}
        values = vars(self.module).values()
        tests = {test.__name__: test for test in values if isinstance(getattr(test, "claim", None), Claim)}
        if not tests:
            raise TeethError(f"{path}: no claim stands on it. Write one with @claim(wrong=…, right=…).")
        self.right = {claim: test.claim.right.__name__ for claim, test in tests.items()}
        for name in self.right.values():
            if name not in self.definitions:
                raise TeethError(f"{path}: the right answer {name} is not defined on it. Write it there.")
        self.own = self._own()
        given = {claim: self._given(test) for claim, test in tests.items()}
        self.claims = {claim: (tests[claim], those) for claim, those in given.items() if those is not None}
        self.untried = [claim for claim in tests if claim not in self.claims]
        self.usual: dict[str, float] = {}

    def _own(self) -> dict[str, set[str]]:
        """The definitions that belong to each right answer: neither reality nor a wrong one needs them."""
        rights = set(self.right.values())
        roots = [node for node in self.body if not bound(node) or bound(node) in self.right]
        shared = self._reached({name for node in roots for name in used(node)}, stop=rights)
        return {right: self._reached({right}) - shared | {right} for right in rights}

    def _reached(self, names: set[str], stop: Iterable[str] = ()) -> set[str]:
        reached: set[str] = set()
        while names := names & self.definitions.keys() - reached - set(stop):
            reached |= names
            names = {deeper for name in names for deeper in used(self.definitions[name])}
        return reached

    def _given(self, test: Test) -> dict[str, Any] | None:
        """The fixtures that a claim asks for; None where this machine lacks one."""
        wanted = [name for name in parameters(test) if name != "answer"]
        for name in sorted({*wanted} - {"device", "gpu"}):
            seen = f"{test.__name__} asks for the fixture {name!r}, and only device and gpu are known here"
            raise TeethError(f"{self.path}: {seen}. Build it within the claim.")
        if "gpu" in wanted and len(devices()) == 1:
            return None
        return {name: devices()[name == "gpu"] for name in wanted}

    def mutants(self) -> Iterator[Mutant]:
        """The mutants of all that belongs to some right answer, in the order of the page."""
        own = set().union(*self.own.values())
        return (mutant for node in self.body if bound(node) in own for mutant in mutants(node))

    def concerned(self, name: str) -> list[str]:
        """The claims, tried or not, that a change of this definition reaches."""
        return [claim for claim, right in self.right.items() if name in self.own[right]]

    def answer(self, right: str, mutant: Mutant | None) -> Answer:
        """A right answer and all that belongs to it, built afresh in a copy of the page's namespace."""
        own = self.own[right]
        sources = [
            mutant.source if mutant and bound(node) == mutant.answer else ast.unparse(node)
            for node in self.body
            if bound(node) in own or (isinstance(node, ast.ImportFrom) and node.module == "__future__")
        ]
        namespace = {name: value for name, value in vars(self.module).items() if name not in own}
        exec(compile("\n".join(sources), f"<{right}>", "exec", dont_inherit=True), namespace)
        return namespace[right]  # type: ignore[no-any-return]

    def failure(self, claim: str, mutant: Mutant | None, seconds: float) -> BaseException | None:
        """What stops a claim that runs with this mutant, or with the answer as it stands."""
        test, given = self.claims[claim]
        try:
            with _quiet(), _time_limit(seconds):
                test(answer=self.answer(self.right[claim], mutant), **given)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return error
        return None

    def prove(self, seconds: float) -> None:
        """Run every claim with its right answer as it stands; TeethError if one fails."""
        for claim in self.claims:
            start = time.monotonic()
            error = self.failure(claim, None, seconds)
            self.usual[claim] = time.monotonic() - start
            if error:
                seen = f"the right answer {self.right[claim]} fails {claim} ({_words(error)})"
                repair = "Give it more --seconds" if isinstance(error, OutOfTime) else "Mend the page first"
                raise TeethError(f"{self.path}: {seen}. {repair}: its mutants prove nothing.")

    def try_mutant(self, mutant: Mutant, seconds: float) -> tuple[str, BaseException] | None:
        """The claim that kills the mutant, and how; None if it survives all that run here."""
        for claim in self.concerned(mutant.answer):
            if claim in self.claims:
                limit = min(seconds, max(2.0, PATIENCE * self.usual[claim]))
                if error := self.failure(claim, mutant, limit):
                    return claim, error
        return None


def _imported(path: Path) -> ModuleType:
    if path.suffix != ".py" or path.name == "__init__.py" or path.resolve().parent.parent.name != "traps":
        raise TeethError(f"{path}: is no page. Name a file traps/<area>/<slug>.py.")
    if not path.is_file():
        raise TeethError(f"{path}: there is no such page. Check the path.")
    name = f"teeth_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ClaimError as error:
        raise TeethError(str(error)) from None
    except Exception as error:
        raise TeethError(f"{path}: cannot be imported ({_words(error)}). Mend the page first.") from None
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    return module


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    nowhere = io.StringIO()
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def ring(signum: int, frame: FrameType | None) -> None:
        raise OutOfTime(f"stopped after {seconds:.3g} s")

    before = signal.signal(signal.SIGALRM, ring)
    # Again each second: an exception that is raised in a callback of the interpreter is lost.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}".removesuffix(": ")


# What is declared beside a page, and what is said of it.


def declared_beside(page: Path) -> list[tuple[str, str, str]]:
    """The mutants that the page's neighbour declares equivalent; TeethError if it is not whole."""
    file = page.with_suffix(".equivalent.toml")
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise TeethError(f"{file}: is not TOML ({error}). Mend it.") from None
    entries: Any = content.get("mutant")
    tables = isinstance(entries, list) and all(isinstance(entry, dict) for entry in entries)
    if {*content} != {"mutant"} or not tables:
        raise TeethError(f"{file}: is no list of [[mutant]] tables. Write these and nothing more.")
    for number, entry in enumerate(entries, start=1):
        place = f"{file}: [[mutant]] number {number}"
        for name in sorted({*entry} - {*KEYS}):
            raise TeethError(f"{place}: has an unknown key {name!r}. {did_you_mean(name, KEYS)}.")
        for name in KEYS:
            if not isinstance(entry.get(name), str) or not entry[name].strip():
                raise TeethError(f'{place}: has no {name!r}. Write {name} = "…".')
    return [(entry["answer"], entry["was"], entry["now"]) for entry in entries]


def judge(page: Path, seconds: float, verbose: bool) -> int:
    """Try every mutant of a page and print what came of it; the exit status that the page deserves."""
    bench, declared = Bench(page), declared_beside(page)
    bench.prove(seconds)
    fates: dict[str, list[Mutant]] = {"killed": [], "survived": [], "declared equivalent": [], "untried": []}
    late = 0
    for mutant in bench.mutants():
        death, how = bench.try_mutant(mutant, seconds), ""
        if death:
            fate, how = "killed", f" by {death[0]} ({_words(death[1])})"
            late += isinstance(death[1], OutOfTime)
        elif mutant.key in declared:
            fate = "declared equivalent"
            declared.remove(mutant.key)  # an entry speaks for one mutant
        else:
            fate = "untried" if {*bench.untried} & {*bench.concerned(mutant.answer)} else "survived"
        fates[fate].append(mutant)
        if verbose:
            print(f"{page}:{mutant.line} {fate}{how}    {mutant.was}  →  {mutant.now}", flush=True)
    _summarize(bench, fates, late)
    for key in declared:
        seen = "was killed" if key in [m.key for m in fates["killed"]] else "is not among the survivors"
        place = f"{page.with_suffix('.equivalent.toml')}: {key[0]}: {key[1]}  →  {key[2]}"
        print(f"{place}: this mutant {seen}. The entry is stale: remove it.", file=sys.stderr)
    return 2 if declared else 1 if fates["survived"] else 0


def _summarize(bench: Bench, fates: dict[str, list[Mutant]], late: int) -> None:
    mutants, rights = sum(map(len, fates.values())), len({*bench.right.values()})
    print(f"{bench.path}: {_plural(mutants, 'mutant')} of {_plural(rights, 'right answer')}", end="")
    for fate, those in fates.items():
        if those or fate in ("killed", "survived"):
            slow = f" ({late} out of time)" if late and fate == "killed" else ""
            print(f", {len(those)} {fate}{slow}", end="")
    print()
    for claim in bench.untried:
        print(f"{bench.path}: {claim} untried: {NO_GPU}")
    for mutant in fates["survived"]:
        print(f"{bench.path}:{mutant.line} {mutant.answer} survived")
        print(f"    - {mutant.was}\n    + {mutant.now}\n    {', '.join(bench.concerned(mutant.answer))}")


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


@contextlib.contextmanager
def _profile() -> Iterator[None]:
    """The examples of the sheet, found without shrinking: of a mutant's death only the fact matters."""
    before = settings.get_current_profile_name()
    settings.register_profile(
        "teeth",
        max_examples=100,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.explicit, Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow],
        verbosity=Verbosity.quiet,
    )
    settings.load_profile("teeth")
    try:
        yield
    finally:
        settings.load_profile(before)


def main(argv: Sequence[str] | None = None) -> int:
    """Try the pages named on the command line; the worst of their exit statuses."""
    parser = argparse.ArgumentParser(prog="python -m tools.teeth", description="Mutate right answers.")
    parser.add_argument("pages", nargs="+", type=Path, metavar="traps/<area>/<slug>.py")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line a mutant, while it runs")
    parser.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help="the longest that a claim may run with a mutant (default: %(default)g)",
    )
    options = parser.parse_args(argv)
    if options.seconds <= 0:
        parser.error(f"--seconds {options.seconds:g}: is no time at all. Give more than 0.")
    status = 0
    with _profile():
        for page in options.pages:
            try:
                status = max(status, judge(page, options.seconds, options.verbose))
            except TeethError as error:
                print(error, file=sys.stderr)
                status = 2
    return status


if __name__ == "__main__":
    sys.exit(main())
