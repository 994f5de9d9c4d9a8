"""A page as a rule looks at it: its text together with its syntax."""

from __future__ import annotations

import ast
import contextlib
import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fixtures.trial.page import ENTRIES, ClaimText, Page, PageError
from fixtures.trial.record import Record, RecordError, Run

Definition = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Source:
    """A page together with its syntax, and with the records that speak of it as it is."""

    page: Page
    text: str
    tree: ast.Module

    @classmethod
    @functools.cache
    def read(cls, path: Path) -> Source:
        """Read a page once; PageError where it cannot be opened, parsed or printed."""
        try:
            page = Page.read(path)
        except SyntaxError as error:
            line, seen = error.lineno or 1, f"Python cannot read the page: {error.msg}"
            raise PageError(path, line, seen, "Mend the line") from None
        except OSError as error:
            seen = f"the page cannot be opened: {error.strerror}"
            raise PageError(path, 1, seen, "Name a file traps/<area>/<slug>.py") from None
        return cls(page, page.text, ast.parse(page.text))

    @property
    def definitions(self) -> dict[str, Definition]:
        """The functions and classes of the page."""
        return {n.name: n for n in self.tree.body if isinstance(n, Definition)}

    @functools.cached_property
    def bound(self) -> dict[str, list[ast.AST]]:
        """What stands on the page under each name of it: functions, classes, and what is assigned."""
        bound: dict[str, list[ast.AST]] = {name: [node] for name, node in self.definitions.items()}
        for target, value in (pair for node in self.tree.body for pair in assigned(node)):
            for name in used(target):
                bound.setdefault(name, []).append(value)
        return bound

    @property
    def claims(self) -> Iterator[tuple[ClaimText, ast.FunctionDef]]:
        """Each claim with its test."""
        return ((claim, self.test(claim)) for claim in self.page.claims)

    def test(self, claim: ClaimText) -> ast.FunctionDef:
        """The test that a claim is."""
        test = self.definitions[claim.name]
        assert isinstance(test, ast.FunctionDef)
        return test

    @functools.cached_property
    def records(self) -> tuple[Record, ...]:
        """The page's records, the CPU's first; one that was taken of another text of it is left out."""
        folder = self.page.path.parents[2] / "evidence"
        found = list(_readable(folder.glob(f"*/{self.page.area}/{self.page.slug}.json")))
        fitting = [record for record in found if record.digest == self.page.digest]
        return tuple(sorted(fitting, key=lambda record: (record.environment.device != "cpu", record.place)))

    def runs(self, claim: ClaimText, rival: str) -> list[Run]:
        """What the records hold of a rival, `wrong-…` or `right-…`, of a claim of the page."""
        return [run for record in self.records for run in record.runs if run.key == (claim.name, rival)]

    def line(self, name: str) -> int:
        """Where a function stands."""
        return self.definitions[name].lineno

    def parameters(self, name: str) -> list[str]:
        """The parameters of a function of the page."""
        definition = self.definitions[name]
        assert isinstance(definition, ast.FunctionDef)
        return [arg.arg for arg in ast.walk(definition.args) if isinstance(arg, ast.arg)]

    def reached(self, names: Iterable[str], shut: Iterable[str] = ()) -> dict[str, Definition]:
        """What a call of these functions may run of the page, without passing through `shut`."""
        definitions, ahead = self.definitions, list(names)
        found: dict[str, Definition] = {}
        while ahead:
            name = ahead.pop()
            if name in definitions and name not in found and name not in shut:
                found[name] = definitions[name]
                ahead += used(*definitions[name].body)
        return found

    @functools.cached_property
    def lines(self) -> list[str]:
        """The lines of the page."""
        return self.text.splitlines()

    @functools.cached_property
    def entries(self) -> list[tuple[str, int, str]]:
        """The entries of the colophon: name, the line in which each begins, its text as it stands there."""
        end = self.tree.body[0].end_lineno or 1
        starts = [n for n in range(1, end + 1) if _entry(self.lines[n - 1]) in ENTRIES]
        spans = zip(starts, [*starts[1:], end], strict=True)
        return [(_entry(self.lines[a - 1]), a, "\n".join(self.lines[a - 1 : b - 1])) for a, b in spans]

    def line_of(self, entry: str) -> int:
        """Where an entry of the colophon begins; 1 if there is none."""
        return next((line for name, line, _ in self.entries if name == entry), 1)

    @functools.cached_property
    def aliases(self) -> dict[str, str]:
        """What each imported name stands for, in full."""
        full: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for a in node.names:
                    full[a.asname or a.name.split(".")[0]] = a.name if a.asname else a.name.split(".")[0]
            elif isinstance(node, ast.ImportFrom):
                full |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        return full

    def calls(self, *parts: ast.AST) -> Iterator[tuple[ast.Call, str]]:
        """Every call with the full name of what it calls: `np.sum(x)` calls `numpy.sum`.

        What is not imported has no name of its own: `x.sum()` calls `.sum`.
        """
        for part in parts:
            yield from ((n, self.full_name(n.func)) for n in ast.walk(part) if isinstance(n, ast.Call))

    def full_name(self, node: ast.expr) -> str:
        """An imported name or an attribute of one, in full."""
        if isinstance(node, ast.Attribute):
            return f"{self.full_name(node.value)}.{node.attr}"
        return self.aliases.get(node.id, "") if isinstance(node, ast.Name) else ""


def used(*parts: ast.AST) -> set[str]:
    """Every name that is used in some statements."""
    return {node.id for part in parts for node in ast.walk(part) if isinstance(node, ast.Name)}


def sides(claim: ClaimText) -> list[str]:
    """The names of a claim's rivals, the wrong ones first."""
    return [rival.name for rival in (*claim.wrong, claim.right)]


def assigned(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What an assignment binds, and to what: of `a, b = 1, 2` each name to its own."""
    match node:
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
            yield from zip(names, values, strict=False)
        case ast.Assign(targets=targets, value=value):
            yield from ((target, value) for target in targets)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield target, value


def worked(test: ast.FunctionDef) -> list[ast.Call]:
    """The worked examples of a claim: its `@example(…)`."""
    calls = [decorator for decorator in test.decorator_list if isinstance(decorator, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "example"]


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph; `et al. 2023` and `i.e. B` end none."""
    parts = re.split(
        r"(?<=[.?!])(?<!\bal\.)(?<!\bvs\.)(?<!\be\.g\.)(?<!\bi\.e\.)\s+(?=[^\sa-z]|[a-z]+\d)", text.strip()
    )
    return [part for part in parts if part]


def _entry(line: str) -> str:
    found = re.match(r"([A-Z][a-z]*(?: [a-z]+)?):", line)
    return found[1] if found else ""


def _readable(paths: Iterable[Path]) -> Iterator[Record]:
    for path in paths:
        with contextlib.suppress(RecordError):
            yield Record.read(path)
