"""Bench: what a check costs next to what it cannot do without. `python -m tools.bench`.

CPU times of whole processes, their children included, as medians over interleaved runs. The floor is the
import of torch, Hypothesis and pytest. Run it on a machine that does nothing else: a busy one makes every
process dearer, and not all by the same factor.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from fixtures.trial.page import page_paths

ROOT = Path(__file__).parents[1]

WORD = "kvcache"
FLOOR = ("-c", "import torch, hypothesis, pytest")
COLLECT = ("-m", "pytest", "--collect-only", "-q", "-k", WORD)
VERDICT = ("-m", "pytest", "-k", "bytes_of_the_cache")

COLLECT_AT_MOST = 1.25
"""Floors for collecting the pages that match a word."""
PAGE_AT_MOST = 1.0
"""Milliseconds for each page that does not match."""
VERDICT_AT_MOST = 1.6
"""Floors for deciding one claim."""


def grow(root: Path, folder: Path, copies: int) -> None:
    """Lay out the corpus of `root` in `folder`, and renamed copies of pages that do not match WORD."""
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(root / name, folder)
    shutil.copytree(root / "traps", folder / "traps", ignore=shutil.ignore_patterns("__pycache__"))
    texts = {page: page.read_text(encoding="utf-8") for page in page_paths(root)}
    others = [page for page, text in texts.items() if WORD not in f"{page.name} {text.lower()}"]
    for number in range(copies):
        page = others[number % len(others)]
        text = re.sub(r"\b(test_\w+)", rf"\1_{number}", texts[page])
        copy = folder / "traps" / page.parent.name / f"{page.stem}_{number}.py"
        copy.write_text(text, encoding="utf-8")


def cpu_seconds(arguments: Sequence[str], folder: Path) -> float:
    """The CPU time of one Python process; CalledProcessError if it fails."""
    command = [sys.executable, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise subprocess.CalledProcessError(process.returncode, command, said.read())
    return usage.ru_utime + usage.ru_stime


def measure(runs: int, copies: int) -> dict[str, float]:
    """Median CPU seconds: `floor`, `collect`, `among copies`, `verdict`."""
    with tempfile.TemporaryDirectory() as temporary:
        grown = Path(temporary)
        grow(ROOT, grown, copies)
        processes = {
            "floor": (FLOOR, ROOT),
            "collect": (COLLECT, ROOT),
            "among copies": (COLLECT, grown),
            "verdict": (VERDICT, ROOT),
        }
        takes = [
            {name: cpu_seconds(*process) for name, process in processes.items()} for _ in range(runs + 1)
        ]
    return {name: median(take[name] for take in takes[1:]) for name in processes}  # the first fills caches


def table(seconds: Mapping[str, float], copies: int) -> list[str]:
    """The figures as lines, each with its aim."""
    floor, page = seconds["floor"], 1000 * (seconds["among copies"] - seconds["collect"]) / copies
    rows = [
        (f"python {FLOOR[0]} {FLOOR[1]!r}", seconds["floor"], "the floor"),
        (
            f"pytest {' '.join(COLLECT[2:])}",
            seconds["collect"],
            f"{seconds['collect'] / floor:.2f} floors; the aim is at most {COLLECT_AT_MOST}",
        ),
        (
            f"  with {copies:,} more pages",
            seconds["among copies"],
            f"{page:.2f} ms for each; the aim is at most {PAGE_AT_MOST}",
        ),
        (
            f"pytest {' '.join(VERDICT[2:])}",
            seconds["verdict"],
            f"{seconds['verdict'] / floor:.2f} floors; the aim is at most {VERDICT_AT_MOST}",
        ),
    ]
    return [f"{what:<44} {cost:6.2f} s   {judged}" for what, cost, judged in rows]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="runs of each process (default: 5)")
    parser.add_argument("--copies", type=int, default=1000, help="pages to add (default: 1000)")
    options = parser.parse_args(arguments)
    if options.runs < 1 or options.copies < 1:
        parser.error("there is nothing to measure. Give --runs and --copies of 1 or more.")
    try:
        seconds = measure(options.runs, options.copies)
    except subprocess.CalledProcessError as error:
        print(f"{' '.join(error.cmd)} failed:\n{error.output.decode()}", file=sys.stderr)
        return 1
    print("\n".join(table(seconds, options.copies)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
