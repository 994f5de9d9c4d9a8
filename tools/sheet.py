"""Print the fact sheet: evidence in, Markdown out.

`python -m tools.sheet` reads the records in `evidence/` and the text of the pages, and writes
FACTSHEET.md, a file for each area in `facts/`, a picture for each page that has one, and the list of
areas in README.md. With `--check` it writes nothing and shows what it would change. No page is imported,
and torch is not needed. A picture is drawn anew only if what it shows has changed.
"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fixtures.trial.page import PageError
from fixtures.trial.record import RecordError, write_atomically

from .charts import leading
from .gather import SheetError
from .pictures import OURS, alone, draw
from .printers import print_area, print_list, print_sheet
from .view import Corpus, view

SHEET, FACTS, PICTURES, README = "FACTSHEET.md", "facts", "pictures", "README.md"
PRINTED = "<!-- Printed by `python -m tools.sheet`, from traps/ and evidence/. -->\n"
"""The first line of every file that belongs to this tool alone."""
BEGIN, END = "<!-- traps:begin -->", "<!-- traps:end -->"
LONGEST_DIFF = 40
"""Lines of a difference that `--check` prints."""


def draw_up(root: Path) -> dict[Path, str | None]:
    """The files to write and their text, from the pages and records under `root`; None removes one."""
    corpus = view(root)
    readme = root / README
    if not readme.is_file():
        raise SheetError(f"There is no {readme}. Write it, and mark the list of areas: {BEGIN} {END}.")
    drawn: dict[Path, str | None] = {root / SHEET: PRINTED + print_sheet(corpus)}
    drawn |= {root / FACTS / f"{area.name}.md": PRINTED + print_area(corpus, area) for area in corpus.areas}
    drawn |= _pictures(corpus, root / FACTS / PICTURES)
    drawn |= {path: None for path in _printed(root / FACTS) if path not in drawn}
    return drawn | {readme: _between(readme.read_text(encoding="utf-8"), print_list(corpus))}


def _pictures(corpus: Corpus, folder: Path) -> dict[Path, str | None]:
    """The picture of each page: the one that is there, where it shows the same, else a new one."""
    files: dict[Path, str | None] = {}
    for page in corpus.pages:
        if shown := leading(page):
            path = folder / f"{page.page.slug}.svg"
            there = _text(path)
            files[path] = there if there and f'id="t{shown.digest}"' in there else alone(draw(shown))
    return files


def _printed(folder: Path) -> Iterator[Path]:
    """The files of a folder that this tool has printed, pictures among them."""
    for path in sorted(folder.glob("*.md")):
        if path.read_text(encoding="utf-8", errors="replace").startswith(PRINTED):
            yield path
    for path in sorted((folder / PICTURES).glob("*.svg")):
        if OURS.match(path.read_text(encoding="utf-8", errors="replace")):
            yield path


def _between(readme: str, listed: str) -> str:
    """README.md with its list of areas renewed; SheetError when it does not say where that stands."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SheetError(f"{README} has no place for the list of areas. Mark it with {BEGIN} and {END}.")
    return f"{before}{begin}\n{listed}\n{end}{after}"


def differences(root: Path, drawn: Mapping[Path, str | None]) -> list[str]:
    """What writing would change: the files, and the first lines that differ."""
    changed = {path: text for path, text in drawn.items() if _text(path) != text}
    if not changed:
        return []
    files = [path.relative_to(root).as_posix() for path in changed]
    lines = [
        line
        for file, (path, text) in zip(files, changed.items(), strict=True)
        for line in difflib.unified_diff(
            (_text(path) or "").splitlines(),
            (text or "").splitlines(),
            f"{file} as it is",
            f"{file} as the evidence has it" if text is not None else f"{file}, removed: its area is gone",
            n=1,
            lineterm="",
        )
    ]
    more = [f"… and {len(lines) - LONGEST_DIFF:,} more lines"] if len(lines) > LONGEST_DIFF else []
    return [*lines[:LONGEST_DIFF], *more, f"Not up to date: {', '.join(files)}."]


def write(drawn: Mapping[Path, str | None]) -> None:
    """Write the files, and remove those of areas that are gone."""
    for path, text in drawn.items():
        if text is None:
            path.unlink()
        elif _text(path) != text:
            write_atomically(path, text)


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def main(argv: Sequence[str] | None = None) -> int:
    """Write the sheet, or with `--check` compare it: 1 is a difference, 2 a refusal."""
    parser = argparse.ArgumentParser(prog="python -m tools.sheet", description="Print the fact sheet.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file would change")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: here)")
    options = parser.parse_args(argv)
    try:
        drawn = draw_up(options.root)
        if options.check:
            changes = differences(options.root, drawn)
        else:
            write(drawn)
    except SyntaxError as error:
        print(f"{error.filename}:{error.lineno}: {error.msg}. Mend the page first.", file=sys.stderr)
        return 2
    except (SheetError, PageError, RecordError, OSError, UnicodeError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.check and changes:
        print(*changes, "Write it anew with `python -m tools.sheet`.", sep="\n")
        return 1
    done = "are up to date" if options.check else "are written"
    print(f"{SHEET}, {FACTS}/ and the list in {README} {done}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
