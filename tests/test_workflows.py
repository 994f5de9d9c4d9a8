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


def test_a_pull_request_proves_the_pages_that_it_changes(tmp_path):
    """Pages that are new or changed are checked; one that goes, a record and a chapter's opening are not."""
    pages = CHECK["jobs"]["pages"]
    script = pages["steps"][-1]["run"].replace(".venv/bin/python -m tools.check", "echo checked:")
    texts = {"kept": "1", "changed": "2", "gone": "3"}

    def git(*arguments):
        who = ["-c", "user.name=me", "-c", "user.email=me@localhost"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    def commit(texts):
        (tmp_path / "traps/memory").mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (tmp_path / f"traps/memory/{name}.py").write_text(text)
        git("add", "--all")
        git("commit", "--message=pages")

    git("init", "--initial-branch=main")
    commit(texts)
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    (tmp_path / "traps/memory/gone.py").unlink()
    (tmp_path / "record.json").write_text("{}")
    commit({"changed": "4", "new": "5", "__init__": "6"})

    environment = {**os.environ, "GITHUB_BASE_REF": "main"}
    command = ["bash", "-eo", "pipefail", "-c", script]
    told = subprocess.run(
        command, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    ).stdout
    assert told.split() == ["checked:", "traps/memory/changed.py", "traps/memory/new.py"]
    assert pages["if"] == "github.event_name == 'pull_request'"
