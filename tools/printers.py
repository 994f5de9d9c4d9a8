"""Printers: the view as Markdown, a row per trap on the sheet and the full entries by area."""

from __future__ import annotations

import re
import urllib.parse
from functools import cache
from pathlib import Path

import jinja2

from fixtures.trial.page import EVIDENCE
from fixtures.trial.words import plural

from . import entries, markdown, phrases, rows
from .charts import leading
from .view import Area, Corpus


def print_sheet(corpus: Corpus) -> str:
    """FACTSHEET.md: where the evidence was taken, errata, and one row per trap."""
    return _print("factsheet.md.j2", corpus=corpus, kinds=EVIDENCE)


def print_area(corpus: Corpus, area: Area) -> str:
    """The full entries of an area."""
    return _print("area.md.j2", corpus=corpus, area=area)


def print_list(corpus: Corpus) -> str:
    """The areas, each with its opening sentence; nothing that another page would change."""
    return _print("list.md.j2", corpus=corpus)


def _print(template: str, **words: object) -> str:
    text = _templates().get_template(template).render(words)
    return re.sub(r"\n\s*\n", "\n\n", text).strip() + "\n"


@cache
def _templates() -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # Markdown, not HTML
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    templates.filters.update(
        prose=markdown.prose,
        label=markdown.label,
        code=markdown.code,
        block=markdown.block,
        sentence=markdown.sentence,
        anchor=markdown.anchor,
        quote=urllib.parse.quote,
        cut=phrases.cut,
        plural=plural,
    )
    templates.globals.update(rows=rows, entries=entries, missed=phrases.missed, pictured=leading)
    return templates
