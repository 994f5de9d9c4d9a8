"""How the clocks of the corpus stand noise: `python -m tests.bench.noise`.

Every claim that is measured on the CPU runs again and again: on the machine as it is, then beside busy
loops, then beside loops that copy memory. A table counts the outcomes. No noise may fail a claim, and
without noise none may be unverified.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing import Process
from pathlib import Path

import pytest

from fixtures.device import NO_GPU
from fixtures.trial.record import Run
from fixtures.trial.report import run_of

ROOT = Path(__file__).parents[2]
COLUMNS = ("held", "refuted", "unverified", "failed", "survived")


class Tally:
    """Keeps the runs of a session of pytest."""

    def __init__(self) -> None:
        self.runs: list[Run] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the run of a claim, but for those that have no device here."""
        if (run := run_of(report)) and run.reason != NO_GPU:
            self.runs.append(run)


def busy() -> None:
    """Compute for ever."""
    while True:
        pass


def copying() -> None:
    """Move memory for ever: 64 MiB, more than most caches hold."""
    source = bytearray(2**26)
    while True:
        bytes(source)


NOISES = {"as it is": None, "busy loops": busy, "copying loops": copying}


@contextlib.contextmanager
def beside(noise: Callable[[], None] | None, loops: int) -> Iterator[None]:
    """So many processes that make noise."""
    processes = [Process(target=noise, daemon=True) for _ in range(loops if noise else 0)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


def session(selection: list[str]) -> list[Run]:
    """The runs of one session of pytest."""
    tally = Tally()
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        pytest.main(["traps", "-m", "measured", *selection], plugins=[tally])
    return tally.runs


def row(noise: str, seconds: str, counts: Counter[str]) -> str:
    """A line of the table, with the load of the last minute."""
    cells = (f"{counts[outcome]:11}" for outcome in COLUMNS)
    return f"{noise:20}{os.getloadavg()[0]:6.1f}{seconds:>9}{''.join(cells)}"


def main(arguments: list[str] | None = None) -> int:
    """Print the table; 1 if anything failed or survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="sessions per noise (20)")
    parser.add_argument("--loops", type=int, default=2 * (os.cpu_count() or 1), help="loops (two per core)")
    parser.add_argument("--noise", choices=NOISES, action="append", help="only this noise; may be repeated")
    parser.add_argument("selection", nargs="*", help="further arguments of pytest, after --: -- -k flash")
    options = parser.parse_args(arguments)
    os.chdir(ROOT)
    print(f"{'noise':20}{'load':>6}{'seconds':>9}{''.join(f'{name:>11}' for name in COLUMNS)}")
    faults = 0
    for name in options.noise or NOISES:
        total: Counter[str] = Counter()
        with beside(NOISES[name], options.loops):
            for _ in range(options.runs):
                start, runs = time.monotonic(), session(options.selection)
                counts = Counter(run.outcome for run in runs)
                print(row(name, f"{time.monotonic() - start:.1f}", counts), flush=True)
                for run in runs:
                    if run.outcome not in ("held", "refuted"):
                        print(f"    {run.claim}[{run.answer}]: {run.reason or run.assertion}", flush=True)
                total += counts
        print(row(f"{name}, all", "", total), flush=True)
        faults += total["failed"] + total["survived"]
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
