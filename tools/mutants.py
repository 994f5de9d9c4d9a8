"""Mutants: a definition with one small place changed, as a slip of the pen would change it.

Each family of mutations takes a node of the syntax tree and yields what may stand in its place.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# What is easily mistaken for an operator, a comparison or a function.
OPERATORS: dict[type[ast.operator], tuple[type[ast.operator], ...]] = {
    ast.Add: (ast.Sub, ast.Mult), ast.Sub: (ast.Add,), ast.Mult: (ast.Add, ast.Div), ast.Pow: (ast.Mult,),
    ast.Div: (ast.Mult, ast.FloorDiv), ast.FloorDiv: (ast.Div, ast.Mod), ast.Mod: (ast.FloorDiv,),
    ast.LShift: (ast.RShift,), ast.RShift: (ast.LShift,),
    ast.BitAnd: (ast.BitOr,), ast.BitOr: (ast.BitAnd, ast.BitXor), ast.BitXor: (ast.BitOr,),
}  # fmt: skip
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt), ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
FUNCTIONS = {
    "min": ("max",), "max": ("min", "sum"), "sum": ("max",), "mean": ("sum",), "any": ("all",),
    "all": ("any",), "amin": ("amax",), "amax": ("amin",), "argmin": ("argmax",), "argmax": ("argmin",),
    "minimum": ("maximum",), "maximum": ("minimum",), "floor": ("ceil",), "ceil": ("floor",),
    "round": ("floor", "ceil"),
}  # fmt: skip

BUILTINS = {"min", "max", "sum", "any", "all"}
"""Functions that need no import: a page has them by their bare names."""

SYMMETRIC = {"min", "max", "gcd", "lcm", "hypot", "isclose", "minimum", "maximum", "allclose", "equal"}
"""Functions that do not mind the order of their arguments."""

PROSE = {"annotation", "returns", "decorator_list"}
"""Fields of a node that no mutation enters."""

ONE = ast.Constant(1)


@dataclass(frozen=True)
class Mutant:
    """A definition with one place changed: its name, the line, the statement before and after."""

    answer: str
    line: int
    was: str
    now: str
    source: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What a declaration knows it by."""
        return self.answer, self.was, self.now


def changed(node: ast.AST, **fields: Any) -> Any:
    """A copy of the node with other fields."""
    other = copy.copy(node)
    for name, value in fields.items():
        setattr(other, name, value)
    return other


def operators(node: ast.AST) -> Iterator[ast.AST]:
    """`a + b` → `a - b`, and likewise `a += b`."""
    match node:
        case ast.BinOp(ast.Constant(value=2), ast.Mult() | ast.Pow(), ast.Constant(value=2)):
            yield changed(node, op=ast.Div())  # the others make 4 as well
        case ast.BinOp(op=op) | ast.AugAssign(op=op):
            yield from (changed(node, op=near()) for near in OPERATORS.get(type(op), ()))


def comparisons(node: ast.AST) -> Iterator[ast.AST]:
    """`a < b` → `a <= b`: the boundary first, then the direction."""
    if isinstance(node, ast.Compare):
        for i, op in enumerate(node.ops):
            for near in COMPARISONS[type(op)]:
                yield changed(node, ops=[*node.ops[:i], near(), *node.ops[i + 1 :]])


def constants(node: ast.AST) -> Iterator[ast.AST]:
    """`8` → `9`, `7`; `0.5` → a quarter more, a half; `True` → `False`; `inf` → `0`. Text stays as it is."""
    match node:
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield from (ast.Constant(value + 1), ast.Constant(value - 1))
        case ast.Constant(value=float(value)):
            yield from (ast.Constant(1.25 * value if value else 1.0), ast.Constant(value / 2))
        case ast.Name(id="inf") | ast.Attribute(attr="inf"):
            yield ast.Constant(0)


