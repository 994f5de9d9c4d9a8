"""A corpus in small: the real plugins and settings, and pages written for one test each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures.trial.record import Record, Run

ROOT = Path(__file__).parents[1]

SLUG = "joined_lists_keep_their_length"

PARTS = {
    "title": "The length of two joined lists",
    "question": "Two lists of n items each are joined. How many items\nhas the result?",
    "verdict": "Verdict: holds",
    "asked": "Asked: Specimens, chapter 1",
    "source": "Source: The Python authors 2025, sequences, https://docs.python.org/3/library/stdtypes.html",
    "more": None,
    "head": "",
    "belief": '"""Joining copies nothing, so the length stays."""',
    "wrong": "return items",
    "rule": '"""Each list hands over every item it has.\n\n    The result is a list of its own.\n    """',
    "right": "return 2 * items",
    "helpers": "",
    "claim": "wrong=as_long_as_one, right=as_long_as_both",
    "given": "items=st.integers(2, 20)",
    "signature": "answer, items",
    "sentence": '"""The joined list holds the items of both."""',
    "body": "joined = [0] * items + [1] * items\n\n    assert observe(length=len(joined)) == answer(items)",
}

CODE = """
from hypothesis import given
from hypothesis import strategies as st

from fixtures import claim, observe
{head}

def as_long_as_one(items: int) -> int:
    {belief}
    {wrong}


def as_long_as_both(items: int) -> int:
    {rule}
    {right}

{helpers}

@claim({claim})
@given({given})
def test_length(answer, {signature}):
    {sentence}
    {body}
"""


def page(**changed: str | None) -> str:
    """The text of a good page, with some of its PARTS changed; None leaves one out."""
    parts = {**PARTS, **changed}
    assert parts.keys() == PARTS.keys(), f"no such part: {changed.keys() - PARTS.keys()}"
    parts["signature"] = str(parts["signature"]).removeprefix("answer, ")
    colophon = [parts[entry] for entry in ("verdict", "asked", "source", "more")]
    front = "\n\n".join(
        text
        for text in (parts["title"], parts["question"], "\n".join(entry for entry in colophon if entry))
        if text
    )
    return f'"""{front}\n"""\n' + CODE.format(**{name: text or "" for name, text in parts.items()})


@dataclass(frozen=True)
class Corpus:
    """A folder with the real conftest.py and pyproject.toml, and pages of its own."""

    pytester: pytest.Pytester

    @property
    def path(self) -> Path:
        return self.pytester.path

    def write(self, text: str | None = None, *, slug: str = SLUG, area: str = "lists", **changed) -> Path:
        """Write a page: the good one, with parts changed, or a text of one's own."""
        file = self.path / "traps" / area / f"{slug}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.py").write_text(f'"""Traps about {area}."""\n', encoding="utf-8")
        file.write_text(page(**changed) if text is None else text, encoding="utf-8")
        return file

    def conftest(self, text: str) -> None:
        """Add hooks of a test's own to the corpus."""
        with (self.path / "conftest.py").open("a", encoding="utf-8") as file:
            file.write(f"\n\n{text}\n")

    def run(self, *arguments: str | Path) -> pytest.RunResult:
        """Run pytest on the corpus, in this process; an interrupted run is an outcome like others."""
        return self.pytester.runpytest_inprocess(*arguments, no_reraise_ctrlc=True)

    def spawn(self, *arguments: str | Path) -> pytest.RunResult:
        """Run pytest on the corpus in a process that has loaded nothing else."""
        return self.pytester.runpytest_subprocess(*arguments)

    def place(self, slug: str = SLUG, *, device: str = "cpu", area: str = "lists") -> Path:
        """Where a run with --evidence=evidence leaves the record of a page."""
        return self.path / "evidence" / device / area / f"{slug}.json"

    def read(self, slug: str = SLUG, **where: str) -> Record:
        """The record that a run with --evidence=evidence left of a page."""
        return Record.read(self.place(slug, **where))

    def read_failed(self) -> Record:
        """What a run with --evidence=evidence left of the good page, where a claim failed."""
        return Record.model_validate_json(self.place().with_suffix(".failed.json").read_text("utf-8"))

    def record(self, *arguments: str | Path) -> Record:
        """The record that a run of the corpus leaves of the good page."""
        self.run("--evidence=evidence", *arguments)
        return self.read()

    def runs(self, *arguments: str | Path) -> dict[str, Run]:
        """The runs of the good page by answer; its claims are to share none."""
        return {run.answer: run for run in self.record(*arguments).runs}

    def failed(self, *arguments: str | Path) -> dict[str, Run]:
        """The runs by answer that a run of the good page leaves where a claim fails."""
        self.run("--evidence=evidence", *arguments)
        return {run.answer: run for run in self.read_failed().runs}
