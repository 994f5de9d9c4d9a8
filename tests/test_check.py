"""One command proves a page: claims, house rules, teeth, a deep run, and the entry that is printed of it."""

import re

import pytest
import torch

from tests.corpus import ROOT
from tools.check import main
from tools.house.specimen import EVIDENCE, HOME, OPENING, altered

HOLDS = altered(
    # A few characters of each length and both sides of every bound, so that each mutant dies.
    (
        'st.characters(exclude_categories=["Cs"])',
        'st.sampled_from("a\x7f\x80é\\u07ff\\u0800€\\uffff\\U00010000🚀")',
    )
)


@pytest.fixture
def house(corpus):
    """A corpus of one page, with what a repository has beside it; it pins the torch that is here."""
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    here = f"torch=={torch.__version__.partition('+')[0]}"
    (corpus.path / "constraints.txt").write_text(
        re.sub(r"^torch==.*$", here, pins, flags=re.M), encoding="utf-8"
    )
    for name, text in OPENING.items():
        (corpus.path / name).parent.mkdir(parents=True, exist_ok=True)
        (corpus.path / name).write_text(text, encoding="utf-8")
    return corpus


def check(house, text, capsys, page=HOME):
    """The exit status of the tool, and the lines it prints."""
    (house.path / HOME).write_text(text, encoding="utf-8")
    status = main([page, "--root", str(house.path)])
    return status, capsys.readouterr()


def test_a_page_that_is_done(house, capsys):
    """Each proof takes a line, the record is written, and the entry is shown as it will be printed."""
    status, said = check(house, HOLDS, capsys)
    first, style, second, third, fourth, fifth, sixth, *entry = said.out.splitlines()
    assert first.startswith("form   passes  0 complaints from ")
    assert style == "style  passes  ruff check, ruff format"
    assert second.startswith("claims passes  1 passed, 1 refuted; records: 1 taken")
    assert third.startswith("record passes  0 complaints from ")
    assert fourth.startswith("teeth  passes  ")
    assert fourth.endswith(" 0 survived")
    assert fifth.startswith("deep   passes  1 passed, 1 refuted")
    assert sixth == "entry  passes  facts/tokenization.md will read:"
    assert "## " in entry[1]
    assert any("**Answer.** One to four, by its code point" in line for line in entry)
    assert (house.path / EVIDENCE).is_file()
    assert status == 0


FAULTS = {
    "a verdict": (("Verdict: refuted by", "Verdict: refutes"), "form   FAILS", "is no verdict."),
    "a right answer that falls": (("return 1 + sum(", "return 2 + sum("), "claims FAILS", "1 failed"),
    "a wrong answer that stands": (
        ("return 1\n", "return len(encode(character))\n"),
        "claims FAILS",
        "toothless",
    ),
    "a house rule": (
        ("Limits: Other", "Limits: TODO other"),
        "form   FAILS",
        f"{HOME}:13: TODO is left over.",
    ),
    "a test that never runs": (
        ("def test_bytes", "def bytes"),
        "form   FAILS",
        "Name it test_bytes_of_a_character.",
    ),
    "a line too long": (("import codecs\n", f"import codecs  # {'x' * 100}\n"), "style  FAILS", "E501"),
    "a layout": (("return 1\n", "return (1)\n"), "style  FAILS", "+    return 1"),
    "a figure": (("a rocket 4", "a rocket 5"), "record FAILS", "nothing on the page computes '5'"),
    "a mutant that lives": (("\\uffff", "b"), "teeth  FAILS", "survived"),
}


@pytest.mark.parametrize(("change", "line", "why"), FAULTS.values(), ids=FAULTS)
def test_the_first_fault_stops(house, capsys, change, line, why):
    """What fails is named with its reason, nothing is tried behind it, and the exit status is 1."""
    status, said = check(house, altered(change, text=HOLDS), capsys)
    assert status == 1
    assert why in said.out
    lines = said.out.splitlines()
    last = next(text for text in lines if "FAILS" in text)
    assert last.startswith(line)
    assert all("passes" in text for text in lines[: lines.index(last)])
    assert lines[-1].endswith(f"run `python -m tools.check {HOME}` again.")


def test_a_slug_that_is_taken(house, capsys):
    """Rules that concern other pages too are tried on this one."""
    other = house.path / "traps" / "data" / "characters_are_bytes.py"
    other.parent.mkdir()
    (other.parent / "__init__.py").write_text('"""What a model is fed."""\n', encoding="utf-8")
    other.write_text(HOLDS, encoding="utf-8")
    status, said = check(house, HOLDS, capsys)
    assert status == 1
    assert "the slug characters_are_bytes stands in traps/data/" in said.out


@pytest.mark.parametrize(
    "page", ["traps/tokenization/gone.py", "traps/tokenization", "setup.py", "traps/x/y/z.py"]
)
def test_what_is_no_page(house, capsys, page):
    """A path that leads to no page is named, with exit status 2."""
    status, said = check(house, HOLDS, capsys, page)
    assert status == 2
    assert said.err == f"check: {page} is no page. Name a file traps/<area>/<slug>.py.\n"


def test_a_record_that_cannot_be_replaced(house, capsys):
    """A file of another kind in the record's place is named, not passed over."""
    (house.path / EVIDENCE).parent.mkdir(parents=True)
    (house.path / EVIDENCE).write_text("[]", encoding="utf-8")
    status, said = check(house, HOLDS, capsys)
    assert status == 1
    assert "claims FAILS   1 passed, 1 refuted; records: 0 taken, 0 kept, 1 refused" in said.out
    assert f"{EVIDENCE}: is JSON, but no record of a run. Move it out of the folder." in said.out


def test_several_pages(house, capsys):
    """Each is proved under its name, also behind one that fails, and the exit status is then 1."""
    other = HOME.replace("characters", "letters")
    misspelt = HOLDS.replace("Verdict: refuted by", "Verdict: refutes")
    (house.path / other).write_text(misspelt, encoding="utf-8")
    (house.path / HOME).write_text(HOLDS, encoding="utf-8")
    status = main([other, HOME, "--root", str(house.path)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:3] == [other, "form   FAILS   1 complaint from " + lines[2].partition(" from ")[2]]
    assert any(line.startswith("entry  passes") for line in lines[lines.index(HOME) :])
    assert status == 1
