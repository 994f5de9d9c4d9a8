"""Begin a page: `python -m tools.new_trap <area> <slug>`.

The page is complete in shape and fails until every place marked FILL IN is written. An area that
does not exist yet is opened with `--new-area "Its opening sentence."`.
"""

from __future__ import annotations

import argparse
import keyword
import re
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import jinja2

from fixtures.trial.page import BLANK, did_you_mean, page_paths
from fixtures.trial.record import write_atomically

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
"""What a slug or an area may be called."""

NEXT = """\
{page}
Write every place marked {blank}, then try it: pytest {page} -v
and prove it: python -m tools.check {page}
CONTRIBUTING.md says what each part of a page is for."""


class Refusal(ValueError):
    """A page that cannot be begun: what was seen, what to do."""


def new_trap(root: Path, area: str, slug: str, opening: str | None = None) -> Path:
    """Write the page `root/traps/<area>/<slug>.py`; with `opening`, open its area too.

    Raises Refusal for a name that will not do and for a page that would overwrite or shadow another.
    """
    traps = root / "traps"
    if not traps.is_dir():
        raise Refusal(f"There is no folder {traps}. Run this in the root of the repository.")
    _check_name("area", area)
    _check_name("slug", slug)
    _check_area(traps, area, opening)
    _check_new(root, slug)
    if opening is not None:
        write_atomically(traps / area / "__init__.py", chapter(opening))
    page = traps / area / f"{slug}.py"
    write_atomically(page, draft(slug))
    return page


def draft(slug: str) -> str:
    """The text of a fresh page."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # Python, not HTML
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    return templates.get_template("page.py.j2").render(slug=slug, blank=BLANK)


def chapter(opening: str) -> str:
    """The text of an area's `__init__.py`: its opening sentence, as a docstring."""
    if not re.fullmatch(r'[^"\\]*\w\.', opening):
        raise Refusal(
            f"{opening!r} does not open a chapter. Write one sentence that ends with a full stop, "
            "without double quotes or backslashes."
        )
    return textwrap.fill(f'"""{opening}"""', 110, break_long_words=False) + "\n"


def _check_name(what: str, name: str) -> None:
    if not NAME.fullmatch(name) or keyword.iskeyword(name):
        raise Refusal(
            f"{name!r} will not do as the name of {'an' if what == 'area' else 'a'} {what}. "
            "Write snake_case, a letter first and no Python keyword, as in kvcache_counts_query_heads."
        )


def _check_area(traps: Path, area: str, opening: str | None) -> None:
    areas = tuple(sorted(init.parent.name for init in traps.glob("*/__init__.py")))
    if opening is not None and area in areas:
        raise Refusal(f"The area {area!r} has its opening sentence already. Leave out --new-area.")
    if opening is None and area not in areas:
        near = did_you_mean(area, areas)
        raise Refusal(
            f"There is no area {area!r}. {f'{near} ' if near.endswith('?') else ''}"
            f"Choose from {', '.join(areas) or 'none so far'}, "
            'or open one with --new-area "Its opening sentence."'
        )


def _check_new(root: Path, slug: str) -> None:
    for page in page_paths(root):
        if page.stem == slug:
            raise Refusal(
                f"{page} has this slug already. Choose another: "
                "`pytest -k` knows a page by its slug, so no two areas share one."
            )


def main(argv: Sequence[str] | None = None) -> int:
    """Begin the page that the command line names; 2 when it cannot be begun."""
    parser = argparse.ArgumentParser(prog="python -m tools.new_trap", description="Begin a page.")
    parser.add_argument("area", help="the chapter, a folder of traps/")
    parser.add_argument("slug", help="the mistake, subject first, as in kvcache_counts_query_heads")
    parser.add_argument("--new-area", metavar="SENTENCE", help="open the area with this sentence")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: this folder)")
    arguments = parser.parse_args(argv)
    try:
        page = new_trap(arguments.root, arguments.area, arguments.slug, arguments.new_area)
    except (Refusal, OSError) as error:
        print(f"new_trap: {error}", file=sys.stderr)
        return 2
    print(NEXT.format(page=page, blank=BLANK))
    return 0


if __name__ == "__main__":
    sys.exit(main())
