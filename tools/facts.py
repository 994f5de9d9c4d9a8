"""Facts: the record for machines, one document of all that the sheet is printed from.

`python -m tools.facts` writes `facts.json` and `facts.schema.json`, its JSON Schema: the same bytes each
time. Ids keep their meaning for good (see `tools.ids`); `--publish` writes down those that are new.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from fixtures.trial.page import PageError
from fixtures.trial.record import RecordError, Spread as Ends, write_atomically

from .gather import SheetError
from .ids import Ledger, answer_id, claim_id, counted, ids, ledger, page_id, publish
from .markdown import addresses
from .view import AnswerView, ClaimView, Corpus, PageView, view

FACTS, SCHEMA = "facts.json", "facts.schema.json"
DRAFT = "https://json-schema.org/draft/2020-12/schema"

Kind = Literal["exact", "measured", "trained", "simulated", "derived"]
Word = Literal["holds", "holds if", "imprecise", "refuted", "not judged"]


class Fact(BaseModel):
    """A part of the document. What stands below a field is its description in the JSON Schema."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Column(Fact):
    """A device and a version of torch: where records were taken."""

    name: str
    """By this name whatever was recorded stands in this document: `cpu, torch 2.13`."""
    device: str
    """The kind of device: `cpu`, `nvidia-h200`."""
    torch: str
    """The version of torch, up to its minor."""
    machines: tuple[str, ...]
    """The names of the processors or GPUs."""
    systems: tuple[str, ...]
    """Their operating systems."""
    pythons: tuple[str, ...]
    """The versions of Python, up to their minor."""
    hypotheses: tuple[str, ...]
    """The versions of Hypothesis, up to their minor."""


class Area(Fact):
    """A chapter."""

    name: str
    """The folder of its pages below `traps/`."""
    title: str
    """Its heading."""
    opening: str
    """What it is about, in one sentence."""
    pages: tuple[str, ...]
    """The ids of its pages, in the order in which they are printed."""


class Reference(Fact):
    """Where a trap is asked, or what was read for it."""

    text: str
    """The reference as it is printed, addresses included."""
    links: tuple[str, ...]
    """The addresses in it."""


class Verdict(Fact):
    """What a page says of the statement of its source, which is the page's `says`."""

    word: Word
    """The verdict, the mildest first: holds, holds if, imprecise, refuted. `not judged` is none."""
    statement: str
    """The condition, the precise or the correct statement, or why nothing was judged; else empty."""
    answer: str
    """The id of the wrong answer that says what the source says; empty where the verdict names none."""


class Counterexample(Fact):
    """Inputs at which an answer fails, and what was seen there.

    In inputs and values, text that Python would print stands as it prints it: strings with their quotes,
    fractions, infinities. Floats have six digits.
    """

    inputs: dict[str, JsonValue]
    """The inputs by name, in the order in which the claim takes them."""
    observed: JsonValue
    """What was observed there; null where the answer is an implementation, which predicts nothing."""
    predicted: JsonValue
    """What the answer says instead; null where the answer is an implementation."""
    assertion: str
    """The assertion that failed, with its values; empty for a worked example."""


class Spread(Fact):
    """The ends and the middle of some factors."""

    smallest: float
    """The smallest."""
    median: float
    """The median."""
    largest: float
    """The largest."""


class Fit(Fact):
    """How often an answer is wrong, and by how much, over the inputs on which the right one was tried."""

    agrees: int
    """On how many inputs the claim's own assertion is true of it."""
    of: int
    """On how many inputs it was asked."""
    raised: int
    """On how many it raised an error."""
    ratio: Spread | None
    """Predicted over observed, wherever both are numbers; null where they are on no input."""
    off: Spread | None
    """The same over the inputs on which it is wrong."""


class Prediction(Fact):
    """What an answer predicts at a worked example."""

    answer: str
    """The id of the answer."""
    value: JsonValue
    """What it predicts."""
    factor: float | None
    """Predicted over observed; null where one of them is no number, or zero was observed."""


class Example(Fact):
    """A worked example: inputs that people argue about."""

    inputs: dict[str, JsonValue]
    """The inputs by name, in the order in which the claim takes them."""
    observed: dict[str, JsonValue]
    """What was observed there, by quantity."""
    predicted: tuple[Prediction, ...]
    """What each answer predicts, the right one first; empty where they are implementations."""


class Observation(Fact):
    """A quantity over all inputs on which the right answer was tried."""

    smallest: int | float | None
    """The smallest value; null where it is no number."""
    largest: int | float | None
    """The largest value; null where it is no number."""
    last: JsonValue
    """The last value, as one of many."""


