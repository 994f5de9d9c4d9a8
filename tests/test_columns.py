"""Each device has a folder of records, and so has each other torch: the columns of the sheet."""

import pytest
import torch

from fixtures.trial.record import Environment, records
from fixtures.trial.writer import folder_name
from tests.corpus import SLUG


@pytest.fixture
def two_devices(monkeypatch):
    """A machine with a GPU, as far as pytest can tell."""
    monkeypatch.setattr("fixtures.device.devices", lambda: (torch.device("cpu"), torch.device("cuda")))
    monkeypatch.setattr("torch.cuda.get_device_name", lambda device=None: "NVIDIA H200")


def test_a_folder_for_each_device(corpus, two_devices):
    """Each device has a folder of its own, whose records hold what such a device can run."""
    corpus.write()
    corpus.write(slug="anywhere", signature="answer, device, items")
    corpus.write(slug="on_a_gpu", signature="answer, gpu, items")
    result = corpus.run("--evidence=evidence")
    gpu = corpus.read("on_a_gpu", device="nvidia-h200")

    result.stdout.fnmatch_lines(["evidence: evidence: 4 taken, 0 kept, 0 refused, 0 failed"])
    assert [f"{p.parts[-3]}/{p.stem}" for p, _ in records(corpus.path / "evidence")] == [
        "cpu/anywhere",
        f"cpu/{SLUG}",
        "nvidia-h200/anywhere",
        "nvidia-h200/on_a_gpu",
    ]
    assert (gpu.environment.device, gpu.environment.device_name) == ("nvidia-h200", "NVIDIA H200")


def test_record_of_a_machine_without_gpu_fits_one_with(corpus, two_devices, monkeypatch):
    """A claim about a GPU that a CPU's record lists as unverified is no reason to take that record anew."""
    two_claims = corpus.write().read_text() + corpus.write().read_text().split("\n\n\n")[-1].replace(
        "test_length(answer, ", "test_length_on_a_gpu(answer, gpu, "
    )
    corpus.write(two_claims)
    with monkeypatch.context() as without:
        without.setattr("fixtures.device.devices", lambda: (torch.device("cpu"),))
        corpus.run("--evidence=evidence")
    before = corpus.place().read_bytes()
    result = corpus.run("--evidence=evidence")

    assert len(corpus.read().runs) == 4
    result.stdout.fnmatch_lines(["evidence: evidence: 1 taken, 1 kept, 0 refused, 0 failed"])
    assert corpus.place().read_bytes() == before


@pytest.mark.parametrize(
    ("pinned", "folder"),
    [
        ("# pins\ntorch==2.13.0\n", "cpu-torch-2.14"),
        ("torch==2.14.0\n", "cpu"),
        ("pytorch==1.0\n", "cpu"),
        (None, "cpu"),
    ],
)
def test_folder_of_another_torch(tmp_path, pinned, folder):
    """A torch of another minor than the pinned one has folders of its own."""
    if pinned is not None:
        (tmp_path / "constraints.txt").write_text(pinned)
    names = dict.fromkeys(Environment.model_fields, "word")

    assert folder_name(Environment(**{**names, "device": "cpu", "torch": "2.14.1+cu128"}), tmp_path) == folder


def test_another_torch_leaves_the_first_ones_records(corpus):
    """A run with another torch than the pinned one writes beside the records, not over them."""
    corpus.write()
    before = corpus.record().text()
    (corpus.path / "constraints.txt").write_text("torch==1.0.0\n")
    column = ".".join(torch.__version__.split(".")[:2])
    result = corpus.run("--evidence=evidence")

    result.stdout.fnmatch_lines(["evidence: evidence: 1 taken, 0 kept, 0 refused, 0 failed"])
    assert corpus.read().text() == before
    assert corpus.place(device=f"cpu-torch-{column}").exists()
