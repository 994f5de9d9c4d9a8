"""The versions that a clean installation takes are pinned, once."""

import re
import tomllib
from itertools import chain

from tests.corpus import ROOT


def pins() -> dict[str, str]:
    """The versions of constraints.txt."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.MULTILINE))


def test_every_direct_dependency_is_pinned():
    """A clean installation takes the versions at which the sheet was verified."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    assert sorted(pins()) == sorted(re.match(r"[\w.-]+", requirement)[0] for requirement in direct)


def test_the_hooks_run_the_pinned_linter():
    """A commit is held to the same linter as a check."""
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"ruff==([\d.]+)", hooks)) == {pins()["ruff"]}
