"""Print the fact sheet: evidence in, Markdown out.

`python -m tools.sheet` reads the records in `evidence/` and the text of the pages, and writes
FACTSHEET.md and the list of traps in README.md. With `--check` it writes nothing and shows what it
would change. No page is imported, and torch is not needed.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
import urllib.parse
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import jinja2

from fixtures.trial.claims import EVIDENCE
from fixtures.trial.page import ClaimText, Page, PageError, Rival, chapters, pages
from fixtures.trial.record import Environment, Observation, Record, RecordError, Run, show, write_atomically

from .gather import Evidence, SheetError, gather
from .markdown import block, code, label, prose

SHEET, README = "FACTSHEET.md", "README.md"
BEGIN, END = "<!-- traps:begin -->", "<!-- traps:end -->"
LONGEST_DIFF = 40
"""Lines of a difference that `--check` prints."""
SHORT = 40
"""Characters of a question that does not stand alone: "Is the time?"."""
ACRONYMS = {"gpu"}
"""Areas whose name is spelt in capitals."""

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True)
class Refutation:
    """Where a wrong answer failed; `devices` is empty where all of them say the same."""

    at: str
    assertion: str
    devices: tuple[str, ...]


@dataclass(frozen=True)
class WrongView:
    """A wrong answer and its refutations."""

    rival: Rival
    refutations: tuple[Refutation, ...]


@dataclass(frozen=True)
class ClaimView:
    """A claim, how its rivals fared on each device, and what it still owes."""

    text: ClaimText
    wrong: tuple[WrongView, ...]
    held: tuple[tuple[str, int], ...]
    """Each device on which the right answer held, and the examples tried there."""
    observed: tuple[tuple[tuple[tuple[str, str], ...], tuple[str, ...]], ...]
    """Names and ranges of what was observed, and the devices, none where all say the same."""
    verified: bool
    owed: tuple[tuple[str, str], ...]
    """Each device on which the claim is not verified, and why."""

    @property
    def regime(self) -> str:
        """The `@given` of the claim, on one line if it fits, below what it refers to."""
        line = f"@given({', '.join(self.text.regime)})"
        lines = "".join(f"    {part},\n" for part in self.text.regime)
        return "\n".join([*self.text.definitions, line if len(line) <= 88 else f"@given(\n{lines})"])


@dataclass(frozen=True)
class PageView:
    """A page, its place on the sheet, its claims."""

    page: Page
    claims: tuple[ClaimView, ...]

    @property
    def anchor(self) -> str:
        """Where links on the sheet lead: the page's slug."""
        return _anchor(self.page.slug)

    @property
    def link(self) -> str:
        """The page's file, as a link destination."""
        return urllib.parse.quote(self.page.name)

    @property
    def asks(self) -> str:
        """The first sentence of the question that asks, with what stands before it if it is short."""
        asks = ""
        for sentence in re.split(r"(?<=[.?!])\s+(?=[^a-z])", self.page.question):
            asks = f"{asks} {sentence}" if len(sentence) < SHORT else sentence
            if sentence.endswith("?"):
                break
        return asks

    @property
    def erratum(self) -> WrongView | None:
        """The refuted answer to show beside the verdict: the page's first, which is its temptation."""
        refuted = (wrong for claim in self.claims for wrong in claim.wrong if wrong.refutations)
        return next(refuted, None)


@dataclass(frozen=True)
class Area:
    """A chapter of the sheet."""

    name: str
    opening: str
    pages: tuple[PageView, ...]

    @property
    def anchor(self) -> str:
        """Where the contents lead."""
        return "area-" + _anchor(self.name)

    @property
    def title(self) -> str:
        """The folder's name as a heading."""
        return self.name.upper() if self.name in ACRONYMS else self.name.replace("_", " ").capitalize()


