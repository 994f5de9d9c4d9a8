"""The workflow that verifies the corpus on many machines."""

import json
import os
import subprocess
from pathlib import Path

import pytest
import yaml

from fixtures.trial.page import chapters
from tests.corpus import ROOT
from tests.specimens import printed, read_page, runs_of, write_page, write_record

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
