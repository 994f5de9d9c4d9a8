"""Pictures: a chart as SVG, drawn once and kept.

Its colours are custom properties, so that a page can set them and a reader's scheme, light or dark, is
followed; marks differ in shape as well. The same chart gives the same bytes each time.
"""

from __future__ import annotations

import hashlib
import html
import io
import math
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from fixtures.trial.record import write_atomically

from .charts import Axis, Chart, words
from .phrases import cut

WIDTH, HEIGHT, LEGEND = 7.2, 3.3, 0.235
"""Inches: a picture, its axes alone, and a line of its legend."""

COLOURS = {
    "--ink": ("#1a1a1a", "#e6e6e1"),
    "--line": ("#c4c4bc", "#45453f"),
    "--right": ("#00694a", "#4fd1a5"),
    "--wrong-1": ("#b3410e", "#f2955c"),
    "--wrong-2": ("#0b4f9e", "#8ab8f0"),
    "--wrong-3": ("#8a2f7a", "#e59ad6"),
    "--wrong-4": ("#6b5900", "#d9c04a"),
    "--wrong-5": ("#4a4a4a", "#bdbdbd"),
}
"""Each colour of a picture, on light and on dark paper; they differ in lightness as well as in hue."""

MOST_TICKS = 7
"""Ticks of an axis."""

NAME = 70
"""Characters of the name of an axis."""

MARKS = {
    "--right": "o",
    "--wrong-1": "x",
    "--wrong-2": "^",
    "--wrong-3": "D",
    "--wrong-4": "P",
    "--wrong-5": "s",
}

STYLE = (
    ":root{{{light}}}@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
    "text{{font-family:system-ui,sans-serif}}"
)
"""The style of a picture that stands alone."""

OURS = re.compile(r'<svg [^>]*aria-labelledby="t[0-9a-f]{16} d[0-9a-f]{16}"')
"""How a picture begins, and no other file."""

SLIMMER = (
    (r"^.*?<svg[^>]*>|</svg>\s*$|<metadata>.*?</metadata>|<!--.*?-->|<style type=.*?</style>", ""),
    (r'<g id="[^"]*"', "<g"),
    (r' transform="rotate\(-?0 [^)]*\)"', ""),
    (r"(-?\d+\.\d)\d+(?=[^<>]*>)", r"\1"),
    (r"font: ([\d.]+px)[^;\"]*", r"font-size: \1"),
    (r"font-family: [^;\"]*; ", ""),
    (r"xlink:href", "href"),
    (r"\s*\n\s*", " "),
    (r"> <", "><"),
    (r"<defs></defs>", ""),
)
"""What is taken out of matplotlib's SVG, or put more shortly."""


def alone(svg: str) -> str:
    """A picture as a file of its own, which brings its colours along."""
    light, dark = (";".join(f"{name}:{pair[i]}" for name, pair in COLOURS.items()) for i in (0, 1))
    told, tag, drawn = svg.partition("</desc>")
    return f"{told}{tag}<style>{STYLE.format(light=light, dark=dark)}</style>{drawn}\n"


def draw_all(charts: Iterable[Chart], kept: Path, workers: int = 2) -> dict[str, str]:
    """Every chart's picture by its digest: those kept in a folder as they are, the others drawn and kept."""
    wanted = {_key(chart): chart for chart in charts}
    known = {
        key: path.read_text(encoding="utf-8") for key in wanted if (path := kept / f"{key}.svg").is_file()
    }
    new = {key: chart for key, chart in wanted.items() if key not in known}
    if new:
        with ProcessPoolExecutor(min(workers, len(new))) as pool:
            for key, svg in zip(new, pool.map(draw, new.values(), chunksize=8), strict=True):
                write_atomically(kept / f"{key}.svg", svg)
                known[key] = svg
    return {wanted[key].digest: svg for key, svg in known.items()}


def _key(chart: Chart) -> str:
    """What decides a picture's bytes: the chart, and what draws it."""
    return hashlib.sha256(f"{chart.digest} {_hand()}".encode()).hexdigest()[:24]


@cache
def _hand() -> str:
    return f"{metadata.version('matplotlib')} {Path(__file__).read_text(encoding='utf-8')}"