@dataclass(frozen=True)
class Sheet:
    """Everything that is printed; devices and environments begin with the CPU."""

    environments: tuple[Environment, ...]
    devices: tuple[str, ...]
    areas: tuple[Area, ...]
    examples: int

    @property
    def pages(self) -> tuple[PageView, ...]:
        """Every page, area by area."""
        return tuple(page for area in self.areas for page in area.pages)

    @property
    def claims(self) -> tuple[ClaimView, ...]:
        """Every claim, page by page."""
        return tuple(claim for page in self.pages for claim in page.claims)

    @property
    def index(self) -> dict[str, dict[str, list[PageView]]]:
        """The pages by where they are asked: series, then place in it, as one counts."""
        asked = sorted(
            ((place(text), page) for page in self.pages for text in page.page.asked),
            key=lambda entry: [natural(part) for part in entry[0]],
        )
        index: dict[str, dict[str, list[PageView]]] = {}
        for (series, where), page in asked:
            index.setdefault(series, {}).setdefault(where, []).append(page)
        return index


def compose(corpus: Sequence[Page], openings: dict[str, str], evidence: Evidence) -> Sheet:
    """The view of everything that is printed; SheetError for pages that cannot stand together."""
    if not corpus:
        raise SheetError("traps/ holds no page. Run this in the root of the repository.")
    slugs = [page.slug for page in corpus]
    for page in corpus:
        if slugs.count(page.slug) > 1:
            raise SheetError(f"Two pages are called {page.slug}. Rename one: links and `pytest -k` need it.")
        if page.area not in openings:
            raise SheetError(f"traps/{page.area} has no __init__.py. Open the chapter there in one sentence.")
    views = [PageView(page, tuple(_claim(page, claim, evidence) for claim in page.claims)) for page in corpus]
    return Sheet(
        evidence.environments,
        evidence.devices,
        tuple(
            Area(area, openings[area], tuple(view for view in views if view.page.area == area))
            for area in dict.fromkeys(page.area for page in corpus)
        ),
        sum(run.examples for run in evidence.runs),
    )


def _claim(page: Page, claim: ClaimText, evidence: Evidence) -> ClaimView:
    runs = [r for r in evidence.runs if (r.page, r.claim) == (page.name, claim.name)]
    tried = [run for run in runs if run.outcome != "unverified"]
    right = [run for run in tried if run.answer == f"right-{claim.right.name}"]
    devices = {run.device for run in tried}
    verified = {d for d in devices if {r.answer for r in tried if r.device == d} >= {*claim.rivals}}
    examples: dict[str, int] = {}
    for run in right:
        examples[run.device] = examples.get(run.device, 0) + run.examples
    return ClaimView(
        text=claim,
        wrong=tuple(WrongView(rival, _refutations(rival, claim, tried)) for rival in claim.wrong),
        held=tuple(examples.items()),
        observed=tuple(_grouped([(r.device, _ranges(r.observed)) for r in right if r.observed], devices)),
        verified=bool(verified),
        owed=tuple(_owed(claim, runs, verified, evidence, page.name)),
    )


def _refutations(rival: Rival, claim: ClaimText, tried: list[Run]) -> tuple[Refutation, ...]:
    told = [(r.device, (_inputs(r, claim), r.assertion)) for r in tried if r.answer == f"wrong-{rival.name}"]
    return tuple(Refutation(*what, on) for what, on in _grouped(told, {run.device for run in tried}))


def _owed(
    claim: ClaimText, runs: list[Run], verified: set[str], evidence: Evidence, page: str
) -> Iterator[tuple[str, str]]:
    for device in evidence.devices:
        reasons = "; ".join(dict.fromkeys(run.reason for run in runs if run.device == device and run.reason))
        if device in verified or (verified and not claim.runs_on(device)):
            continue
        if (device, page) in evidence.stale:
            yield device, "the evidence was taken of another text of the page"
        elif reasons or not verified or claim.runs_on(device):
            yield device, reasons or "not tried"


def _grouped(told: list[tuple[str, T]], devices: set[str]) -> list[tuple[T, tuple[str, ...]]]:
    """What devices tell, equal things once; no device is named where all that were asked agree."""
    groups: dict[T, dict[str, None]] = {}
    for device, what in told:
        groups.setdefault(what, {})[device] = None
    return [(what, () if {*on} == devices else tuple(on)) for what, on in groups.items()]


def _inputs(run: Run, claim: ClaimText) -> str:
    """The smallest counterexample, in the order in which the claim takes its inputs."""
    found = run.counterexample or {}
    names = sorted(found, key=lambda name: [*claim.parameters, name].index(name))
    return ", ".join(f"{name}={show(found[name])}" for name in names)


