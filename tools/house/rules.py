"""What a rule is, and the decorators which keep it together with the specimens that break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from .source import Source
from .specimen import HOME, OPENING, Change, Specimen, specimen

Complaints = Iterator[tuple[int, str]]
"""What a rule finds wrong with a page: the line, and what was seen and what to do, without the last stop."""

PageRule = Callable[[Source], Complaints]
CorpusRule = Callable[[Path], Iterator[str]]

PAGE_RULES: dict[PageRule, list[Specimen]] = {}
CORPUS_RULES: dict[CorpusRule, list[Specimen]] = {}
"""Every rule with its failing specimens, as the decorators below keep them."""


def broken_by(
    *changes: Change, at: str = HOME, record: tuple[Change, ...] | None = ()
) -> Callable[[PageRule], PageRule]:
    """Try the rule below on every page, and prove it on the good one with these changes.

    `record` changes passages of the good page's record; with None the page has none.
    """

    def keep(rule: PageRule) -> PageRule:
        PAGE_RULES.setdefault(rule, []).append(specimen(*changes, at=at, record=record))
        return rule

    return keep


def broken_by_corpus(files: Specimen) -> Callable[[CorpusRule], CorpusRule]:
    """Try the rule below on the whole corpus, and prove it on these files beside the good page."""

    def keep(rule: CorpusRule) -> CorpusRule:
        CORPUS_RULES.setdefault(rule, []).append(specimen() | OPENING | files)
        return rule

    return keep


def breaches(rule: PageRule, source: Source) -> list[str]:
    """What a rule finds wrong with a page, each in one line that begins with its place."""
    return [f"{source.page.name}:{line}: {text}." for line, text in rule(source)]
