r"""Ask the record: `python -m tools.query "area:memory verdict:refuted wrong>2x"`.

A query is terms with blanks between them, all of which a page has to meet:

    word, "a phrase"       its text holds it: title, question, answers, verdict, terms, names
    field:value            a field of TEXTS is, or holds, the value; `field:a,b` is either
    number>2               a field of NUMBERS compares: < <= = >= >
    unverified             a claim of it waits for a device
    -term                  it does not meet the term

Whatever holds a blank, a comma or a quote stands in double quotes, where `\"` is a quote and `\\` a
backslash. Capitals do not matter.
"""

from __future__ import annotations

import argparse
import json
import operator
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from fixtures.trial.page import PageError, did_you_mean
from fixtures.trial.record import RecordError
from fixtures.trial.words import number

from .facts import Facts, Page, facts
from .fields import NUMBERS, TEXTS, prose
from .gather import SheetError
from .ids import ledger
from .view import view

UNVERIFIED = "unverified"

COMPARED: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    "=": operator.eq,
    ">": operator.gt,
}

_FIELD = re.compile(r"([^\W\d]\w*)(<=|>=|[:<=>])")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_WORD, _VALUE = re.compile(r'[^\s"]+'), re.compile(r'[^\s",]+')
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)[x×]?(?=\s|$)")


class QueryError(ValueError):
    """A query that cannot be read: what was seen and where, what to do, which fields there are."""

    def __init__(self, query: str, place: tuple[int, int], seen: str, repair: str) -> None:
        start, end = place
        shown = "".join(c if c.isprintable() else " " for c in query)
        mark = " " * start + "^" * max(end - start, 1)
        known = f"Fields are {', '.join(TEXTS)}, and to compare {', '.join(NUMBERS)}"
        super().__init__(f"{seen}. {repair}\n  {shown}\n  {mark}\n{known}.")


@dataclass(frozen=True)
class Text:
    """A word or a phrase."""

    words: str

    def __str__(self) -> str:
        plain = _WORD.fullmatch(self.words) and not self.words.startswith("-")
        named = _FIELD.match(self.words) or self.words.casefold() == UNVERIFIED
        return self.words if plain and not named else _quoted(self.words)

    def holds(self, page: Page) -> bool:
        """Whether the page's text holds it."""
        return self.words.casefold() in prose(page)


@dataclass(frozen=True)
class Among:
    """A field that has one of some values."""

    field: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        values = (value if _VALUE.fullmatch(value) else _quoted(value) for value in self.values)
        return f"{self.field}:{','.join(values)}"

    def holds(self, page: Page) -> bool:
        """Whether the page has one of the values."""
        return any(TEXTS[self.field].holds(page, value) for value in self.values)


@dataclass(frozen=True)
class Compared:
    """A number that compares."""

    field: str
    sign: str
    amount: float

    def __str__(self) -> str:
        return f"{self.field}{self.sign}{repr(self.amount).removesuffix('.0')}{NUMBERS[self.field].unit}"

    def holds(self, page: Page) -> bool:
        """Whether the page's number is on that side."""
        value = NUMBERS[self.field].value(page)
        return value is not None and COMPARED[self.sign](value, self.amount)


@dataclass(frozen=True)
class Unverified:
    """A claim that no column verifies."""

    def __str__(self) -> str:
        return UNVERIFIED

    def holds(self, page: Page) -> bool:
        """Whether the page makes one."""
        return any(not claim.verified for claim in page.claims)


@dataclass(frozen=True)
class Term:
    """What a page has to meet, or not to meet."""

    what: Text | Among | Compared | Unverified
    negated: bool = False

    def __str__(self) -> str:
        return f"-{self.what}" if self.negated else str(self.what)


