"""The house rules of pages, in rooms.

`form`, `words` and `declaration` look at the text, `bound` at the figures in it, `imports`, `chance`,
`observation` and `kinds` at the code, `verdict` at the record, and `corpus` at all pages together.

A rule is one small function which yields what it finds wrong: the line, what was seen, what to do.
Above it stand the specimens that break it, cut from the good page of `specimen`. To add a rule,
write it in its room below `@broken_by(…)`: it is then tried on every page, and on its specimens.

Pages are read as text, so that nothing here loads torch or pytest.
"""

from __future__ import annotations

from pathlib import Path

from fixtures.trial.page import PageError

from . import bound, chance, corpus, declaration, form, imports, kinds, observation, verdict, words
from .rules import CORPUS_RULES, PAGE_RULES, breaches
from .source import Source

__all__ = [
    "bound",
    "chance",
    "complaints",
    "corpus",
    "corpus_complaints",
    "declaration",
    "form",
    "imports",
    "kinds",
    "observation",
    "verdict",
    "words",
]


def complaints(path: Path, *, recorded: bool = True) -> list[str]:
    """What is wrong with a page by itself, line by line: `<place>: <what was seen>. <What to do>.`

    A page that cannot be read has one complaint, which says why. One that need not be `recorded` yet may
    lack its record, and then nothing is said of what only the record tells.
    """
    Source.read.cache_clear()  # a page, or its record, may have changed
    try:
        source = Source.read(path)
    except PageError as error:
        return [str(error)]
    rules = [rule for rule in PAGE_RULES if recorded or rule is not verdict.a_page_has_its_record]
    found = [complaint for rule in rules for complaint in breaches(rule, source)]
    return sorted(found, key=lambda complaint: int(complaint.split(":")[1]))


def corpus_complaints(root: Path) -> list[str]:
    """What is wrong with the pages under `root/traps` taken together."""
    return [complaint for rule in CORPUS_RULES for complaint in rule(root)]
