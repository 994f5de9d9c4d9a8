"""Imports: the few modules that a page may load, where it loads them, and none that reaches outside."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from .rules import Complaints, broken_by
from .source import Source
from .specimen import importing


@broken_by(importing("import pandas"))
@broken_by(importing("from traps.data import reservoir"))
@broken_by(importing("from . import encodings_lose_text"))
@broken_by(importing("from tools.new_trap import NAME"))
@broken_by(importing("from fixtures.trial.page import Page"))
@broken_by(importing("import fixtures.trial.claims"))
@broken_by(importing("from fixtures import trial"))
@broken_by(("    return codecs", "    import conftest\n    return codecs"))
def imports_are_few(source: Source) -> Complaints:
    """A page imports the house, torch, numpy, hypothesis, pytest, the standard library, its subject."""
    for node, module in imports(source.tree):
        root = module.split(".")[0]
        if root in ("", "tools", "tests", "traps", "conftest") or module.startswith("fixtures.trial"):
            yield node.lineno, f"a page may not import {module}. Move what two pages share into fixtures/"
        elif root not in IMPORTABLE | SUBJECTS:
            known = ", ".join(sorted(IMPORTABLE - sys.stdlib_module_names | SUBJECTS))
            yield node.lineno, f"a page may not import {module}. It has the standard library and {known}"


@broken_by(importing("from math import *"))
def names_are_imported_by_name(source: Source) -> Complaints:
    """A star hides where a name comes from, from readers and from these rules."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*":
            yield node.lineno, f"`{ast.unparse(node)}` hides what it brings. Name what the page uses"


IMPORTABLE = {"fixtures", "hypothesis", "numpy", "pytest", "torch"} | sys.stdlib_module_names

SUBJECTS = {"datasketch", "polars", "scipy", "tokenizers"}


@broken_by(importing("import tokenizers"))
@broken_by(importing("from scipy.stats import norm"))
def a_subject_is_imported_where_it_is_used(source: Source) -> Complaints:
    """The library which a page is about loads inside its functions, so that one check stays quick."""
    functions = [node for node in ast.walk(source.tree) if isinstance(node, ast.FunctionDef)]
    within = {id(node) for function in functions for node, _ in imports(function)}
    for node, module in imports(source.tree):
        if module.split(".")[0] in SUBJECTS and id(node) not in within:
            yield node.lineno, f"{module} loads with the page. Import it inside the function that uses it"


@broken_by(("    return codecs", "    from urllib.request import urlopen\n    return codecs"))
@broken_by(importing("import socket"))
@broken_by(("codecs.encode(character", "Tokenizer.from_pretrained('gpt2').encode(character"))
@broken_by(
    importing("import torch"),
    ("codecs.encode(", "torch.hub.load('pytorch/vision', 'a').encode("),
)
def a_page_stays_offline(source: Source) -> Complaints:
    """What a claim observes is on the machine."""
    for node, module in imports(source.tree):
        if module.split(".")[0] in NETWORK:
            yield node.lineno, f"{module} reaches for the network. Observe what is here"
    for call, name in source.calls(source.tree):
        if name.endswith(".from_pretrained") or name.startswith("torch.hub."):
            yield call.lineno, f"{ast.unparse(call.func)} downloads. Build what you observe on the page"


NETWORK = {
    *("datasets", "ftplib", "http", "huggingface_hub", "requests", "smtplib", "socket", "urllib"),
    *("imaplib", "poplib", "socketserver", "webbrowser", "xmlrpc"),
}


def imports(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Every import with the module it names; a relative one begins with a dot.

    What is imported from the house itself may be a module too, and is named in full.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            if module == "fixtures":
                yield from ((node, f"{module}.{alias.name}") for alias in node.names)
            else:
                yield node, module
