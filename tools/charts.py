"""Charts: what a claim's picture shows, before it is drawn.

Along x stands one input, the one that explains best how far the wrong answers are off; along y what each
answer predicts, over what was observed, so that the right answer lies on a line at 1 and a wrong one leaves
it where its regime ends. Where a ratio says nothing, with zeros or signs, predictions stand over
observations, and the line is where both are equal; where little but one value was observed, the values
stand over an input.
"""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import JsonValue

from fixtures.trial.record import Samples
from fixtures.trial.words import number, plural

from .phrases import cut
from .view import TELLING, ClaimView, PageView

LOOK = 2
"""How pictures are drawn: another number, and those that are committed are drawn anew."""

FEWEST = 3
"""Places along x below which a table tells more than a picture."""

MOST = 12
"""Places along an x that is no number, beyond which its labels cannot be read."""

DIVERSE = 5
"""Observed values from which on predictions are drawn over them."""

WIDE = 30
"""From this ratio of the largest value to the smallest on, an axis is logarithmic."""

CHANCE = {"seed", "seeds", "data", "rng"}
"""Inputs that only set chance: their size explains nothing."""

RIVALS = 5
"""Wrong answers for which there are marks that can be told apart."""

LENGTH = "length of "
"""How an axis is named along which lists stand by their length."""

LABEL = 18
"""Characters of a place's label along an x that is no number."""


@dataclass(frozen=True)
class Axis:
    """What stands along an axis, and its scale; `places` are the labels of one that holds no numbers."""

    name: str
    scale: Literal["linear", "log", "symlog", "places"]
    places: tuple[str, ...] = ()
    threshold: float = 1.0
    """Of a symmetric logarithm: below this size the scale is linear."""
    meaning: str = ""
    """What an input is, and its unit, as the field's vocabulary or the claim has it."""

    @property
    def label(self) -> str:
        """The name as words, and what it means."""
        return f"{words(self.name)}: {self.meaning}" if self.meaning else words(self.name)

    def along(self, value: float) -> float:
        """Where a value stands along the axis, in units of the eye."""
        if self.scale != "symlog":
            return value
        size = abs(value) / self.threshold
        return math.copysign(size if size <= 1 else 1 + math.log10(size), value)


@dataclass(frozen=True)
class Series:
    """An answer's points."""

    name: str
    right: bool
    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True)
class Chart:
    """A picture of one claim; `observed` are the points of reality where values stand over an input."""

    title: str
    kind: Literal["ratio", "equal", "values"]
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    observed: tuple[tuple[float, ...], tuple[float, ...]] | None
    left_out: int
    """Examples on which some value is no finite number."""
    tried: int
    """The examples of the run, of which a part is recorded one by one."""

    @property
    def digest(self) -> str:
        """What the picture shows, in sixteen digits: it is drawn anew only if this changes."""
        return hashlib.sha256(f"{LOOK} {self!r}".encode()).hexdigest()[:16]

    @property
    def caption(self) -> str:
        """What is drawn, in a sentence."""
        lies = "the right answer lies on the line"
        if not self._is_on_the_line:
            lies = "the claim takes its right answer as a bound or within a tolerance of the line"
        drawn = {
            "ratio": f"Predicted over observed, along {words(self.x.name)}: {lies} at 1",
            "equal": f"Predicted over observed values: {lies} where both are equal",
            "values": f"What was observed and what is predicted, along {words(self.x.name)}",
        }[self.kind]
        gone = f"; {self.left_out} more hold no finite number" if self.left_out else ""
        return f"{drawn}. {len(self.series[0].x)} of the {plural(self.tried, 'example')} of the run{gone}."

    @property
    def _is_on_the_line(self) -> bool:
        """Whether nobody sees the right answer leave the line; a claim may accept it as a bound."""
        right = self.series[0]
        if self.kind == "ratio":
            return all(abs(math.log(y)) < math.log(1 + TELLING) / 2 for y in right.y)
        seen, said = ([self.y.along(v) for v in values] for values in (right.x, right.y))
        reach = max(map(abs, (*seen, *said))) or 1.0
        return all(abs(y - x) <= reach / 50 for x, y in zip(seen, said, strict=True))

    @property
    def description(self) -> str:
        """The picture in words, for those who do not see it."""
        told = [f"{words(s.name)} {_reach(s, self.kind)}" for s in self.series]
        return f"{self.caption} {'; '.join(told)}."


