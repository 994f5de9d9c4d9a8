"""Two pull requests that each add a page meet nowhere: shown with git itself."""

import itertools
import os
import re
import shutil
import subprocess

import pytest

from tests.specimens import add, printed, write_page, write_record
from tools.sheet import main

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

AREAS = ("inference", "memory", "scaling")
SLUGS = {"b_bytes": "refuted by too_few: no", "d_decay": "holds if so", "f_flops": "refuted by too_few: no"}
"""Three pages in each area; those of memory have verdicts, of which the sheet begins with lists."""


def git(root, *arguments, check=True):
    """Run git on a repository, whatever the settings of the user are."""
    nobody = {f"GIT_{who}_{what}": "tests" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    nowhere = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.run(
        ["git", *arguments],
        cwd=root,
        env={**os.environ, **nobody, **nowhere},
        check=check,
        capture_output=True,
        text=True,
    ).stdout


def commit(root):
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=a change")


@pytest.fixture
def cloned(repository):
    """A repository of three areas with three pages each, printed and committed."""
    for area, slug in itertools.product(AREAS, SLUGS):
        verdict = SLUGS[slug] if area == "memory" else "holds"
        add(repository, f"{area}/{area}_{slug}", title=f"{area}, {slug}", verdict=verdict)
    printed(repository)
    git(repository, "init", "--quiet", "--initial-branch=main")
    commit(repository)
    return repository


def pull_request(root, branch, name, **words):
    """A branch from main that adds a page, takes its record and prints the sheet."""
    git(root, "switch", "--quiet", "--create", branch, "main")
    add(root, name, **words)
    printed(root)
    commit(root)


def merged(root, *branches):
    """Merge the branches into main; the files that conflict."""
    git(root, "switch", "--quiet", "main")
    for branch in branches:
        git(root, "merge", "--quiet", "--no-edit", branch, check=False)
    return git(root, "diff", "--name-only", "--diff-filter=U").split()


def test_a_page_changes_itself_its_record_a_row_and_an_entry(cloned):
    """Nothing else in the repository changes, and nothing is taken away."""
    pull_request(cloned, "one", "memory/memory_c_cache")

    numbers = [line.split() for line in git(cloned, "diff", "--numstat", "main", "one").splitlines()]

    assert {file: (added, removed) for added, removed, file in numbers}.items() >= {
        ("FACTSHEET.md", ("1", "0"))
    }
    assert {file for _, _, file in numbers} == {
        "traps/memory/memory_c_cache.py",
        "evidence/cpu/memory/memory_c_cache.json",
        "FACTSHEET.md",
        "facts/memory.md",
    }
    assert {removed for _, removed, _ in numbers} == {"0"}
    entry = git(cloned, "diff", "main", "one", "--", "facts/memory.md")
    assert re.findall(r'^\+## <a id="(\w+)">', entry, re.MULTILINE) == ["memory_c_cache"]


@pytest.mark.parametrize("verdict", ["holds", "holds if so", "refuted by too_few: it is not"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("inference/inference_c_cache", "scaling/scaling_c_cache"),
        ("inference/inference_z_zeros", "memory/memory_a_adam"),
        ("memory/memory_a_adam", "memory/memory_e_errors"),
        ("memory/memory_c_cache", "memory/memory_g_grouped"),
    ],
    ids=["different areas", "last and first of neighbours", "one area", "one area, at its end"],
)
def test_two_pages_merge_without_conflict(cloned, first, second, verdict):
    """In different areas, or in one area with a page between them; and the sheet is then up to date."""
    pull_request(cloned, "one", first, title="One", verdict=verdict)
    pull_request(cloned, "two", second, title="Two", verdict=verdict)

    assert merged(cloned, "one", "two") == []
    assert main(["--root", str(cloned), "--check"]) == 0


def test_a_page_merges_beside_a_change_of_its_neighbour(cloned):
    """A page that is mended and one that is added two rows below do not meet."""
    git(cloned, "switch", "--quiet", "--create", "mended", "main")
    page = write_page(
        cloned,
        "memory/memory_b_bytes",
        title="memory, b_bytes",
        right="Two a group.",
        verdict=SLUGS["b_bytes"],
    )
    write_record(cloned, page, day="2026-05-06")
    printed(cloned)
    commit(cloned)
    pull_request(cloned, "added", "memory/memory_e_errors")

    assert merged(cloned, "mended", "added") == []
    assert main(["--root", str(cloned), "--check"]) == 0


def test_a_conflict_of_adjacent_rows_is_solved_by_printing(cloned):
    """Two pages side by side meet in two printed files, which are printed again, and nowhere else."""
    pull_request(cloned, "one", "memory/memory_c_cache")
    pull_request(cloned, "two", "memory/memory_c_copies")

    assert merged(cloned, "one", "two") == ["FACTSHEET.md", "facts/memory.md"]

    printed(cloned)
    assert "<<<<<<<" not in (cloned / "FACTSHEET.md").read_text()
    assert main(["--root", str(cloned), "--check"]) == 0
