"""Flash cards for Anki: `python -m tools.deck --out traps.apkg area:memory`.

A card per verified claim: in front the question and the answers, in an order that does not tell; behind, the
right one, how each wrong one fails, and the command that shows it. A card is known by the first published
id of its claim, so that an import updates it and keeps what one has learnt. Terms of `tools.query` choose
the pages. `.txt` is what Anki imports as text; `.apkg` takes genanki (`pip install -e ".[anki]"`).
"""

from __future__ import annotations

import argparse
import hashlib
import html
import importlib
import os
import re
import string
import sys
import tempfile
import time
import zipfile
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fixtures.trial.page import PageError
from fixtures.trial.record import Counterexample, RecordError, write_atomically
from fixtures.trial.words import pair, plural

from . import phrases
from .facts import facts
from .gather import SheetError
from .ids import Ledger, claim_id, ids, ledger
from .query import QueryError, parse, read, say, select
from .view import AnswerView, ClaimView, Corpus, PageView, view

DECK, NOTE_TYPE = "Trapsheet", "Trapsheet"
DECK_ID, MODEL_ID = 1_730_517_243, 1_843_906_512
"""By these a package knows its deck and its note type: drawn once, and never to change."""

LETTERS = string.ascii_lowercase
LONGEST = 300
"""Characters of an assertion, or of inputs."""

STYLE = ".card { font: 18px/1.5 sans-serif; text-align: left; max-width: 42em; margin: 1em auto; }"

HEAD = """\
#separator:tab
#html:true
#notetype:Basic
#guid column:1
#deck column:2
#tags column:5
"""
"""As the manual has it, https://docs.ankiweb.net/importing/text-files.html. A deck in a column is made where
it is not there yet. Columns go without names: Anki would look for these among its own, whose language is the
user's, and else takes the fields in their order."""


@dataclass(frozen=True)
class Card:
    """A note of one card; both sides are HTML on one line."""

    guid: str
    front: str
    back: str
    tags: tuple[str, ...]


def cards(corpus: Corpus, names: Ledger | None = None, of: Container[str] | None = None) -> list[Card]:
    """The cards of all pages, or of those with these slugs."""
    names = names or Ledger()
    aliases = names.aliases(ids(corpus))
    return [
        _card(page, claim, names.first(name, aliases.get(name, ())))
        for page in corpus.pages
        for claim in page.claims
        if claim.verified and (of is None or page.page.slug in of)
        for name in [claim_id(page, claim)]
    ]


def deck(corpus: Corpus, names: Ledger | None = None, of: Container[str] | None = None) -> str:
    """The cards as text that Anki imports: UTF-8, a note a line."""
    lines = (
        "\t".join([card.guid, DECK, card.front, card.back, " ".join(card.tags)])
        for card in cards(corpus, names, of)
    )
    return HEAD + "".join(f"{line}\n" for line in lines)


def pack(drawn: Sequence[Card], path: Path, now: float) -> None:
    """Write the cards as an Anki package, in one step; SheetError without genanki.

    `now` is the time of the notes: Anki updates a note that it has by one that is newer. Given the same
    time, and the same SQLite, the bytes are the same.
    """
    try:
        genanki = importlib.import_module("genanki")
    except ModuleNotFoundError:
        seen = f"{path.name} cannot be packed, as genanki is not installed"
        repair = 'Install it with `pip install -e ".[anki]"`, or write a .txt, which Anki imports as well'
        raise SheetError(f"{seen}. {repair}.") from None
    model = genanki.Model(
        MODEL_ID,
        NOTE_TYPE,
        fields=[{"name": "Front"}, {"name": "Back"}],
        templates=[
            {"name": "Card 1", "qfmt": "{{Front}}", "afmt": '{{FrontSide}}<hr id="answer">{{Back}}'},
        ],
        css=STYLE,
    )
    made = genanki.Deck(DECK_ID, DECK)
    for card in drawn:
        fields = [card.front, card.back]
        made.add_note(genanki.Note(model=model, fields=fields, guid=card.guid, tags=[*card.tags]))
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".deck-") as folder:
        raw, whole = Path(folder) / "raw", Path(folder) / "whole"
        genanki.Package(made).write_to_file(raw, timestamp=now)
        with zipfile.ZipFile(raw) as there, zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as here:
            for name in there.namelist():
                here.writestr(zipfile.ZipInfo(name), there.read(name), zipfile.ZIP_DEFLATED)
        os.replace(whole, path)


