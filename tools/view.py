"""View: the corpus with its evidence, as every printer sees it.

Areas hold pages, pages hold claims, claims hold answers; whatever was recorded stands by column,
which is a device and a version of torch. Nothing here is worded or escaped.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import JsonValue

from fixtures.glossary import glossary
from fixtures.trial.page import FIXTURES, ClaimText, Page, Rival, chapters, pages
from fixtures.trial.plain import ROUNDING
from fixtures.trial.record import Counterexample, Environment, Fit, Observation, Run, minor

from .gather import Evidence, SheetError, evidence_of, natural

SHORT = 40
"""Characters of a question that does not stand alone: "Is the time?"."""

ACRONYMS = {"gpu": "GPU", "moe": "MoE"}
"""Areas whose name is an acronym, and how it is spelt."""

TELLING = 0.2
"""Where a prediction is off by less than this share, an example does not tell it from the truth."""


@dataclass(frozen=True)
class Column:
    """A device and a version of torch: where its records were taken, each kind of place once."""

    name: str
    device: str
    torch: str
    machines: tuple[str, ...]
    systems: tuple[str, ...]
    pythons: tuple[str, ...]
    hypotheses: tuple[str, ...]

    @classmethod
    def of(cls, name: str, places: Sequence[Environment]) -> Column:
        """The column of some environments. Patch releases and days are left out: they come and go."""
        return cls(
            name,
            places[0].device,
            minor(places[0].torch),
            _distinct(place.device_name for place in places),
            _distinct(place.platform for place in places),
            _distinct(minor(place.python) for place in places),
            _distinct(minor(place.hypothesis) for place in places),
        )


@dataclass(frozen=True)
class Prediction:
    """What an answer predicts at some inputs; `factor` is predicted over observed, if both are numbers."""

    answer: str
    value: JsonValue
    factor: float | None


@dataclass(frozen=True)
class Row:
    """One worked example: inputs, what was observed there, what each answer predicts."""

    inputs: dict[str, JsonValue]
    observed: dict[str, JsonValue]
    predicted: tuple[Prediction, ...]


@dataclass(frozen=True)
class AnswerView:
    """An answer, its run in every column that tried it, and how it fits what was observed there."""

    rival: Rival
    runs: dict[str, Run]
    fits: dict[str, Fit]

    @property
    def refutations(self) -> dict[str, Counterexample]:
        """By column the smallest inputs at which the answer fails."""
        return {column: run.counterexample for column, run in self.runs.items() if run.counterexample}

    @property
    def observed(self) -> dict[str, dict[str, Observation]]:
        """By column what was observed while the answer was tried."""
        return {column: run.observed for column, run in self.runs.items() if run.observed}


@dataclass(frozen=True)
class ClaimView:
    """A claim and its answers; `owed` names each column that does not verify it and says why."""

    text: ClaimText
    right: AnswerView
    wrong: tuple[AnswerView, ...]
    worked: dict[str, tuple[Row, ...]]
    verified: tuple[str, ...]
    owed: tuple[tuple[str, str], ...]

    @property
    def derived(self) -> bool:
        """Whether nothing was observed: the claim follows from a stated cost model."""
        return self.text.evidence == "derived"

    @property
    def answers(self) -> tuple[AnswerView, ...]:
        """The right answer, then the wrong ones as they stand on the page."""
        return self.right, *self.wrong

    @property
    def shuffled(self) -> tuple[AnswerView, ...]:
        """The answers in an order that does not tell which is right, and is the same each time."""
        return tuple(sorted(self.answers, key=lambda a: hashlib.sha256(a.rival.name.encode()).digest()))

    @property
    def lead(self) -> str:
        """The column that speaks where only one does; empty where none verifies the claim."""
        return next(iter(self.verified), "")

    @property
    def quantity(self) -> str:
        """The observed quantity that the answers predict; empty where they are implementations."""
        return self.right.runs[self.lead].quantity if self.lead else ""

    @property
    def regime(self) -> str:
        """The `@given` of the claim, on one line if it fits, below what it refers to."""
        line = f"@given({', '.join(self.text.regime)})"
        lines = "".join(f"    {part},\n" for part in self.text.regime)
        return "\n".join([*self.text.definitions, line if len(line) <= 88 else f"@given(\n{lines})"])

    @property
    def meanings(self) -> dict[str, str]:
        """What each drawn input means, with its unit: by the claim itself, or else by the vocabulary."""
        words: dict[str, object] = {**glossary(), **self.text.inputs}
        drawn = (name for name in self.text.parameters if name not in FIXTURES)
        return {name: str(words.get(name, "")) for name in drawn}

    def figure(self, answer: AnswerView) -> Counterexample | None:
        """The example that tells a wrong answer from the truth: a worked one, else the smallest found."""
        for row in self.worked.get(self.lead, ()):
            for said in row.predicted:
                if said.answer == answer.rival.name and self.quantity and _tells(row, self.quantity, said):
                    return Counterexample(
                        inputs=row.inputs,
                        observed=row.observed[self.quantity],
                        predicted=said.value,
                        assertion="",
                    )
        return answer.refutations.get(self.lead)


@dataclass(frozen=True)
class PageView:
    """A page and its claims."""

    page: Page
    claims: tuple[ClaimView, ...]

    @property
    def asks(self) -> str:
        """The first sentence of the question that asks, with what stands before it if it is short."""
        asks = ""
        for sentence in re.split(r"(?<=[.?!])\s+(?=[^a-z])", self.page.question):
            asks = f"{asks} {sentence}" if len(sentence) < SHORT else sentence
            if sentence.endswith("?"):
                break
        return asks.strip()

    @property
    def lead(self) -> ClaimView:
        """The claim that speaks for the page: the first that was verified, else its first."""
        return next((claim for claim in self.claims if claim.verified), self.claims[0])

    @property
    def answer(self) -> str:
        """The answer to the question, or else the rule of the leading claim."""
        return self.page.answer or self.lead.right.rival.sentence

    @property
    def unverified(self) -> int:
        """How many claims no column verifies."""
        return sum(not claim.verified for claim in self.claims)

    @property
    def refutes(self) -> bool:
        """Whether the page calls its source's statement refuted."""
        return self.page.verdict.word == "refuted"

    @property
    def qualifies(self) -> bool:
        """Whether it calls that statement right only in part, or under a condition."""
        return self.page.verdict.faults_the_source and not self.refutes

    @property
    def charged(self) -> tuple[ClaimView, AnswerView] | None:
        """The wrong answer that speaks for the source, with its claim; None if the verdict names none."""
        named = self.page.verdict.answer
        return next(((c, wrong) for c in self.claims for wrong in c.wrong if wrong.rival.name == named), None)


