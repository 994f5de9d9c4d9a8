"""The same pages leave the same records: alone or among others, in any order, in one process or two."""

import json

import pytest

from tests.corpus import SLUG

NUMBERED = """
LIMIT = 4711
SHARE = 0.123456
WORD = "{slug}"
"""

SHUFFLE = """
import random

@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    random.Random(5).shuffle(items)
"""

SLUGS = (SLUG, "second", "third")


def records(corpus, folder):
    """Everything that the records below a folder say, without their day and place."""
    found = {}
    for path in sorted((corpus.path / folder).glob("cpu/*/*.json")):
        found[path.stem] = path.read_text(encoding="utf-8").split('"page": ')[1]
    return found


@pytest.fixture
def usual(corpus):
    """Three pages with constants of their own and wide regimes, and the records of a run in this process."""
    for slug in SLUGS:
        corpus.write(
            slug=slug,
            head=NUMBERED.format(slug=slug).replace("47", f"{len(slug)}"),
            given="items=st.integers(2, 9999), share=st.floats(0, 1), "
            "words=st.frozensets(st.sampled_from(['a', 'b', 'c', 'd']))",
            signature="answer, items, share, words",
            body="observe(many=words)\n    assert observe(length=len(range(items)) * 2) == answer(items)",
        )
    corpus.run("--evidence=usual")
    return records(corpus, "usual")


def test_same_bytes_in_two_processes(corpus, usual):
    """A run in parallel leaves the same records."""
    corpus.spawn("-n2", "--evidence=parallel")

    assert usual.keys() == set(SLUGS)
    assert records(corpus, "parallel") == usual


def test_same_bytes_in_any_order(corpus, usual):
    """A run in another order leaves the same records."""
    corpus.conftest(SHUFFLE)
    result = corpus.run("-vv", "--evidence=shuffled")
    tried = [line.split("[")[0] for line in result.outlines if "::" in line]

    assert tried != sorted(tried)
    assert records(corpus, "shuffled") == usual


def test_same_bytes_alone(corpus, usual):
    """A page that runs alone, in a process that loads no other, leaves the same record as among others."""
    corpus.spawn("traps/lists/second.py", "--evidence=alone")

    assert records(corpus, "alone") == {"second": usual["second"]}


def test_wide_regimes_are_recorded_as_drawn(corpus, usual):
    """What the records share is the draws: a page's inputs come from its regime, not from its constants."""
    right = json.loads((corpus.path / "usual/cpu/lists/second.json").read_text())["runs"][0]

    assert len(set(right["samples"]["inputs"]["items"])) > 20
    assert 4711 not in right["samples"]["inputs"]["items"]
