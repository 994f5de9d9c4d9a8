"""Entries: the parts of a trap's full entry that stand by column or in a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fixtures.trial.record import Counterexample
from fixtures.trial.words import number, pair

from . import phrases
from .markdown import cell, code, label, prose
from .view import AnswerView, ClaimView, Corpus, Row

VALUE = 60
"""Characters of a value in a table."""


def refuted(answer: AnswerView, claim: ClaimView) -> str:
    """How an answer fails at the simplest inputs found, in the words of each column that has its own."""
    told = {column: _refutation(found, claim) for column, found in answer.refutations.items()}
    return "; ".join(f"{said}{_on(columns)}" for said, columns in _grouped(told))


def observed(claim: ClaimView) -> list[str]:
    """The range of every observed quantity, said once where columns agree.

    Of what has no range one value stands for many, and one column for all.
    """
    told = {
        column: "; ".join(
            f"{code(name)} {label(phrases.span(seen))}"
            for name, seen in sorted(quantities.items())
            if column == claim.lead or seen.smallest is not None
        )
        for column, quantities in claim.right.observed.items()
    }
    return [f"{said}{_on(columns)}" for said, columns in _grouped(told)]


def worked(claim: ClaimView) -> list[str]:
    """The worked examples as a table: inputs, observed, and per answer predicted and by what factor."""
    told = {column: _worked(rows, claim.right.runs[column].quantity) for column, rows in claim.worked.items()}
    return [f"Worked examples{_on(columns)}:\n\n{table}" for table, columns in _grouped(told)]


def tried(claim: ClaimView, corpus: Corpus) -> str:
    """How each answer fared in every column, as a table; empty where the corpus has one column only."""
    names = [column.name for column in corpus.columns]
    if len(names) == 1:
        return ""
    rows = ([code(answer.rival.name), *(_fate(answer, name) for name in names)] for answer in claim.answers)
    return _table(["tried on", *map(label, names)], rows)


def _refutation(found: Counterexample, claim: ClaimView) -> str:
    at = phrases.inputs(found.inputs)
    observed, says = pair(found.observed, found.predicted)
    if found.predicted is None or observed == says:
        failed = code(phrases.short(found.assertion))
        return f"{failed} at {code(at)}" if at else failed
    seen = "the cost model gives" if claim.derived else "observed"
    failed = prose(f"{seen} {observed}, it says {says}")
    return f"{failed}, at {code(at)}" if at else failed


def _worked(rows: Iterable[Row], quantity: str) -> str:
    rows = tuple(rows)
    names = [quantity] if quantity else sorted(rows[0].observed)
    head = ["at", *(f"observed {code(name)}" for name in names)]
    return _table(
        head + [code(said.answer) for said in rows[0].predicted],
        (
            [
                cell(phrases.inputs(row.inputs)),
                *(_value(row.observed[name]) for name in names),
                *(_value(said.value) + _by(said.factor) for said in row.predicted),
            ]
            for row in rows
        ),
    )


def _fate(answer: AnswerView, column: str) -> str:
    run, fit = answer.runs.get(column), answer.fits.get(column)
    if run is None:
        return "*unverified*"
    if run.outcome == "held":
        return f"held on {run.examples:,}"
    return phrases.missed(fit) if fit and fit.of else "refuted"


def _grouped(told: Mapping[str, str]) -> list[tuple[str, tuple[str, ...]]]:
    """What columns say, equal things once; no column is named where all that say something agree."""
    groups: dict[str, list[str]] = {}
    for column, said in told.items():
        if said:
            groups.setdefault(said, []).append(column)
    return [(said, tuple(columns) if len(groups) > 1 else ()) for said, columns in groups.items()]


def _on(columns: Iterable[str]) -> str:
    named = "; ".join(columns)
    return f" ({label(named)})" if named else ""


def _value(value: object) -> str:
    return label(phrases.cut(number(value), VALUE))


def _by(ratio: float | None) -> str:
    factor = phrases.factor(ratio)
    return f" ({factor})" if factor else ""


def _table(head: list[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
