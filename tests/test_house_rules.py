"""The corpus keeps the house rules: one small rule a function, failing specimens above it.

A rule yields what it finds wrong: the line, what was seen, what to do. To add one, write its
function and a specimen that breaks it; it is then tried on every page.
"""

import ast
import functools
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fixtures.trial.page import ClaimText, Page, page_paths
from tools.new_trap import NAME

ROOT = Path(__file__).parents[1]

GOOD = '''\
"""Bytes of a character

A byte-level tokenizer starts from the bytes of a text. How many bytes has one character?

Verdict: holds
Asked: Specimens, chapter 1
Source: Yergeau 2003, RFC 3629, section 3, https://www.rfc-editor.org/rfc/rfc3629
"""

from hypothesis import given, strategies as st

from fixtures import claim, observe


def one_byte_a_character(character: str) -> int:
    """A character is a byte."""
    return 1


def bytes_by_code_point(character: str) -> int:
    """One byte below U+0080, two below U+0800, three below U+10000, else four.

    The first byte tells the length, and each further one carries six bits.
    """
    return 1 + sum(ord(character) >= bound for bound in (0x80, 0x800, 0x10000))


def encode(character):
    """The character's bytes, as Python's codec writes them."""
    return character.encode("utf-8")


@claim(wrong=one_byte_a_character, right=bytes_by_code_point)
@given(character=st.characters(exclude_categories=["Cs"]))
def test_bytes_of_a_character(answer, character):
    """A character beyond ASCII takes more than one byte."""
    assert observe(length=len(encode(character))) == answer(character)
'''

HOME = "traps/tokenization/characters_are_bytes.py"
OPENING = {"traps/tokenization/__init__.py": '"""What a model reads instead of text."""\n'}

Specimen = dict[str, str]
"""Files of a small corpus: text by path."""

Complaints = Iterator[tuple[int, str]]
Definition = ast.FunctionDef | ast.ClassDef
PageRule = Callable[["Source"], Complaints]
CorpusRule = Callable[[Path], Iterator[str]]

PAGE_RULES: dict[PageRule, list[Specimen]] = {}
CORPUS_RULES: dict[CorpusRule, list[Specimen]] = {}


def altered(*changes: tuple[str, str]) -> str:
    """The good page with some passages changed."""
    text = GOOD
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the good specimen"
        text = text.replace(old, new)
    return text


def importing(statement: str) -> tuple[str, str]:
    """The change that imports something more."""
    return "from fixtures import", f"{statement}\nfrom fixtures import"


def believing(expression: str) -> tuple[str, str]:
    """The change that makes the wrong answer return something else."""
    return "return 1\n", f"return {expression}\n"


def broken_by(*changes: tuple[str, str], at: str = HOME) -> Callable[[PageRule], PageRule]:
    """Try the rule below on every page, and prove it on the good one with these changes."""

    def keep(rule: PageRule) -> PageRule:
        PAGE_RULES.setdefault(rule, []).append({at: altered(*changes)})
        return rule

    return keep


def broken_by_corpus(files: Specimen) -> Callable[[CorpusRule], CorpusRule]:
    """Try the rule below on the whole corpus, and prove it on these files beside the good page."""

    def keep(rule: CorpusRule) -> CorpusRule:
        CORPUS_RULES.setdefault(rule, []).append({HOME: GOOD} | OPENING | files)
        return rule

    return keep


# How a rule looks at a page


