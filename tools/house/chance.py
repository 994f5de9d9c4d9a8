"""Chance: what a page draws and what it reads off a clock comes out the same tomorrow."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from .rules import Complaints, broken_by
from .source import Source, sides
from .specimen import believing, importing


@broken_by(('st.characters(exclude_categories=["Cs"])', "st.data()"))
@broken_by(
    importing("from hypothesis.strategies import data"),
    ('st.characters(exclude_categories=["Cs"])', "data()"),
)
def draws_are_printed(source: Source) -> Complaints:
    """Every input of a claim stands in `@given`, and so in its counterexample."""
    for call, name in source.calls(source.tree):
        if name == "hypothesis.strategies.data":
            yield call.lineno, "draws of st.data() are printed nowhere. Draw in @given, or in a composite"


@broken_by(
    importing("import time"),
    ("    return codecs", "    time.perf_counter()\n    return codecs"),
)
@broken_by(
    importing("from datetime import datetime as calendar"),
    believing("calendar.now().year"),
)
@broken_by(
    ("right=bytes_by_code_point)", 'right=bytes_by_code_point, evidence="measured")'),
    importing("import time"),
    believing("time.time()"),
)
@broken_by(
    importing("from fixtures.clocks import settled"),
    ("    return codecs", "    settled(lambda: [1.0])\n    return codecs"),
)
def only_a_measured_claim_reads_the_clock(source: Source) -> Complaints:
    """Everything else comes out the same tomorrow, and so does an answer of any claim."""
    for claim, _ in source.claims:
        bound = sides(claim) if claim.evidence == "measured" else [claim.name, *sides(claim)]
        for call, name in source.calls(*source.reached(bound).values()):
            if CLOCK.match(name):
                yield call.lineno, f"{ast.unparse(call.func)} reads the clock. Count instead of timing"


CLOCK = re.compile(
    r"(time|timeit|torch\.utils\.benchmark)\.|torch\.cuda\.Event|datetime\.\w+\.(now|utcnow|today)"
    r"|fixtures\.clocks\.(seconds|settled)"
)


@broken_by(believing("hash(character) % 4"))
@broken_by(("return 1 +", "return hash('') * 0 + 1 +"))
@broken_by(("len(encode(character))", "id(encode(character))"))
def nothing_hangs_on_the_process(source: Source) -> Complaints:
    """The hash of a text and the place of an object are others in each process."""
    for claim, _ in source.claims:
        for definition in source.reached([claim.name, *sides(claim)]).values():
            for node in ast.walk(definition):
                match node:
                    case ast.Call(func=ast.Name(id="hash" | "id" as name)) if name not in source.bound:
                        yield (
                            node.lineno,
                            f"{ast.unparse(node)} differs from run to run. Use what the value says",
                        )


@broken_by(
    importing("CALLS = []"),
    ("return 1 +", "CALLS.append(character)\n    return len(CALLS) +"),
)
@broken_by(importing("SEEN = {}"), ("return 1 +", "SEEN[character] = 1\n    return len(SEEN) +"))
@broken_by(importing("COUNT = iter(range(9))"), ("return 1 +", "return next(COUNT) +"))
@broken_by(importing("COUNT = 0"), ("return 1 +", "global COUNT\n    COUNT += 1\n    return COUNT +"))
@broken_by(
    ("def bytes_by_code_point(character: str)", "def bytes_by_code_point(character: str, seen=[])"),
    ("def one_byte_a_character(character: str)", "def one_byte_a_character(character: str, seen=[])"),
)
@broken_by(("return 1 +", "encode.calls = 1\n    return encode.calls +"))
def an_answer_remembers_nothing(source: Source) -> Complaints:
    """Whatever was asked before, the same question has the same answer."""
    for name in dict.fromkeys(name for claim, _ in source.claims for name in sides(claim)):
        for definition in source.reached([name]).values():
            if isinstance(definition, ast.FunctionDef):
                for line, what in _memories(source, definition):
                    seen = f"{name} keeps {what} from one call to the next"
                    yield line, f"{seen}. Let its parameters be all that it knows"


@broken_by(
    importing("COUNT = 0"), ("    assert observe(", "    global COUNT\n    COUNT += 1\n    assert observe(")
)
def a_claim_remembers_nothing(source: Source) -> Complaints:
    """An example that hangs on the one before it cannot be repeated."""
    for claim, _ in source.claims:
        for definition in source.reached([claim.name], shut=sides(claim)).values():
            for node in ast.walk(definition):
                if isinstance(node, ast.Global):
                    seen = f"{claim.name} keeps the global {', '.join(node.names)} from example to example"
                    yield node.lineno, f"{seen}. Let @given and the device be all that it knows"


def _memories(source: Source, function: ast.FunctionDef) -> Iterator[tuple[int, str]]:
    """What a function changes and finds again when it is called anew."""
    own = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    own |= {n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    outer = source.bound.keys() - own
    for default in [*function.args.defaults, *filter(None, function.args.kw_defaults)]:
        if isinstance(default, ast.List | ast.Dict | ast.Set | ast.Call):
            yield default.lineno, f"its default {ast.unparse(default)}"
    for node in ast.walk(function):
        match node:
            case ast.Global(names=names):
                yield node.lineno, f"the global {', '.join(names)}"
            case ast.Subscript(value=ast.Name(id=kept), ctx=ast.Store() | ast.Del()) if kept in outer:
                yield node.lineno, kept
            case ast.Attribute(value=ast.Name(id=kept), ctx=ast.Store() | ast.Del()) if kept in outer:
                yield node.lineno, kept
            case ast.Call(func=ast.Name(id="next"), args=[ast.Name(id=kept), *_]) if kept in outer:
                yield node.lineno, kept
            case ast.Call(func=ast.Attribute(value=ast.Name(id=kept), attr=method)) if kept in outer:
                if method in CHANGES:
                    yield node.lineno, kept


CHANGES = {
    *("add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popleft", "popitem"),
    *("remove", "reverse", "send", "setdefault", "sort", "subtract", "update"),
}
"""Methods that change a list, a dict, a set, a counter, a generator."""


@broken_by(
    importing("import random"),
    believing("random.randrange(4)"),
)
@broken_by(
    importing("from random import Random"),
    believing("Random().randrange(4)"),
)
@broken_by(
    importing("import numpy as np"),
    believing("np.random.randint(4)"),
)
@broken_by(
    importing("import numpy as np"),
    believing("np.random.default_rng().integers(4)"),
)
@broken_by(
    importing("import torch"),
    believing("torch.randint(4, ())"),
)
@broken_by(
    importing("import torch"),
    believing("torch.empty(4).normal_()"),
)
@broken_by(importing("from os import urandom\n\nSALT = urandom(8)"))
def chance_is_seeded(source: Source) -> Complaints:
    """What is drawn at random can be drawn again."""
    for part in source.tree.body:
        calls = list(source.calls(part))
        seeded = any(name.endswith("manual_seed") for _, name in calls)
        for call, name in calls:
            if SEEDED_BY_ARGUMENT.fullmatch(name):
                sown = bool(call.args or call.keywords)
            elif TORCH_DRAW.search(name):
                sown = seeded or any(keyword.arg == "generator" for keyword in call.keywords)
            else:
                sown = not UNSEEDED.match(name)
            if not sown:
                yield call.lineno, f"{ast.unparse(call.func)} draws without a seed. Take one from @given"


SEEDED_BY_ARGUMENT = re.compile(
    r"random\.Random|numpy\.random\.(default_rng|Generator|PCG64|Philox|RandomState|SeedSequence)"
)


TORCH_DRAW = re.compile(
    r"torch\.(rand|randn|randint|rand_like|randn_like|randint_like|randperm|normal|bernoulli|multinomial"
    r"|poisson|nn\.functional\.dropout)$"
    r"|\.(bernoulli|cauchy|exponential|geometric|log_normal|normal|random|uniform)_$"
)

UNSEEDED = re.compile(r"(random|numpy\.random|secrets|uuid)\.|os\.urandom$")
