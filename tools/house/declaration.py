"""Declaration: a claim that is written runs, under the name and with the examples that it shows."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .rules import Complaints, broken_by
from .source import Source
from .specimen import importing

DECORATORS = ("fixtures.claim", "hypothesis.example", "hypothesis.given")


@broken_by(("def test_bytes_of_a_character(", "def bytes_of_a_character("))
def a_claim_is_named_as_a_test(source: Source) -> Complaints:
    """Pytest runs what is called `test_…`, and nothing else."""
    for claim, test in source.claims:
        if not claim.name.startswith("test_"):
            yield test.lineno, f"{claim.name} declares a claim and never runs. Name it test_{claim.name}"


@broken_by(
    ("@claim(wrong=one_byte_a_character", "class TestBytes:\n    @claim(wrong=one_byte_a_character"),
    ('@example(character="é")\n@example(character="🚀")\n@given(', "    @given("),
    ("def test_bytes_of_a_character(answer", "    def test_bytes_of_a_character(self, answer"),
    ('    """A character beyond ASCII', '        """A character beyond ASCII'),
    ("    assert observe", "        assert observe"),
)
@broken_by(("import claim, observe", "import claim as declare, observe"), ("@claim(", "@declare("))
def a_claim_stands_by_itself(source: Source) -> Complaints:
    """What is printed is a function of the page, below `@claim`; one in a class or a branch is not read."""
    read = {test for _, test in source.claims}
    for test in _declared(source):
        if test not in read:
            seen = f"{test.name} declares a claim that the page does not show"
            yield test.lineno, f"{seen}. Write it as a function at the left margin, below @claim(…)"


def _declared(source: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            called = (source.full_name(d.func) for d in node.decorator_list if isinstance(d, ast.Call))
            if "fixtures.claim" in called:
                yield node


@broken_by(
    (
        "== answer(character)\n",
        '== answer(character)\n\n\ndef encode(character):\n    """Again."""\n    return character\n',
    )
)
@broken_by(("import codecs\n", "import codecs\n\nencode = codecs.encode\n"))
def no_name_is_defined_twice(source: Source) -> Complaints:
    """Of two claims or helpers of one name Python keeps the last, and the other is never tried."""
    lines: dict[str, int] = {}
    for node in source.tree.body:
        for name in _defines(node):
            if name in lines:
                seen = f"{name} is defined here and in line {lines[name]}, and only the last one counts"
                yield node.lineno, f"{seen}. Rename one"
            lines[name] = node.lineno


@broken_by(
    ("def encode(character)", 'def decode(text):\n    """Its characters."""\n\n\ndef encode(character)')
)
@broken_by(importing("LIMIT = 4"))
def nothing_is_unused(source: Source) -> Complaints:
    """What no claim needs is in the reader's way."""
    names = (node for node in ast.walk(source.tree) if isinstance(node, ast.Name))
    read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    for node in source.tree.body:
        for name in _defines(node):
            if not name.lower().startswith("test") and name not in read:
                yield node.lineno, f"nothing on the page uses {name}. Take it away"


def _defines(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


@broken_by(importing("from hypothesis import settings"), ("@given(", "@settings(max_examples=1)\n@given("))
@broken_by(importing("import hypothesis"), ("@claim(", "@hypothesis.settings(max_examples=1)\n@claim("))
@broken_by(importing("import pytest"), ("@claim(", "@pytest.mark.parametrize('n', [1, 2])\n@claim("))
def a_claim_is_decorated_plainly(source: Source) -> Complaints:
    """How many examples a claim runs on is the profile's business, and `examples=` of the claim's own."""
    for _, test in source.claims:
        for decorator in test.decorator_list:
            function = decorator.func if isinstance(decorator, ast.Call) else decorator
            if source.full_name(function) not in DECORATORS:
                seen = f"@{ast.unparse(function)} stands on a claim"
                yield decorator.lineno, f"{seen}. Keep @claim(…, examples=…), @example and @given alone"


@broken_by(
    (
        '@claim(wrong=one_byte_a_character, right=bytes_by_code_point)\n@example(character="é")\n',
        '@example(character="é")\n@claim(wrong=one_byte_a_character, right=bytes_by_code_point)\n',
    )
)
def a_claim_is_decorated_in_order(source: Source) -> Complaints:
    """Who disputes, what is argued about, the regime."""
    for claim, test in source.claims:
        order = [source.full_name(d.func) for d in test.decorator_list if isinstance(d, ast.Call)]
        known = [DECORATED.index(name) for name in order if name in DECORATED]
        if known != sorted(known):
            yield claim.line, f"{claim.name} is decorated in another order. Write @claim, @example, @given"


DECORATED = ("fixtures.claim", "hypothesis.example", "hypothesis.given")