@dataclass(frozen=True)
class Source:
    """A page together with its syntax."""

    page: Page
    text: str
    tree: ast.Module

    @classmethod
    @functools.cache
    def read(cls, path: Path) -> "Source":
        """Read a page once; PageError where its text cannot go to print."""
        text = path.read_text(encoding="utf-8")
        return cls(Page.read(path), text, ast.parse(text))

    @property
    def definitions(self) -> dict[str, Definition]:
        """The functions and classes of the page."""
        return {n.name: n for n in self.tree.body if isinstance(n, Definition)}

    @property
    def claims(self) -> Iterator[tuple[ClaimText, ast.FunctionDef]]:
        """Each claim with its test."""
        for claim in self.page.claims:
            test = self.definitions[claim.name]
            assert isinstance(test, ast.FunctionDef)
            yield claim, test

    def line(self, name: str) -> int:
        """Where a function stands."""
        return self.definitions[name].lineno

    def reached(self, names: Iterable[str], shut: Iterable[str] = ()) -> dict[str, Definition]:
        """What a call of these functions may run of the page, without passing through `shut`."""
        definitions, found, ahead = self.definitions, {}, list(names)
        while ahead:
            name = ahead.pop()
            if name in definitions and name not in found and name not in shut:
                found[name] = definitions[name]
                ahead += used(*definitions[name].body)
        return found

    @functools.cached_property
    def aliases(self) -> dict[str, str]:
        """What each imported name stands for, in full."""
        full = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for a in node.names:
                    full[a.asname or a.name.split(".")[0]] = a.name if a.asname else a.name.split(".")[0]
            elif isinstance(node, ast.ImportFrom):
                full |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        return full

    def calls(self, *parts: ast.AST) -> Iterator[tuple[ast.Call, str]]:
        """Every call with the full name of what it calls: `np.sum(x)` calls `numpy.sum`.

        What is not imported has no name of its own: `x.sum()` calls `.sum`.
        """
        for part in parts:
            yield from ((n, self.full_name(n.func)) for n in ast.walk(part) if isinstance(n, ast.Call))

    def full_name(self, node: ast.expr) -> str:
        """An imported name or an attribute of one, in full."""
        if isinstance(node, ast.Attribute):
            return f"{self.full_name(node.value)}.{node.attr}"
        return self.aliases.get(node.id, "") if isinstance(node, ast.Name) else ""


def used(*parts: ast.AST) -> set[str]:
    """Every name that is used in some statements."""
    return {node.id for part in parts for node in ast.walk(part) if isinstance(node, ast.Name)}


def own_asserts(node: ast.AST) -> Iterator[ast.Assert]:
    """The asserts of a function that stand in no function within it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Assert):
            yield child
        elif not isinstance(child, ast.FunctionDef | ast.Lambda):
            yield from own_asserts(child)


def sides(claim: ClaimText) -> list[str]:
    """The names of a claim's rivals, the wrong ones first."""
    return [rival.name for rival in (*claim.wrong, claim.right)]