def draw(chart: Chart) -> str:
    """One chart as SVG, to be set into a page that defines its COLOURS."""
    import matplotlib
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {
        "svg.hashsalt": chart.digest,
        "svg.fonttype": "none",
        "font.size": 11,
        "text.parse_math": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "path.simplify": False,
    }
    with matplotlib.rc_context(settings):
        figure = Figure(figsize=(WIDTH, HEIGHT + LEGEND * _lines(chart)))
        axes = figure.add_axes(_room(chart))
        figure.patch.set_visible(False)
        axes.patch.set_visible(False)
        paint = _Paint()
        _plot(chart, axes, paint)
        _dress(chart, axes, paint)
        file = io.StringIO()
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return _slim(file.getvalue(), chart, paint.names)


class _Paint:
    """Custom properties as colours that matplotlib takes, to be told apart again in its output."""

    def __init__(self) -> None:
        self.names: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        stand_in = f"#fe{list(COLOURS).index(name):02x}01"
        self.names[stand_in] = name
        return stand_in


def _lines(chart: Chart) -> int:
    return len(chart.series) + (chart.observed is not None)


def _room(chart: Chart) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of the axes, as shares of the figure."""
    height = HEIGHT + LEGEND * _lines(chart)
    bottom = 0.52 + LEGEND * _lines(chart) + (0.25 if chart.x.scale == "places" else 0)
    return 0.11, bottom / height, 0.85, (height - bottom - 0.3) / height


def _plot(chart: Chart, axes: Any, paint: _Paint) -> None:
    colours = ["--right", *(f"--wrong-{i + 1}" for i in range(len(chart.series) - 1))]
    if chart.kind == "ratio":
        axes.axhline(1, color=paint("--ink"), linewidth=0.8, zorder=1)
    elif chart.kind == "equal":
        ends = min(chart.series[0].x), max(chart.series[0].x)
        axes.plot(ends, ends, color=paint("--ink"), linewidth=0.8, zorder=1)
    elif chart.observed is not None:
        axes.plot(*chart.observed, "_", color=paint("--ink"), markersize=15, markeredgewidth=1.6,
                  label="observed", zorder=1)  # fmt: skip
    for i, (series, colour) in enumerate(zip(chart.series, colours, strict=True)):
        axes.plot(
            *_once(series.x, series.y), MARKS[colour], color=paint(colour),
            markerfacecolor=paint(colour) if i % 2 == 0 and not series.right else "none",
            markeredgewidth=1.8 if series.right else 1.1, markersize=9.5 if series.right else 6,
            zorder=9 if series.right else 3 + i,
            label=f"{words(series.name)}{' (right)' if series.right else ''}",
        )  # fmt: skip
    axes.legend(loc="lower left", bbox_to_anchor=(0, 0), bbox_transform=axes.figure.transFigure, ncols=1,
                frameon=False, labelcolor=paint("--ink"), labelspacing=0.28, handletextpad=0.3,
                borderaxespad=0.2, handlelength=1.6)  # fmt: skip


def _once(xs: Iterable[float], ys: Iterable[float]) -> tuple[list[float], list[float]]:
    """Points without those that would be drawn upon each other."""
    points = {(float(f"{x:.3g}"), float(f"{y:.3g}")): (x, y) for x, y in zip(xs, ys, strict=True)}
    return [x for x, _ in points.values()], [y for _, y in points.values()]


def _dress(chart: Chart, axes: Any, paint: _Paint) -> None:
    """Scales, ticks, grid and names of the axes."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    ink, line = paint("--ink"), paint("--line")
    for axis, side, values in (
        (chart.x, axes.xaxis, chart.series[0].x),
        (chart.y, axes.yaxis, [y for s in chart.series for y in s.y] + [*(chart.observed or ((), ()))[1]]),
    ):
        if axis.scale == "places":
            side.set_ticks(range(len(axis.places)), labels=axis.places)
            axes.set_xlim(-0.5, len(axis.places) - 0.5)
            long = sum(map(len, axis.places)) > 60
            axes.tick_params(axis="x", labelrotation=20 if long else 0, labelsize=9)
        elif axis.scale == "linear":
            side.set_major_locator(MaxNLocator(6, integer=all(float(v).is_integer() for v in values)))
            side.set_major_formatter(FuncFormatter(lambda v, _: _tick(v)))
        else:
            _logarithmic(axis, side, axes, values)
        side.set_minor_locator(FixedLocator([]))
    axes.grid(True, color=line, linewidth=0.5, zorder=0)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_color(line)
    axes.tick_params(colors=ink, length=3, width=0.5)
    axes.set_xlabel(cut(chart.x.label, NAME), color=ink, labelpad=2)
    axes.set_title(chart.y.name, loc="left", color=ink, fontsize=11, pad=8)