@dataclass(frozen=True)
class Area:
    """A chapter: the folder of its pages and its opening sentence."""

    name: str
    opening: str
    pages: tuple[PageView, ...]

    @property
    def title(self) -> str:
        """The folder's name as a heading."""
        return ACRONYMS.get(self.name) or self.name.replace("_", " ").capitalize()


@dataclass(frozen=True)
class Corpus:
    """Everything that is printed; the first column is the one that covers every page."""

    columns: tuple[Column, ...]
    areas: tuple[Area, ...]

    @cached_property
    def pages(self) -> tuple[PageView, ...]:
        """Every page, area by area."""
        return tuple(page for area in self.areas for page in area.pages)


def view(root: Path) -> Corpus:
    """The corpus below a folder; SheetError, PageError or RecordError where it cannot go to print."""
    corpus = pages(root)
    _refuse_unprintable(corpus)
    openings = chapters(root)
    for page in corpus:
        if page.area not in openings:
            raise SheetError(f"traps/{page.area} has no __init__.py. Open the chapter there in one sentence.")
    evidence = evidence_of(root, corpus)
    views = [PageView(page, tuple(_claim(page, claim, evidence) for claim in page.claims)) for page in corpus]
    return Corpus(
        tuple(Column.of(name, places) for name, places in evidence.environments.items()),
        tuple(
            Area(area, openings[area], tuple(view for view in views if view.page.area == area))
            for area in dict.fromkeys(page.area for page in corpus)
        ),
    )


def _refuse_unprintable(corpus: Sequence[Page]) -> None:
    if not corpus:
        raise SheetError("traps/ holds no page. Run this in the root of the repository.")
    seen: dict[str, Page] = {}
    for page in corpus:
        other = seen.setdefault(page.slug, page)
        if other is not page:
            raise SheetError(
                f"{other.name} and {page.name} have one name. Rename one: links and `pytest -k` need it."
            )
        if not page.claims:
            raise SheetError(f"{page.name} makes no claim. Write one with @claim, or remove the page.")


