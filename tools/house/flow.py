"""Flow: what a value in a claim's body may be made of, as far as the text tells.

A name is made of whatever the body assigns to it, loops over for it, draws for it, or hands it to: a call
may fill the list that it is given. A function or a constant of the page brings all that stands in it. Too
much is followed rather than too little, so that a rule which asks whether something comes from a library
says no only where nothing does.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator

from .source import Source, assigned, used

Nodes = list[ast.AST]

FIXED = ast.Constant | ast.BinOp | ast.UnaryOp | ast.BoolOp | ast.Compare | ast.JoinedStr
"""What makes a number, a text or a truth value, which no call can fill."""


def observations(test: ast.FunctionDef) -> Iterator[tuple[ast.Call, str, ast.expr]]:
    """Each call of `observe` in a claim's body: the call, the name and the value observed."""
    for node in ast.walk(test):
        match node:
            case ast.Call(func=ast.Name(id="observe"), keywords=[ast.keyword(arg=str(name), value=value)]):
                yield node, name, value


def made_of(source: Source, test: ast.FunctionDef, value: ast.AST, shut: Iterable[str] = ()) -> Nodes:
    """Everything that a value in a claim's body may depend on, itself first; `shut` is not entered."""
    local, found, ahead, seen = _local(test), [value], [value], set(shut)
    while ahead:
        for name in used(ahead.pop()) - seen:
            seen.add(name)
            parts = local.get(name) or source.bound.get(name, [])
            found += parts
            ahead += parts
    return found


def results(test: ast.FunctionDef, value: ast.AST) -> Iterator[ast.AST]:
    """The expressions of a claim's body whose results make up a value; what a call is given does not."""
    local, ahead, seen = _local(test), [value], set[str]()
    while ahead:
        node = ahead.pop()
        yield node
        match node:
            case ast.Name(id=name) if name not in seen:
                seen.add(name)
                ahead += [part for part in local.get(name, []) if name not in used(part)]
            case ast.Call(func=ast.Attribute(value=receiver)):
                ahead.append(receiver)
            case ast.Call(
                func=ast.Name(id="float" | "abs" | "max" | "min" | "sum" | "list" | "tuple"), args=args
            ):
                ahead += args
            case ast.IfExp(body=body, orelse=orelse):
                ahead += [body, orelse]
            case ast.Call() | ast.Compare() | ast.Module():
                pass
            case _:
                ahead += ast.iter_child_nodes(node)


def drawn(source: Source, test: ast.FunctionDef) -> dict[str, ast.AST]:
    """The strategy of each input that `@given` draws, where the page names it, as the page has it."""
    strategies: dict[str, ast.AST] = {}
    for keyword in _given(test):
        value = _looked_up(source, keyword.value)
        if keyword.arg is not None:
            strategies[keyword.arg] = value
        elif isinstance(value, ast.Dict):
            pairs = zip(value.keys, value.values, strict=True)
            named = ((key.value, each) for key, each in pairs if isinstance(key, ast.Constant))
            strategies |= {str(name): _looked_up(source, each) for name, each in named}
    return strategies


def _given(test: ast.FunctionDef) -> list[ast.keyword]:
    for decorator in test.decorator_list:
        match decorator:
            case ast.Call(func=ast.Name(id="given"), keywords=keywords):
                return keywords
    return []


def _looked_up(source: Source, node: ast.AST) -> ast.AST:
    """What a name of the page stands for, if it is assigned once."""
    while isinstance(node, ast.Name) and len(source.bound.get(node.id, [])) == 1:
        (node,) = source.bound[node.id]
    return node


def names(source: Source, nodes: Nodes) -> set[str]:
    """The full names of all imported things among some nodes: `torch.ones`, `fixtures.meters.nbytes`.

    The file that `open` opens is `io.open`. Annotations name nothing.
    """
    found, ahead = set[str](), list(nodes)
    while ahead:
        node = ahead.pop()
        if isinstance(node, ast.Attribute | ast.Name):
            found.add(source.full_name(node))
        if not (isinstance(node, ast.Attribute) and source.full_name(node.value).strip(".")):
            ahead += [part for part in ast.iter_child_nodes(node) if part not in _said_of(node)]
        if isinstance(node, ast.Name) and node.id == "open":
            found.add("io.open")
    return {name for name in found if name and not name.startswith(".")}


def _said_of(node: ast.AST) -> list[ast.AST | None]:
    """The annotations and decorators of a node."""
    match node:
        case ast.FunctionDef(returns=returns, decorator_list=decorators):
            return [returns, *decorators]
        case ast.arg(annotation=annotation) | ast.AnnAssign(annotation=annotation):
            return [annotation]
    return []


def _local(test: ast.FunctionDef) -> dict[str, Nodes]:
    """What each name of a claim's body is made of."""
    made: dict[str, Nodes] = defaultdict(list)
    for node in ast.walk(test):
        for target, value in _bindings(node):
            for name in used(target):
                made[name].append(value)
    calls = [node for node in ast.walk(test) if isinstance(node, ast.Call)]
    for name in [name for name, values in made.items() if not all(isinstance(v, FIXED) for v in values)]:
        made[name] += [call for call in calls if name in used(call)]
    for keyword in _given(test):
        made[keyword.arg or ""].append(keyword.value)
    return made


def _bindings(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """The names that a node binds, and what it binds to them."""
    match node:
        case ast.Assign() | ast.AnnAssign():
            yield from assigned(node)
        case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
            yield target, value
        case ast.For(target=target, iter=each) | ast.comprehension(target=target, iter=each):
            yield target, each
        case ast.With(items=items):
            yield from ((i.optional_vars, i.context_expr) for i in items if i.optional_vars)
        case ast.FunctionDef(name=name, body=body):
            yield ast.Name(name), ast.Module(body, [])
