"""Fields: what a query can ask of a page, as text and as numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from fixtures.trial.page import EVIDENCE, VERDICTS

from .facts import Answer, Page


@dataclass(frozen=True)
class TextField:
    """A field that a query compares as text."""

    meaning: str
    values: Callable[[Page], Sequence[str]]
    of: tuple[str, ...] = ()
    """The values that it can have, where these are few."""
    whole: bool = False
    """Whether a value is to be the whole text, and not a part of it."""

    def holds(self, page: Page, wanted: str) -> bool:
        """Whether one of the page's values is, or holds, the one that is wanted."""
        plain = wanted.casefold()
        return any(
            plain == value.casefold() if self.whole else plain in value.casefold()
            for value in self.values(page)
        )


@dataclass(frozen=True)
class NumberField:
    """A field that a query compares as a number; a page of which it is None never compares."""

    meaning: str
    value: Callable[[Page], float | None]
    unit: str = ""


def off(page: Page) -> float | None:
    """The largest factor by which a wrong answer of the page is off, either way; None where none tells it."""
    factors = [
        max(ratio, 1 / ratio)
        for claim in page.claims
        for answer in claim.answers
        if not answer.right
        for ratio in _ratios(answer)
    ]
    factors += [
        max(said.factor, 1 / said.factor)
        for claim in page.claims
        for rows in claim.worked.values()
        for row in rows
        for said in row.predicted
        if said.factor is not None and said.factor > 0 and "[wrong-" in said.answer
    ]
    return max(factors, default=None)


def _ratios(answer: Answer) -> Iterator[float]:
    """Where the sheet tells by how much an answer is off: no prediction is zero or of another sign."""
    for fit in answer.fit.values():
        if fit.off and fit.off.smallest > 0:
            yield from (fit.off.smallest, fit.off.largest)


TEXTS: dict[str, TextField] = {
    "area": TextField("the folder of its chapter", lambda page: [page.area], whole=True),
    "verdict": TextField(
        "the verdict on its source: `holds`, `holds-if`, `imprecise`, `refuted`, `not-judged`",
        lambda page: [page.verdict.word],
        of=tuple(VERDICTS),
        whole=True,
    ),
    "kind": TextField(
        "the kind of evidence of one of its claims: `exact`, `measured`, `trained`, `simulated`, `derived`",
        lambda page: [claim.evidence for claim in page.claims],
        of=tuple(EVIDENCE),
        whole=True,
    ),
    "verified": TextField(
        "a column on which one of its claims is verified",
        lambda page: [column for claim in page.claims for column in claim.verified],
    ),
    "asked": TextField("where it is asked", lambda page: [place.text for place in page.asked]),
    "source": TextField("what it rests on", lambda page: [source.text for source in page.sources]),
    "term": TextField("the field's words for it", lambda page: page.terms),
    "title": TextField("its title", lambda page: [page.title]),
    "id": TextField(
        "its file's name or a former one, or the id of a claim",
        lambda page: [page.id, *page.aliases, *(claim.id for claim in page.claims)],
    ),
}

NUMBERS: dict[str, NumberField] = {
    "wrong": NumberField(
        "the largest factor by which a wrong answer is off, in a worked example or over the search", off, "x"
    ),
    "claims": NumberField("how many claims it makes", lambda page: len(page.claims)),
    "answers": NumberField(
        "how many answers they try", lambda page: sum(len(c.answers) for c in page.claims)
    ),
    "lines": NumberField("the lines of its file", lambda page: page.lines),
}


def prose(page: Page) -> str:
    """What a word is looked for in, one text a line."""
    told = [page.id, *page.aliases, page.area, page.title, page.question, page.answer, page.says]
    told += [page.verdict.word, page.verdict.statement, *page.terms, page.right_when, page.limits]
    for claim in page.claims:
        told += [claim.name, claim.sentence]
        told += [text for answer in claim.answers for text in (answer.name, answer.sentence, answer.reason)]
    return "\n".join(told).casefold()
