"""A page is begun, fails until it is written, and then holds."""

import subprocess
import sys

import pytest

from fixtures.trial.page import BLANK, Page, chapters
from tools.new_trap import draft, main

WRITTEN = '''\
"""Padding to the longest row
A batch takes rows of unequal length. How many tokens does the model compute on?
Verdict: holds
Asked: Specimens, chapter 1
Source: The PyTorch authors 2025, pad_sequence, https://docs.pytorch.org/docs/stable/
def sum_of_the_rows(rows: int, columns: int) -> int:
    """A batch holds the tokens that its rows hold."""
def rows_of_the_longest(rows: int, columns: int) -> int:
    """Every row is as long as the longest.
    A tensor has no ragged edge: the shorter rows are padded.
def padded(rows: int, columns: int, device: torch.device) -> int:
    """Elements of a padded batch whose rows are 1 to `columns` tokens long."""
@given(rows=st.integers(2, 8), columns=st.integers(2, 8))
    """The longest row sets the length of all the others."""
'''
"""What an author might write in the marked places of a fresh page, one line a place."""

BODIES = (
    "return sum(1 + row % columns for row in range(rows))",
    "return rows * min(rows, columns)",
    "batch = [torch.ones(1 + row % columns, device=device) for row in range(rows)]\n"
    "    return torch.nn.utils.rnn.pad_sequence(batch).numel()",
)


@pytest.fixture
def house(corpus):
    """A corpus of one empty area."""
    area = corpus.path / "traps" / "data"
    area.mkdir(parents=True)
    (area / "__init__.py").write_text('"""What a model is fed."""\n', encoding="utf-8")
    return corpus


def begin(house, *arguments):
    """Run the tool on the corpus under test."""
    return main([*arguments, "--root", str(house.path)])


def fill(text, bodies=()):
    """A fresh page as its author leaves it, who has perhaps not written the bodies yet."""
    lines = text.splitlines()
    marked = [number for number, line in enumerate(lines) if BLANK in line]
    for number, line in zip(marked, WRITTEN.splitlines(), strict=True):
        lines[number] = line
    text = "\n".join(lines) + "\n"
    for old, new in (
        ("tempting_answer", "sum_of_the_rows"),
        ("right_answer", "rows_of_the_longest"),
        ("measured(rows, columns, device)", "padded(rows, columns, device)"),
        ("measured=", "tokens="),
    ):
        assert old in text
        text = text.replace(old, new)
    for body in bodies:
        text = text.replace("raise NotImplementedError", body, 1)
    return text


def files(house):
    """Every file of the corpus with its bytes."""
    return {path: path.read_bytes() for path in house.path.rglob("*") if path.is_file()}


def test_says_where_the_page_is_and_how_to_try_it(house, capsys):
    """The tool prints the page's path, the command that tries it, and where to read on."""
    assert begin(house, "data", "padding_is_free") == 0
    page = house.path / "traps" / "data" / "padding_is_free.py"
    first, then, last = capsys.readouterr().out.splitlines()
    assert first == str(page)
    assert f"pytest {page} -v" in then
    assert "CONTRIBUTING.md" in last
    assert page.read_text(encoding="utf-8") == draft("padding_is_free")


def test_a_fresh_page_fails_and_lists_what_it_lacks(house):
    """Every marked place is named with its line, and nothing runs."""
    begin(house, "data", "padding_is_free")
    result = house.run("traps")
    result.assert_outcomes(errors=1)
    owed = [
        f"*line {number}: {line.split(f'{BLANK}: ')[1].rstrip(chr(34))}*"
        for number, line in enumerate(draft("padding_is_free").splitlines(), start=1)
        if BLANK in line
    ]
    assert len(owed) == 14
    result.stdout.fnmatch_lines([f"*padding_is_free.py:1: {len(owed)} places wait*", *owed])


