"""Every device that is present and computes is used, the CPU first, and torch keeps to one thread."""

import warnings

import pytest
import torch

from fixtures.device import DeviceLeftOut, devices, kind, prove
from tests.corpus import SLUG

PAGE = f"traps/lists/{SLUG}.py"
CPU, CUDA = torch.device("cpu"), torch.device("cuda")


@pytest.fixture(autouse=True)
def _asked_anew():
    """The devices are looked for once a session: here, once a test."""
    devices.cache_clear()
    yield
    devices.cache_clear()


@pytest.fixture
def with_gpu(monkeypatch):
    """A machine whose torch reports a GPU, which multiplies as the given function does."""

    def report(prove=lambda device: None):
        monkeypatch.setattr("torch.cuda.is_available", lambda: True)
        monkeypatch.setattr("fixtures.device.prove", prove)

    return report


def test_cpu_alone(monkeypatch):
    """Without a GPU the CPU is the only device."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)

    assert devices() == (CPU,)


def test_gpu_beside_cpu(with_gpu):
    """A GPU that computes correctly stands second."""
    with_gpu()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert devices() == (CPU, CUDA)


def miscompute(device):
    raise ArithmeticError("a 2×3 by 3×4 product came out as [[0.0]]")


def refuse(device):
    raise RuntimeError("CUDA error: no kernel image is available")


@pytest.mark.parametrize(
    ("proof", "reason"),
    [
        (miscompute, "cuda is left out: ArithmeticError: a 2×3 by 3×4 product came out as"),
        (refuse, "cuda is left out: RuntimeError: CUDA error: no kernel image is available"),
    ],
)
def test_gpu_that_does_not_compute(with_gpu, proof, reason):
    """A GPU that computes wrongly, or not at all, is left out with a warning that says why."""
    with_gpu(proof)

    with pytest.warns(DeviceLeftOut, match=reason):
        assert devices() == (CPU,)


def test_proof():
    """The CPU passes the proof."""
    prove(CPU)


def test_proof_of_a_liar(monkeypatch):
    """A product that is wrong in one number fails the proof, and is shown."""
    honest = torch.Tensor.__matmul__

    def lie(left, right):
        product = honest(left, right)
        monkeypatch.setattr(torch.Tensor, "__matmul__", honest)
        product[1, 3] += 1
        return product

    monkeypatch.setattr(torch.Tensor, "__matmul__", lie)
    with pytest.raises(ArithmeticError, match=r"came out as \[\[20\.0, .*, 93\.0\]\]"):
        prove(CPU)


def test_left_out_in_a_run(corpus, with_gpu):
    """A run tells of a device that was left out, and checks its claims on the others."""
    with_gpu(refuse)
    corpus.write(signature="answer, device, items")
    result = corpus.run()

    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines(["*DeviceLeftOut: cuda is left out: RuntimeError: CUDA error: no kernel *"])


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("NVIDIA H200", "nvidia-h200"),
        ("NVIDIA A100-SXM4-80GB", "nvidia-a100-sxm4-80gb"),
        ("Tesla T4 (rev. 2)", "tesla-t4-rev-2"),
    ],
)
def test_kind_of_gpu(monkeypatch, name, slug):
    """A GPU's kind is its name, fit for a file."""
    monkeypatch.setattr("torch.cuda.get_device_name", lambda device: name)

    assert kind(CUDA) == slug


def test_kind_of_cpu():
    """Every CPU is of one kind: counting and rounding do not depend on its make."""
    assert kind(CPU) == "cpu"


def test_every_device_in_turn(corpus, with_gpu):
    """A claim that names a device runs on each that is present, all of the CPU's runs first."""
    with_gpu()
    corpus.write(signature="answer, device, items")
    result = corpus.run("--collect-only", "-q")

    assert [line.partition("[")[2] for line in result.outlines if "::" in line] == [
        "cpu-wrong-as_long_as_one]",
        "cpu-right-as_long_as_both]",
        "cuda-wrong-as_long_as_one]",
        "cuda-right-as_long_as_both]",
    ]


def test_device_on_the_page(corpus, with_gpu, monkeypatch):
    """The claim receives the device that its name says, and the GPU where it names that."""
    monkeypatch.setattr("torch.cuda.get_device_name", lambda device=None: "NVIDIA H200")
    with_gpu()
    corpus.write(
        signature="answer, device, gpu, items",
        body="observe(device=device)\n    observe(gpu=gpu)\n    assert observe(n=2 * items) == answer(items)",
    )
    runs = corpus.record().runs + corpus.read(device="nvidia-h200").runs

    assert [run.observed["device"].last for run in runs] == ["cpu", "cpu", "cuda", "cuda"]
    assert {run.observed["gpu"].last for run in runs} == {"cuda"}


def test_no_device_for_a_claim_that_names_none(corpus, with_gpu):
    """A claim that names no device runs once, wherever it is."""
    with_gpu()
    corpus.write()

    corpus.run().assert_outcomes(passed=1)


def test_no_gpu(corpus, monkeypatch):
    """A claim about a GPU says why it is unverified."""
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    corpus.write(signature="answer, gpu, items")

    corpus.run().stdout.fnmatch_lines([f"{PAGE}::test_length: no CUDA device here"])


def test_one_thread(corpus):
    """Torch keeps to one thread, so that sums are added in one order and workers share the cores."""
    corpus.write(
        head="import torch",
        wrong="return 2",
        right="return 1",
        body="assert observe(threads=torch.get_num_threads()) == answer(items)",
    )
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        result = corpus.run()
    finally:
        torch.set_num_threads(before)

    result.assert_outcomes(passed=1)