def bounds(node: ast.AST) -> Iterator[ast.AST]:
    """`range(n)` → `range(n + 1)`, `x[i]` → `x[i - 1]`, `x[a:]` → `x[a:-1]`."""
    match node:
        case ast.Call(func=ast.Name(id="range"), args=args):
            yield from (changed(node, args=near) for near in _one_off(args))
        case ast.Subscript(slice=ast.Tuple(elts=elements) as index):
            yield from (changed(node, slice=changed(index, elts=near)) for near in _one_off(elements))
        case ast.Subscript(slice=index):
            yield from (changed(node, slice=near) for [near] in _one_off([index]))
        case ast.Slice(lower=lower, upper=upper, step=step):
            for first, last, stride in _one_off([lower, upper, step]):
                yield changed(node, lower=first, upper=last, step=stride)
            if lower and not upper:
                yield changed(node, upper=ast.Constant(-1))
            if upper and not lower:
                yield changed(node, lower=ONE)


def _one_off(items: Sequence[ast.expr | None]) -> Iterator[list[ast.expr | None]]:
    """Each item in turn one more and one less, except where `constants` sees to it."""
    for i, item in enumerate(items):
        ends_in_one = isinstance(item, ast.BinOp) and isinstance(item.right, ast.Constant)
        if (
            isinstance(item, ast.Name | ast.Attribute | ast.BinOp | ast.Call | ast.Subscript)
            and not ends_in_one
        ):
            for step in (ast.Add(), ast.Sub()):
                yield [*items[:i], ast.BinOp(item, step, ONE), *items[i + 1 :]]


def dropped_terms(node: ast.AST) -> Iterator[ast.AST]:
    """`a + b` → `a`, `b`; `f(a)` → `a`; `x.f()` → `x`; `-a` → `a`; `x += a` → `x = a`."""
    match node:
        case ast.BinOp(left=left, op=op, right=right):
            yield from (left, right) if isinstance(op, ast.Add | ast.Mult) else (left,)
        case ast.BoolOp(values=values):
            for i in range(len(values)):
                rest = [*values[:i], *values[i + 1 :]]
                yield changed(node, values=rest) if len(rest) > 1 else rest[0]
        case ast.comprehension(ifs=filters):
            yield from (changed(node, ifs=[f for f in filters if f is not out]) for out in filters)
        case ast.UnaryOp(operand=operand):
            yield operand
        case ast.Call(args=[arg], keywords=[]) if not isinstance(arg, ast.Starred):
            yield arg
        case ast.Call(func=ast.Attribute(value=receiver), args=[], keywords=[]):
            yield receiver
        case ast.AugAssign(target=target, value=value):
            yield ast.Assign([target], value, lineno=node.lineno)


def swapped_arguments(node: ast.AST) -> Iterator[ast.AST]:
    """`f(a, b)` → `f(b, a)`; `return a, b` → `return b, a`."""
    match node:
        case ast.Call(args=args) if _called(node) not in SYMMETRIC:
            yield from (changed(node, args=other) for other in _swaps(args))
        case ast.Return(value=ast.Tuple(elts=elements) as pair):
            yield from (changed(node, value=changed(pair, elts=other)) for other in _swaps(elements))


def _swaps(items: list[ast.expr]) -> Iterator[list[ast.expr]]:
    for i in range(len(items) - 1):
        if not any(isinstance(item, ast.Starred) for item in items[i : i + 2]):
            yield [*items[:i], items[i + 1], items[i], *items[i + 2 :]]


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "id", getattr(call.func, "attr", "")))