def imports(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Every import with the module it names; a relative one begins with a dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node, "." * node.level + (node.module or "")


# The rules of a page


@broken_by(("return 1 +", "\n" * 160 + "    return 1 +"))
def a_page_is_short(source: Source) -> Complaints:
    """At most 160 lines."""
    length = len(source.text.splitlines())
    if length > 160:
        yield 161, f"the page has {length} lines. Split it along its questions"


@broken_by(at="traps/tokenization/CharactersAreBytes.py")
@broken_by(at="traps/tokenization/2_characters_are_bytes.py")
def a_slug_is_snake_case(source: Source) -> Complaints:
    """A slug is what a person types after `-k`."""
    if not NAME.fullmatch(source.page.slug):
        yield 1, f"{source.page.slug!r} is not snake_case with a letter first. Rename the file"


@broken_by(("@claim(wrong=one_byte_a_character, right=bytes_by_code_point)\n", ""))
def a_page_holds_a_claim(source: Source) -> Complaints:
    """A page without a claim is prose."""
    if not source.page.claims:
        yield 1, "the page holds no claim. Write a test below @claim(…) and @given(…)"


@broken_by(
    ("== answer(character)\n", "== answer(character)\n\n\ndef test_encode():\n    assert encode('a')\n")
)
def every_test_is_a_claim(source: Source) -> Complaints:
    """A test that nobody disputes belongs to `tests/`."""
    claims = {claim.name for claim, _ in source.claims}
    for name, definition in source.definitions.items():
        if name.startswith(("test", "Test")) and name not in claims:
            yield definition.lineno, f"{name} is a test and no claim. Declare it with @claim(…)"


@broken_by(
    ("wrong=one_byte_a_character", "wrong=bytes_by_code_point"),
    ("right=bytes_by_code_point", "right=one_byte_a_character"),
)
def the_temptation_comes_first(source: Source) -> Complaints:
    """The reader falls before he is told."""
    for claim, _ in source.claims:
        wrong, right = sides(claim)[0], sides(claim)[-1]
        if source.line(wrong) > source.line(right):
            yield source.line(right), f"{right} stands above {wrong}. Put the temptation first"


@broken_by(
    ("@claim(wrong=one_byte_a_character", "@claim(wrong=(one_byte_a_character, two_bytes)"),
    ("== answer(character)\n", "== answer(character)\n\n\ndef two_bytes(character):\n    '''Two.'''\n"),
)
def claims_come_last(source: Source) -> Complaints:
    """Every answer stands above the first claim."""
    first = min((test.lineno for _, test in source.claims), default=0)
    for name in dict.fromkeys(name for claim, _ in source.claims for name in sides(claim)):
        if source.line(name) > first:
            yield source.line(name), f"{name} stands below a claim. Move it above the first one"


@broken_by(("== answer(character)", "== answer(character) == bytes_by_code_point(character)"))
@broken_by(("return character.encode(", "return b'.' * bytes_by_code_point(character) or character.encode("))
def reality_knows_no_rival(source: Source) -> Complaints:
    """What a claim observes names neither of its rivals."""
    for claim, _ in source.claims:
        rivals = sides(claim)
        for name, definition in source.reached([claim.name], shut=rivals).items():
            for rival in used(*definition.body) & {*rivals}:
                yield definition.lineno, f"{name} names the rival {rival}. Call `answer`, observe the rest"


@broken_by(importing("import pandas"))
@broken_by(importing("from traps.data import reservoir"))
@broken_by(importing("from . import encodings_lose_text"))
@broken_by(importing("from tools.new_trap import NAME"))
@broken_by(("    return character.enc", "    import conftest\n    return character.enc"))
def imports_are_few(source: Source) -> Complaints:
    """A page imports the house, torch, numpy, hypothesis, pytest, the standard library, its subject."""
    for node, module in imports(source.tree):
        if module.split(".")[0] not in IMPORTABLE | SUBJECTS:
            yield node.lineno, f"a page may not import {module}. Move what two pages share into fixtures/"


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


@broken_by(("    return character.enc", "    from urllib.request import urlopen\n    return character.enc"))
@broken_by(importing("import socket"))
@broken_by(("character.encode(", "Tokenizer.from_pretrained(character).encode("))
@broken_by(
    importing("import torch"),
    ("character.encode(", "torch.hub.load('pytorch/vision', character).encode("),
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


@broken_by(("takes more than one byte.", "takes more than one byte"))
@broken_by(("takes more than one byte.", "is long. It takes more than one byte."))
@broken_by(("A character beyond ASCII takes more", "Check that a character takes more"))
@broken_by(("A character beyond ASCII takes more", "Tests whether a character takes more"))
def a_claim_is_one_sentence(source: Source) -> Complaints:
    """A test's docstring states the fact, not the procedure."""
    for claim, test in source.claims:
        if not claim.sentence.endswith(".") or re.search(r"[.!?] [A-Z]", claim.sentence):
            yield (
                test.lineno,
                f"{claim.sentence!r} is not one sentence. State the claim in one, with a full stop",
            )
        if re.match(r"(test|check|verif|assert|ensure)\w*\b", claim.sentence, re.IGNORECASE):
            yield test.lineno, f"{claim.sentence!r} tells what the test does. State what is true"


@broken_by(('"""A character is a byte."""', '"""A character is a byte"""'))
@broken_by(("three below U+10000, else four.", "three below U+10000, else four:"))
def an_answer_opens_with_a_sentence(source: Source) -> Complaints:
    """The first paragraph of an answer's docstring is printed by itself."""
    for claim, _ in source.claims:
        for rival in (*claim.wrong, claim.right):
            if not rival.sentence.endswith("."):
                yield source.line(rival.name), f"{rival.sentence!r} is left open. End it with a full stop"


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


@broken_by(
    importing("import time"),
    ("    return character.encode", "    time.perf_counter()\n    return character.encode"),
)
@broken_by(
    importing("from datetime import datetime as calendar"),
    believing("calendar.now().year"),
)
@broken_by(
    importing("from fixtures.clocks import settled"),
    ("    return character.encode", "    settled(lambda: [1.0])\n    return character.encode"),
)
def only_a_measured_claim_reads_the_clock(source: Source) -> Complaints:
    """Everything else comes out the same tomorrow."""
    for claim, _ in source.claims:
        if claim.evidence != "measured":
            for call, name in source.calls(*source.reached([claim.name, *sides(claim)]).values()):
                if CLOCK.match(name):
                    yield call.lineno, f"{ast.unparse(call.func)} reads the clock. Count instead of timing"


CLOCK = re.compile(
    r"(time|timeit|torch\.utils\.benchmark)\.|torch\.cuda\.Event|datetime\.\w+\.(now|utcnow|today)"
    r"|fixtures\.clocks\.(seconds|settled)"
)


@broken_by(
    importing("from fixtures.clocks import nearest"),
    ("observe(length=len(encode(character)))", "observe(law=nearest(len(encode(character)), 1, 4))"),
)
@broken_by(
    importing("from fixtures.clocks import nearest"),
    ("assert observe", "law = nearest(len(encode(character)), 1, 4)\n    assert observe"),
    ("length=len(encode(character))", "law=law"),
)
def what_is_observed_is_raw(source: Source) -> Complaints:
    """The record holds what was measured, and the law that it is nearest to is only compared."""
    for _, test in source.claims:
        laws = {name for name, value in assigned(test) if is_law(source, value)}
        for call, name in source.calls(*test.body):
            if name == "fixtures.observe":
                for keyword in call.keywords:
                    if is_law(source, keyword.value) or used(keyword.value) & laws:
                        yield call.lineno, f"{ast.unparse(call)} keeps a law. Observe what was measured"


def is_law(source: Source, *parts: ast.AST) -> bool:
    """Whether a part of the page calls `nearest`."""
    return any(name == "fixtures.clocks.nearest" for _, name in source.calls(*parts))


def assigned(test: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    """Every name that a test assigns, with its value."""
    for node in ast.walk(test):
        if isinstance(node, ast.Assign):
            yield from ((name, node.value) for target in node.targets for name in used(target))


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


@broken_by(believing("1  # TODO: combining characters"))
@broken_by(("as Python's codec writes them.", "as Python's codec writes them. FIXME: surrogates."))
def a_page_owes_nothing(source: Source) -> Complaints:
    """What is left open is said under `Limits:`, in words."""
    for number, line in enumerate(source.text.splitlines(), start=1):
        if found := re.search(r"\b(TODO|FIXME|XXX)\b", line):
            yield number, f"{found[0]} is left over. Do it, or say under `Limits:` what is not shown"


# The rules of the corpus


@broken_by_corpus({"traps/notes.py": GOOD})
@broken_by_corpus({"traps/tokenization/unicode/characters_are_bytes.py": GOOD})
@broken_by_corpus({"traps/tokenization/notes.md": "Notes\n"})
@broken_by_corpus({"traps/tokenization/gone.equivalent.toml": ""})
def every_file_is_a_page(root: Path) -> Iterator[str]:
    """Beside pages `traps/` holds the areas' openings and the declared equivalents, and nothing unread."""
    pages = page_paths(root)
    read = {
        *pages,
        *(page.with_suffix(".equivalent.toml") for page in pages),
        *root.glob("traps/*/__init__.py"),
    }
    for path in sorted(root.glob("traps/**/*")):
        if path.is_file() and "__pycache__" not in path.parts and path not in read:
            yield f"{path.relative_to(root)} is read by nothing. A page is traps/<area>/<slug>.py"


@broken_by_corpus({"traps/data/rows_are_tokens.py": GOOD})
@broken_by_corpus({"traps/tokenization/__init__.py": ""})
@broken_by_corpus({"traps/tokenization/__init__.py": '"""Text"""\n'})
def areas_open_with_a_sentence(root: Path) -> Iterator[str]:
    """The sheet prints it as the chapter's first line."""
    for area in sorted({page.parent for page in page_paths(root)}):
        init = area / "__init__.py"
        opening = ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))) if init.exists() else None
        if not (opening or "").endswith("."):
            yield f"{area.relative_to(root)} has no opening sentence. Give its __init__.py one as docstring"


