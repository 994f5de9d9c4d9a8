"""Guess before you read: `python -m tools.quiz [words]`.

Each question comes with its answers in an order that does not tell. You say which one holds; then come
the counterexample of each wrong one, and the answer as one says it in the room. Nothing is kept but the
score, and that until the end.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fixtures.trial.page import ClaimText, Page, PageError, pages
from fixtures.trial.record import Record, RecordError, records
from fixtures.trial.words import plural, refutation

LETTERS = "abcdefghij"
QUIT = {"q", "quit", "exit"}


@dataclass(frozen=True)
class Question:
    """A claim as one is asked: its page's question, the answers, and where each wrong one fails."""

    page: Page
    claim: ClaimText
    answers: tuple[str, ...]
    """The names of the answers in the order in which they are shown."""
    refuted: dict[str, str]

    @classmethod
    def of(cls, page: Page, record: Record, rng: random.Random) -> Question:
        """The first claim of a page, which holds the trap's main point, its answers shuffled."""
        claim = page.claims[0]
        answers = [*claim.rivals]
        rng.shuffle(answers)
        runs = {run.answer: run for run in record.runs if run.claim == claim.name}
        found = {
            name: refutation(run.counterexample, claim.parameters)
            for name, run in runs.items()
            if run.counterexample is not None
        }
        return cls(page, claim, tuple(answers), found)

    def asked(self) -> str:
        """The question and the answers, each with a letter."""
        lines = [_wrapped(self.page.question), ""]
        for letter, name in zip(LETTERS, self.answers, strict=False):
            lines.append(_wrapped(self.claim.rivals[name].sentence, f"  {letter}) "))
        return "\n".join(lines)

    def told(self, guess: str) -> str:
        """What became of the guess, and of every answer."""
        right = f"right-{self.claim.right.name}"
        verdict = "Right." if guess == right else f"No: {LETTERS[self.answers.index(right)]}."
        lines = [verdict]
        for letter, name in zip(LETTERS, self.answers, strict=False):
            fate = "holds" if name == right else self.refuted.get(name, "refuted")
            lines.append(_wrapped(fate, f"  {letter}) "))
        answer = self.page.answer or f"{self.claim.right.sentence} {self.claim.right.reason}"
        return "\n".join([*lines, "", _wrapped(answer), "", f"pytest -k {self.page.slug}"])


def questions(root: Path, words: Sequence[str], rng: random.Random) -> list[Question]:
    """The verified pages whose text holds all the words, in an order of their own."""
    taken = {record.page: record for _, record in records(root / "evidence") if _is_cpu(record)}
    found = [
        Question.of(page, taken[page.name], rng)
        for page in pages(root)
        if page.name in taken and page.claims and _holds(page, words)
    ]
    rng.shuffle(found)
    return found


def play(asked: Sequence[Question], read: Callable[[str], str] = input) -> tuple[int, int]:
    """Ask one after the other; the score and how many were answered."""
    score = answered = 0
    for number, question in enumerate(asked, start=1):
        print(f"\n{number} of {len(asked)}: {question.page.title}\n\n{question.asked()}\n")
        known = LETTERS[: len(question.answers)]
        guess = ""
        while guess not in [*known]:
            try:
                guess = read(f"Your guess ({known[0]} to {known[-1]}, q ends): ").strip().lower()
            except EOFError:
                guess = "q"
            if guess in QUIT:
                return score, answered
        answered += 1
        name = question.answers[known.index(guess)]
        score += name.startswith("right-")
        print(f"\n{question.told(name)}")
    return score, answered


def _holds(page: Page, words: Sequence[str]) -> bool:
    text = f"{page.name} {page.text}".lower()
    return all(word.lower() in text for word in words)


def _is_cpu(record: Record) -> bool:
    return record.environment.device == "cpu" and not any(run.is_fault for run in record.runs)


def _wrapped(text: str, label: str = "") -> str:
    width = min(shutil.get_terminal_size().columns, 100)
    return textwrap.fill(text, width, initial_indent=label, subsequent_indent=" " * len(label))


def main(argv: Sequence[str] | None = None) -> int:
    """Ask about the pages that hold the words, or about all."""
    parser = argparse.ArgumentParser(prog="python -m tools.quiz", description="Guess before you read.")
    parser.add_argument("words", nargs="*", help="ask only about pages whose text holds all of these")
    parser.add_argument("--seed", type=int, help="ask in the same order again")
    parser.add_argument("--root", type=Path, default=Path(), help="the repository (default: this folder)")
    options = parser.parse_args(argv)
    try:
        asked = questions(options.root, options.words, random.Random(options.seed))
    except (PageError, RecordError, SyntaxError) as error:
        print(f"quiz: {error}", file=sys.stderr)
        return 2
    if not asked:
        print(f"quiz: no verified page holds {' and '.join(options.words) or 'a claim'}. Try another word.")
        return 2
    try:
        score, answered = play(asked)
    except KeyboardInterrupt:
        return 130
    print(f"\n{score} of {plural(answered, 'question')} right.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