def test_prose_alone_does_not_make_a_page_hold(house):
    """While the bodies raise NotImplementedError, neither answer stands nor is one refuted."""
    begin(house, "data", "padding_is_free")
    page = house.path / "traps" / "data" / "padding_is_free.py"
    page.write_text(fill(page.read_text(encoding="utf-8")), encoding="utf-8")
    result = house.run("traps")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*sum_of_the_rows was not refuted by the claim's own assert*"])


def test_a_written_page_holds(house):
    """Written out, the page has one answer that holds and one that is refuted."""
    begin(house, "data", "padding_is_free")
    page = house.path / "traps" / "data" / "padding_is_free.py"
    page.write_text(fill(page.read_text(encoding="utf-8"), BODIES), encoding="utf-8")
    result = house.run("traps", "-v")
    assert result.parseoutcomes() == {"passed": 1, "refuted": 1}
    result.stdout.fnmatch_lines(["*observed 4, it says 3, at rows=2, columns=2*"])
    assert Page.read(page).title == "Padding to the longest row"


def test_a_fresh_page_is_clean(house):
    """The linter finds nothing in a fresh page, nor does the formatter move a line of it."""
    begin(house, "data", "padding_is_free")
    for command in (("check",), ("format", "--check")):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "traps"],
            cwd=house.path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "opening",
    ["How a number is kept, rounded and lost.", "A sentence " + "that runs on and on " * 9 + "and ends."],
    ids=["short", "long"],
)
def test_a_new_area_opens_with_its_sentence(house, opening):
    """The opening sentence comes back from the area's `__init__.py` word for word."""
    assert begin(house, "numerics", "sums_lose_small_terms", "--new-area", opening) == 0
    assert chapters(house.path)["numerics"] == opening
    init = house.path / "traps" / "numerics" / "__init__.py"
    assert max(map(len, init.read_text(encoding="utf-8").splitlines())) <= 110


REFUSALS = {
    "area-misspelt": (["dta", "x"], "There is no area 'dta'. Did you mean 'data'?"),
    "area-unknown": (["systems", "x"], 'Choose from data, or open one with --new-area "'),
    "area-open-already": (["data", "x", "--new-area", "It is."], "Leave out --new-area"),
    "area-of-two-words": (["big data", "x", "--new-area", "It is."], "'big data' will not do"),
    "area-opening-a-fragment": (["gpu", "x", "--new-area", "Warps"], "'Warps' does not open a chapter"),
    "area-opening-quoted": (["gpu", "x", "--new-area", '"Warps."'], "without double quotes"),
    "area-is-a-file": (["notes", "x", "--new-area", "Warps wait."], "notes"),
    "slug-in-capitals": (["data", "PaddingIsFree"], "'PaddingIsFree' will not do as the name of a slug"),
    "slug-with-a-dash": (["data", "padding-is-free"], "Write snake_case"),
    "slug-of-a-digit-first": (["data", "3d_is_free"], "a letter first"),
    "slug-outside": (["data", "../escaped"], "'../escaped' will not do"),
    "slug-a-keyword": (["data", "lambda"], "no Python keyword"),
    "page-exists": (["data", "taken"], "taken.py has this slug already"),
    "slug-of-another-area": (["gpu", "taken", "--new-area", "Warps wait."], "no two areas share one"),
}


@pytest.mark.parametrize(("arguments", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses_in_two_sentences_and_writes_nothing(house, capsys, arguments, reason):
    """A page that cannot be begun leaves the corpus as it was, and exit status 2."""
    (house.path / "traps" / "notes").write_text("a file\n", encoding="utf-8")
    begin(house, "data", "taken")
    before = files(house)
    capsys.readouterr()
    assert begin(house, *arguments) == 2
    captured = capsys.readouterr()
    assert reason in captured.err
    assert captured.out == ""
    assert files(house) == before


def test_refuses_a_folder_without_a_corpus(tmp_path, capsys):
    """Outside a repository the tool says where it has to be run."""
    assert main(["data", "padding_is_free", "--root", str(tmp_path)]) == 2
    assert "Run this in the root of the repository." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
