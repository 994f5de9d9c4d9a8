"""Words: the English and the names that engineers use, where a page would coin its own."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

from fixtures.glossary import glossary
from fixtures.trial.page import FIXTURES

from .rules import Complaints, broken_by
from .source import Source, sides


class Word(NamedTuple):
    """What is not written, what is instead, and a sentence that has it."""

    pattern: str
    instead: str
    sample: str


_OF = (
    r"bytes?|bits?|FLOPs?|tokens?|parameters?|numbers?|weights?|heads?|slots?|requests?|layers?|queries|pairs?"
    r"|products?|multiply-adds?|nets|gradients|directions|blocks?|seconds|ms|µs|[KMGT]i?B|one|once|\d+"
)
_EACH = (
    r"byte|weight|token|parameter|second(?!\s+(?:moment|time|pass|one|run|half|token|page))|pass|request|sequence|layer|row|element|number|head|group|query|output"
    r"|step|position|sample|seed|kind|model|multiply-add|block|example|direction|bf16|fp16|fp32"
)

WORDS = (
    Word(r"shall", "'is to', 'must' or 'will'", "The text shall be the target's own."),
    Word(
        r"whoever", "'anyone who', or the name of the person", "Whoever has the weights can repeat the run."
    ),
    Word(
        r"beside", "'relative to', 'next to' or 'compared with'", "An update that is small beside its weight."
    ),
    Word(
        r"play(?:s|ed)?\s+(?:machine|H100|A100|from)",
        "'two-engine roofline simulation'",
        "On a played machine.",
    ),
    Word(r"breaks\s+off", "'the stored text stops at …', once, under `Limits:`", "The abstract breaks off."),
    Word(
        r"(?:/home|/Users|/root|/tmp|[A-Z]:\\\\\w+)/\S+",
        "what anyone can open: a URL, or a file of this repository",
        "As /home/ada/notes tells.",
    ),
    Word(r"kvcache", "'KV cache'", "The kvcache grows."),
    Word(
        r"(?:neighbour|favour|behaviour|colour|labell|modell|cancell(?!ation)|(?:initial|normal|optim|general"
        r"|regular|quant|token|vector|parallel|recogn|summar)is[eai])\w*",
        "American spelling, as the libraries have it",
        "The gap to its left neighbour.",
    ),
    Word(rf"(?:{_OF})\s+an?\s+(?:{_EACH})(?![-\w])", "'per' for 'a'", "It takes 16 bytes a parameter."),
    Word(r"\d{1,3}(?:[  ]\d{3})+(?![\d.,])", "commas: 26,624", "From 26 624 tokens on."),
    Word(r"(?<![-+.,/#\d])(?<!issue )(?<!pull )\d{5,}(?![\d./])", "commas: 26,624", "From 26624 tokens on."),
)
"""The list grows by a line: a regular expression for whole words, and what to write."""


@broken_by(("A character is a byte.\nVerdict", "A character shall be a byte.\nVerdict"))
@broken_by(("three below U+10000, else four.", "and four bytes a\n    number beyond."))
@broken_by(("return 1\n", "return 1  # small beside the text\n"))
def the_words_are_the_fields(source: Source) -> Complaints:
    """A page is read by engineers, and by people for whom English is a second language."""
    for line, text in _prose(source):
        for word in WORDS:
            for found in re.finditer(rf"(?<!\w){word.pattern}(?!\w)", text, re.IGNORECASE):
                at = line + text[: found.start()].count("\n")
                yield at, f"{' '.join(found[0].split())!r} is not how engineers say it. Write {word.instead}"


def _prose(source: Source) -> Iterator[tuple[int, str]]:
    """Docstrings and comments with the line in which each begins; the titles of sources are as they are."""
    cited = {number for name, at, text in source.entries if name in ("Asked", "Source")
             for number in range(at, at + text.count("\n") + 1)}  # fmt: skip
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            first, last = node.body[0].lineno, node.body[0].end_lineno or node.body[0].lineno
            lines = range(first, last + 1)
            yield first, "\n".join("" if n in cited else source.lines[n - 1] for n in lines)
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


@broken_by(("\n\n    character: one code point, no surrogate\n    ", ""))
@broken_by(("character: one code point, no surrogate", "character: one code point\n    size: its bytes"))
@broken_by(
    ("character: one code point, no surrogate", "character: one code point\n    seed: where the draw begins"),
    ("answer, character)", "answer, character, seed)"),
    ('character=st.characters(exclude_categories=["Cs"])', "character=st.text(), seed=st.integers()"),
)
def inputs_are_explained(source: Source) -> Complaints:
    """A name means the same on every page: it is in the glossary, or the claim's docstring explains it."""
    for claim, test in source.claims:
        known, told = glossary(), claim.inputs
        names = dict.fromkeys(name for name in claim.parameters if name not in FIXTURES)
        for rival in sides(claim):
            names |= dict.fromkeys(source.parameters(rival))
        for name in names:
            if name not in known and name not in told:
                seen = f"{name} is neither in fixtures/glossary.toml nor explained"
                yield test.lineno, f"{seen}. Write '{name}: its meaning, unit' below the claim's sentence"
        for name in told:
            if name in known:
                seen = f"the claim explains {name}, which means {known[name]} on every page"
                yield test.lineno, f"{seen}. Leave the line out, or take another name"
            elif name not in names and name not in sides(claim):
                seen = f"the claim explains {name}, which is no input of it"
                yield test.lineno, f"{seen}. Leave the line out"
