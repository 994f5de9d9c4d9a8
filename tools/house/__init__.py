"""The house rules of pages, in rooms: `form`, `imports`, `observation`, `chance`, and `corpus` for all pages.

A rule is one small function which yields what it finds wrong: the line, what was seen, what to do.
Above it stand the specimens that break it, cut from the good page of `specimen`. To add a rule,
write it in its room below `@broken_by(…)`: it is then tried on every page, and on its specimens.

Pages are read as text, so that nothing here loads torch or pytest.
"""

from __future__ import annotations

from pathlib import Path

from fixtures.trial.page import PageError

from . import bound, chance, corpus, declaration, form, imports, kinds, observation, verdict, words
from .rules import CORPUS_RULES, breaches, rules_for
from .source import Source

__all__ = ["complaints", "corpus_complaints"]

ROOMS = (form, words, declaration, imports, chance, observation, kinds, verdict, bound, corpus)
"""Where the rules stand, in the order of a page."""


def complaints(path: Path) -> list[str]:
    """What is wrong with a page by itself, room by room: `<place>: <what was seen>. <What to do>.`

    A page that cannot be read has one complaint, which says why.
    """
    try:
        source = Source.read(path)
    except PageError as error:
        return [str(error)]
    return [complaint for rule in rules_for(source) for complaint in breaches(rule, source)]


def corpus_complaints(root: Path) -> list[str]:
    """What is wrong with the pages under `root/traps` taken together."""
    return [complaint for rule in CORPUS_RULES for complaint in rule(root)]