@dataclass(frozen=True)
class Query:
    """Terms, all of which a page has to meet. As text it reads as the same query again."""

    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(str, self.terms))

    def holds(self, page: Page) -> bool:
        """Whether a page meets every term."""
        return all(term.what.holds(page) is not term.negated for term in self.terms)

    def matched(self, page: Page) -> dict[str, float]:
        """The numbers of a page that the query compares."""
        fields = [term.what.field for term in self.terms if isinstance(term.what, Compared)]
        numbers = {field: NUMBERS[field].value(page) for field in fields}
        return {field: value for field, value in numbers.items() if value is not None}


def parse(text: str, areas: Sequence[str] = ()) -> Query:
    """Read a query; QueryError says what is wrong and where. Given the areas, it knows them from others."""
    return Query(tuple(_Reader(text, {"area": tuple(areas)}).terms()))


def select(told: Facts, query: Query) -> list[Page]:
    """The pages that meet a query, in the order of the sheet."""
    return [page for page in told.pages if query.holds(page)]


class _Reader:
    """A query, and how far it has been read."""

    def __init__(self, text: str, known: dict[str, tuple[str, ...]]) -> None:
        self.text = text
        self.at = 0
        self.known = {name: field.of for name, field in TEXTS.items()} | known

    def terms(self) -> Iterator[Term]:
        while self._skip(r"\s+") or self.at < len(self.text):
            if self.at == len(self.text):
                return
            negated = self._skip("-")
            if negated and (self.at == len(self.text) or self.text[self.at].isspace()):
                self._fail(self.at - 1, "Nothing follows '-'", "Put it before a term, without a blank")
            if negated and self.text[self.at] == "-":
                self._fail(self.at - 1, "'--' negates twice", "Leave it out, or quote a word that begins so")
            yield Term(self._term(), negated)

    def _term(self) -> Text | Among | Compared | Unverified:
        start = self.at
        if found := _FIELD.match(self.text, start):
            self.at = found.end()
            return self._field(found[1], found[2], start)
        words = self._value(_WORD)
        self._end(start)
        quoted = self.text[start] == '"'
        return Unverified() if words.casefold() == UNVERIFIED and not quoted else Text(words)

    def _field(self, name: str, sign: str, start: int) -> Among | Compared:
        field, end = name.casefold(), start + len(name)
        if field in TEXTS:
            if sign != ":":
                self._fail(start, f"{name!r} is text, which {sign!r} does not compare", f"Write {field}:…")
            return self._among(field)
        if field not in NUMBERS:
            repair = (
                did_you_mean(field, (*TEXTS, *NUMBERS)) if self._near(field) else "Quote it to search for it"
            )
            self._fail(start, f"{name!r} is no field", f"{repair}{'' if repair.endswith('?') else '.'}", end)
        if sign == ":":
            self._fail(start, f"{name!r} is a number", f"Compare it, as in {field}>2")
        found = _AMOUNT.match(self.text, self.at)
        if not found or float(found[1]) == float("inf"):
            self._skip(r"\S+")
            self._fail(start, f"{name!r} is compared with no number", f"Write one, as in {field}{sign}2")
        self.at = found.end()
        return Compared(field, sign, float(found[1]))

    def _near(self, name: str) -> bool:
        return did_you_mean(name, (*TEXTS, *NUMBERS)).startswith("Did")

    def _among(self, field: str) -> Among:
        values = [self._known(field)]
        while self._skip(","):
            values.append(self._known(field))
        self._end(self.at)
        return Among(field, tuple(values))

    def _known(self, field: str) -> str:
        start, value = self.at, self._value(_VALUE)
        known = self.known[field]
        spelt = re.sub(r"[-_ ]", " ", value.casefold())
        for one in known:
            if re.sub(r"[-_ ]", " ", one.casefold()) == spelt:
                return one
        if known:
            self._fail(start, f"{value!r} is no {field}", f"{did_you_mean(value, known)}")
        return value

    def _value(self, bare: re.Pattern[str]) -> str:
        """A quoted text, or one without blanks and quotes."""
        start = self.at
        if self.text.startswith('"', start):
            found = _QUOTED.match(self.text, start)
            if not found:
                self.at = len(self.text)
                self._fail(start, "The quotes do not end", 'Close them with "')
            self.at = found.end()
            text: str = re.sub(r'\\(["\\])', r"\1", found[1])
            if not text:
                self._fail(start, "The quotes hold nothing", "Write what to look for")
            return text
        found = bare.match(self.text, start)
        if not found:
            self._fail(max(start - 1, 0), f"Nothing follows {self.text[start - 1]!r}", "Write a value")
        self.at = found.end()
        word: str = found[0]
        return word

    def _end(self, start: int) -> None:
        """A term ends with a blank or the query."""
        if self.at < len(self.text) and not self.text[self.at].isspace():
            self._fail(self.at, f"{self.text[self.at]!r} follows without a blank", "Put one, or quote it all")

    def _skip(self, pattern: str) -> bool:
        found = re.compile(pattern).match(self.text, self.at)
        self.at = found.end() if found else self.at
        return found is not None

    def _fail(self, start: int, seen: str, repair: str, end: int = 0) -> NoReturn:
        raise QueryError(self.text, (start, end or self.at), seen, repair.removesuffix("."))


