"""Bound: every figure that a page states is computed by a claim of the page, or cited.

A figure in `Answer:`, `Verdict:`, `Right when:` or a right answer's docstring has to be, as rounded there,
an input or a value (observed, or predicted by a rival) of a worked example, the smallest, largest or last
value of an observation, or a ratio of such values; or it stands in the title, the question, `Says:`,
`Asked:` or a source.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable, Iterator
from itertools import combinations, permutations
from typing import Any

from fixtures.trial.record import Run, Samples

from .figures import Figure, figures
from .rules import Complaints, broken_by
from .source import Source

STATED = ("Answer", "Verdict", "Right when")
CITED = ("Says", "Asked", "Source")


@broken_by(("é takes 2 bytes and a rocket 4", "é takes 2 bytes and a rocket 5"))
@broken_by(("a character takes one to four bytes", "a character takes 1.7 bytes"))
@broken_by(("Right when: All is ASCII.", "Right when: 99 % is ASCII."))
@broken_by(("carries six bits.", "carries 6 bits."))
def every_figure_is_bound(source: Source) -> Complaints:
    """A printed number that nothing computes is soon a false one."""
    if source.records:
        known = sorted({*computed(source), *cited(source)})
        for line, text in _stated(source):
            for figure in figures(text):
                if not any(_holds(known, *meaning) for meaning in figure.meanings):
                    at = line + text[: figure.at].count("\n")
                    seen = f"nothing on the page computes {' '.join(figure.text.split())!r}"
                    yield (
                        at,
                        f"{seen}, here in `{_around(text, figure)}`. Work it out in an @example, or cite it",
                    )


def _stated(source: Source) -> Iterator[tuple[int, str]]:
    """The passages whose figures are repeated: the line in which each begins, and its text."""
    for name, line, text in source.entries:
        if name in STATED:
            yield line, text
    for name in dict.fromkeys(claim.right.name for claim in source.page.claims):
        prose = source.definitions[name].body[0]
        yield prose.lineno, "\n".join(source.lines[prose.lineno - 1 : prose.end_lineno])


def _around(text: str, figure: Figure) -> str:
    """A figure with the three words before it and the two behind it."""
    end = figure.at + len(figure.text)
    before = re.search(r"(?:\S+\s+){0,3}\S*$", text[: figure.at])
    behind = re.match(r"\S*(?:\s+\S+){0,2}", text[end:])
    return " ".join(f"{before and before[0]}{text[figure.at : end]}{behind and behind[0]}".split())


def _holds(known: list[float], value: float, allowed: float) -> bool:
    """Whether a known value is this one, as far as rounding allows; zero is rounded to by nothing."""
    allowed = allowed * (1 + 1e-9) if value else 0.0
    at = bisect.bisect_left(known, abs(value) - allowed)
    return at < len(known) and known[at] <= abs(value) + allowed


def cited(source: Source) -> Iterator[float]:
    """The numbers of the title, the question, and of what the page says of its sources."""
    told = [text for name, _, text in source.entries if name in CITED]
    for text in (source.page.title, source.page.question, *told):
        for figure in figures(re.sub(r"https?://\S+", "", text)):
            yield figure.meanings[0][0]
            yield from map(float, re.findall(r"\d{4}", figure.text))
        yield from map(float, re.findall(r"\d+(?:\.\d+)?", text))


def computed(source: Source) -> Iterator[float]:
    """What the runs of the page's records have as inputs, observed and predicted, and its ratios."""
    for run in (run for record in source.records for run in record.runs):
        for observation in run.observed.values():
            yield from numbers([observation.smallest, observation.largest, observation.last])
        for fit in run.fits.values():
            for spread in filter(None, (fit.ratio, fit.off)):
                yield from (spread.smallest, spread.median, spread.largest)
        if run.worked:
            yield from _worked(run, run.worked)


def _worked(run: Run, worked: Samples) -> Iterator[float]:
    """The values of worked examples; their ratios within an example, and between examples within a column."""
    columns = [*worked.inputs.values(), *worked.observed.values(), *worked.predicted.values()]
    for column in columns:
        cells = [list(numbers(cell)) for cell in column]
        yield from (number for cell in cells for number in cell)
        for one, other in combinations(cells, 2):
            yield from ratios(zip(one, other, strict=False))
    for told in zip(*worked.observed.values(), *worked.predicted.values(), strict=True):
        for one, other in combinations([list(numbers(cell)) for cell in told], 2):
            yield from ratios(zip(one, other, strict=False))


def ratios(pairs: Iterable[tuple[float, float]]) -> Iterator[float]:
    """Each of two numbers over the other."""
    for pair in pairs:
        yield from (a / b for a, b in permutations(pair) if b)


def numbers(value: Any) -> Iterator[float]:
    """The numbers of a recorded value, those that stand in its text among them: `1/3`, `Layer(d=4096)`."""
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield abs(float(value))
    elif isinstance(value, list):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, str):
        for over, under in re.findall(r"(\d+(?:\.\d+)?(?:e[-+]?\d+)?)(?:/(\d+))?", value):
            yield float(over) / (float(under or 1) or 1)
