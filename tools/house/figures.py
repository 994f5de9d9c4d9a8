"""Figures: the numbers that prose states, told apart from names and formulas.

`Llama-3-8B`, `bf16`, `section 3.1` are names; `2 · layers`, `8d²n`, `O(n²)`, `min(1, p/q)` are formulas; what
is left, `26,624`, `4.2 times`, `1.3 to 8 GB`, `2^-9`, `5/16`, is a figure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

UNITS: dict[str, tuple[float, ...]] = {
    **{"%": (1e-2,), "k": (1e3, 2.0**10), "thousand": (1e3,), "million": (1e6,), "billion": (1e9,)},
    **{"trillion": (1e12,), "ns": (1e-9, 1e-6, 1e-3), "µs": (1e-6, 1e-3), "us": (1e-6, 1e-3), "ms": (1e-3,)},
    **{"s": (1e3,), "seconds": (1e3,), "minutes": (60.0,), "hours": (3600.0,), "days": (86_400.0,)},
    **{f"{p}B": (1e3**n, 2.0 ** (10 * n)) for n, p in enumerate("KMGTP", start=1)},
    **{f"{p}iB": (2.0 ** (10 * n),) for n, p in enumerate("KMGTP", start=1)},
    **{f"{p}FLOP": (1e3**n,) for n, p in enumerate("KMGTP", start=1)},
}
"""What a unit multiplies the figure before it with, where the quantity itself is meant without it."""

_LONGEST_FIRST = "|".join(sorted(UNITS, key=len, reverse=True))
_UNIT = rf"(?P<unit>%|×(?!\s*[\d(])|(?:{_LONGEST_FIRST})(?![^\W\d]))"

_NUMBER = re.compile(
    r"(?<![\w.^])(?<![^\W\d]-)(?<!\d,)"
    r"(?P<base>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
    r"(?P<power>e[-+]?\d+|(?:\^|\*\*)-?\d+|[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)?"
)
_FRACTION = re.compile(r"(?<![\w.^·*/])(?P<over>\d+)/(?P<under>0*[1-9]\d*)(?![\w./^])")
_BEHIND = re.compile(rf"\s?{_UNIT}")
_RANGE = re.compile(rf"(?:,? (?:to|and|or|against|on|from) |–|-)(?:about )?[-\d.,^]+\s?{_UNIT}")

_NAMES = re.compile(
    r"https?://\S+|`[^`]*`|U\+[0-9A-F]+|\b\d{4}-\d\d-\d\d\b|\b\d+-bit\b"
    r"|\b[^\W\d]\w*\([^()]*\)|\w\[[^\]]*\]"
    r"|(?:#|\b(?:chapters?|sections?|issues?|pull(?: request)?|figure|table|theorem|lemma|algorithm|appendix"
    r"|equation|stage|torch|CUDA|Python|version|Llama|GPT|Qwen|Gemma|OPT)[ \n]+)[A-Z]?[\d.]*\d"
    r"|\bet al\.,? \d{4}|\b(?:in|since|\() ?(?:19|20)\d\d\b"
)
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_OPERATORS = "·*/^√+−"


@dataclass(frozen=True)
class Figure:
    """A number as it is printed, and every value that it may stand for, each with what rounding allows."""

    text: str
    at: int
    meanings: tuple[tuple[float, float], ...]


def figures(text: str) -> Iterator[Figure]:
    """Every figure of a text, in its order."""
    text = _without(_NAMES, _without(_NAMES, text))
    found = [_fraction(match) for match in _FRACTION.finditer(text) if not _in_formula(text, match)]
    text = _without(_FRACTION, text, "/")
    found += [_number(text, match) for match in _NUMBER.finditer(text) if not _is_part(text, match)]
    yield from sorted(found, key=lambda figure: figure.at)


def _without(pattern: re.Pattern[str], text: str, filler: str = "x") -> str:
    """A text in which what the pattern finds is blotted out, at its length."""
    return pattern.sub(lambda match: re.sub(r"\S", filler, match[0]), text)


def _fraction(match: re.Match[str]) -> Figure:
    value = int(match["over"]) / int(match["under"])
    return Figure(match[0], match.start(), ((value, 1e-5 * value),))


def _number(text: str, match: re.Match[str]) -> Figure:
    """A number with the unit behind it, or behind the range that it begins."""
    base, power = float(match["base"].replace(",", "")), match["power"]
    half = 0.5 * 10.0 ** -len(match["base"].partition(".")[2])
    behind = _BEHIND.match(text, match.end())
    unit = behind or _RANGE.match(text, match.end())
    plain = [(base, half)]
    if power and power[0] == "e":
        plain = [(base * 10.0 ** int(power[1:]), half * 10.0 ** int(power[1:]))]
    elif power:
        raised = base ** int(power.strip("^*").translate(_SUPERSCRIPT))
        plain = [(raised, 1e-5 * raised), *(plain if power[0] in "²³" else [])]
    elif unit and unit["unit"] == "%":
        share, half = base / 100, half / 100
        plain += [(share, half), (1 + share, half), (1 - share, half)]
    meanings = [
        *plain,
        *((v * by, h * by) for v, h in plain for by in UNITS.get(unit["unit"] if unit else "", ())),
    ]
    if re.search(r"\b(?:one|1) in\s+$", text[: match.start()]):
        meanings.append((1 / base, 0.5 / base**2))
    return Figure(match[0] + (behind[0] if behind else ""), match.start(), tuple(meanings))


def _is_part(text: str, match: re.Match[str]) -> bool:
    """Whether a number is part of a word or a formula."""
    behind = text[match.end() :]
    attached = re.match(r"[^\W\d]|_|-[^\W\d](?!\w)", behind)
    return bool(attached and not re.match(_UNIT, behind)) or _in_formula(text, match)


def _in_formula(text: str, match: re.Match[str]) -> bool:
    """Whether an operator stands before or behind a number."""
    before, behind = text[: match.start()], text[match.end() :]
    if re.search(r"[\w)\]]\s-\s$|[)\]]-$|[^\d\s]×$|\s×\s?$", before) or re.match(
        r"\s-\s\w|\s×|×[^\W\d]|×\(", behind
    ):
        return True
    return before.rstrip()[-1:] in [*_OPERATORS] or behind.lstrip()[:1] in [*_OPERATORS]
