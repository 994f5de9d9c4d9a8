"""Ids: by what a page, a claim and an answer are addressed, and what became of an id that is gone.

A page is its slug, a claim `slug::test_name`, an answer `slug::test_name[wrong-name]`, as pytest and the
records have them. An id keeps its meaning for good: what was published stands in `tools/published.txt`,
which only grows, and where its id is gone `tools/aliases.toml` says what it is called now, or why it ended.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fixtures.trial.record import write_atomically
from fixtures.trial.words import plural

from .gather import SheetError
from .view import AnswerView, ClaimView, Corpus, PageView

PUBLISHED, ALIASES = "tools/published.txt", "tools/aliases.toml"

HEAD = (
    "# Every id that was ever published, oldest first. `python -m tools.facts --publish` appends new ones.\n"
)


def page_id(page: PageView) -> str:
    """The id of a page: its slug, whatever area it lies in."""
    return page.page.slug


def claim_id(page: PageView, claim: ClaimView) -> str:
    """The id of a claim."""
    return f"{page_id(page)}::{claim.text.name}"


def answer_id(page: PageView, claim: ClaimView, answer: AnswerView) -> str:
    """The id of an answer; one that turns out to be right after all gets another."""
    side = "right" if answer is claim.right else "wrong"
    return f"{claim_id(page, claim)}[{side}-{answer.rival.name}]"


def ids(corpus: Corpus) -> tuple[str, ...]:
    """Every id of a corpus: each page's, then each of its claims' and their answers'."""
    return tuple(_ids(corpus))


def _ids(corpus: Corpus) -> Iterator[str]:
    for page in corpus.pages:
        yield page_id(page)
        for claim in page.claims:
            yield claim_id(page, claim)
            yield from (answer_id(page, claim, answer) for answer in claim.answers)


@dataclass(frozen=True)
class Ledger:
    """What was published, and what became of what is gone."""

    published: tuple[str, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    """An old id and what it is called now; what lies below a page or a claim goes with it."""
    retired: Mapping[str, str] = field(default_factory=dict)
    """An id that ended, with all that lies below it, and why."""

    def now(self, name: str, living: Container[str]) -> str | None:
        """The id that an id has today: itself, its new name, `""` if it is retired, None if it is lost."""
        seen = set()
        while name not in living:
            for part in _upwards(name):
                if part in self.retired:
                    return ""
                if part in self.renamed:
                    seen.add(name)
                    name = self.renamed[part] + name.removeprefix(part)
                    break
            else:
                return None
            if name in seen:
                return None
        return name

    def refuse(self, living: Sequence[str]) -> None:
        """SheetError for the first id that is lost, or that came to mean something else."""
        known = {*living}
        for old in [*self.renamed, *self.retired]:
            if old in known:
                raise SheetError(
                    f"{ALIASES} says that {old} is gone, and it is here. "
                    "Name the new one otherwise, or remove the line: an id keeps its meaning."
                )
            if old in self.renamed and old in self.retired:
                raise SheetError(f"{ALIASES} has {old} both renamed and retired. Keep one of the lines.")
        for old, new in self.renamed.items():
            if _depth(old) != _depth(new) or self.now(old, known) is None:
                raise SheetError(
                    f"{ALIASES} renames {old} to {new}, which is no {_kind(old)}. "
                    "Name the one that says the same now, or retire the old id."
                )
        lost = [old for old in self.published if self.now(old, known) is None]
        if lost:
            named = f"{lost[0]}{f' and {len(lost) - 1:,} more' if lost[1:] else ''}"
            raise SheetError(
                f"{named} of {PUBLISHED} is no longer in the corpus. Say in {ALIASES} what it is called now, "
                f'`"{lost[0]}" = "…"` below [renamed], or why it ended, below [retired].'
            )

    def aliases(self, living: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """By id the names that it had before, those that were published first."""
        known = {*living}
        found: dict[str, dict[str, None]] = {}
        for old in [*self.published, *self.renamed]:
            if old not in known and (new := self.now(old, known)):
                found.setdefault(new, {})[old] = None
        return {new: tuple(olds) for new, olds in found.items()}

    def first(self, name: str, aliases: Sequence[str]) -> str:
        """The name under which an id was published first, or else its own."""
        names = {name, *aliases}
        return next((old for old in self.published if old in names), name)


def ledger(root: Path) -> Ledger:
    """The ledger of a repository; empty where nothing was published or renamed."""
    published, aliases = root / PUBLISHED, root / ALIASES
    lines = published.read_text(encoding="utf-8").splitlines() if published.is_file() else []
    try:
        told = tomllib.loads(aliases.read_text(encoding="utf-8")) if aliases.is_file() else {}
    except tomllib.TOMLDecodeError as error:
        raise SheetError(f'{ALIASES} is not TOML ({error}). Write `old = "new"`, one a line.') from None
    for section, entries in told.items():
        if section not in ("renamed", "retired") or not isinstance(entries, dict):
            raise SheetError(
                f"{ALIASES} has {section!r} at its top. Its sections are [renamed] and [retired]."
            )
        for old, said in entries.items():
            if not isinstance(said, str) or not said.strip():
                wanted = "its new name" if section == "renamed" else "the reason"
                raise SheetError(f"{ALIASES} says nothing of {old}. Write {wanted} in quotes.")
    return Ledger(
        tuple(line for line in lines if line and not line.startswith("#")),
        told.get("renamed", {}),
        told.get("retired", {}),
    )


def publish(root: Path, living: Sequence[str]) -> int:
    """Append the ids that are new to the published ones, and count them."""
    old = ledger(root).published
    fresh = [name for name in living if name not in {*old}]
    if fresh:
        write_atomically(root / PUBLISHED, HEAD + "".join(f"{name}\n" for name in [*old, *fresh]))
    return len(fresh)


def counted(living: Sequence[str]) -> str:
    """How many there are of each kind: `158 pages, 369 claims, 1,100 answers`."""
    depths = [_depth(name) for name in living]
    return ", ".join(plural(depths.count(i), kind) for i, kind in enumerate(KINDS))


KINDS = ("page", "claim", "answer")


def _kind(name: str) -> str:
    return KINDS[_depth(name)]


def _depth(name: str) -> int:
    """0 for a page, 1 for a claim, 2 for an answer."""
    return ("::" in name) + ("[" in name)


def _upwards(name: str) -> Iterator[str]:
    """An id, then what it lies in: an answer's claim, a claim's page."""
    yield name
    while shorter := re.sub(r"(\[[^\[]*\]|::[^:\[]*)$", "", name):
        if shorter == name:
            return
        name = shorter
        yield name
