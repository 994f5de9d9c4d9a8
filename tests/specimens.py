"""A repository in small: pages of one shape and records of them, as a printer finds them."""

from pathlib import Path

from fixtures.trial.page import Page
from fixtures.trial.record import SCHEMA, Counterexample, Environment, Fit, Observation, Record, Run, Samples
from tools.sheet import BEGIN, END, main

PAGE = '''\
{front!r}
from hypothesis import given, strategies as st
from fixtures import claim, observe

def too_many(heads, group):
    {wrong!r}

def too_few(heads, group):
    """None of them."""

def just_right(heads, group):
    {right!r}

@claim(wrong=(too_many, too_few), right=just_right, evidence={evidence!r})
@given(heads=st.integers(1, 8), group={regime})
def test_heads(answer, {device}, heads, group):
    {sentence!r}
'''

RIGHT, FIRST, SECOND = "right-just_right", "wrong-too_many", "wrong-too_few"

CPU = "cpu, torch 2.13"
"""The column of the records that cover every page."""


def write_page(root: Path, name: str = "inference/kvcache", **words) -> Page:
    """A page under `root`, with the texts given; what is not given is harmless."""
    said = {
        "title": "Heads of the cache",
        "question": "A model has eight heads. How many does the cache hold for each token?",
        "verdict": "holds",
        "asked": ["A Book of Traps, chapter 2"],
        "rest": "",
        "wrong": "All of them.",
        "right": "One a group.\n\nA group reads the same pair.\n\nIt always did.",
        "sentence": "The cache grows with groups.",
        "regime": "st.integers(2, 8)",
        "device": "device",
        "evidence": "exact",
        "opening": "What serving costs.",
        **words,
    }
    asked = "\n".join(f"Asked: {text}" for text in said["asked"])
    said["front"] = (
        f"{said['title']}\n\n{said['question']}\n\nVerdict: {said['verdict']}\n{asked}\n"
        f"Source: Noether 1918, https://example.org/a_b_(c)\n{said['rest']}"
    )
    path = root / f"traps/{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "__init__.py").write_text(f"{said['opening']!r}\n")
    path.write_text(PAGE.format(**said))
    return Page.read(path)


def read_page(root: Path, name: str = "inference/kvcache") -> Page:
    """A page that was written before."""
    return Page.read(root / f"traps/{name}.py")


def fit(agrees=27, of=100, off=(1.3, 2, 8), raised=0) -> Fit:
    """How an answer fits: on how many inputs it is right, and how far it is off on the others."""
    ends = dict(zip(("smallest", "median", "largest"), off, strict=True)) if off else None
    return Fit(agrees=agrees, of=of, raised=raised, ratio=ends, off=ends)


def found(observed=1, predicted=2, assertion="assert 1 == 2", **inputs) -> Counterexample:
    """Where an answer fails; its inputs stand in a record as JSON sorts them."""
    where = inputs or {"group": 2, "heads": 1}
    return Counterexample(inputs=where, observed=observed, predicted=predicted, assertion=assertion)


def examples(observed, right, first, second, **inputs) -> Samples:
    """Worked examples: a column of each input, of what was observed, and of what each answer predicts."""
    return Samples(
        inputs=inputs,
        observed={"kept_bytes": observed},
        predicted={RIGHT: right, FIRST: first, SECOND: second},
    )


def run_of(page: Page, answer: str, **words) -> Run:
    """The run of an answer of a page's only claim, as it should come out."""
    held = answer == RIGHT
    ran = {
        "claim": page.claims[0].name,
        "answer": answer,
        "evidence": page.claims[0].evidence,
        "outcome": "held" if held else "refuted",
        "examples": 100 if held else 3,
        "observed": {"kept_bytes": Observation(smallest=1, largest=12345, last=7)},
        "quantity": "kept_bytes",
        "samples": None,
        "worked": None,
        "fits": {RIGHT: fit(100, off=None), FIRST: fit(), SECOND: fit(0, off=None)} if held else {},
        "counterexample": None if held else found(),
        "reason": "",
        **words,
    }
    if ran["outcome"] == "unverified":
        ran |= {"examples": 0, "observed": {}, "quantity": "", "fits": {}, "counterexample": None}
    return Run(**ran)


def runs_of(page: Page, **words) -> list[Run]:
    """A run of every answer of a page, with `right`, `first` and `second` altered as given."""
    sides = {RIGHT: words.pop("right", {}), FIRST: words.pop("first", {}), SECOND: words.pop("second", {})}
    return [run_of(page, answer, **words, **sides[answer]) for answer in page.claims[0].rivals]


def unverified(page: Page, reason: str = "no CUDA device here") -> list[Run]:
    """The runs of a page that could not be tried."""
    return runs_of(page, outcome="unverified", reason=reason)


def write_record(root: Path, page: Page, runs=None, folder="cpu", digest="", **environment) -> Path:
    """A record under `root/evidence`: of a page as it is, on the reference machine, with every run."""
    where = {
        "device": "cpu",
        "device_name": "a machine",
        "platform": "Linux",
        "python": "3.13.1",
        "torch": "2.13.0+cpu",
        "hypothesis": "6.150.2",
        "day": "2026-01-02",
        **environment,
    }
    record = Record(
        schema_version=SCHEMA,
        page=page.name,
        digest=digest or page.digest,
        environment=Environment(**where),
        runs=runs_of(page) if runs is None else runs,
    )
    path = root / "evidence" / folder / record.place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(record.text())
    return path


TPU = {"folder": "tpu", "device": "tpu", "torch": "2.11.0", "device_name": "another machine"}
"""A second device, with a torch of its own: `write_record(root, page, **TPU)`."""


def add(root: Path, name: str, **words) -> Page:
    """A page with its record."""
    page = write_page(root, name, **words)
    write_record(root, page)
    return page


def repository(root: Path) -> Path:
    """A repository of one page with its record."""
    (root / "README.md").write_text(f"# Read me\n\n{BEGIN}\n{END}\n\nThe end.\n")
    (root / "constraints.txt").write_text("hypothesis==6.150.2\ntorch==2.13.0\n")
    add(root, "inference/kvcache")
    return root


def printed(root: Path, file: str = "FACTSHEET.md") -> str:
    """A file that the tool writes."""
    assert main(["--root", str(root)]) == 0
    return (root / file).read_text()


def entries(root: Path, area: str = "inference") -> str:
    """The full entries of an area."""
    return printed(root, f"facts/{area}.md")


def rows(root: Path) -> list[str]:
    """The rows of traps on the sheet."""
    return [line for line in printed(root).splitlines() if line.startswith("| [")]
