"""Build the site: a page per trap on which one guesses first, from the same view as the sheet.

`python -m tools.site` writes static HTML to `site/`: no script, no request to anywhere, the same bytes each
time. What it wrote there before and no longer writes is removed; a file that is not its own stays.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import jinja2
from markdown_it import MarkdownIt

from fixtures.trial.page import PageError
from fixtures.trial.record import RecordError, write_atomically

from .gather import SheetError, natural
from .printers import print_body
from .view import AnswerView, ClaimView, Corpus, PageView, view

TEMPLATES = Path(__file__).parent / "templates" / "site"
MARK = '<link rel="stylesheet" href="style.css">'
"""What every page of the site holds, and no other file is taken for one."""

Groups = list[tuple[str, list[tuple[PageView, str]]]]


def draw_up(corpus: Corpus) -> dict[str, str]:
    """The files of the site by their names, and their text."""
    files = {
        "style.css": (TEMPLATES / "style.css").read_text(encoding="utf-8"),
        "index.html": _render("index", corpus=corpus),
        "asked.html": _list("Where it is asked", "By book, course and newsletter.", _asked(corpus)),
        "errata.html": _list(
            "Errata", "What a source says that does not hold as it stands.", _errata(corpus)
        ),
        "terms.html": _list("Terms", "The field's words by which each trap is found.", _terms(corpus)),
    }
    pages = [(area, page) for area in corpus.areas for page in area.pages]
    for at, (area, page) in enumerate(pages):
        before, after = (pages[i][1] if 0 <= i < len(pages) else None for i in (at - 1, at + 1))
        body = _markdown().render(print_body(corpus, page))
        files[f"{page.page.slug}.html"] = _render(
            "trap", area=area, page=page, body=body, before=before, after=after, shuffled=shuffled
        )
    return files


def shuffled(claim: ClaimView) -> list[AnswerView]:
    """The answers of a claim in an order that does not tell which is right, and is the same each time."""
    return sorted(claim.answers, key=lambda answer: hashlib.sha256(answer.rival.name.encode()).digest())


def _asked(corpus: Corpus) -> Groups:
    """The traps by the place where they are asked, without the address behind it."""
    return _grouped(
        (place.split(", http")[0].rstrip(","), page, "") for page in corpus.pages for place in page.page.asked
    )


def _errata(corpus: Corpus) -> Groups:
    """What is refuted, then what is imprecise or holds under a condition."""
    groups: dict[str, list[tuple[PageView, str]]] = {"Refuted": [], "Imprecise": [], "Holds if": []}
    for page in corpus.pages:
        heading = page.page.verdict.word.capitalize()
        if heading in groups:
            groups[heading].append((page, page.page.verdict.statement))
    return [(name, pages) for name, pages in groups.items() if pages]


def _terms(corpus: Corpus) -> Groups:
    """The words by which each trap is found, area by area; a browser searches within the page."""
    return [
        (area.title, [(page, ", ".join(page.page.terms)) for page in area.pages]) for area in corpus.areas
    ]


def _grouped(entries: Iterable[tuple[str, PageView, str]]) -> Groups:
    groups: dict[str, list[tuple[PageView, str]]] = defaultdict(list)
    for name, page, text in entries:
        groups[name].append((page, text))
    return sorted(groups.items(), key=lambda group: natural(group[0].casefold()))


def _list(heading: str, opening: str, groups: Groups) -> str:
    return _render("lists", heading=heading, opening=opening, groups=groups)


def _render(template: str, **words: object) -> str:
    return _templates().get_template(f"{template}.html.j2").render(words).strip() + "\n"


@cache
def _templates() -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return templates


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table")


def write(files: dict[str, str], folder: Path) -> int:
    """Write the files into a folder, and remove its own that are no longer among them; count what changed."""
    folder.mkdir(parents=True, exist_ok=True)
    stale = [path for path in _own(folder) if path.name not in files]
    for path in stale:
        path.unlink()
    changed = len(stale)
    for name, text in files.items():
        path = folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            write_atomically(path, text)
            changed += 1
    return changed


def _own(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob("*.html")):
        if MARK in path.read_text(encoding="utf-8", errors="replace"):
            yield path


def main(arguments: list[str] | None = None) -> int:
    """Build the site of a repository."""
    parser = argparse.ArgumentParser(prog="python -m tools.site", description="Build the site.")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: here)")
    parser.add_argument("--out", type=Path, help="the folder to write to (default: site/ in the repository)")
    options = parser.parse_args(arguments)
    try:
        files = draw_up(view(options.root))
        changed = write(files, options.out or options.root / "site")
    except (PageError, RecordError, SheetError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"site: {len(files)} files, {changed} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
