"""What the tests of the machinery share: a corpus of their own."""

import sys
from pathlib import Path

import pytest
import torch._dynamo  # noqa: F401  a nested run forgets what it was first to import; torch loads only once
from hypothesis import settings

from tests import specimens
from tests.corpus import ROOT, Corpus


@pytest.fixture
def corpus(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Corpus:
    """An empty corpus."""
    for name in ("conftest.py", "pyproject.toml"):
        (pytester.path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # pages change faster than time stamps
    return Corpus(pytester)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of one page with its record, for a printer."""
    return specimens.repository(tmp_path)


@pytest.fixture(autouse=True)
def _profile():
    """A nested run loads a profile of its own: give the outer one its own back."""
    name = settings.get_current_profile_name()
    yield
    settings.load_profile(name)
