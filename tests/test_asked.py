"""Every trap of the list has a page, which says where it is asked."""

import tomllib
from collections import Counter

import pytest

from fixtures.trial.page import pages
from tests.corpus import ROOT

TRAPS = tomllib.loads((ROOT / "tests" / "asked.toml").read_text(encoding="utf-8"))["trap"]


@pytest.fixture(scope="module")
def asked():
    """The places that the pages name, without what follows them: an address, or a comma."""
    return {entry.split(", http")[0].rstrip(",") for page in pages(ROOT) for entry in page.asked}


def test_the_list_is_whole():
    """76 traps, each once."""
    assert len(TRAPS) == 76
    assert [name for name, times in Counter(trap["id"] for trap in TRAPS).items() if times > 1] == []


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap["id"])
def test_a_trap_has_a_page(trap, asked):
    """At least one, for each place where it is asked."""
    assert set(trap["asked"]) <= asked
