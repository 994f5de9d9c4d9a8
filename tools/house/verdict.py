"""Verdict: how hard a page may be on its source, and on its wrong answers, given what its record shows."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from fixtures.trial.page import ClaimText
from fixtures.trial.record import Run

from .rules import Complaints, broken_by
from .source import Source, worked
from .specimen import Change

STRONG = ("exact", "measured", "trained")
"""The kinds of evidence that may refute a source."""

HAIR = 0.2
"""What a wrong answer misses by at least: less is right enough for whoever uses it."""


def seeing(observed: str, predicted: str) -> tuple[Change, ...]:
    """The changes of the good record by which its wrong answer predicts something else, everywhere."""
    return (
        ('"observed": {"length": [2, 4]}', f'"observed": {{"length": [{observed}, {observed}]}}'),
        ('"wrong-one_byte_a_character": [1, 1]', f'"wrong-one_byte_a_character": [{predicted}, {predicted}]'),
        (
            '"observed": 2,\n                      "predicted": 1',
            f'"observed": {observed}, "predicted": {predicted}',
        ),
    )


@broken_by(
    ("Verdict: refuted by one_byte_a_character: a character takes one to four bytes", "Verdict: holds"),
)
def what_holds_is_no_wrong_answer(source: Source) -> Complaints:
    """A source does not hold in the very words that the page calls wrong."""
    if source.page.verdict.word != "holds":
        return
    for rival in {rival for claim in source.page.claims for rival in claim.wrong}:
        if _plain(rival.sentence) == _plain(source.page.says):
            seen = f"the verdict is 'holds', and {rival.name} says the same in the same words"
            yield source.line_of("Verdict"), f"{seen}. Judge it 'refuted by {rival.name}: …', or restate it"


def _plain(sentence: str) -> str:
    return " ".join(re.findall(r"\w+", sentence.lower()))


@broken_by(record=None)
@broken_by(record=(('"digest": "', '"digest": "0'),))
def a_page_has_its_record(source: Source) -> Complaints:
    """What the text may say hangs on what a run of this very text has shown."""
    if not source.records:
        seen = "no record in evidence/ was taken of the page as it is"
        yield 1, f"{seen}. Take it: python -m pytest {source.page.name} --evidence=evidence"


@broken_by(("refuted by one_byte_a_character", "refuted by one_byte"))
@broken_by(("refuted by one_byte_a_character", "refuted by bytes_by_code_point"))
@broken_by(("right=bytes_by_code_point)", 'right=bytes_by_code_point, evidence="simulated")'))
@broken_by(("right=bytes_by_code_point)", 'right=bytes_by_code_point, evidence="derived")'))
def what_is_refuted_is_refuted_by_reality(source: Source) -> Complaints:
    """`refuted by X` is our strongest word: exact, measured or trained evidence is against X."""
    name, line = source.page.verdict.answer, source.line_of("Verdict")
    if name:
        claims = _against(source, name)
        if not claims:
            yield line, f"{name} is no wrong answer of this page. Name the one that speaks for the source"
        elif not _strong(claims):
            kinds = " and ".join(sorted({claim.evidence for claim in claims}))
            yield (
                line,
                f"only {kinds} evidence is against {name}. Write 'imprecise: …', or observe the system",
            )


@broken_by(record=seeing("10", "9"))
@broken_by(
    record=(('"answer": "right-bytes_by_code_point"', '"answer": "right-bytes_by_code_point_on_a_gpu"'),)
)
@broken_by(('@example(character="é")\n@example(character="🚀")\n', ""))
def what_is_refuted_misses_a_worked_example(source: Source) -> Complaints:
    """At the source's own figures it is off by 20 % or more, or by another outcome; less is imprecise."""
    name, line = source.page.verdict.answer, source.line_of("Verdict")
    claims = _strong(_against(source, name)) if name else []
    examples = [claim for claim in claims if worked(source.test(claim))]
    misses = [m for claim in examples for m in _worked_misses(source, claim, name)]
    if claims and not examples:
        seen = f"no claim against {name} works an example"
        yield line, f"{seen}. Put the source's own figures in @example(…) above its @given"
    elif examples and source.records and not misses:
        seen = f"no record has tried {name} on the worked examples of {examples[0].name}"
        yield line, f"{seen}. Take one where the claim runs, or write 'not judged: …'"
    elif misses and max(misses) < HAIR:
        seen = f"{name} misses the worked examples by {max(misses):.1%} at most"
        yield line, f"{seen}. Write 'imprecise: …', or work the example at which the source is wrong"


@broken_by(record=seeing("10", "9"))
def no_answer_falls_by_a_hair(source: Source) -> Complaints:
    """A belief that is nowhere shown to be off by 20 % is true enough, unless the page says why not."""
    for claim in source.page.claims:
        for rival in claim.wrong:
            misses = [*_worked_misses(source, claim, rival.name), *_found(source, claim, rival.name)]
            if misses and max(misses) < HAIR and rival.name not in source.page.limits:
                seen = (
                    f"{rival.name} falls by a hair: it is never shown to miss by more than {max(misses):.1%}"
                )
                repair = (
                    f"Show where it misses, or say under `Limits:` why so little counts against {rival.name}"
                )
                yield source.line(rival.name), f"{seen}. {repair}"


@broken_by(record=seeing("true", "false"))
def an_answer_is_no_truth_value(source: Source) -> Complaints:
    """`observed 32, it says 64` teaches; `observed True, it says False` does not."""
    for claim in source.page.claims:
        for run in source.runs(claim, f"right-{claim.right.name}"):
            if run.quantity and any(isinstance(seen, bool) for seen in _all_observed(run)):
                seen = f"{run.quantity} is true or false"
                yield claim.line, f"{seen}. Observe the number that decides, and let the answers predict it"


def _all_observed(run: Run) -> list[Any]:
    examples = [samples.observed.get(run.quantity, []) for samples in (run.worked, run.samples) if samples]
    return [run.observed[run.quantity].last, *(seen for observed in examples for seen in observed)]


def _against(source: Source, name: str) -> list[ClaimText]:
    """The claims in which an answer is a wrong one."""
    return [claim for claim in source.page.claims if name in [rival.name for rival in claim.wrong]]


def _strong(claims: list[ClaimText]) -> list[ClaimText]:
    return [claim for claim in claims if claim.evidence in STRONG]


def _worked_misses(source: Source, claim: ClaimText, name: str) -> Iterator[float]:
    """By how much an answer misses each worked example; an implementation, refuted there or not, by all."""
    for run in source.runs(claim, f"right-{claim.right.name}"):
        if run.worked:
            predicted = run.worked.predicted.get(f"wrong-{name}")
            if predicted is None:
                yield math.inf
            else:
                yield from map(miss, run.worked.observed[run.quantity], predicted)


def _found(source: Source, claim: ClaimText, name: str) -> Iterator[float]:
    """By how much an answer misses the counterexample that was found; one that predicts nothing, by all."""
    for run in source.runs(claim, f"wrong-{name}"):
        if found := run.counterexample:
            yield math.inf if found.observed is None else miss(found.observed, found.predicted)


def miss(observed: Any, predicted: Any) -> float:
    """By which share of what was observed a prediction is off; infinite for another kind of outcome."""
    if isinstance(observed, list) and isinstance(predicted, list) and len(observed) == len(predicted):
        return max(map(miss, observed, predicted), default=0.0)
    if observed == predicted:
        return 0.0
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (observed, predicted))
    return abs(predicted / observed - 1) if numbers and observed else math.inf