class Answer(Fact):
    """An answer of a claim."""

    id: str
    """`slug::test_name[wrong-name]` or `slug::test_name[right-name]`."""
    name: str
    """The name of its function on the page."""
    right: bool
    """Whether it is the right one."""
    sentence: str
    """The belief of a wrong answer in the voice of one who holds it; the rule of the right one."""
    reason: str
    """Why; empty where the page gives no reason."""
    examples: dict[str, int]
    """By column on how many examples it was tried; a wrong one until it was refuted."""
    counterexample: dict[str, Counterexample]
    """By column the smallest inputs that were found at which it fails; empty for the right answer."""
    telling: Counterexample | None
    """Of a wrong answer the example to show: a worked one at which it is off by 20 % or more, else the
    smallest that the first verifying column found; null for the right answer, and where nothing verifies."""
    fit: dict[str, Fit]
    """By column how often it is wrong, and by how much; empty for an implementation that predicts nothing."""


class Claim(Fact):
    """A claim: answers of one signature, of which an observation lets one survive."""

    id: str
    """`slug::test_name`."""
    name: str
    """The name of its test on the page."""
    sentence: str
    """What is claimed."""
    evidence: Kind
    """The kind of evidence."""
    regime: str
    """The inputs to which the claim is confined, as Python: Hypothesis's `@given` and what it refers to."""
    inputs: dict[str, str]
    """The inputs by name, and what each means, with its unit; empty where its name says it."""
    quantity: str
    """The observed quantity that the answers predict; empty where they are implementations."""
    verified: tuple[str, ...]
    """The columns on which every answer was tried and fared as it should."""
    owed: dict[str, str]
    """The columns that ought to verify the claim and do not, each with the reason."""
    answers: tuple[Answer, ...]
    """The right answer, then the wrong ones in the order of the page."""
    worked: dict[str, tuple[Example, ...]]
    """By column the worked examples."""
    observed: dict[str, dict[str, Observation]]
    """By column what was observed, by quantity."""


class Page(Fact):
    """A trap."""

    id: str
    """Its slug: the name of its file, of its page on the site (`<id>.html`), and what `pytest -k` finds."""
    area: str
    """The name of its area."""
    title: str
    """Its title."""
    question: str
    """The question as it is asked in the room; an empty line stands between paragraphs."""
    asks: str
    """The sentence of it that asks."""
    answer: str
    """The answer as one says it aloud."""
    says: str
    """The statement of the source that is judged, in our words; empty where none is."""
    verdict: Verdict
    """What is to be said of that statement."""
    asked: tuple[Reference, ...]
    """Where the trap is asked."""
    sources: tuple[Reference, ...]
    """What the page rests on."""
    terms: tuple[str, ...]
    """The field's words by which it is found."""
    right_when: str
    """The regime in which the tempting answer is right; empty where there is none."""
    limits: str
    """What the page does not show."""
    file: str
    """Its file, from the root of the repository."""
    lines: int
    """The lines of that file."""
    digest: str
    """What identifies the code that was verified: another digest is another code, whatever its prose."""
    aliases: tuple[str, ...]
    """The ids that the page had before."""
    claims: tuple[Claim, ...]
    """Its claims in the order of the page."""


class Facts(Fact):
    """All that is printed of the corpus: traps about machine-learning systems, and what was observed."""

    version: Literal[1] = Field(alias="schema")
    """The version of this schema. It grows where a field changes its meaning or goes, not where one joins."""
    columns: tuple[Column, ...]
    """Where the evidence was taken; the first column is the one that covers every page."""
    areas: tuple[Area, ...]
    """The areas in the order in which they are printed."""
    pages: tuple[Page, ...]
    """Every page, area by area."""

    def text(self) -> str:
        """The document as it is written: fields in the order of the schema, one line per page."""
        told = self.model_dump(mode="json", by_alias=True)
        pages = [_json(page) for page in told.pop("pages")]
        head = [f'"{name}": {_json(value)}' for name, value in told.items()]
        return "{\n" + ",\n".join(head) + ',\n"pages": [\n' + ",\n".join(pages) + "\n]\n}\n"


def facts(corpus: Corpus, names: Ledger | None = None) -> Facts:
    """The facts of a corpus; SheetError where an id that was published is lost."""
    living, names = ids(corpus), names or Ledger()
    names.refuse(living)
    aliases = names.aliases(living)
    return Facts(
        schema=1,
        columns=tuple(Column(**vars(column)) for column in corpus.columns),
        areas=tuple(
            Area(
                name=area.name,
                title=area.title,
                opening=area.opening,
                pages=tuple(page_id(page) for page in area.pages),
            )
            for area in corpus.areas
        ),
        pages=tuple(_page(page, aliases.get(page_id(page), ())) for page in corpus.pages),
    )


def schema() -> str:
    """The JSON Schema of the document, as committed beside this file."""
    told = {"$schema": DRAFT, **Facts.model_json_schema()}
    return json.dumps(_on_one_line(told), indent=2, ensure_ascii=False) + "\n"


