"""Observation: a claim observes, asks, compares the two itself, and is tried."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from . import flow
from .kinds import INSTRUMENT, is_library, of_kind, origins, reality
from .rules import Complaints, broken_by
from .source import Definition, Source, sides, used
from .specimen import believing, importing


@broken_by(("== answer(character)", "== answer(character) == bytes_by_code_point(character)"))
@broken_by(("return codecs.", "return b'.' * bytes_by_code_point(character) or codecs."))
def reality_knows_no_rival(source: Source) -> Complaints:
    """What a claim observes names neither of its rivals."""
    for claim, _ in source.claims:
        rivals = sides(claim)
        for name, definition in source.reached([claim.name], shut=rivals).items():
            for rival in used(*definition.body) & {*rivals}:
                yield definition.lineno, f"{name} names the rival {rival}. Call `answer`, observe the rest"


@broken_by(
    ("    assert observe(length=", "    hold(observe(length="),
    ("== answer(character)", ", answer(character))"),
)
@broken_by(
    ("    assert observe", "    def compare():\n        assert observe"),
    ("== answer(character)", "== answer(character)\n\n    compare()"),
)
def the_decisive_assert_stands_in_the_claim(source: Source) -> Complaints:
    """Only an assertion of the test's own body refutes."""
    for claim, test in source.claims:
        if not any(own_asserts(test)):
            yield test.lineno, f"{claim.name} asserts nothing itself. Bring the assert home from its helper"


@broken_by(("assert observe(length=len(encode(character))) ==", "assert len(encode(character)) =="))
@broken_by(("== answer(character)", "== bytes_by_code_point(character)"))
def a_claim_observes_and_asks(source: Source) -> Complaints:
    """Reality stands on one side of the claim, the answer on the other."""
    for claim, test in source.claims:
        named = used(*test.body)
        if "observe" not in named:
            yield test.lineno, f"{claim.name} observes nothing. Wrap what it measures in observe(name=value)"
        if "answer" not in named:
            yield test.lineno, f"{claim.name} asks nobody. Compare what it measures with answer(…)"


@broken_by(("observe(length=", "observe("))
@broken_by(("observe(length=len(encode(character)))", "observe(length=len(encode(character)), twice=2)"))
def an_observation_has_one_name(source: Source) -> Complaints:
    """The name is printed with its value, and tells the unit."""
    for _, test in source.claims:
        for node in ast.walk(test):
            match node:
                case ast.Call(func=ast.Name(id="observe"), args=args, keywords=keywords):
                    if args or len(keywords) != 1:
                        seen = f"`{ast.unparse(node)}` does not name one value"
                        yield node.lineno, f"{seen}. Write observe(name=value), once for each"


@broken_by(("len(encode(character))", "1 + len(character)"))
@broken_by(
    (
        "    assert observe(length=len(encode(character)))",
        "    n = len(encode(character))\n    assert observe(length=n)",
    ),
    ('return codecs.encode(character, "utf-8")', "return 2 * character"),
)
def an_observation_comes_from_a_thing(source: Source) -> Complaints:
    """What is observed comes from a library or an instrument; a simulation may be the page's own."""
    for claim, test in of_kind(source, "exact", "measured", "trained", "simulated"):
        for call, name, value in flow.observations(test):
            nodes = reality(source, claim, test, value)
            things = {n for n in origins(source, nodes) if is_library(n) or n.startswith("fixtures.")}
            if not things and not (
                claim.evidence == "simulated" and any(isinstance(n, Definition) for n in nodes)
            ):
                seen = f"{name}={ast.unparse(value)} reaches no library and no instrument"
                yield call.lineno, f"{seen}. Observe a real object, not a formula"


@broken_by(
    (
        "return 1 + sum(ord(character) >= bound for bound in (0x80, 0x800, 0x10000))",
        "return len(encode(character))",
    )
)
@broken_by(
    importing("from fixtures.meters import nbytes"),
    ("return 1 + sum(", "return nbytes(character) or sum("),
    ("len(encode(character))", "nbytes(encode(character))"),
)
def the_right_answer_observes_nothing(source: Source) -> Complaints:
    """A prediction that calls what the claim observes with agrees with anything."""
    for claim, test in source.claims:
        right = source.reached([claim.right.name])
        called = {*right, *flow.names(source, list(right.values()))} - {claim.right.name}
        for call, name, value in flow.observations(test) if _predicts(test) else ():
            nodes = reality(source, claim, test, value)
            means = {node.name for node in nodes if isinstance(node, Definition)}
            means |= {n for n in origins(source, nodes) if INSTRUMENT.fullmatch(n)}
            for shared in sorted(called & means):
                seen = f"{claim.right.name} calls {shared.rpartition('.')[2]}, with which {name} is observed"
                yield call.lineno, f"{seen}. Let the answer say by itself what it predicts"


def _predicts(test: ast.FunctionDef) -> bool:
    """Whether a claim compares what its answer returns, and does not let it act."""
    return any("answer" in used(node) for node in own_asserts(test))


@broken_by(("== answer(character)\n", "== answer(character)\n    assert True\n"))
@broken_by(("== answer(character)\n", "== answer(character)\n    assert 1 == 1\n"))
@broken_by(("== answer(character)\n", "== answer(character)\n    assert character == character\n"))
@broken_by(
    importing("from math import isclose"),
    (
        "observe(length=len(encode(character))) == answer(character)",
        "isclose(observe(length=1), answer(character))",
    ),
)
def an_assert_compares(source: Source) -> Complaints:
    """A failed comparison shows two values; a failed `isclose` shows False."""
    for _, test in source.claims:
        for node in own_asserts(test):
            text = ast.unparse(node)
            if not isinstance(node.test, ast.Compare):
                yield node.lineno, f"`{text}` shows no two values. Compare with == or approx"
            elif len({*map(ast.dump, (node.test.left, *node.test.comparators))}) == 1 or not used(node):
                yield node.lineno, f"`{text}` cannot fail. Compare a measurement with an answer"


@broken_by(("== answer(character)\n", "== answer(character), 'lengths differ'\n"))
def an_assert_speaks_for_itself(source: Source) -> Complaints:
    """A message would stand on the sheet in place of the two values."""
    for _, test in source.claims:
        for node in own_asserts(test):
            if node.msg:
                yield node.msg.lineno, f"{ast.unparse(node.msg)} hides the comparison. Leave the message out"


@broken_by(importing("import pytest"), believing("pytest.skip('no tokenizer')"))
@broken_by(importing("from pytest import xfail"), believing("xfail()"))
@broken_by(importing("import pytest"), ("@claim(", "@pytest.mark.skip\n@claim("))
def nothing_is_skipped(source: Source) -> Complaints:
    """What cannot run here says so through its fixture, as `gpu` does."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute | ast.Name) and SKIPS.fullmatch(source.full_name(node)):
            yield node.lineno, f"{ast.unparse(node)} leaves a claim untried. Ask for a fixture, such as gpu"


SKIPS = re.compile(r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)")


def own_asserts(node: ast.AST) -> Iterator[ast.Assert]:
    """The asserts of a function that stand in no function within it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Assert):
            yield child
        elif not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield from own_asserts(child)
