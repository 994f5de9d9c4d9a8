"""Evidence that may be printed: the runs of all records that speak of the pages as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fixtures.trial.page import ClaimText, Page
from fixtures.trial.record import Environment, Record, Run

Key = tuple[str, str, str]
"""Page, claim and answer, as a run names them."""


class SheetError(ValueError):
    """Evidence or text that cannot go to print: what was seen, what to do."""


@dataclass(frozen=True)
class Evidence:
    """The runs that speak of the pages as they are."""

    environments: tuple[Environment, ...]
    runs: tuple[Run, ...]
    stale: frozenset[tuple[str, str]]
    """Device and page, where a record was taken of another text of the page."""

    @property
    def devices(self) -> tuple[str, ...]:
        """The kinds of device."""
        return tuple(dict.fromkeys(environment.device for environment in self.environments))


def gather(corpus: Sequence[Page], records: dict[str, Record]) -> Evidence:
    """The evidence of records, given by the names of their files; SheetError when they do not fit.

    A CPU is always at hand, so its record has to fit the pages. That of another device may be older
    than they are: its stale runs are left out, and the sheet says so.
    """
    if not records:
        raise SheetError("evidence/ holds no record. Take one with `make facts`.")
    digests = {page.name: page.digest for page in corpus}
    declared = {(p.name, c.name, answer): c for p in corpus for c in p.claims for answer in c.rivals}
    current: list[tuple[str, Run]] = []
    stale: set[tuple[str, str]] = set()
    for name, record in sorted(records.items(), key=lambda item: _cpu_first(item[1].environment.device)):
        device = record.environment.device
        if unfit := _unfit(record, digests, declared):
            raise SheetError(f"{name} {unfit}. Run `make facts`.")
        stale |= {(device, r.page) for r in record.runs if digests.get(r.page, r.digest) != r.digest}
        current += [(name, r) for r in record.runs if digests.get(r.page) == r.digest and r.key in declared]
    _refuse_disagreement(current)
    if faults := [f"{_called(r.key)} {r.outcome} in {name}" for name, r in current if _is_fault(r)]:
        raise SheetError(f"{'; '.join(faults)}. A sheet prints what holds: mend it and run `make facts`.")
    environments = sorted((r.environment for r in records.values()), key=lambda e: _cpu_first(e.device))
    return Evidence(tuple(environments), tuple(run for _, run in current), frozenset(stale))


def _unfit(record: Record, digests: dict[str, str], declared: dict[Key, ClaimText]) -> str:
    """Why a record cannot be used, or nothing."""
    device = record.environment.device
    if record.partial:
        return "is partial: it lacks rivals that the pages declare"
    for run in record.runs:
        if run.device != device:
            return f"is a record of {device} and holds a run on {run.device}"
        if device == "cpu" and run.page not in digests:
            return f"holds runs of {run.page}, which is no page"
        if device == "cpu" and (run.digest != digests[run.page] or run.key not in declared):
            return f"was taken of another text of {run.page}"
    if device == "cpu":
        due = {key for key, claim in declared.items() if claim.runs_on(device)}
        for key in sorted(due - {run.key for run in record.runs}):
            return f"lacks {_called(key)}"
    return ""


def _refuse_disagreement(runs: list[tuple[str, Run]]) -> None:
    seen: dict[tuple[Key, str], tuple[str, Run]] = {}
    for name, run in runs:
        if run.outcome != "unverified":
            first, other = seen.setdefault((run.key, run.device), (name, run))
            if other.outcome != run.outcome:
                raise SheetError(
                    f"{first} and {name} disagree on {_called(run.key)}: {other.outcome} and "
                    f"{run.outcome}. Keep the record that can be repeated."
                )


def _is_fault(run: Run) -> bool:
    return run.outcome not in ("unverified", "held" if run.answer.startswith("right-") else "refuted")


def _called(key: Key) -> str:
    page, claim, answer = key
    return f"{page}::{claim}[{answer}]"


def _cpu_first(device: str) -> tuple[bool, str]:
    return device != "cpu", device