@broken_by_corpus({f"traps/tokenization/trap_{n}.py": GOOD for n in range(12)})
def areas_hold_at_most_a_dozen_pages(root: Path) -> Iterator[str]:
    """A longer chapter is two."""
    areas = defaultdict(list)
    for page in page_paths(root):
        areas[page.parent.relative_to(root)].append(page)
    for area, pages in areas.items():
        if len(pages) > 12:
            yield f"{area} holds {len(pages)} pages. Split it in two areas"


def shared(owners: Iterable[tuple[str, Page]], what: str) -> Iterator[str]:
    """A complaint for every name that belongs to more than one page."""
    pages = defaultdict(set)
    for name, page in owners:
        pages[name].add(page.name)
    for name, where in pages.items():
        if len(where) > 1:
            yield f"the {what} {name} stands in {' and '.join(sorted(where))}. Rename one"


@broken_by_corpus({"traps/data/characters_are_bytes.py": GOOD})
def no_slug_is_shared(root: Path) -> Iterator[str]:
    """`pytest -k` knows a page by its slug alone."""
    yield from shared(((s.page.slug, s.page) for s in sources(root)), "slug")


@broken_by_corpus({"traps/tokenization/bytes_are_tokens.py": GOOD})
def no_test_name_is_shared(root: Path) -> Iterator[str]:
    """So is a claim known by its name."""
    yield from shared(((c.name, s.page) for s in sources(root) for c in s.page.claims), "test name")