def _ranges(observed: dict[str, Observation]) -> tuple[tuple[str, str], ...]:
    return tuple((name, span(seen)) for name, seen in sorted(observed.items()))


def _anchor(name: str) -> str:
    return re.sub(r"[^\w-]", "-", name)


def span(seen: Observation) -> str:
    """What was observed: from the smallest number to the largest, or else one value of many."""
    ends = [bool(end) if isinstance(seen.last, bool) else end for end in (seen.smallest, seen.largest)]
    told = dict.fromkeys(number(end) for end in ends if end is not None)
    return " … ".join(told) or f"such as {show(seen.last)}"


def number(value: int | float) -> str:
    """A number as it is read: thousands apart, a float to six digits."""
    if isinstance(value, bool):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def place(asked: str) -> tuple[str, str]:
    """Where a trap is asked, as the series and the place in it: `Top 25 …` and `chapter 15`."""
    found = re.fullmatch(r"(.+?),?\s+((?:[a-z]+\.? #?|#)\d\S*)", asked)
    return (found[1], found[2]) if found else (asked, "")


def natural(text: str) -> list[tuple[int, str]]:
    """A key that sorts `chapter 9` before `chapter 15`."""
    return [(int(part), "") if part.isdecimal() else (0, part.lower()) for part in re.split(r"(\d+)", text)]


def print_sheet(sheet: Sheet) -> str:
    """FACTSHEET.md."""
    return _print("factsheet.md.j2", sheet=sheet, kinds=EVIDENCE)


def print_list(sheet: Sheet, readme: str) -> str:
    """README.md with its list of traps renewed; SheetError when it does not say where that stands."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SheetError(f"{README} has no place for the list of traps. Mark it with {BEGIN} and {END}.")
    return f"{before}{begin}\n{_print('list.md.j2', sheet=sheet, target=SHEET)}\n{end}{after}"


def _print(template: str, **words: object) -> str:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # Markdown, not HTML
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    templates.filters.update(prose=prose, label=label, code=code, block=block, number=number)
    text = templates.get_template(template).render(words)
    return re.sub(r"\n\s*\n", "\n\n", text).strip() + "\n"


def draw_up(root: Path) -> dict[Path, str]:
    """The files to write and their text, from the pages and records under `root`."""
    files = sorted((root / "evidence").glob("*.json"))
    evidence = {file.relative_to(root).as_posix(): Record.read(file) for file in files}
    corpus = pages(root)
    sheet = compose(corpus, chapters(root), gather(corpus, evidence))
    readme = root / README
    if not readme.is_file():
        raise SheetError(f"There is no {readme}. Write it, and mark the list of traps: {BEGIN} {END}.")
    return {root / SHEET: print_sheet(sheet), readme: print_list(sheet, readme.read_text(encoding="utf-8"))}


def difference(path: Path, text: str) -> list[str]:
    """What writing would change in a file, shortened."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    names = (f"{path.name} as it is", f"{path.name} as the evidence has it")
    lines = [*difflib.unified_diff(old.splitlines(), text.splitlines(), *names, n=1, lineterm="")]
    more = [f"… and {len(lines) - LONGEST_DIFF} more lines"] if len(lines) > LONGEST_DIFF else []
    return lines[:LONGEST_DIFF] + more


def main(argv: Sequence[str] | None = None) -> int:
    """Write the sheet, or with `--check` compare it: 1 is a difference, 2 a refusal."""
    parser = argparse.ArgumentParser(prog="python -m tools.sheet", description="Print the fact sheet.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file would change")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: here)")
    options = parser.parse_args(argv)
    try:
        drawn = draw_up(options.root)
        changes = [line for path, text in drawn.items() for line in difference(path, text)]
        for path, text in drawn.items():
            if not options.check:
                write_atomically(path, text)
    except SyntaxError as error:
        print(f"{error.filename}:{error.lineno}: {error.msg}. Mend the page first.", file=sys.stderr)
        return 2
    except (SheetError, PageError, RecordError, OSError, UnicodeError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.check and changes:
        print(*changes, "Write it anew with `python -m tools.sheet`.", sep="\n")
        return 1
    print(f"{SHEET} and the list in {README} {'are up to date' if options.check else 'are written'}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
