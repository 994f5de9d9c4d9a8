"""Build the site: a page per trap on which one guesses first, from the same view as the sheet.

`python -m tools.site` writes static HTML to `site/`, with its pictures in it: one stylesheet, one small
script that nothing depends on, no request to anywhere, the same bytes each time. Pictures are kept in
`build/pictures`, so that only those that change are drawn anew. What the tool wrote before and no longer
writes is removed; a file that is not its own stays.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import jinja2

from fixtures.glossary import glossary
from fixtures.trial.page import EVIDENCE, PageError
from fixtures.trial.record import RecordError, write_atomically
from fixtures.trial.words import plural

from . import charts, deck, entries, facts, indexes, leaves, phrases
from .gather import SheetError, natural
from .ids import ledger
from .leaves import Picture
from .pictures import COLOURS, draw_all
from .view import Corpus, PageView, view

TEMPLATES = Path(__file__).parent / "templates" / "site"
MARK = '<link rel="stylesheet" href="style.css">'
"""What every page of the site holds, and no other file is taken for one."""

KEPT = Path("build") / "pictures"
"""Where pictures are kept between runs, below the root."""

HEADINGS = {
    "refuted": ("Refuted", "In fact: "),
    "imprecise": ("Imprecise", "More precisely: "),
    "holds if": ("Holds under a condition", "It holds if "),
}
"""The verdicts that fault a source: the heading in the errata, and how a correction begins."""

Groups = list[tuple[str, list[tuple[PageView, str]]]]


def draw_up(root: Path, source: str = "") -> dict[str, str]:
    """The files of the site by their names, and their text.

    `source` is where the files of the repository can be read, such as `https://host/owner/name/blob/main/`;
    without it a page names its file and links to none.
    """
    corpus = view(root)
    titles = {page.page.slug: page.page.title for page in corpus.pages}
    common: dict[str, object] = {"corpus": corpus, "version": leaves.version(), "titles": titles}
    letters = leaves.terms(corpus)
    files = {
        "style.css": _style(),
        "site.js": (TEMPLATES / "site.js").read_text(encoding="utf-8"),
        "index.html": _render("index", **common, **_home(corpus)),
        "quiz.html": _render("quiz", **common),
        "compare.html": _render("compare", **common, **_comparison(corpus)),
        "glossary.html": _render(
            "glossary", **common, letters=letters, vocabulary=sorted(glossary().items())
        ),
        "asked.html": _list("Where it is asked", "By book, course and newsletter.", _asked(corpus), common),
        "errata.html": _list("Errata", "Where a source does not hold as it stands.", _errata(corpus), common),
    }
    files |= {
        f"glossary-{letter}.html": _render("letter", **common, letter=letter, terms=terms, letters=letters)
        for letter, terms in letters.items()
    }
    files |= {f"quiz-{area.name}.html": _render("quiz-area", **common, area=area) for area in corpus.areas}
    names = ledger(root)
    told = facts.facts(corpus, names)
    files |= facts.draw_up(told) | {"trapsheet-anki.txt": deck.deck(corpus, names)}
    files |= {indexes.LLMS: indexes.llms(corpus), indexes.SEARCH: indexes.search_index(corpus)}
    files |= {
        f"{alias}.html": _render("moved", **common, page=page)
        for page in told.pages
        for alias in page.aliases
    }
    return files | dict(_traps(root, corpus, source, common))


def _traps(root: Path, corpus: Corpus, source: str, common: dict[str, object]) -> Iterator[tuple[str, str]]:
    """The page of every trap."""
    known = leaves.charts_of(corpus)
    drawn = draw_all(leaves.drawn(known.values()), root / KEPT)
    pages = [(area, page) for area in corpus.areas for page in area.pages]
    for at, (area, page) in enumerate(pages):
        before, after = (pages[i][1] if 0 <= i < len(pages) else None for i in (at - 1, at + 1))
        shown = {claim.text.name: known[page.page.slug, claim.text.name] for claim in page.claims}
        yield (
            f"{page.page.slug}.html",
            _render(
                "trap",
                **common,
                area=area,
                page=page,
                before=before,
                after=after,
                pictures={
                    name: chart if isinstance(chart, str) else Picture(chart, drawn[chart.digest])
                    for name, chart in shown.items()
                },
                citation=leaves.citation(page),
                source_link=f"{source.rstrip('/')}/{page.page.name}" if source else "",
            ),
        )


def _home(corpus: Corpus) -> dict[str, object]:
    """The trap to guess at once is the shortest that was observed and that the errata do not give away."""
    errata = [page for page in corpus.pages if page.refutes]
    told = [page for page in corpus.pages if not page.refutes and page.lead.text.evidence == "exact"]
    return {
        "first": min(told or corpus.pages, key=lambda page: len(page.page.question)),
        "unverified": [page for page in corpus.pages if page.unverified],
        "errata": errata,
        "qualified": sum(page.qualifies for page in corpus.pages),
    }


def _comparison(corpus: Corpus) -> dict[str, object]:
    rows = leaves.misses(corpus)
    wrong = sum(len(claim.wrong) for page in corpus.pages for claim in page.claims)
    return {"rows": rows, "silent": wrong - len(rows)}


def _asked(corpus: Corpus) -> Groups:
    """The traps by the place where they are asked, without the address behind it."""
    groups: dict[str, list[tuple[PageView, str]]] = defaultdict(list)
    for page in corpus.pages:
        for place in page.page.asked:
            groups[place.split(", http")[0].rstrip(",")].append((page, ""))
    return sorted(groups.items(), key=lambda group: natural(group[0].casefold()))


def _errata(corpus: Corpus) -> Groups:
    """What is refuted, then what is imprecise or holds under a condition."""
    groups: dict[str, list[tuple[PageView, str]]] = {heading: [] for heading, _ in HEADINGS.values()}
    for page in corpus.pages:
        if (word := page.page.verdict.word) in HEADINGS:
            heading = HEADINGS[word][0]
            statement = page.page.verdict.statement
            stop = "" if statement[-1] in ".?!" else "."
            told = f"The source says: {page.page.says} {HEADINGS[word][1]}{statement}{stop}"
            groups[heading].append((page, told))
    return [(name, pages) for name, pages in groups.items() if pages]


def _list(heading: str, opening: str, groups: Groups, common: dict[str, object]) -> str:
    return _render("lists", **common, heading=heading, opening=opening, groups=groups)


def _style() -> str:
    """The stylesheet; the colours of the pictures are defined where they are drawn."""
    light, dark = (" ".join(f"{name}: {pair[i]};" for name, pair in COLOURS.items()) for i in (0, 1))
    pictures = f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    return pictures + (TEMPLATES / "style.css").read_text(encoding="utf-8")


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
    templates.filters.update(
        inline=_inline,
        sentence=_sentence,
        label=leaves.inline,
        markdown=leaves.blocks,
        markdown_inline=leaves.marked,
        plural=plural,
    )
    templates.globals.update(
        entries=entries,
        fate=leaves.fate,
        words=charts.words,
        kinds=EVIDENCE,
        missed=phrases.missed,
    )
    return templates


@jinja2.pass_context
def _inline(context: jinja2.runtime.Context, text: str) -> str:
    """A paragraph, in which the names of other pages lead to them."""
    return leaves.linked(leaves.inline(text), context["titles"])


@jinja2.pass_context
def _sentence(context: jinja2.runtime.Context, text: str) -> str:
    """The same, which ends as a sentence does."""
    return leaves.linked(leaves.sentence(text), context["titles"])


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


def _own(folder: Path) -> Iterable[Path]:
    for path in sorted(folder.glob("*.html")):
        if MARK in path.read_text(encoding="utf-8", errors="replace"):
            yield path


def main(arguments: list[str] | None = None) -> int:
    """Build the site of a repository."""
    parser = argparse.ArgumentParser(prog="python -m tools.site", description="Build the site.")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: here)")
    parser.add_argument("--out", type=Path, help="the folder to write to (default: site/ in the repository)")
    parser.add_argument("--source", default="", help="where its files can be read: https://…/blob/main/")
    options = parser.parse_args(arguments)
    try:
        files = draw_up(options.root, options.source)
        changed = write(files, options.out or options.root / "site")
    except (PageError, RecordError, SheetError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"site: {len(files)} files, {changed} changed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
