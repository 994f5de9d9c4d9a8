"""Leaves: what the templates of the site ask for, beyond the view."""

from __future__ import annotations

import hashlib
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata

from markdown_it import MarkdownIt
from markupsafe import Markup, escape

from fixtures.trial.words import plural

from . import charts, markdown, phrases
from .charts import Chart
from .gather import natural
from .view import AnswerView, ClaimView, Corpus, PageView

SAID = 60
"""Characters of an answer in the comparison."""

DIGEST = 12
"""Digits of a digest in a citation."""


@dataclass(frozen=True)
class Picture:
    """A chart, drawn, and its figures as a table."""

    chart: Chart
    svg: str

    @property
    def head(self) -> tuple[str, ...]:
        """The heads of the table of figures."""
        return charts.head(self.chart)

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """Its rows."""
        return tuple(charts.rows(self.chart))


@dataclass(frozen=True)
class Miss:
    """How far a wrong answer is off, and how often: a row of the comparison."""

    page: PageView
    claim: ClaimView
    name: str
    said: str
    far: float
    """The median of predicted over observed where it is wrong, or its inverse: 1 and more."""
    off: str
    share: float
    often: str


def version() -> str:
    """The version of the corpus."""
    return metadata.version("trapsheet")


def citation(page: PageView) -> str:
    """How to cite a page: version, title, file, and the digests of its text and of what was recorded."""
    runs = (run for claim in page.claims for answer in claim.answers for run in answer.runs.values())
    record = hashlib.sha256("\n".join(run.model_dump_json() for run in runs).encode()).hexdigest()
    columns = "; ".join(dict.fromkeys(column for claim in page.claims for column in claim.verified))
    return (
        f"Trapsheet {version()}, “{page.page.title}”, {page.page.name}, text {page.page.digest[:DIGEST]}, "
        f"record {record[:DIGEST]} ({columns or 'no device yet'})."
    )


def fate(claim: ClaimView, answer: AnswerView) -> str:
    """What became of an answer, in a word."""
    if not claim.verified:
        return "Right, and not tried yet." if answer is claim.right else "Wrong, and not tried yet."
    told = {"derived": ("It follows.", "It does not follow."),
            "simulated": ("It held in a simulation.", "Refuted in a simulation.")}  # fmt: skip
    return told.get(claim.text.evidence, ("It held.", "Refuted."))[answer is not claim.right]


def misses(corpus: Corpus) -> list[Miss]:
    """Every wrong answer that is off by a factor somewhere, those that are off by most first."""
    found = [miss for page in corpus.pages for claim in page.claims for miss in _misses(page, claim)]
    return sorted(found, key=lambda miss: (-miss.far, -miss.share, miss.page.page.slug, miss.name))


def _misses(page: PageView, claim: ClaimView) -> Iterator[Miss]:
    for answer in claim.wrong:
        fit = answer.fits.get(claim.lead)
        if fit is None or fit.off is None or fit.off.median <= 0 or not fit.of:
            continue
        off = phrases.off(fit.off.median, fit.off.median)
        if off:
            far = math.exp(abs(math.log(fit.off.median)))
            wrong = fit.of - fit.agrees
            often = f"{wrong:,} of {plural(fit.of, 'input')}"
            name = charts.words(answer.rival.name)
            said = phrases.cut(answer.rival.sentence, SAID)
            yield Miss(page, claim, name, said, float(f"{far:.6g}"), off, round(wrong / fit.of, 4), often)


def terms(corpus: Corpus) -> dict[str, list[tuple[str, list[PageView]]]]:
    """By first letter every term, and the pages that are found by it; `0-9` are those with none.

    Spellings that differ in case alone are one.
    """
    found: dict[str, list[PageView]] = defaultdict(list)
    spelt: dict[str, str] = {}
    for page in corpus.pages:
        for term in page.page.terms:
            spelt.setdefault(term.casefold(), term)
            found[term.casefold()].append(page)
    letters: dict[str, list[tuple[str, list[PageView]]]] = defaultdict(list)
    for term, pages in sorted(found.items(), key=lambda item: natural(item[0])):
        letters[term[0] if "a" <= term[0] <= "z" else "0-9"].append((spelt[term], pages))
    return dict(sorted(letters.items()))


def linked(html: str, titles: Mapping[str, str]) -> Markup:
    """HTML in which the names of pages lead to them, under their titles; within a tag a name stays."""
    known = re.compile(r"(<[^>]*>)|\b(" + "|".join(sorted(map(re.escape, titles), reverse=True)) + r")\b")

    def lead(found: re.Match[str]) -> str:
        if found[1]:
            return found[1]
        return f'<a href="{found[2]}.html">“{escape(titles[found[2]])}”</a>'

    return Markup(known.sub(lead, html))


def charts_of(corpus: Corpus) -> Mapping[tuple[str, str], Chart | str]:
    """The chart of every claim, or why it has none, by page and claim."""
    return {
        (page.page.slug, claim.text.name): charts.chart(claim)
        for page in corpus.pages
        for claim in page.claims
    }


def drawn(known: Iterable[Chart | str]) -> list[Chart]:
    """The charts among them."""
    return [chart for chart in known if isinstance(chart, Chart)]


def inline(text: str) -> Markup:
    """A paragraph of a page as HTML."""
    return marked(markdown.prose(text))


def sentence(text: str) -> Markup:
    """A paragraph of a page as HTML, which ends as a sentence does."""
    return marked(markdown.sentence(text))


def marked(text: str) -> Markup:
    """A line of Markdown as HTML."""
    return Markup(_markdown().renderInline(text))


def blocks(text: str) -> Markup:
    """Markdown as HTML; a table may be scrolled by itself."""
    html = _markdown().render(text)
    html = html.replace("<table>", '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>')
    html = html.replace("<th>", '<th scope="col">').replace("<th style", '<th scope="col" style')
    return Markup(html.replace("</table>", "</table></div>"))


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark").enable("table")
