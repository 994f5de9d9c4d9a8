"""What the README shows of the terminal is what the terminal shows."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SESSIONS = re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)

TOLD = ("held on", "does not hold", "  follows from the model")
"""What a session shows of: claims, an answer refuted, a claim asked at given numbers."""


def shown(session: str, folder: Path) -> list[tuple[list[str], list[str]]]:
    """The pytest commands of a session with the lines below each; a file that `cat` shows is written."""
    runs = []
    for part in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        command, *lines = part.splitlines()
        words = shlex.split(command, comments=True)
        if words[0] == "cat":
            (folder / words[1]).write_text("\n".join(lines) + "\n", encoding="utf-8")
        elif words[0] == "pytest" and lines:
            runs.append(([word.replace("mine.py", str(folder / "mine.py")) for word in words[1:]], lines))
    return runs


@pytest.mark.parametrize("session", [s for s in SESSIONS if any(words in s for words in TOLD)])
def test_readme_shows_what_the_terminal_shows(session, tmp_path):
    """Each line printed below a command of the README is a line of that command's output."""
    ((arguments, lines),) = shown(session, tmp_path)

    run = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert [line for line in lines if line not in run.stdout.splitlines()] == []


def test_readme_shows_one_of_each_kind():
    """The README keeps at least one session of each kind, so that the test above tests something."""
    assert all(sum(words in s for s in SESSIONS) >= 1 for words in TOLD)
