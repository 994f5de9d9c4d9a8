"""Complaints about one page: what a tool prints of it, and one line if it cannot be read."""

import shutil
import subprocess
import sys

import pytest

from tests.corpus import ROOT
from tools.house import complaints
from tools.house.specimen import GOOD, HOME, altered, specimen

UNREADABLE = {
    "verdict": (altered(("Verdict: refuted by", "Verdict: refutes")), ":8: 'refutes one_byte_a_character: "),
    "syntax": (altered(("encode(character):", "encode(character:")), ":36: Python cannot read the page: '('"),
    "right": (altered(("right=bytes_by_code_point", "right=()")), ":41: the claim has no right answer. Name"),
    "encoding": ("\udce9", ":1: the page is not UTF-8. Save it"),
}
"""Pages that cannot be read, and what is said of them."""


@pytest.fixture
def page(tmp_path):
    """Where a page is to lie."""
    path = tmp_path / HOME
    path.parent.mkdir(parents=True)
    return path


def test_every_breach_is_a_complaint(page):
    """A page that breaks two rules has two complaints, each with its line and what to do."""
    for name, text in specimen(("return 1\n", "return 1  # TODO\n"), ("else four.", "else four")).items():
        file = page.parents[2] / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert complaints(page) == [
        f"{HOME}:25: TODO is left over. Do it, or say under `Limits:` what is not shown.",
        f"{HOME}:28: 'One byte below U+0080, two below U+0800, three below U+10000, else four' is left open. "
        "End it with a full stop.",
    ]


@pytest.mark.parametrize(("text", "complaint"), UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_page_has_one_complaint(page, text, complaint):
    """Of a page that cannot be read nothing is said but why, in one line."""
    page.write_text(text, encoding="utf-8", errors="surrogateescape")
    (found,) = complaints(page)
    assert found.startswith(f"{page}{complaint}")
    assert len(found.splitlines()) == 1


def test_a_missing_page_has_one_complaint(page):
    """A path at which no page lies is named, without a traceback."""
    assert complaints(page) == [
        f"{page}:1: the page cannot be opened: No such file or directory. Name a file traps/<area>/<slug>.py."
    ]


def test_an_unreadable_page_fails_one_test(corpus):
    """One fault in a colophon fails one test of the house rules, by one line."""
    corpus.write(GOOD, slug="good", area="tokenization")
    faulty = corpus.write(UNREADABLE["verdict"][0], slug="faulty", area="tokenization")
    rules = corpus.path / "tests" / "test_rules.py"
    rules.parent.mkdir()
    shutil.copy(ROOT / "tests" / "test_house_rules.py", rules)
    result = corpus.run(rules, "-k", "faulty or corpus_keeps")
    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines(
        [
            "_* test_page_can_be_read?faulty? _*",
            f"{faulty}:8: 'refutes one_byte_*' is no verdict. Write *",
            "=*",
        ],
        consecutive=True,
    )


def test_the_house_loads_no_torch():
    """Tools read pages as text: the house rules load neither torch nor pytest."""
    seen = "import sys, tools.house; print({'torch', 'hypothesis', 'pytest'} & sys.modules.keys())"
    command = [sys.executable, "-c", seen]
    assert subprocess.check_output(command, cwd=ROOT, text=True).strip() == "set()"
