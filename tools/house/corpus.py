"""The corpus as a whole: files, areas, and names that no two pages share."""

from __future__ import annotations

import ast
import contextlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from fixtures.trial.page import Page, PageError, page_paths

from .rules import broken_by_corpus
from .source import Source, sides
from .specimen import GOOD


@broken_by_corpus({"traps/notes.py": GOOD})
@broken_by_corpus({"traps/tokenization/unicode/characters_are_bytes.py": GOOD})
@broken_by_corpus({"traps/tokenization/notes.md": "Notes\n"})
@broken_by_corpus({"traps/tokenization/gone.equivalent.toml": ""})
def every_file_is_a_page(root: Path) -> Iterator[str]:
    """Beside pages `traps/` holds the areas' openings and the declared equivalents, and nothing unread."""
    pages = page_paths(root)
    read = {
        *pages,
        *(page.with_suffix(".equivalent.toml") for page in pages),
        *root.glob("traps/*/__init__.py"),
    }
    for path in sorted(root.glob("traps/**/*")):
        if path.is_file() and "__pycache__" not in path.parts and path not in read:
            yield f"{path.relative_to(root)} is read by nothing. A page is traps/<area>/<slug>.py"


@broken_by_corpus({"traps/data/rows_are_tokens.py": GOOD})
@broken_by_corpus({"traps/tokenization/__init__.py": ""})
@broken_by_corpus({"traps/tokenization/__init__.py": '"""Text"""\n'})
def areas_open_with_a_sentence(root: Path) -> Iterator[str]:
    """The sheet prints it as the chapter's first line."""
    for area in sorted({page.parent for page in page_paths(root)}):
        init = area / "__init__.py"
        opening = ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) if init.exists() else None
        if not (opening or "").endswith("."):
            yield f"{area.relative_to(root)} has no opening sentence. Give its __init__.py one as docstring"


@broken_by_corpus({f"traps/tokenization/trap_{n}.py": GOOD for n in range(12)})
def areas_hold_at_most_a_dozen_pages(root: Path) -> Iterator[str]:
    """A longer chapter is two."""
    areas = defaultdict(list)
    for page in page_paths(root):
        areas[page.parent.relative_to(root)].append(page)
    for area, pages in areas.items():
        if len(pages) > 12:
            yield f"{area} holds {len(pages)} pages. Split it in two areas"


@broken_by_corpus({"traps/data/characters_are_bytes.py": GOOD})
def no_slug_is_shared(root: Path) -> Iterator[str]:
    """`pytest -k` knows a page by its slug alone."""
    yield from shared(((s.page.slug, s.page) for s in sources(root)), "slug")


@broken_by_corpus({"traps/tokenization/bytes_are_tokens.py": GOOD})
def no_test_name_is_shared(root: Path) -> Iterator[str]:
    """So is a claim known by its name."""
    yield from shared(((c.name, s.page) for s in sources(root) for c in s.page.claims), "test name")


@broken_by_corpus({"traps/tokenization/bytes_are_tokens.py": GOOD})
def no_answer_name_is_shared(root: Path) -> Iterator[str]:
    """And an answer, which claims of one page may share."""
    owners = ((name, s.page) for s in sources(root) for c in s.page.claims for name in sides(c))
    yield from shared(owners, "answer")


def shared(owners: Iterable[tuple[str, Page]], what: str) -> Iterator[str]:
    """A complaint for every name that belongs to more than one page."""
    pages = defaultdict(set)
    for name, page in owners:
        pages[name].add(page.name)
    for name, where in pages.items():
        if len(where) > 1:
            yield f"the {what} {name} stands in {' and '.join(sorted(where))}. Rename one"


def sources(root: Path) -> Iterator[Source]:
    """Every page of a corpus that can be read. (One that cannot is complained of by itself.)"""
    for path in page_paths(root):
        with contextlib.suppress(PageError):
            yield Source.read(path)
