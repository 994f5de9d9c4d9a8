"""Try a page's teeth: `python -m tools.teeth traps/<area>/<slug>.py`.

The right answers of the page are changed in one small place at a time, and every claim that uses the
changed answer runs with it, on the very draws of the sheet's run. A claim with teeth kills the mutant,
by what it draws or by a worked example. A mutant that survives shows what the claims do not observe,
unless it is equivalent: then it is declared in `<slug>.equivalent.toml`, beside the page, with the two
lines of its diff:

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
import importlib.util
import io
import os
import signal
import sys
import threading
import time
import tomllib
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import pytest
from hypothesis import Phase, Verbosity, settings

from fixtures.device import NO_GPU, devices
from fixtures.trial import draws
from fixtures.trial.claims import Answer, Claim, ClaimError, Test, parameters
from fixtures.trial.page import did_you_mean, in_two_sentences
from tools.mutants import Mutant, bound, mutants

SECONDS = 20.0
"""The longest that a claim may run with a mutant, in seconds of CPU time: other processes slow no mutant."""

PATIENCE = 20
"""It is stopped earlier once it has run two seconds and this many times what the original takes."""

IDLE = 5
"""What sleeps is stopped after this many times as long by the clock."""

GRACE = 5.0
"""How long, in seconds, code that was told to stop may go on before the whole tool stops."""

KEYS = ("answer", "was", "now", "reason")
"""What a declaration says; the first three are a mutant's `key`."""


class TeethError(Exception):
    """A page or a declaration that proves nothing: what was seen, what to do."""


class OutOfTime(BaseException):
    """A mutant ran too long; no `except Exception` on the way shall swallow it."""


@dataclass(frozen=True)
class Death:
    """How a mutant died: of which claim, of which error, and whether only a worked example did it."""

    claim: str
    error: BaseException
    worked: bool

    def __str__(self) -> str:
        return f"by {'a worked example of ' * self.worked}{self.claim} ({_words(self.error)})"


# A page on the bench: which definitions are the answer's own, and which claims they concern.


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

    def __init__(self, path: Path, seconds: float) -> None:
        self.path = path
        self.module = _imported(path, seconds)
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
        self.untried = {claim: NO_GPU for claim in tests if claim not in self.claims}
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
            with _quiet(), _time_limit(seconds, f"{self.path}: {claim}"):
                test(answer=self.answer(self.right[claim], mutant), **given)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return error
        return None

    def prove(self, seconds: float) -> None:
        """Run every claim with its right answer as it stands; TeethError if one fails.

        A claim that skips itself here, as for a clock that is not steady, is left untried.
        """
        for claim in list(self.claims):
            start = time.process_time()
            error = self.failure(claim, None, seconds)
            self.usual[claim] = time.process_time() - start
            if isinstance(error, pytest.skip.Exception):
                self.untried[claim] = str(error)
                del self.claims[claim]
            elif error:
                seen = f"the right answer {self.right[claim]} fails {claim} ({_words(error)})"
                repair = "Give it more --seconds" if isinstance(error, OutOfTime) else "Mend the page first"
                raise TeethError(f"{self.path}: {seen}. {repair}: its mutants prove nothing.")

    def try_mutant(self, mutant: Mutant, seconds: float) -> Death | None:
        """How the mutant dies; None if it survives all that runs here. Worked examples come last."""
        concerned = [claim for claim in self.concerned(mutant.answer) if claim in self.claims]
        for claim in concerned:
            with draws.without_worked_examples(self.claims[claim][0]):
                if error := self._death(claim, mutant, seconds):
                    return Death(claim, error, worked=False)
        for claim in concerned:
            worked = draws.has_worked_examples(self.claims[claim][0])
            if worked and (error := self._death(claim, mutant, seconds)):
                return Death(claim, error, worked)
        return None

    def _death(self, claim: str, mutant: Mutant, seconds: float) -> BaseException | None:
        """What kills the mutant in a claim; one that skips itself kills nothing."""
        error = self.failure(claim, mutant, min(seconds, max(2.0, PATIENCE * self.usual[claim])))
        return None if isinstance(error, pytest.skip.Exception) else error