def _quoted(text: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'


def line(page: Page, query: Query) -> str:
    """What is told of a page: where it is, its title, the verdict, the numbers that were compared."""
    numbers = [
        f"{name} {number(float(f'{value:.4g}'))}{NUMBERS[name].unit}"
        for name, value in query.matched(page).items()
    ]
    return f"{page.file}: {page.title} ({', '.join([page.verdict.word, *numbers])})"


def as_json(pages: Sequence[Page], query: Query) -> str:
    """The same for machines: `id` leads to the page in facts.json."""
    told = [
        {
            "id": page.id,
            "title": page.title,
            "verdict": page.verdict.word,
            "file": page.file,
            "matched": query.matched(page),
        }
        for page in pages
    ]
    return json.dumps(told, ensure_ascii=False, indent=2)


def read(parser: argparse.ArgumentParser, arguments: Sequence[str] | None) -> tuple[argparse.Namespace, str]:
    """The options, and the query among them: what begins with one minus is a term, `-h` excepted."""
    words = [*(sys.argv[1:] if arguments is None else arguments)]
    negated = [word for word in words if re.match("-(?!-)", word) and word != "-h"]
    options = parser.parse_intermixed_args([word for word in words if word not in negated])
    return options, " ".join([*options.query, *negated])


def say(lines: Sequence[str]) -> None:
    """Print lines, to a reader that may have seen enough before the last."""
    try:
        for told in lines:
            print(told)
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the pages that meet a query: 1 if there are none, 2 for what cannot be read."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.query",
        description="Ask the record.",
        epilog="\n".join(
            [
                "fields, as in area:memory,gpu:",
                *(f"  {name:<9} {field.meaning}" for name, field in TEXTS.items()),
                "numbers, as in wrong>2x:",
                *(f"  {name:<9} {field.meaning}" for name, field in NUMBERS.items()),
                'also: words, "a phrase", unverified, and a - before any of them',
            ]
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("query", nargs="*", help="what a page has to meet; nothing lists all")
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: here)")
    options, asked = read(parser, arguments)
    try:
        told = facts(view(options.root), ledger(options.root))
        query = parse(asked, [area.name for area in told.areas])
    except SyntaxError as error:
        print(f"{error.filename}:{error.lineno}: {error.msg}. Mend the page first.", file=sys.stderr)
        return 2
    except (QueryError, SheetError, PageError, RecordError, OSError, UnicodeError) as error:
        print(f"query: {error}", file=sys.stderr)
        return 2
    pages = select(told, query)
    if not pages:
        print(f"query: no page meets {query}.", file=sys.stderr)
    say([as_json(pages, query)] if options.json else [line(page, query) for page in pages])
    return 0 if pages else 1


if __name__ == "__main__":
    sys.exit(main())