def neighbours(node: ast.AST) -> Iterator[ast.AST]:
    """`min(x)` → `max(x)`, `x.sum()` → `x.max()`, `math.ceil(x)` → `math.floor(x)`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
        field = "id" if isinstance(node.func, ast.Name) else "attr"
        for near in FUNCTIONS.get(_called(node), ()):
            if field == "attr" or near in BUILTINS:
                yield changed(node, func=changed(node.func, **{field: near}))


def roundings(node: ast.AST) -> Iterator[ast.AST]:
    """`round(x)` → `int(x)`, `int(x + 0.5)`; `round(x, n)` → `x`; `ceil(x)` → `int(x)`, `int(x) + 1`.

    They part at ties and at whole numbers. `-(-a // b)` rounds up as well: → `a // b + 1`.
    """
    match node:
        case ast.Call(func=ast.Name(id="round"), args=[x]):
            yield from (_int(x), _int(ast.BinOp(x, ast.Add(), ast.Constant(0.5))))
        case ast.Call(func=ast.Name(id="round"), args=[x, _]):
            yield x
        case ast.Call(func=ast.Name(id="ceil"), args=[x]):
            yield from (_int(x), ast.BinOp(_int(x), ast.Add(), ONE))
        case ast.Call(func=ast.Name(id="floor"), args=[x]):
            yield from (ast.BinOp(_int(x), ast.Add(), ONE), changed(node, func=ast.Name("round")))
        case ast.UnaryOp(ast.USub(), ast.BinOp(ast.UnaryOp(ast.USub(), a), ast.FloorDiv(), b)):
            yield ast.BinOp(ast.BinOp(a, ast.FloorDiv(), b), ast.Add(), ONE)


def _int(x: ast.expr) -> ast.Call:
    return ast.Call(ast.Name("int"), [x], [])


def conditions(node: ast.AST) -> Iterator[ast.AST]:
    """`a and b` → `a or b`; the branches of an `if` change places: `if a` → `if not a`."""
    match node:
        case ast.BoolOp(op=op):
            yield changed(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test) if not _opposed(test):
            yield changed(node, test=ast.UnaryOp(ast.Not(), test))


def _opposed(test: ast.expr) -> bool:
    """Whether another family makes the opposite of a condition already."""
    match test:
        case ast.Constant() | ast.UnaryOp(op=ast.Not()):
            return True
        case ast.Compare(ops=[op]):
            return not isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE)
    return False


def deletions(node: ast.AST) -> Iterator[ast.AST]:
    """A statement that acts → `pass`. A deleted return in a branch falls through."""
    match node:
        case ast.Expr(value=ast.Constant()) | ast.AnnAssign(value=None):
            return
        case ast.Expr() | ast.Assign() | ast.AugAssign() | ast.AnnAssign():
            yield ast.Pass()
        case ast.Return() | ast.Break() | ast.Continue():
            yield ast.Pass()


FAMILIES: tuple[Callable[[ast.AST], Iterator[ast.AST]], ...] = (
    operators, comparisons, constants, bounds, dropped_terms,
    swapped_arguments, neighbours, roundings, conditions, deletions,
)  # fmt: skip


def bound(statement: ast.AST) -> str:
    """The name that a function, a class or a constant at the top of a page defines, or none."""
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return str(name)
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            return str(name)
    return ""


def mutants(definition: ast.stmt) -> Iterator[Mutant]:
    """Every mutant of a function, a class or a constant, in the order of its text, each once."""
    seen = {ast.unparse(definition)}
    for node, statement, siblings, place in _places(definition, definition):
        for other in (other for family in FAMILIES for other in family(node)):
            was = _line(statement)
            siblings[place] = other
            now, source = _line(other if node is statement else statement), ast.unparse(definition)
            siblings[place] = node
            if source not in seen:
                seen.add(source)
                line = next(part.lineno for part in ast.walk(node) if hasattr(part, "lineno"))
                yield Mutant(bound(definition), line, was, now, source)


def _places(node: ast.AST, statement: Any) -> Iterator[tuple[Any, Any, Any, Any]]:
    """Each node below this one, its innermost statement, and the list or fields in which it stands."""
    for name, value in ast.iter_fields(node):
        siblings: Any = value if isinstance(value, list) else vars(node)
        for place in range(len(value)) if isinstance(value, list) else (name,):
            child = siblings[place]
            if isinstance(child, ast.AST) and name not in PROSE:
                own = isinstance(child, ast.stmt | ast.excepthandler | ast.match_case)
                inner = child if own else statement
                yield child, inner, siblings, place
                yield from _places(child, inner)


def _line(statement: ast.AST) -> str:
    """A statement on one line; of a compound one its head."""
    blocks = ("body", "orelse", "finalbody", "handlers", "cases", "decorator_list")
    return ast.unparse(changed(statement, **{b: [] for b in blocks if hasattr(statement, b)})).strip()
