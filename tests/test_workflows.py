"""The workflows: the pages that a pull request changes, and the corpus on many machines."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from fixtures.trial.page import chapters
from tests.corpus import ROOT
from tests.specimens import printed, read_page, runs_of, write_page, write_record

CHECK = yaml.safe_load((ROOT / ".github/workflows/check.yml").read_text(encoding="utf-8"))
SITE = yaml.safe_load((ROOT / ".github/workflows/site.yml").read_text(encoding="utf-8"))
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/verify.yml").read_text(encoding="utf-8"))


def commands(job: str) -> list[str]:
    """What a job runs, step by step."""
    return [step["run"] for step in WORKFLOW["jobs"][job]["steps"] if "run" in step]


def test_the_matrix_is_the_folders_of_the_corpus(tmp_path):
    """An area that joins is verified without another line in the workflow."""
    (script,) = commands("areas")
    output = tmp_path / "output"

    subprocess.run(
        ["bash", "-euc", script], cwd=ROOT, env={**os.environ, "GITHUB_OUTPUT": str(output)}, check=True
    )

    name, _, value = output.read_text().strip().partition("=")
    assert name == "areas"
    assert json.loads(value) == sorted(chapters(ROOT))


@pytest.mark.parametrize("job", ["deep", "gpu"])
def test_every_machine_uploads_the_folder_that_it_records_in(job):
    """Its records are not the committed ones, which a run that says the same would keep."""
    steps = WORKFLOW["jobs"][job]["steps"]
    (upload,) = (step["with"] for step in steps if "upload-artifact" in step.get("uses", ""))

    assert commands(job)[-1].endswith(f"--evidence={upload['path']}")
    assert not (ROOT / upload["path"]).exists()


def test_the_sheet_is_printed_from_what_was_downloaded(repository):
    """Each artifact lies in a folder of its own, the CPU's records of two machines side by side."""
    steps = WORKFLOW["jobs"]["sheet"]["steps"]
    (download,) = (step["with"] for step in steps if "download-artifact" in step.get("uses", ""))
    other = write_page(repository, "scaling/halves")
    (repository / "evidence").rename(repository / "committed")
    gpu = {"device": "nvidia-h200", "torch": "2.13.0+cu130", "device_name": "NVIDIA H200"}
    for page in (read_page(repository), other):
        write_record(
            repository, page, runs_of(page, right={"examples": 1000}), folder=f"deep-{page.area}/cpu"
        )
        write_record(repository, page, folder=f"gpu-{page.area}/cpu", device_name="arm64")
        write_record(repository, page, folder=f"gpu-{page.area}/nvidia-h200", **gpu)

    assert Path(download["path"]) == Path("evidence")
    assert "| cpu | a machine, arm64 | Linux |" in printed(repository)
    assert "| `just_right` | held on 1,000 | held on 100 |" in printed(repository, "facts/scaling.md")


def a_pull_request(folder):
    """A repository in which a branch changes a page, adds one and removes one."""

    def git(*arguments):
        who = ["-c", "user.name=me", "-c", "user.email=me@localhost"]
        subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)

    def commit(texts):
        (folder / "traps/memory").mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / f"traps/memory/{name}.py").write_text(text)
        git("add", "--all")
        git("commit", "--message=pages")

    git("init", "--initial-branch=main")
    commit({"kept": "1", "changed": "2", "gone": "3"})
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    (folder / "traps/memory/gone.py").unlink()
    (folder / "record.json").write_text("{}")
    commit({"changed": "4", "new": "5", "__init__": "6"})


def run(script, folder):
    """What a step of a job prints in a pull request to main."""
    environment = {**os.environ, "GITHUB_BASE_REF": "main"}
    command = ["bash", "-eo", "pipefail", "-c", script]
    return subprocess.run(
        command, cwd=folder, env=environment, check=True, capture_output=True, text=True
    ).stdout


def test_a_pull_request_proves_the_pages_that_it_changes(tmp_path):
    """Pages that are new or changed are checked; one that goes, a record and a chapter's opening are not."""
    pages = CHECK["jobs"]["pages"]
    script = pages["steps"][-1]["run"].replace(".venv/bin/python -m tools.check", "echo checked:")
    a_pull_request(tmp_path)

    assert run(script, tmp_path).split() == ["checked:", "traps/memory/changed.py", "traps/memory/new.py"]
    assert pages["if"] == "github.event_name == 'pull_request'"


def test_a_pull_request_previews_the_pages_that_it_changes(tmp_path):
    """With the home page, the style and the script; what is gone and what is kept is left out."""
    a_pull_request(tmp_path)
    site = tmp_path / "site"
    site.mkdir()
    shared = ["style.css", "site.js", "search-index.js", "index.html"]
    for name in [*shared, "kept.html", "changed.html", "new.html"]:
        (site / name).write_text(name)
    (script,) = (step["run"] for step in SITE["jobs"]["build"]["steps"] if "preview/" in step.get("run", ""))
    run(script, tmp_path)

    previewed = sorted(path.name for path in (tmp_path / "preview").iterdir())
    assert previewed == sorted([*shared, "changed.html", "new.html"])


def test_only_main_is_published():
    """A pull request uploads what it changes, and publishes nothing."""
    assert SITE["jobs"]["publish"]["if"] == "github.event_name == 'push'"
    assert SITE[True]["push"]["branches"] == ["main"]  # YAML reads the key `on` as a truth
    assert SITE["permissions"] == {"contents": "read"}