def _card(page: PageView, claim: ClaimView, first: str) -> Card:
    answers = dict(zip(LETTERS, claim.shuffled, strict=False))
    kinds = [f"area::{page.page.area}", f"kind::{claim.text.evidence}"]
    verdict = f"verdict::{page.page.verdict.word.replace(' ', '-')}"
    return Card(
        hashlib.sha256(first.encode()).hexdigest()[:16],
        "".join(_front(page, claim, answers)),
        "".join(_back(page, claim, answers)),
        (*kinds, verdict),
    )


def _front(page: PageView, claim: ClaimView, answers: dict[str, AnswerView]) -> Iterator[str]:
    yield f"<b>{_html(page.page.title)}</b>"
    if len(page.claims) > 1:
        yield f" ({page.claims.index(claim) + 1} of {len(page.claims)})"
    for paragraph in page.page.question.split("\n\n"):
        yield f"<br><br>{_html(paragraph)}"
    yield "<br>"
    for letter, answer in answers.items():
        yield f"<br>{letter}) {_html(answer.rival.sentence)}"


def _back(page: PageView, claim: ClaimView, answers: dict[str, AnswerView]) -> Iterator[str]:
    right = next(letter for letter, answer in answers.items() if answer is claim.right)
    rival = claim.right.rival
    yield f"<b>{right}) {_html(f'{rival.sentence} {rival.reason}')}</b><br>"
    for letter, answer in answers.items():
        if answer is not claim.right:
            yield f"<br>{letter}) {_failure(claim, answer)}"
    if page.page.answer:
        yield f"<br><br>{_html(page.page.answer)}"
    yield f"<br><br><code>pytest {html.escape(page.page.name)}::{html.escape(claim.text.name)}</code>"


def _failure(claim: ClaimView, answer: AnswerView) -> str:
    """How a wrong answer fails: at the telling example, how often, and by how much."""
    found, fit = claim.figure(answer), answer.fits.get(claim.lead)
    told = _told(claim, found) if found else "refuted"
    missed = phrases.missed(fit) if fit else ""
    return f"{told}; {_html(missed)}" if missed else told


def _told(claim: ClaimView, found: Counterexample) -> str:
    at = phrases.cut(phrases.inputs(found.inputs), LONGEST)
    where = f" at <code>{_html(at, code=False)}</code>" if at else ""
    observed, says = pair(found.observed, found.predicted)
    if found.predicted is None or observed == says:
        failed = phrases.cut(phrases.short(found.assertion), LONGEST)
        return f"<code>{_html(failed, code=False)}</code>{where}"
    seen = "the cost model gives" if claim.derived else "observed"
    figure = phrases.figure(claim.quantity, found.observed, found.predicted)
    return _html(phrases.cut(f"{seen} {figure}", LONGEST)) + where


def _html(text: str, code: bool = True) -> str:
    """A text as HTML on one line; what stands in backticks is code."""
    line = html.escape(" ".join(text.split()))
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", line) if code else line


def _now() -> float:
    """The time in seconds, or what SOURCE_DATE_EPOCH says of it, as where a build is to be repeated."""
    told = os.environ.get("SOURCE_DATE_EPOCH", "")
    if told and not told.isdecimal():
        raise SheetError(f"SOURCE_DATE_EPOCH is {told!r}. Set it to whole seconds since 1970, or not at all.")
    return float(told or time.time())


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a deck, or print it as text: 2 is a refusal."""
    parser = argparse.ArgumentParser(prog="python -m tools.deck", description="Make flash cards for Anki.")
    parser.add_argument("query", nargs="*", help="which pages, as for tools.query; nothing takes all")
    parser.add_argument("--out", type=Path, help="a .txt or .apkg to write (default: print the text)")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: here)")
    options, asked = read(parser, arguments)
    try:
        corpus, names = view(options.root), ledger(options.root)
        told = facts(corpus, names)
        query = parse(asked, [area.name for area in told.areas])
        drawn = cards(corpus, names, slugs := {page.id for page in select(told, query)})
        if not drawn:
            raise SheetError(f"No verified claim meets {query}. Ask for less.")
        if options.out is None:
            say(deck(corpus, names, slugs).splitlines())
        elif options.out.suffix == ".txt":
            write_atomically(options.out, deck(corpus, names, slugs))
        elif options.out.suffix == ".apkg":
            pack(drawn, options.out, _now())
        else:
            raise SheetError(f"{options.out} is neither .txt nor .apkg. Name one of them.")
    except SyntaxError as error:
        print(f"{error.filename}:{error.lineno}: {error.msg}. Mend the page first.", file=sys.stderr)
        return 2
    except (QueryError, SheetError, PageError, RecordError, OSError, UnicodeError) as error:
        print(f"deck: {error}", file=sys.stderr)
        return 2
    if options.out:
        print(f"{options.out}: {plural(len(drawn), 'card')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
