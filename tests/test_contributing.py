"""The commands that CONTRIBUTING.md prints work as they stand there."""

import importlib.util
import re
import shlex
import shutil
import subprocess

import pytest

from fixtures.trial.page import ENTRIES, VERDICTS, page_paths
from tests.corpus import ROOT
from tools import new_trap
from tools.check import PROOFS

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line.removeprefix("$ "), comments=True)
    for session in re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    for line in session.splitlines()
]
NEW = next(command[-2:] for command in COMMANDS if "tools.new_trap" in command)
"""The area and the slug of the page that is begun."""


def commands(*words):
    """The printed commands that begin with some words, without them."""
    return [command[len(words) :] for command in COMMANDS if command[: len(words)] == [*words]]


def test_the_page_that_is_begun_is_new(tmp_path):
    """The example of `new_trap` names an area that is there and a slug that is not."""
    for page in [*page_paths(ROOT), *ROOT.glob("traps/*/__init__.py")]:
        copy = tmp_path / page.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(page, copy)
    assert new_trap.main([*NEW, "--root", str(tmp_path)]) == 0


def test_the_page_that_is_begun_is_the_one_that_is_proved():
    """What is checked afterwards is the page that was begun."""
    assert commands("python", "-m", "tools.check") == [["traps/{}/{}.py".format(*NEW)]]


@pytest.mark.parametrize("arguments", commands("make"), ids=" ".join)
def test_what_is_made_can_be_made(arguments):
    """Each target of `make` exists, with the variables that it is given."""
    done = subprocess.run(["make", "-n", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("arguments", commands("pytest"), ids=" ".join)
def test_pytest_knows_its_options(arguments, pytester):
    """Each option exists, and each path leads to pages."""
    paths = [ROOT / argument for argument in arguments if not argument.startswith("-")]
    assert [path for path in paths if not list(path.rglob("*.py"))] == []
    options = [
        argument for argument in arguments if argument.startswith("-") and "--evidence" not in argument
    ]
    assert (
        pytester.runpytest_inprocess(
            "--rootdir", ROOT, "-c", ROOT / "pyproject.toml", *options, "--version"
        ).ret
        == 0
    )


@pytest.mark.parametrize(
    "module", sorted({command[2] for command in COMMANDS if command[:2] == ["python", "-m"]})
)
def test_every_tool_exists(module):
    """Each module that is run is one of the repository's."""
    assert importlib.util.find_spec(module) is not None


def test_links_lead_somewhere():
    """Each file that is linked lies where the link says."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXT)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_all_of_the_form_is_told():
    """Every entry of the colophon, every verdict and every proof of a page is in the guide."""
    told = [f"`{entry}:`" for entry in ENTRIES] + [f"`{proof.__name__}`" for proof in PROOFS]
    assert [text for text in told if text not in TEXT] == []
    assert [word for word in VERDICTS if f"`{word}" not in TEXT] == []
