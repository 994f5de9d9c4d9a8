"""Rows: what the sheet says of a trap in one line, and of a source that is wrong."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping

from fixtures.trial.record import Counterexample
from fixtures.trial.words import plural

from . import phrases
from .gather import SheetError
from .markdown import anchor, cell, label, prose, sentence
from .view import AnswerView, ClaimView, PageView

ROW = 800
"""Bytes of the longest row."""

ROOM = {"title": 70, "question": 100, "tempting": 100, "answer": 150, "reason": 80}
"""Characters of a row's cells; where escapes or long letters make the row too long, each gets less."""

ERRATUM = 180
"""Characters of a sentence in an erratum; the full entry has it whole."""

FIGURE = 110
"""Characters of the longest figure in a row, inputs included."""


def row(page: PageView) -> str:
    """The row of a trap: its words are cut until it has at most ROW bytes, its figure and link never.

    SheetError where that is not enough.
    """
    for percent in range(100, 0, -5):
        text = _row(page, {name: room * percent // 100 for name, room in ROOM.items()})
        if len(text.encode()) < ROW:
            return text
    seen = f"{page.page.name}: its row passes {ROW} bytes however its words are cut"
    raise SheetError(f"{seen}. Shorten the name of the file.")


def link(page: PageView) -> str:
    """Where a page's full entry stands, as a link from the root."""
    return f"facts/{urllib.parse.quote(page.page.area)}.md#{anchor(page.page.slug)}"


def erratum(page: PageView) -> str:
    """What a source says, what is true, and how the answer that speaks for the source fails."""
    verdict = page.page.verdict
    statement = phrases.cut(verdict.statement, ERRATUM)
    asked = " and in ".join(map(prose, page.page.asked))
    said = [f"[{label(page.page.title)}]({link(page)}), asked in {asked}."]
    if page.page.says:
        said.append(f"It says: {sentence(phrases.cut(page.page.says, ERRATUM))}")
    said.append(f"**{verdict.word.capitalize()}:** {sentence(statement)}")
    if page.charged:
        claim, answer = page.charged
        figure = _figure(claim, answer)
        said.append(f"“{prose(answer.rival.sentence)}”{f' {figure}.' if figure else ''}")
    return " ".join(said)


def _row(page: PageView, room: Mapping[str, int]) -> str:
    claim = page.lead
    tempting = claim.wrong[0]
    title = label(phrases.cut(page.page.title, room["title"]))
    cells = [
        f"[{title}]({link(page)}): {label(phrases.cut(page.asks, room['question']))}",
        f"“{label(phrases.cut(tempting.rival.sentence, room['tempting']))}”",
        label(phrases.cut(page.answer, room["answer"])),
        _observed(claim, tempting) if claim.verified else _unverified(claim, room["reason"]),
        _evidence(page),
    ]
    return f"| {' | '.join(cells)} |"


def _observed(claim: ClaimView, tempting: AnswerView) -> str:
    """One figure, and how often and by how much the tempting answer is wrong."""
    fit = tempting.fits.get(claim.lead)
    told = [_figure(claim, tempting), phrases.missed(fit) if fit else ""]
    return "; ".join(part for part in told if part)


def _unverified(claim: ClaimView, room: int) -> str:
    column, reason = claim.owed[0]
    return f"*unverified* on {label(phrases.cut(f'{column}: {reason}', room))}"


def _evidence(page: PageView) -> str:
    kind = label(page.lead.text.evidence)
    if page.unverified and page.lead.verified:
        return f"{kind}; {page.unverified} of {plural(len(page.claims), 'claim')} *unverified*"
    return kind


def _figure(claim: ClaimView, answer: AnswerView) -> str:
    """A worked example or a counterexample, with its inputs where there is room for them."""
    found = claim.figure(answer)
    if found is None:
        return ""
    told, at = _told(claim.quantity, found), phrases.inputs(found.inputs)
    if len(told) > FIGURE:
        return f"fails at {cell(at)}" if 0 < len(at) <= FIGURE else ""
    figure = label(told) if found.predicted is not None else cell(told)
    return f"{figure} at {cell(at)}" if at and len(told) + len(at) <= FIGURE else figure


def _told(quantity: str, found: Counterexample) -> str:
    if found.predicted is None:
        return phrases.short(found.assertion)
    return phrases.figure(quantity, found.observed, found.predicted)
