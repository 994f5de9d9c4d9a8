"""Libraries that need not be installed: a claim about a missing one is unverified, and says so."""

import json

import pytest

from fixtures.optional import NotInstalled, library


def test_a_library_that_is_here():
    """It is the module that `import` gives."""
    assert library("json.decoder") is json.decoder


def test_a_library_that_is_missing():
    """The error says what is missing and what to do."""
    with pytest.raises(
        NotInstalled, match=r'no_such is not installed here: pip install "trapsheet\[no_such\]"'
    ):
        library("no_such.part")


def test_a_library_that_is_broken(tmp_path, monkeypatch):
    """A library that misses one of its own is no library that is missing."""
    (tmp_path / "broken_one.py").write_text("import no_such_part\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ModuleNotFoundError, match="no_such_part"):
        library("broken_one")


def test_a_claim_about_a_missing_library_is_unverified(corpus):
    """Whatever its evidence, and for all of its answers."""
    corpus.write(
        head="from fixtures.optional import library",
        body='library("no_such")\n    assert observe(length=len(items * [0] + items * [0])) == answer(items)',
    )
    result = corpus.run("-v")

    result.stdout.fnmatch_lines(["*no_such is not installed here*"])
    assert result.parseoutcomes().keys() <= {"unverified", "skipped"}
