"""Indexes of the site: `llms.txt` for language models, `search-index.js` for a search in the browser.

Both link relative to the site, where a trap's page is `<slug>.html`.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Iterable

from . import phrases
from .facts import FACTS, SCHEMA
from .markdown import label, sentence
from .view import Corpus, PageView

LLMS, SEARCH = "llms.txt", "search-index.js"

NOTE = 160
"""Characters of an answer in llms.txt; its page has the whole."""

SUMMARY = (
    "Traps about machine-learning systems: interview questions with a tempting wrong answer. Each is an "
    "executable claim: rival answers, a test that observes reality, and the inputs at which each wrong one "
    "fails."
)

GUIDE = (
    "A page has the question, every answer, the examples that tell them apart, how often and by how much "
    "each wrong one is wrong, a verdict on what the source says, the regime in which the tempting answer is "
    "right, and the limits of all that. An answer holds within the regime that its page states, and was not "
    "tried beyond. What no machine has verified yet is called unverified."
)


def llms(corpus: Corpus) -> str:
    """llms.txt, in the form of llmstxt.org: a heading, a summary, and a list of links per area."""
    lines = ["# Trapsheet", "", f"> {SUMMARY}", "", GUIDE, "", "## Data", ""]
    lines += [
        f"- [{FACTS}]({FACTS}): all of it as one JSON document, with the records of every machine",
        f"- [{SCHEMA}]({SCHEMA}): its JSON Schema, which says what each field means",
    ]
    for area in corpus.areas:
        lines += ["", f"## {label(area.title)}", "", *map(_entry, area.pages)]
    return "\n".join(lines) + "\n"


def search_index(corpus: Corpus) -> str:
    """search-index.js: a script that sets `TRAPS`, one object per trap; a page of `file://` cannot fetch."""
    areas = {area.name: area.title for area in corpus.areas}
    traps = ",\n".join(
        _script(
            {
                "slug": page.page.slug,
                "title": page.page.title,
                "area": areas[page.page.area],
                "asks": page.asks,
                "terms": page.page.terms,
                "answers": _distinct(a.rival.name for claim in page.claims for a in claim.answers),
            }
        )
        for page in corpus.pages
    )
    return f"const TRAPS = [\n{traps}\n];\n"


def address(page: PageView) -> str:
    """The page of a trap on the site."""
    return f"{urllib.parse.quote(page.page.slug)}.html"


def _entry(page: PageView) -> str:
    asks, answer = label(page.asks), sentence(phrases.cut(page.answer, NOTE))
    return f"- [{label(page.page.title)}]({address(page)}): {asks} {answer}"


def _distinct(names: Iterable[str]) -> list[str]:
    return [*dict.fromkeys(names)]


def _script(value: object) -> str:
    """A value as JavaScript that would also do between two tags."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
