"""Kinds: what a claim observes fits the kind of evidence that it declares."""

from __future__ import annotations

import ast
import functools
import math
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import fixtures
from fixtures.trial.page import ClaimText

from . import flow
from .imports import SUBJECTS
from .rules import Complaints, broken_by
from .source import Source, sides, used
from .specimen import Change, importing

LIBRARIES = {"numpy", "torch"} | SUBJECTS

REASONING = {
    *("__future__", "abc", "bisect", "cmath", "collections", "contextlib", "copy", "dataclasses", "decimal"),
    *("enum", "fractions", "functools", "heapq", "itertools", "math", "numbers", "operator", "random", "re"),
    *("statistics", "string", "time", "types", "typing"),
}
"""Modules of the standard library that only reckon: nothing of theirs is observed for its own sake."""

WORLDS = {"fixtures.machines", "fixtures.warps"}
"""Instruments that stand in for a system."""

INSTRUMENT = re.compile(r"fixtures\.\w+\.(?![A-Z0-9_]+$)\w+")
"""What an instrument is called; in capitals stand data, the shape of a model for instance."""

OWN = {"fixtures.claim", "fixtures.observe"}

CONSTANT = re.compile(
    r"(torch|numpy)\.(b?float|u?int|complex|bool|half|long|short|double|inf|pi|nan)\w*(\.\w+)*"
)


def declaring(kind: str) -> Change:
    """The change that makes the good claim one of another kind of evidence."""
    return "right=bytes_by_code_point)", f'right=bytes_by_code_point, evidence="{kind}")'


def of_kind(source: Source, *kinds: str) -> Iterator[tuple[ClaimText, ast.FunctionDef]]:
    """The claims whose evidence is of some kinds."""
    return ((claim, test) for claim, test in source.claims if claim.evidence in kinds)


def reality(source: Source, claim: ClaimText, test: ast.FunctionDef, value: ast.AST) -> flow.Nodes:
    """What a value of a claim's body comes from, apart from the answers."""
    return flow.made_of(source, test, value, shut=["answer", "observe", *sides(claim)])


def origins(source: Source, nodes: flow.Nodes) -> set[str]:
    """The full names of the imported things among some nodes; a mere constant is no thing."""
    return {name for name in flow.names(source, nodes) if not CONSTANT.fullmatch(name)} - OWN


def is_library(name: str) -> bool:
    """Whether a full name is of a library that is not ours, or of an instrument made of its objects."""
    root = name.split(".")[0]
    if root == "fixtures":
        module = ".".join(name.split(".")[:2])
        return module not in WORLDS and _holds_objects(module)
    return root in LIBRARIES or root in sys.stdlib_module_names - REASONING


@functools.cache
def _instrument(module: str) -> str:
    """The text of a module of fixtures, empty for any other."""
    file = Path(fixtures.__file__).parent / f"{module.removeprefix('fixtures.')}.py"
    return file.read_text("utf-8") if module.startswith("fixtures.") and file.is_file() else ""


def _holds_objects(module: str) -> bool:
    """Whether an instrument is made of tensors, or of what another library has."""
    named = "|".join(sorted(LIBRARIES - {"numpy"}))
    return bool(re.search(rf"^\s*(import|from) ({named})\b|import_module\(", _instrument(module), re.M))


@broken_by(('codecs.encode(character, "utf-8")', 'character.encode("utf-8")'))
@broken_by(
    importing("from math import log"),
    ("len(encode(character))", "1 + log(ord(character))"),
)
@broken_by(importing("import torch"), ("len(encode(character))", "torch.float16.itemsize"))
def an_exact_claim_observes_an_object(source: Source) -> Complaints:
    """Exact is what counts or compares objects of a library that is not ours."""
    for claim, test in of_kind(source, "exact"):
        values = [value for _, _, value in flow.observations(test)]
        nodes = reality(source, claim, test, ast.Tuple(values, ast.Load()))
        if values and not any(map(is_library, origins(source, nodes))):
            seen = f"{claim.name} is exact and observes no object of a library"
            yield test.lineno, f'{seen}. Observe one, or say evidence="simulated" or "derived"'


@broken_by(
    importing("from fixtures.warps import issued"),
    ("len(encode(character))", "len(encode(character)) + issued(character)"),
)
@broken_by(
    importing("from fixtures import warps"),
    ("len(encode(character))", "len(encode(character)) + warps.issued(character)"),
)
def an_exact_claim_simulates_nothing(source: Source) -> Complaints:
    """A world that stands in for the system is not the system."""
    for claim, test in of_kind(source, "exact"):
        for call, _, value in flow.observations(test):
            names = origins(source, reality(source, claim, test, value))
            modules = {".".join(name.split(".")[:2]) for name in names if INSTRUMENT.fullmatch(name)}
            for world in sorted(modules & WORLDS):
                yield call.lineno, f'{claim.name} is exact and observes {world}. Say evidence="simulated"'


