"""Phrases: what the evidence shows, in as few words as a table has room for."""

from __future__ import annotations

import re
from functools import partial

from pydantic import JsonValue

from fixtures.trial.record import Fit, Observation, show
from fixtures.trial.words import DIGITS, number, pair, plural

UNITS = {
    unit.lower(): unit
    for unit in (
        *("bytes", "FLOPs", "GiB", "milliseconds", "seconds", "tokens", "launches", "pages", "passes"),
        *("products", "queries", "requests", "rows", "steps", "tensors"),
    )
}
"""Last words of an observed quantity's name that may follow its number: `cache_bytes`, 4,096 bytes."""

HAIR = 1.3
"""Factors below this are told as a percentage."""

_FLOAT = re.compile(r"(?<![\w.])-?\d+\.\d+(?:e[-+]?\d+)?(?![\w.])")


def cut(text: str, limit: int) -> str:
    """A text of at most `limit` characters: whole, or its beginning up to a phrase or a word, and `…`."""
    if len(text) <= limit:
        return text
    head = text[: max(limit - 1, 1)]
    phrase = re.match(r"(.*[^\s.,;:?!])[.,;:?!](?=\s|$)", head)
    word = re.match(r"(.*\S)\s", text[: max(limit - 1, 1) + 1])
    if phrase and len(phrase[1]) > 0.7 * limit:
        head = phrase[0]
    elif word:
        head = word[1]
    if head.count("`") % 2:
        head = head[: head.rindex("`")]
    return head.rstrip(" ,;:(–").removesuffix(".") + "…"


def figure(quantity: str, observed: JsonValue, predicted: JsonValue) -> str:
    """What was observed, and what an answer says instead: `4,096 cache bytes, not 32,768`."""
    seen, said = pair(observed, predicted)
    *words, last = quantity.split("_")
    if last in UNITS and isinstance(observed, int | float):
        return f"{' '.join([seen, *words, UNITS[last]])}, not {said}"
    return f"{' '.join([*words, last])}: {seen}, not {said}"


def missed(fit: Fit) -> str:
    """How often an answer is wrong, and by how much: `wrong on 73 of 100 inputs, too large by 2 times`."""
    wrong = fit.of - fit.agrees
    if not fit.of:
        return ""
    if not wrong:
        return f"right on all {plural(fit.of, 'input')} that were drawn"
    often = f"wrong on {wrong:,} of {plural(fit.of, 'input')}"
    if fit.raised:
        often += f", with an error on {fit.raised:,}"
    far = off(fit.off.smallest, fit.off.largest) if fit.off else ""
    return f"{often}, {far}" if far else often


def off(smallest: float, largest: float) -> str:
    """How far predictions are off, given the ends of predicted over observed: `too large by 2 to 8 times`.

    Empty where no factor tells it: a prediction is zero or of another sign, or differs only where
    nothing was to be seen.
    """
    if smallest <= 0 or smallest == largest == 1:
        return ""
    if 1 / HAIR < smallest < 1 < largest < HAIR:
        return f"off by up to {_percent(max(1 - smallest, largest - 1))}"
    if smallest >= 1:
        return f"too large by {_range(smallest, largest)}"
    if largest <= 1:
        return f"too small by {_range(largest, smallest)}"
    return f"too small by up to {_by(smallest)}, too large by up to {_by(largest)}"


def factor(ratio: float | None) -> str:
    """Predicted over observed: `8×`, `1/8`, near 1 `+7 %`; empty where it is 1, not positive or no number."""
    if ratio is None or ratio == 1 or ratio <= 0:
        return ""
    if 1 / HAIR < ratio < HAIR:
        share = _percent(abs(ratio - 1))
        return share if share.startswith("less") else f"{'+' if ratio > 1 else '−'}{share}"
    return f"{_times(ratio)}×" if ratio > 1 else f"1/{_times(ratio)}"


def _range(near: float, far: float) -> str:
    """From the ratio that is nearer to 1 to the other: `1.3 to 8 times`, `up to 8 times`, `2 times`."""
    if _by(near) == _by(far):
        return _by(far)
    if 1 / HAIR < near < HAIR:
        return f"up to {_by(far)}"
    return f"{_times(near)} to {_by(far)}"


def _by(ratio: float) -> str:
    return _percent(abs(ratio - 1)) if 1 / HAIR < ratio < HAIR else f"{_times(ratio)} times"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share >= 1e-4 else "less than 0.01 %"


def _times(ratio: float) -> str:
    times = max(ratio, 1 / ratio)
    return f"{times:.2g}" if times < 100 else number(float(f"{times:.3g}"))


def span(seen: Observation) -> str:
    """What was observed: from the smallest number to the largest, or else one value of many."""
    ends = [bool(end) if isinstance(seen.last, bool) else end for end in (seen.smallest, seen.largest)]
    told = dict.fromkeys(number(end) for end in ends if end is not None)
    return " … ".join(told) or f"such as {number(seen.last)}"


def inputs(those: dict[str, JsonValue]) -> str:
    """Inputs as one writes them: `group=2, dim=8`."""
    return ", ".join(f"{name}={short(show(value))}" for name, value in those.items())


def short(text: str) -> str:
    """An assertion or an input with its floats cut to four digits, or more where these confuse two."""
    floats = {*_FLOAT.findall(text)}
    for digits in range(DIGITS, 18):
        if len({_shorter(told, digits) for told in floats}) == len(floats):
            return _FLOAT.sub(partial(_shortened, digits), text)
    return text


def _shortened(digits: int, found: re.Match[str]) -> str:
    return _shorter(found[0], digits)


def _shorter(told: str, digits: int) -> str:
    shorter = f"{float(told):.{digits}g}"
    if "e" in shorter and "e" not in told:
        shorter = f"{float(told):.0f}"
    return shorter if len(shorter) < len(told) else told