def _logarithmic(axis: Axis, side: Any, axes: Any, values: Iterable[float]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter

    values = [*values]
    which = "x" if side is axes.xaxis else "y"
    if axis.scale == "symlog":
        getattr(axes, f"set_{which}scale")("symlog", linthresh=axis.threshold)
        bottom, top = min(*values, 0), max(*values, 0)
        getattr(axes, f"set_{which}lim")(2 * bottom - axis.threshold / 2, 2 * top + axis.threshold / 2)
        side.set_major_locator(FixedLocator(symlog_ticks(bottom, top, axis.threshold)))
    else:
        getattr(axes, f"set_{which}scale")("log")
        low, high = min(values), max(values)
        if which == "y":  # the line at 1 is always in sight, and as much of either side as is needed
            low, high = min(low, 0.8), max(high, 1.25)
        pad = (high / low) ** 0.06
        getattr(axes, f"set_{which}lim")(low / pad, high * pad)
        side.set_major_locator(FixedLocator(log_ticks(low / pad, high * pad)))
    side.set_major_formatter(FuncFormatter(lambda v, _: _tick(v)))


def log_ticks(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis, seven at most: at 1, 2 and 5 where there is room, closer where not.

    >>> log_ticks(0.7, 12)
    [1.0, 2.0, 5.0, 10.0]
    >>> log_ticks(0.8, 1.25)
    [0.8, 0.9, 1.0, 1.1, 1.2]
    """
    for step in (0.1, 0.2, 0.5):
        if low >= step and (high - low) / step <= 7 and high / low < 4:
            return [float(f"{k * step:.3g}") for k in range(math.ceil(low / step), int(high / step) + 1)]
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    ticks: list[float] = []
    for steps in ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        ticks = [t for d in decades for s in steps if low <= (t := float(f"{s}e{d}")) <= high]
        if len(ticks) <= MOST_TICKS:
            return ticks
    every = math.ceil(len(ticks) / MOST_TICKS)
    return [tick for tick in ticks if round(math.log10(tick)) % every == 0]


def symlog_ticks(low: float, high: float, threshold: float) -> list[float]:
    """Ticks of a symmetric logarithm: 0, and those of either side; of the shorter side its end alone.

    >>> symlog_ticks(0, 2000, 0.1)
    [0.0, 0.1, 1.0, 10.0, 100.0, 1000.0]
    """
    above = log_ticks(threshold, high) if high > threshold else []
    below = [-tick for tick in log_ticks(threshold, -low)][::-1] if -low > threshold else []
    if high >= -low:
        return [*below[:1], 0.0, *above]
    return [*below, 0.0, *above[-1:]]


def _tick(value: float) -> str:
    """A tick as one reads it: `0.5`, `4,096`, `2M`, `1e-06`."""
    size = abs(value)
    for unit, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if unit <= size < 1000 * unit:
            return f"{value / unit:.4g}{letter}"
    return f"{value:,.10g}" if size >= 1000 and size < 1e6 else f"{value:.4g}"


def _slim(svg: str, chart: Chart, names: Mapping[str, str]) -> str:
    """Matplotlib's SVG without what a page does not need, its stand-ins replaced, and told in words."""
    box = re.search(r'viewBox="([^"]+)"', svg)
    assert box is not None, "matplotlib writes a viewBox"
    for stand_in, name in names.items():
        svg = svg.replace(stand_in, f"var({name})")
    for found, kept in SLIMMER:
        svg = re.sub(found, kept, svg, flags=re.DOTALL)
    drawn = _hoist(svg).strip()
    title, desc = (html.escape(text, quote=False) for text in (chart.title, chart.description))
    number = chart.digest
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box[1]}" role="img" '
        f'aria-labelledby="t{number} d{number}" stroke-linejoin="round"><title id="t{number}">{title}</title>'
        f'<desc id="d{number}">{desc}</desc>{drawn}</svg>'
    )


def _hoist(svg: str) -> str:
    """The style that all marks of a series share, once for the series."""

    def hoisted(found: re.Match[str]) -> str:
        styles = {*re.findall(r'<use [^>]*style="([^"]*)"', found[0])}
        if len(styles) != 1:
            return found[0]
        (style,) = styles
        plain = found[0].replace(f' style="{style}"', "")
        return re.sub(r"^<g", f'<g style="{style}"', plain)

    return re.sub(r"<g(?: clip-path=\"[^\"]*\")?>\s*(?:<use [^>]*/>\s*)+</g>", hoisted, svg)
