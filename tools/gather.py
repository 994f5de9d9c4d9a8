"""Gather: the evidence that may be printed, from every record in a folder.

Records of shards, machines and versions are merged by lying in one folder. What they say together
must fit the pages as they are, or a SheetError names the file and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fixtures.trial.page import Page
from fixtures.trial.record import Environment, Record, Run, column, pinned_torch, records

Place = tuple[str, str, str, str]
"""Page, column, claim and answer: what a run speaks of."""


class SheetError(ValueError):
    """Evidence or text that cannot go to print: what was seen, what to do."""


@dataclass(frozen=True)
class Evidence:
    """One run of every answer for each column in which it ran."""

    environments: dict[str, list[Environment]]
    """Where each column was recorded; the reference is the first."""
    runs: dict[Place, Run]
    stale: frozenset[tuple[str, str]]
    """Page and column, where all that was recorded is of another text of the page."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns: the reference, other versions of torch on the CPU, then other devices."""
        return tuple(self.environments)


def evidence_of(root: Path, corpus: Sequence[Page]) -> Evidence:
    """What the records below `root/evidence` say of the pages."""
    pinned = pinned_torch(root)
    if not pinned:
        raise SheetError("constraints.txt pins no torch. Pin the one whose records cover every page.")
    found = ((path.relative_to(root).as_posix(), record) for path, record in records(root / "evidence"))
    return gather(corpus, found, column("cpu", pinned))


def gather(corpus: Sequence[Page], found: Iterable[tuple[str, Record]], reference: str) -> Evidence:
    """The evidence of records, each with the name of its file; SheetError where they do not fit.

    The reference column has to cover the pages as they are, since a CPU is always at hand. A record
    of another column may be older than its page: it is left out, and the sheet says so.
    """
    pages = {page.name: page for page in corpus}
    environments: dict[str, list[Environment]] = {}
    told: dict[Place, list[tuple[str, Run]]] = {}
    stale: set[tuple[str, str]] = set()
    for file, record in found:
        where = record.environment.column
        page = pages.get(record.page)
        if page is None:
            raise SheetError(f"{file}: is a record of {record.page}, which is no page. Remove the file.")
        environments.setdefault(where, []).append(record.environment)
        if record.digest == page.digest:
            for run in _declared(file, record, page):
                told.setdefault((page.name, where, *run.key), []).append((file, run))
        elif where != reference:
            stale.add((page.name, where))
        else:
            raise SheetError(f"{file}: was taken of another text of {page.name}. {_again(page)}")
    if not environments:
        raise SheetError("evidence/ holds no record. Take one of every page with `make facts`.")
    for place, those in told.items():
        _refuse_faults(place, those)
    _refuse_gaps(corpus, told, reference)
    ordered = sorted(
        environments, key=lambda name: (name != reference, not name.startswith("cpu,"), natural(name))
    )
    return Evidence(
        {name: environments[name] for name in ordered},
        {place: _spokesman(those) for place, those in told.items()},
        frozenset(stale - {place[:2] for place in told}),
    )


def natural(text: str) -> list[tuple[int, str]]:
    """A key that sorts `torch 2.9` before `torch 2.13`."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", text)]


def _declared(file: str, record: Record, page: Page) -> list[Run]:
    declared = {(claim.name, answer) for claim in page.claims for answer in claim.rivals}
    for run in record.runs:
        if run.key not in declared:
            raise SheetError(
                f"{file}: speaks of {_called(*run.key)}, which {page.name} lacks. {_again(page)}"
            )
    return record.runs


def _refuse_faults(place: Place, those: list[tuple[str, Run]]) -> None:
    page, _, *key = place
    outcomes = {run.outcome: file for file, run in those if run.outcome != "unverified"}
    if len(outcomes) > 1:
        (one, first), (other, second) = sorted(outcomes.items(), key=lambda item: item[1])[:2]
        raise SheetError(
            f"{first} and {second} disagree on {page}::{_called(*key)}: {one} and {other}. "
            "Try the page again on both machines, and keep the record that can be repeated."
        )
    for file, run in those:
        if run.is_fault:
            raise SheetError(
                f"{file}: {page}::{_called(*key)} {run.outcome}. "
                "A sheet prints what holds: mend the page, and take its record again."
            )


def _refuse_gaps(corpus: Sequence[Page], told: Iterable[Place], reference: str) -> None:
    places = {*told}
    covered = {place[0] for place in places if place[1] == reference}
    if missing := [page for page in corpus if page.name not in covered]:
        named, more = missing[0], f" and {len(missing) - 1} more" if missing[1:] else ""
        repair = "Take them with `make facts`." if more else _again(named, "it")
        others = {where for page, where, *_ in places if page == named.name and where.startswith("cpu,")}
        if others and not more:
            found = min(others, key=natural)
            repair += f" Its record on {found} is of another torch than constraints.txt pins: install that."
        raise SheetError(f"evidence/ has no record of {named.name}{more} on {reference}. {repair}")
    for page in corpus:
        for claim in page.claims:
            for answer in claim.rivals:
                if claim.runs_on("cpu") and (page.name, reference, claim.name, answer) not in places:
                    lacking = f"{page.name}::{_called(claim.name, answer)}"
                    raise SheetError(f"evidence/ lacks {lacking} on {reference}. {_again(page)}")


def _spokesman(those: list[tuple[str, Run]]) -> Run:
    """Of the runs that agree, the first by file that was verified, else the first."""
    return min(those, key=lambda one: (one[1].outcome == "unverified", one[0]))[1]


def _again(page: Page, what: str = "its record again") -> str:
    return f"Take {what} with `pytest {page.name} --evidence=evidence`."


def _called(claim: str, answer: str) -> str:
    return f"{claim}[{answer}]"