def _reach(series: Series, kind: str) -> str:
    low, high = (number(float(f"{end:.3g}")) for end in (min(series.y), max(series.y)))
    of = " of what was observed" if kind == "ratio" else ""
    return f"predicts {low}{'' if low == high else f' to {high}'}{' times' if of else ''}{of}"


@dataclass
class _Points:
    """The examples of a claim that are numbers on both axes."""

    inputs: list[dict[str, JsonValue]] = field(default_factory=list)
    observed: list[float] = field(default_factory=list)
    predicted: dict[str, list[float]] = field(default_factory=dict)
    left_out: int = 0


def chart(claim: ClaimView) -> Chart | str:
    """The chart of a claim, or in a sentence why it has none."""
    if not claim.lead:
        return "There is no picture: no record verifies the claim."
    run = claim.right.runs[claim.lead]
    if not claim.quantity or run.samples is None:
        return "There is no picture: the answers are implementations, which act and predict no number."
    if len(claim.wrong) > RIVALS:
        return f"There is no picture: {len(claim.wrong)} wrong answers could not be told apart."
    points = _points(claim, [run.samples, *([run.worked] if run.worked else [])])
    if len(points.observed) < FEWEST:
        return "There is no picture: fewer than three examples are single numbers. A table tells them."
    ratio = all(v > 0 for v in points.observed) and all(v > 0 for vs in points.predicted.values() for v in vs)
    ys = {name: [p / o for p, o in zip(vs, points.observed, strict=True)] if ratio else vs
          for name, vs in points.predicted.items()}  # fmt: skip
    right = claim.right.rival.name
    wrong = [name for name in ys if name != right]
    if not ratio and len({*points.observed}.union(*points.predicted.values())) < FEWEST:
        return "There is no picture: everything here takes one of two values, which a table tells."
    off = [_off(ys[name], [1.0] * len(ys[name]) if ratio else points.observed, ratio) for name in wrong]
    if not any(map(any, off)):
        return "There is no picture: on the recorded examples no wrong answer is off by enough to be seen."
    if not ratio and len({*points.observed}) >= DIVERSE:
        kind: Literal["ratio", "equal", "values"] = "equal"
        y = _value_axis(claim.quantity, points)
        x, along = replace(y, name=f"observed {claim.quantity}"), points.observed
        y = replace(y, name=f"predicted {words(claim.quantity)}")
    elif (found := _x_of(claim, points, off)) is None:
        return "There is no picture: its inputs take too few values, or too many that are no numbers."
    else:
        x, along = found
        x = replace(x, meaning=claim.meanings.get(x.name.removeprefix(LENGTH), ""))
        kind = "ratio" if ratio else "values"
        quantity = words(claim.quantity)
        y = Axis(f"{quantity}, predicted / observed", "log") if ratio else _value_axis(claim.quantity, points)
    return Chart(
        title=claim.text.sentence or claim.text.name,
        kind=kind,
        x=x,
        y=y,
        series=tuple(Series(name, name == right, tuple(along), tuple(ys[name])) for name in [right, *wrong]),
        observed=(tuple(along), tuple(points.observed)) if kind == "values" else None,
        left_out=points.left_out,
        tried=max(run.examples, len(along)),
    )


def leading(page: PageView) -> Chart | None:
    """The picture that speaks for a page: that of its first claim that has one."""
    known = (chart(claim) for claim in page.claims)
    return next((found for found in known if isinstance(found, Chart)), None)


def words(name: str) -> str:
    """An identifier as words."""
    return name.replace("_", " ")


def _points(claim: ClaimView, tables: Sequence[Samples]) -> _Points:
    points = _Points(predicted={answer.rival.name: [] for answer in claim.answers})
    names = {answer: rival.name for answer, rival in claim.text.rivals.items()}
    for table in tables:
        for i, seen in enumerate(table.observed.get(claim.quantity, ())):
            told = {names[answer]: _finite(values[i]) for answer, values in table.predicted.items()}
            numbers = {name: value for name, value in told.items() if value is not None}
            if (real := _finite(seen)) is None or numbers.keys() != points.predicted.keys():
                points.left_out += 1
                continue
            points.inputs.append({name: values[i] for name, values in table.inputs.items()})
            points.observed.append(real)
            for name, value in numbers.items():
                points.predicted[name].append(value)
    return points