def _claim(page: Page, claim: ClaimText, evidence: Evidence) -> ClaimView:
    told = {
        answer: {
            column: run
            for column in evidence.columns
            if (run := evidence.runs.get((page.name, column, claim.name, answer)))
        }
        for answer in claim.rivals
    }
    tried = {
        answer: {column: _in_order(run, claim) for column, run in runs.items() if run.outcome != "unverified"}
        for answer, runs in told.items()
    }
    verified = tuple(column for column in evidence.columns if all(column in runs for runs in tried.values()))
    truth = tried[f"right-{claim.right.name}"]
    views = {
        answer: AnswerView(
            claim.rivals[answer],
            runs,
            {column: run.fits[answer] for column, run in truth.items() if answer in run.fits},
        )
        for answer, runs in tried.items()
    }
    *wrong, right = views.values()
    return ClaimView(
        text=claim,
        right=right,
        wrong=tuple(wrong),
        worked={column: tuple(_rows(run, claim)) for column, run in truth.items() if run.worked},
        verified=verified,
        owed=tuple(_owed(page, claim, told, verified, evidence)),
    )


def _in_order(run: Run, claim: ClaimText) -> Run:
    """A run whose counterexample tells its inputs in the order in which the claim takes them."""
    found = run.counterexample
    if found is None:
        return run
    ordered = found.model_copy(update={"inputs": _by_parameter(found.inputs, claim)})
    return run.model_copy(update={"counterexample": ordered})


def _rows(run: Run, claim: ClaimText) -> Iterator[Row]:
    """The worked examples of a right answer's run, with what each answer predicts there."""
    worked = run.worked
    if worked is None:
        return
    answers = [f"right-{claim.right.name}", *(f"wrong-{rival.name}" for rival in claim.wrong)]
    for i in range(len(next(iter(worked.inputs.values()), ()))):
        observed = {name: values[i] for name, values in worked.observed.items()}
        predicted = {a: worked.predicted[a][i] for a in answers if a in worked.predicted}
        yield Row(
            _by_parameter({name: values[i] for name, values in worked.inputs.items()}, claim),
            observed,
            tuple(
                Prediction(claim.rivals[answer].name, said, _ratio(said, observed.get(run.quantity)))
                for answer, said in predicted.items()
                if said is not None
            ),
        )


def _ratio(predicted: JsonValue, observed: JsonValue) -> float | None:
    """Predicted over observed; None where that says nothing, as with what rounding leaves of a zero."""
    if isinstance(predicted, bool | str | list | dict | None) or not isinstance(observed, int | float):
        return None
    if not observed or isinstance(observed, bool):
        return None
    ratio = predicted / observed
    return None if isinstance(observed, float) and abs(ratio) > 1 / ROUNDING else ratio


def _by_parameter(inputs: dict[str, JsonValue], claim: ClaimText) -> dict[str, JsonValue]:
    names = sorted(inputs, key=lambda name: [*claim.parameters, name].index(name))
    return {name: inputs[name] for name in names}


def _owed(
    page: Page,
    claim: ClaimText,
    told: dict[str, dict[str, Run]],
    verified: tuple[str, ...],
    evidence: Evidence,
) -> Iterator[tuple[str, str]]:
    """Each column that should verify the claim and does not, and why."""
    for column, environments in evidence.environments.items():
        reasons = dict.fromkeys(runs[column].reason for runs in told.values() if column in runs)
        why = "; ".join(reason for reason in reasons if reason)
        due = claim.runs_on(environments[0].device)
        if column in verified or (verified and not due):
            continue
        if (page.name, column) in evidence.stale:
            yield column, "the evidence was taken of another text of the page"
        elif why or due or not verified:
            yield column, why or "not tried"


def _tells(row: Row, quantity: str, said: Prediction) -> bool:
    """Whether a worked example tells a prediction from what was observed, and by more than a hair."""
    if said.factor is not None:
        return abs(said.factor - 1) >= TELLING
    return said.value != row.observed[quantity]


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*words}, key=natural))
