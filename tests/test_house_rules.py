"""The house rules at work: each on every page, and on the specimens that break it.

The rules themselves, and how to add one, are in `tools/house/`.
"""

from pathlib import Path

import pytest

from fixtures.trial.page import PageError, page_paths
from tools.house import complaints, corpus_complaints
from tools.house.rules import CORPUS_RULES, PAGE_RULES, breaches
from tools.house.source import Source
from tools.house.specimen import ACCEPTED, GOOD, HOME, OPENING

ROOT = Path(__file__).parents[1]


def read(path):
    """A page, or why it cannot be read."""
    try:
        return Source.read(path)
    except PageError as error:
        return error


READ = {path: read(path) for path in page_paths(ROOT)}
READABLE = {path: source for path, source in READ.items() if isinstance(source, Source)}


def specimens(rules):
    """Every rule with each of its failing specimens."""
    return [
        pytest.param(rule, files, id=rule.__name__ + (f"-{number}" if number else ""))
        for rule, broken in rules.items()
        for number, files in enumerate(broken)
    ]


def write(root, files):
    """Write a specimen's files: the root of a small corpus."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize("path", READ, ids=lambda path: path.stem)
def test_page_can_be_read(path):
    """Every page can be read; one that cannot is reported here alone, and no rule is tried on it."""
    if path not in READABLE:
        pytest.fail(str(READ[path]), pytrace=False)


@pytest.mark.parametrize("source", READABLE.values(), ids=lambda source: source.page.slug)
@pytest.mark.parametrize("rule", PAGE_RULES, ids=lambda rule: rule.__name__)
def test_page_keeps_the_rule(rule, source):
    """Every page keeps every rule."""
    if found := breaches(rule, source):
        pytest.fail("\n".join(found), pytrace=False)


@pytest.mark.parametrize("rule", CORPUS_RULES, ids=lambda rule: rule.__name__)
def test_corpus_keeps_the_rule(rule):
    """The corpus as a whole keeps the rules that concern more than one page."""
    if found := list(rule(ROOT)):
        pytest.fail("\n".join(found), pytrace=False)


@pytest.mark.parametrize(("rule", "files"), specimens(PAGE_RULES))
def test_rule_catches_a_page(rule, files, tmp_path):
    """A rule finds fault with a page that breaks it."""
    name = next(name for name in files if name.startswith("traps/"))
    assert breaches(rule, Source.read(write(tmp_path, files) / name))


@pytest.mark.parametrize(("rule", "files"), specimens(CORPUS_RULES))
def test_rule_catches_a_corpus(rule, files, tmp_path):
    """A rule finds fault with a corpus that breaks it."""
    assert list(rule(write(tmp_path, files)))


@pytest.mark.parametrize("files", ACCEPTED.values(), ids=ACCEPTED)
def test_rules_accept_a_page(files, tmp_path):
    """No rule finds fault with a page that keeps them."""
    path = write(tmp_path, files | OPENING) / HOME
    assert complaints(path) == []
    assert corpus_complaints(tmp_path) == []


def test_the_good_specimen_holds(corpus):
    """The page from which the specimens are cut is a page: one answer holds, one is refuted."""
    corpus.write(GOOD, slug="characters_are_bytes", area="tokenization")
    assert corpus.run("traps").parseoutcomes() == {"passed": 1, "refuted": 1}