def draw_up(told: Facts) -> dict[str, str]:
    """The files to write by their names, and their text."""
    return {FACTS: told.text(), SCHEMA: schema()}


def _page(seen: PageView, aliases: tuple[str, ...]) -> Page:
    page, charged = seen.page, seen.charged
    return Page(
        id=page_id(seen),
        area=page.area,
        title=page.title,
        question=page.question,
        asks=seen.asks,
        answer=seen.answer,
        says=page.says,
        verdict=Verdict(
            word=page.verdict.word,  # type: ignore[arg-type]  # pydantic holds it to the grammar
            statement=page.verdict.statement,
            answer=answer_id(seen, *charged) if charged else "",
        ),
        asked=tuple(map(_reference, page.asked)),
        sources=tuple(map(_reference, page.sources)),
        terms=page.terms,
        right_when=page.right_when,
        limits=page.limits,
        file=page.name,
        lines=len(page.text.splitlines()),
        digest=page.digest,
        aliases=aliases,
        claims=tuple(_claim(seen, claim) for claim in seen.claims),
    )


def _reference(text: str) -> Reference:
    return Reference(text=text, links=tuple(addresses(text)))


def _claim(page: PageView, claim: ClaimView) -> Claim:
    by_name = {answer.rival.name: answer_id(page, claim, answer) for answer in claim.answers}
    return Claim(
        id=claim_id(page, claim),
        name=claim.text.name,
        sentence=claim.text.sentence,
        evidence=claim.text.evidence,  # type: ignore[arg-type]  # pydantic holds it to the kinds
        regime=claim.regime,
        inputs=claim.meanings,
        quantity=claim.quantity,
        verified=claim.verified,
        owed=dict(claim.owed),
        answers=tuple(_answer(page, claim, answer) for answer in claim.answers),
        worked={
            column: tuple(
                Example(
                    inputs=row.inputs,
                    observed=row.observed,
                    predicted=tuple(
                        Prediction(answer=by_name[said.answer], value=said.value, factor=said.factor)
                        for said in row.predicted
                    ),
                )
                for row in rows
            )
            for column, rows in claim.worked.items()
        },
        observed={
            column: {name: Observation(**dict(one)) for name, one in sorted(seen.items())}
            for column, seen in claim.right.observed.items()
        },
    )


def _answer(page: PageView, claim: ClaimView, answer: AnswerView) -> Answer:
    telling = claim.figure(answer) if answer is not claim.right else None
    return Answer(
        id=answer_id(page, claim, answer),
        name=answer.rival.name,
        right=answer is claim.right,
        sentence=answer.rival.sentence,
        reason=answer.rival.reason,
        examples={column: run.examples for column, run in answer.runs.items()},
        counterexample={
            column: Counterexample(**dict(found)) for column, found in answer.refutations.items()
        },
        telling=Counterexample(**dict(telling)) if telling else None,
        fit={
            column: Fit(
                agrees=fit.agrees,
                of=fit.of,
                raised=fit.raised,
                ratio=_spread(fit.ratio),
                off=_spread(fit.off),
            )
            for column, fit in answer.fits.items()
        },
    )


def _spread(ends: Ends | None) -> Spread | None:
    return Spread(**dict(ends)) if ends else None


def _on_one_line(part: Any) -> Any:
    """A schema whose descriptions are not broken where the lines of this file are."""
    if isinstance(part, dict):
        return {name: _on_one_line(value) for name, value in part.items()}
    if isinstance(part, list):
        return [_on_one_line(value) for value in part]
    return " ".join(part.split()) if isinstance(part, str) else part


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the facts of a repository: 2 is a refusal."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.facts", description="Write the facts for machines."
    )
    parser.add_argument("--out", type=Path, help="the folder to write to (default: build/ in the repository)")
    parser.add_argument("--publish", action="store_true", help="write down ids that are new: they are kept")
    parser.add_argument("--schema", action="store_true", help="print the JSON Schema, and do nothing else")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: here)")
    options = parser.parse_args(arguments)
    if options.schema:
        print(schema(), end="")
        return 0
    folder = options.out or options.root / "build"
    try:
        corpus = view(options.root)
        for name, text in draw_up(facts(corpus, ledger(options.root))).items():
            write_atomically(folder / name, text)
        fresh = publish(options.root, ids(corpus)) if options.publish else 0
    except SyntaxError as error:
        print(f"{error.filename}:{error.lineno}: {error.msg}. Mend the page first.", file=sys.stderr)
        return 2
    except (SheetError, PageError, RecordError, OSError, UnicodeError) as error:
        print(error, file=sys.stderr)
        return 2
    published = f"; {fresh:,} ids published" if options.publish else ""
    print(f"{(folder / FACTS).as_posix()}: {counted(ids(corpus))}{published}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