def _finite(value: JsonValue) -> float | None:
    """A value as a number; None where it is none, or has no end."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)


def _off(said: Sequence[float], seen: Sequence[float], ratio: bool) -> list[float]:
    """How far an answer is off at each example; 0 where it cannot be seen."""
    if ratio:
        far = [abs(math.log(y)) for y in said]
        return [f if f >= math.log(1 + TELLING) / 2 else 0.0 for f in far]
    reach = max([*map(abs, seen), *map(abs, said)]) or 1.0
    return [d if (d := abs(y - o)) >= reach / 100 else 0.0 for y, o in zip(said, seen, strict=True)]


def _x_of(claim: ClaimView, points: _Points, off: list[list[float]]) -> tuple[Axis, list[float]] | None:
    """The input along x and its values: a number that explains best how far answers are off, else a name."""
    inputs = [name for name in claim.text.parameters if name in points.inputs[0] and name not in CHANCE]
    sized = {label: values for name in inputs for label, values in _sizes(name, points)}
    scores = {
        label: round(statistics.fmean(_rank_correlation(values, far) for far in off), 3)
        for label, values in sized.items()
        if len({*values}) >= FEWEST
    }
    if scores:
        best = max(scores, key=lambda label: scores[label])  # of equal ones the first that the claim takes
        return Axis(best, "log" if _is_wide(sized[best]) else "linear"), sized[best]
    for name in inputs:
        labels = [cut(number(example[name]).strip("'"), LABEL) for example in points.inputs]
        places = tuple(dict.fromkeys(labels))
        if 2 <= len(places) <= MOST:
            return Axis(name, "places", places), [float(places.index(label)) for label in labels]
    return None


def _sizes(name: str, points: _Points) -> Iterator[tuple[str, list[float]]]:
    """An input as numbers along an axis, and what they are: its values, or how long its lists are."""
    column = [example[name] for example in points.inputs]
    numbers = [number for value in column if (number := _finite(value)) is not None]
    lengths = [float(len(value)) for value in column if isinstance(value, list)]
    if len(numbers) == len(column):
        yield name, numbers
    elif len(lengths) == len(column):
        yield f"{LENGTH}{name}", lengths


def _rank_correlation(xs: Sequence[float], ys: Sequence[float]) -> float:
    """Spearman's, without its sign; 0 where one does not vary."""
    ranks = [_ranks(xs), _ranks(ys)]
    if any(len({*rank}) < 2 for rank in ranks):
        return 0.0
    return abs(statistics.correlation(*ranks))


def _ranks(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    first = {value: i for i, value in reversed([*enumerate(ordered)])}
    last = {value: i for i, value in enumerate(ordered)}
    return [(first[value] + last[value]) / 2 for value in values]


def _is_wide(values: Sequence[float]) -> bool:
    return min(values) > 0 and max(values) / min(values) >= WIDE


def _value_axis(quantity: str, points: _Points) -> Axis:
    """The axis of values: symmetric logarithm where they differ much in size."""
    sizes = sorted(abs(v) for vs in (points.observed, *points.predicted.values()) for v in vs if v)
    name = words(quantity)
    if not sizes or sizes[-1] / statistics.median(sizes) < WIDE:
        return Axis(name, "linear")
    return Axis(name, "symlog", threshold=float(f"{max(sizes[0], sizes[-1] / 1e9):.1g}"))


def rows(chart: Chart) -> Iterator[tuple[str, ...]]:
    """The figures of a chart along x: its place, what was observed where that is drawn, what answers say."""
    columns = [*([chart.observed[1]] if chart.observed else []), *(s.y for s in chart.series)]
    order = sorted(range(len(chart.series[0].x)), key=lambda i: chart.series[0].x[i])
    seen: set[tuple[str, ...]] = set()
    for i in order:
        x = chart.series[0].x[i]
        place = chart.x.places[int(x)] if chart.x.scale == "places" else number(x)
        row = (place, *(number(column[i]) for column in columns))
        if row not in seen:
            seen.add(row)
            yield row


def head(chart: Chart) -> tuple[str, ...]:
    """The heads of that table."""
    seen = [chart.y.name] if chart.observed else []
    return (words(chart.x.name), *seen, *(words(s.name) for s in chart.series))