@broken_by_corpus({"traps/tokenization/bytes_are_tokens.py": GOOD})
def no_answer_name_is_shared(root: Path) -> Iterator[str]:
    """And an answer, which claims of one page may share."""
    owners = ((name, s.page) for s in sources(root) for c in s.page.claims for name in sides(c))
    yield from shared(owners, "answer")


def sources(root: Path) -> list[Source]:
    """Every page of a corpus."""
    return [Source.read(path) for path in page_paths(root)]


# The rules at work

ACCEPTED = {
    "plain": GOOD,
    "library-inside": altered(
        (
            'return character.encode("utf-8")',
            "from tokenizers import Tokenizer\n\n    return Tokenizer(character)",
        ),
    ),
    "seeded": altered(
        (
            "from hypothesis import given",
            "import random\n\nimport numpy as np\nimport torch\nfrom hypothesis import given",
        ),
        (
            'return character.encode("utf-8")',
            "rng = random.Random(ord(character))\n"
            "    rows = np.random.default_rng(rng.randrange(9)).integers(4)\n"
            "    return torch.randn(rows, generator=torch.Generator().manual_seed(rows))",
        ),
        ("return 1\n", "torch.manual_seed(0)\n    return torch.empty(4).normal_().numel()\n"),
    ),
    "measured": altered(
        ("from hypothesis import given", "import time\n\nfrom hypothesis import given"),
        ("right=bytes_by_code_point)", 'right=bytes_by_code_point, evidence="measured")'),
        ("    return character.encode", "    time.perf_counter()\n    return character.encode"),
    ),
    "rival-of-another-claim": altered(
        (
            "== answer(character)\n",
            "== answer(character)\n\n\n"
            "@claim(wrong=longest, right=shortest)\n@given(character=st.characters())\n"
            "def test_bytes_of_ascii(answer, character):\n"
            '    """ASCII is written in single bytes."""\n'
            "    assert observe(length=one_byte_a_character(character)) == answer(character)\n",
        ),
        (
            "def encode(",
            'def longest(character):\n    """Four."""\n    return 4\n\n\n'
            'def shortest(character):\n    """One."""\n    return 1\n\n\ndef encode(',
        ),
    ),
}
"""Pages that keep every rule, among them the forms which a rule might mistake for a breach."""