def _imported(path: Path, seconds: float) -> ModuleType:
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
        with _time_limit(seconds, f"{path}: its import"):
            spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except ClaimError as error:
        raise TeethError(str(error)) from None
    except BaseException as error:  # an exit is no way out either
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
def _time_limit(seconds: float, what: str) -> Iterator[None]:
    """Stop what runs within after so many seconds; what will not be stopped ends the tool."""
    computed, begun = time.process_time(), time.monotonic()

    def late() -> float:
        """How long ago the time was over, in seconds."""
        return max(time.process_time() - computed - seconds, time.monotonic() - begun - IDLE * seconds)

    def ring(signum: int, frame: FrameType | None) -> None:
        if late() > 0:
            raise OutOfTime(f"stopped after {seconds:.3g} s")

    def watch() -> None:
        while not over.wait(1.0):
            if late() > GRACE:
                print(
                    f"{what} cannot be stopped: it was told to after {seconds:.3g} s and went on. "
                    "Mend the page; what was to come after it was not tried.",
                    file=sys.__stderr__,
                    flush=True,
                )
                os._exit(2)

    over = threading.Event()
    before = signal.signal(signal.SIGALRM, ring)
    threading.Thread(target=watch, daemon=True).start()
    # Again and again: an exception that is raised in a callback of the interpreter is lost.
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.5)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        over.set()
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
            seen = f"{place}: has an unknown key {name!r}"
            raise TeethError(in_two_sentences(seen, did_you_mean(name, KEYS)))
        for name in KEYS:
            if not isinstance(entry.get(name), str) or not entry[name].strip():
                raise TeethError(f'{place}: has no {name!r}. Write {name} = "…".')
    return [(entry["answer"], entry["was"], entry["now"]) for entry in entries]


def judge(page: Path, seconds: float, verbose: bool) -> int:
    """Try every mutant of a page and print what came of it; the exit status that the page deserves."""
    bench, declared = Bench(page, seconds), declared_beside(page)
    bench.prove(seconds)
    fates: dict[str, list[Mutant]] = {"killed": [], "survived": [], "declared equivalent": [], "untried": []}
    deaths: list[Death] = []
    for mutant in bench.mutants():
        if death := bench.try_mutant(mutant, seconds):
            fate = "killed"
            deaths.append(death)
        elif mutant.key in declared:
            fate = "declared equivalent"
            declared.remove(mutant.key)  # an entry speaks for one mutant
        else:
            fate = "untried" if {*bench.untried} & {*bench.concerned(mutant.answer)} else "survived"
        fates[fate].append(mutant)
        if verbose:
            how = f" {death}" if death else ""
            print(f"{page}:{mutant.line} {fate}{how}    {mutant.was}  →  {mutant.now}", flush=True)
    _summarize(bench, fates, deaths)
    for key in declared:
        seen = "was killed" if key in [m.key for m in fates["killed"]] else "is not among the survivors"
        place = f"{page.with_suffix('.equivalent.toml')}: {key[0]}: {key[1]}  →  {key[2]}"
        print(f"{place}: this mutant {seen}. The entry is stale: remove it.", file=sys.stderr)
    return 2 if declared else 1 if fates["survived"] else 0


def _summarize(bench: Bench, fates: dict[str, list[Mutant]], deaths: list[Death]) -> None:
    mutants, rights = sum(map(len, fates.values())), len({*bench.right.values()})
    late = sum(isinstance(death.error, OutOfTime) for death in deaths)
    worked = sum(death.worked for death in deaths)
    notes = [f"{late} out of time"] * bool(late) + [f"{worked} by worked examples alone"] * bool(worked)
    print(f"{bench.path}: {_plural(mutants, 'mutant')} of {_plural(rights, 'right answer')}", end="")
    print(" on the sheet's draws", end="")
    for fate, those in fates.items():
        if those or fate in ("killed", "survived"):
            aside = f" ({', '.join(notes)})" if notes and fate == "killed" else ""
            print(f", {len(those)} {fate}{aside}", end="")
    print()
    for claim, why in bench.untried.items():
        print(f"{bench.path}: {claim} untried: {why}")
    for mutant in fates["survived"]:
        print(f"{bench.path}:{mutant.line} {mutant.answer} survived")
        print(f"    - {mutant.was}\n    + {mutant.now}\n    {', '.join(bench.concerned(mutant.answer))}")


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


@contextlib.contextmanager
def _profile() -> Iterator[None]:
    """The examples of the sheet, found without shrinking: of a mutant's death only the fact matters."""
    before = settings.get_current_profile_name()
    draws.as_the_sheet()
    sheet, unshrunk = settings.get_profile("sheet"), [Phase.explicit, Phase.generate]
    settings.register_profile("teeth", sheet, phases=unshrunk, verbosity=Verbosity.quiet)
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
        help="the longest that a claim may compute with a mutant (default: %(default)g)",
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
