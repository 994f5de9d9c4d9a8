"""Check pages: `python -m tools.check traps/<area>/<slug>.py`.

Everything that a page must pass, in the order in which it is mended: its text keeps the house rules, its
claims run and leave their record, the record carries what the text says, its mutants die, its claims hold
on fresh and many examples, its entry can be printed. One line per proof; the first that fails shows why,
and the rest waits.

Of several pages each is proved, whatever becomes of the others.

Exit status: 0 if all are done, 1 if a proof fails, 2 if there is no such page.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fixtures.trial.page import PageError, page_paths
from fixtures.trial.record import RecordError
from fixtures.trial.words import plural

from .gather import SheetError
from .house import complaints, corpus_complaints
from .house.rules import CORPUS_RULES, PAGE_RULES
from .printers import print_area
from .view import view

REFUSED = re.compile(r"\b[1-9]\d* refused")
"""What a run says of records that it could not replace."""


@dataclass(frozen=True)
class Proof:
    """Whether the page passes, what is said of it in a line, and what is shown below."""

    passes: bool
    line: str
    below: str = ""


def form(root: Path, page: Path) -> Proof:
    """Keep the house rules as far as the text tells, those that concern other pages among them."""
    names = page.as_posix(), f"{page.parent.as_posix()} "
    shared = [text for text in corpus_complaints(root) if any(name in text for name in names)]
    return _complained([*complaints(root / page, recorded=False), *shared])


def style(root: Path, page: Path) -> Proof:
    """Leave nothing to the linter and to the formatter."""
    linted = _run(root, "ruff", "check", "--quiet", str(page))
    formatted = _run(root, "ruff", "format", "--diff", "--quiet", str(page))
    passes = linted.passes and formatted.passes
    return Proof(passes, "ruff check, ruff format", linted.below + formatted.below)


def claims(root: Path, page: Path) -> Proof:
    """Try every claim, and take the record."""
    return _run(root, "pytest", str(page), "--evidence=evidence")


def record(root: Path, page: Path) -> Proof:
    """Say no more than the record carries: bound figures, a fair verdict."""
    return _complained(complaints(root / page))


def teeth(root: Path, page: Path) -> Proof:
    """Change the right answers, and see each change refuted."""
    return _run(root, "tools.teeth", str(page))


def deep(root: Path, page: Path) -> Proof:
    """Try every claim on fresh and many more examples."""
    return _run(root, "pytest", str(page), "--hypothesis-profile=deep")


def entry(root: Path, page: Path) -> Proof:
    """Print the page from its text and its records, as it will stand in facts/."""
    with tempfile.TemporaryDirectory() as folder:
        alone = Path(folder)
        for path in _belongings(root, page):
            (alone / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / path, alone / path)
        try:
            corpus = view(alone)
        except (SheetError, PageError, RecordError) as error:
            return Proof(False, "cannot be printed", str(error))
        _, _, text = print_area(corpus, corpus.areas[0]).partition("\n## ")
    return Proof(True, f"facts/{page.parent.name}.md will read:", f"\n## {text}")


PROOFS: tuple[Callable[[Path, Path], Proof], ...] = (form, style, claims, record, teeth, deep, entry)


def _complained(found: list[str]) -> Proof:
    kept = plural(len(PAGE_RULES) + len(CORPUS_RULES), "house rule")
    return Proof(not found, f"{plural(len(found), 'complaint')} from {kept}", "\n".join(found))


def _run(root: Path, module: str, *arguments: str) -> Proof:
    """Run a tool in a process of its own; its summary is what it says last."""
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    lines = [line.strip("= ") for line in done.stdout.splitlines() if line.strip("= ")]
    summary = re.sub(r"^.*?\.py: | in [\d.]+s( \(.*\))?$", "", lines[-1]) if lines else ""
    records = [found[1] for line in lines if (found := re.match(r"evidence: evidence: (.*)", line))]
    passes = done.returncode == 0 and not any(REFUSED.search(told) for told in records)
    below = "" if passes else done.stdout + done.stderr
    return Proof(passes, "; records: ".join([summary, *records]), below)


def _belongings(root: Path, page: Path) -> Iterator[Path]:
    """The files from which the entry of a page is printed."""
    yield from (page, page.parent / "__init__.py", Path("constraints.txt"))
    for record in root.glob(f"evidence/**/{page.parent.name}/{page.stem}.json"):
        yield record.relative_to(root)


def prove(root: Path, page: Path) -> bool:
    """Print a line per proof, up to the first that fails; whether the page is done."""
    for attempt in PROOFS:
        print(f"{attempt.__name__:<6}", end=" ", flush=True)
        proof = attempt(root, page)
        print("passes" if proof.passes else "FAILS ", proof.line, sep="  ", flush=True)
        if proof.below:
            print(proof.below)
        if not proof.passes:
            print(f"\n{page} is not done: mend this, and run `python -m tools.check {page}` again.")
            return False
    return True


def main(argv: Sequence[str] | None = None) -> int:
    """Prove the pages that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m tools.check", description="Check pages.")
    parser.add_argument("pages", type=Path, nargs="+", metavar="traps/<area>/<slug>.py")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: this folder)")
    options = parser.parse_args(argv)
    root = options.root.resolve()
    pages = [p.resolve().relative_to(root) if p.resolve().is_relative_to(root) else p for p in options.pages]
    for page in pages:
        if root / page not in page_paths(root):
            print(f"check: {page} is no page. Name a file traps/<area>/<slug>.py.", file=sys.stderr)
            return 2
    done = []
    for page in pages:
        if len(pages) > 1:
            print(f"\n{page}", flush=True)
        done.append(prove(root, page))
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