@broken_by(declaring("trained"))
@broken_by(
    declaring("trained"),
    ('@given(character=st.characters(exclude_categories=["Cs"]))', "@given(seed=st.integers(0, 998))"),
    ("answer, character)", "answer, seed)"),
    ("len(encode(character))", "len(encode(seed))"),
)
@broken_by(
    declaring("trained"),
    ('character=st.characters(exclude_categories=["Cs"])', "character=st.text(), seed=st.integers()"),
    ("answer, character)", "answer, character, seed)"),
)
def a_trained_claim_draws_its_seed(source: Source) -> Complaints:
    """One start proves little: the seed is an input, from a thousand or more."""
    for claim, test in of_kind(source, "trained"):
        seed = flow.drawn(source, test).get("seed")
        if seed is None:
            yield test.lineno, f"{claim.name} draws no seed. Write seed=st.integers(0, 9999) in @given"
        elif _count(seed) < 1000:
            seen = f"{claim.name} draws its seed from {ast.unparse(seed)}"
            yield test.lineno, f"{seen}. Draw from a thousand or more: st.integers(0, 9999)"
        elif "seed" not in used(*test.body):
            yield test.lineno, f"{claim.name} draws a seed and goes without it. Pass it on"


def _count(strategy: ast.AST) -> float:
    """How many integers a strategy draws from, 0 where it is none of integers."""
    match strategy:
        case ast.Call(func=ast.Attribute(attr="integers") | ast.Name(id="integers")):
            ends = [*strategy.args, *(keyword.value for keyword in strategy.keywords)]
            low, high = (_number(end) for end in ends) if len(ends) == 2 else (0, math.inf)
            return high - low + 1
    return 0


def _number(node: ast.AST) -> float:
    """What a sum or product of numbers comes to; NaN, which is never too few, where names stand in it."""
    arithmetic = ast.Constant | ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop
    if not all(isinstance(part, arithmetic) for part in ast.walk(node)):
        return math.nan
    return float(eval(compile(ast.Expression(node), "<number>", "eval")))  # type: ignore[arg-type]


@broken_by(declaring("trained"))
def a_trained_claim_takes_a_device(source: Source) -> Complaints:
    """What was trained on a CPU is trained on a GPU too, where there is one."""
    for claim, test in of_kind(source, "trained"):
        if not {"device", "gpu"} & {*claim.parameters}:
            yield test.lineno, f"{claim.name} trains on the CPU alone. Take the parameter device, and use it"


@broken_by(declaring("measured"))
def a_measured_claim_reads_a_meter(source: Source) -> Complaints:
    """A clock or a meter read a real run; what is counted is exact."""
    for claim, test in of_kind(source, "measured"):
        values = [value for _, _, value in flow.observations(test)]
        names = flow.names(source, reality(source, claim, test, ast.Tuple(values, ast.Load())))
        if values and not any(METERS.match(name) or _reads_a_meter(name) for name in names):
            seen = f"{claim.name} is measured and reads no clock and no meter"
            yield test.lineno, f'{seen}. Read one of fixtures.clocks or fixtures.meters, or say "exact"'


METERS = re.compile(r"(time|timeit|resource|tracemalloc|torch\.cuda|torch\.utils\.benchmark)\.")


def _reads_a_meter(name: str) -> bool:
    """Whether a full name is of a meter, or of an instrument that takes the time itself."""
    module = ".".join(name.split(".")[:2])
    timed = re.search(r"^(import time|from \.clocks import)\b", _instrument(module), re.M)
    return module == "fixtures.meters" or bool(timed)


@broken_by(
    declaring("measured"),
    importing("from fixtures.meters import nearest"),
    ("len(encode(character))", "nearest(len(encode(character)), 1, 4)"),
)
@broken_by(
    declaring("measured"),
    (
        "    assert observe(length=len(",
        "    steps = round(len(encode(character)))\n    assert observe(length=steps + len(",
    ),
)
@broken_by(declaring("trained"), ("len(encode(character))", "round(4 * len(encode(character))) / 4"))
def what_is_measured_is_observed_raw(source: Source) -> Complaints:
    """The record tells 4.2, and not the law that 4.2 is nearest to."""
    for _, test in of_kind(source, "measured", "trained"):
        for call, name, value in flow.observations(test):
            for node in flow.results(test, value):
                if decided := _decides(source, node):
                    seen = f"{name} is {decided}, not what was measured"
                    yield call.lineno, f"{seen}. Observe the quantity itself, then decide"


def _decides(source: Source, node: ast.AST) -> str:
    """What puts a measurement on a grid, if an expression does."""
    match node:
        case ast.Call(func=ast.Name() | ast.Attribute() as function):
            name = source.full_name(function) or ast.unparse(function)
            return f"the result of {ast.unparse(function)}()" if SNAPS.search(name) else ""
    return ""


SNAPS = re.compile(r"^fixtures\.meters\.nearest$|^(round|bool|int)$|\.round$|^math\.(floor|ceil)$")