def write(root: Path, files: Specimen) -> Path:
    """Write a specimen's files: the root of a small corpus."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def complaints(rule: PageRule, path: Path) -> list[str]:
    """What a rule finds wrong with a page."""
    return [f"{Source.read(path).page.name}:{line}: {text}." for line, text in rule(Source.read(path))]


def specimens(rules: dict[Callable[..., object], list[Specimen]]) -> list[object]:
    """Every rule with each of its failing specimens."""
    return [
        pytest.param(rule, files, id=rule.__name__ + (f"-{number}" if number else ""))
        for rule, broken in rules.items()
        for number, files in enumerate(broken)
    ]


@pytest.mark.parametrize("path", page_paths(ROOT), ids=lambda path: path.stem)
@pytest.mark.parametrize("rule", PAGE_RULES, ids=lambda rule: rule.__name__)
def test_page_keeps_the_rule(rule, path):
    """Every page keeps every rule."""
    if found := complaints(rule, path):
        pytest.fail("\n".join(found), pytrace=False)


@pytest.mark.parametrize("rule", CORPUS_RULES, ids=lambda rule: rule.__name__)
def test_corpus_keeps_the_rule(rule):
    """The corpus as a whole keeps the rules that concern more than one page."""
    if found := list(rule(ROOT)):
        pytest.fail("\n".join(found), pytrace=False)


@pytest.mark.parametrize(("rule", "files"), specimens(PAGE_RULES))
def test_rule_catches_a_page(rule, files, tmp_path):
    """A rule finds fault with a page that breaks it."""
    (name,) = files
    assert complaints(rule, write(tmp_path, files) / name)


@pytest.mark.parametrize(("rule", "files"), specimens(CORPUS_RULES))
def test_rule_catches_a_corpus(rule, files, tmp_path):
    """A rule finds fault with a corpus that breaks it."""
    assert list(rule(write(tmp_path, files)))


@pytest.mark.parametrize("text", ACCEPTED.values(), ids=ACCEPTED)
def test_rules_accept_a_page(text, tmp_path):
    """No rule finds fault with a page that keeps them."""
    path = write(tmp_path, {HOME: text} | OPENING) / HOME
    assert [found for rule in PAGE_RULES for found in complaints(rule, path)] == []
    assert [found for rule in CORPUS_RULES for found in rule(tmp_path)] == []


def test_the_good_specimen_holds(corpus):
    """The page from which the specimens are cut is a page: one answer holds, one is refuted."""
    corpus.write(GOOD, slug="characters_are_bytes", area="tokenization")
    assert corpus.run("traps").parseoutcomes() == {"passed": 1, "refuted": 1}


# The house around the corpus


def pins() -> dict[str, str]:
    """The versions of constraints.txt."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)$", text, re.MULTILINE))


def test_every_direct_dependency_is_pinned():
    """A clean installation takes the versions at which the sheet was verified."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    assert sorted(pins()) == sorted(re.match(r"[\w.-]+", requirement)[0] for requirement in direct)


def test_the_hooks_run_the_pinned_linter():
    """A commit is held to the same linter as a check."""
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"ruff==([\d.]+)", hooks)) == {pins()["ruff"]}
