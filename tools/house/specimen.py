"""The good page with its record, and how a specimen is cut from them."""

from __future__ import annotations

from fixtures.trial.page import digest

GOOD = '''\
"""Bytes of a character

A byte-level tokenizer starts from the bytes of a text. How many bytes has one character?

Answer: One to four, by its code point: é takes 2 bytes and a rocket 4. So a text has more bytes than
    characters as soon as it leaves ASCII.
Says: A character is a byte.
Verdict: refuted by one_byte_a_character: a character takes one to four bytes
Asked: Specimens, chapter 1
Source: Yergeau 2003, RFC 3629, section 3, https://www.rfc-editor.org/rfc/rfc3629
Terms: UTF-8, code point
Right when: All is ASCII.
Limits: Other encodings.
"""

import codecs

from hypothesis import example, given, strategies as st

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
    return codecs.encode(character, "utf-8")


@claim(wrong=one_byte_a_character, right=bytes_by_code_point)
@example(character="é")
@example(character="🚀")
@given(character=st.characters(exclude_categories=["Cs"]))
def test_bytes_of_a_character(answer, character):
    """A character beyond ASCII takes more than one byte.

    character: one code point, no surrogate
    """
    assert observe(length=len(encode(character))) == answer(character)
'''

RECORD = """\
{
"digest": "DIGEST",
"environment": {"day": "2026-11-25", "device": "cpu", "device_name": "x86_64", "hypothesis": "6.170.15",
  "platform": "Linux", "python": "3.11.7", "torch": "2.13.0"},
"page": "traps/tokenization/characters_are_bytes.py",
"schema_version": 2,
"runs": [
  {"claim": "test_bytes_of_a_character", "answer": "right-bytes_by_code_point", "evidence": "exact",
   "outcome": "held", "examples": 102, "observed": {"length": {"largest": 4, "last": 3, "smallest": 1}},
   "quantity": "length", "samples": null,
   "worked": {"inputs": {"character": ["'é'", "'🚀'"]}, "observed": {"length": [2, 4]},
              "predicted": {"right-bytes_by_code_point": [2, 4], "wrong-one_byte_a_character": [1, 1]}},
   "fits": {}, "counterexample": null, "reason": ""},
  {"claim": "test_bytes_of_a_character", "answer": "wrong-one_byte_a_character", "evidence": "exact",
   "outcome": "refuted", "examples": 3, "observed": {"length": {"largest": 2, "last": 2, "smallest": 1}},
   "quantity": "length", "samples": null, "worked": null, "fits": {},
   "counterexample": {"assertion": "assert 2 == 1", "inputs": {"character": "'\x80'"}, "observed": 2,
                      "predicted": 1},
   "reason": ""}
]
}
"""
"""What a run of the good page leaves, as far as the rules read it."""

HOME = "traps/tokenization/characters_are_bytes.py"
EVIDENCE = "evidence/cpu/tokenization/characters_are_bytes.json"

OPENING = {"traps/tokenization/__init__.py": '"""What a model reads instead of text."""\n'}

Specimen = dict[str, str]
"""Files of a small corpus: text by path."""

Change = tuple[str, str]
"""A passage, and what stands there instead."""


def altered(*changes: Change, text: str = GOOD) -> str:
    """The good page, or its record, with some passages changed."""
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the good specimen"
        text = text.replace(old, new)
    return text


def specimen(*changes: Change, at: str = HOME, record: tuple[Change, ...] | None = ()) -> Specimen:
    """The good page with its record, some passages of either changed; None leaves the record out."""
    page = altered(*changes)
    if record is None:
        return {at: page}
    return {at: page, EVIDENCE: altered(*record, ("DIGEST", digest(page)), text=RECORD)}


def importing(statement: str) -> Change:
    """The change that imports something more."""
    return "from fixtures import", f"{statement}\nfrom fixtures import"


def believing(expression: str) -> Change:
    """The change that makes the wrong answer return something else."""
    return "return 1\n", f"return {expression}\n"


ACCEPTED = {
    "plain": specimen(),
    "library-inside": specimen(
        (
            'return codecs.encode(character, "utf-8")',
            "from tokenizers import Tokenizer\n\n    return Tokenizer(character)",
        ),
    ),
    "seeded": specimen(
        (
            "from hypothesis import example",
            "import random\n\nimport numpy as np\nimport torch\nfrom hypothesis import example",
        ),
        (
            'return codecs.encode(character, "utf-8")',
            "rng = random.Random(ord(character))\n"
            "    rows = np.random.default_rng(rng.randrange(9)).integers(4)\n"
            "    return torch.randn(rows, generator=torch.Generator().manual_seed(rows))",
        ),
        ("return 1\n", "torch.manual_seed(0)\n    return torch.empty(4).normal_().numel()\n"),
    ),
    "measured": specimen(
        ("import codecs", "import codecs\nimport time"),
        ("right=bytes_by_code_point)", 'right=bytes_by_code_point, evidence="measured")'),
        ("    return codecs", "    time.perf_counter()\n    return codecs"),
    ),
    "trained": specimen(
        ("right=bytes_by_code_point)", 'right=bytes_by_code_point, evidence="trained")'),
        (
            "def encode(character)",
            "lengths, seeds = st.integers(1, 4), st.integers(0, 10**4 - 1)\n\n\ndef encode(character)",
        ),
        ('character=st.characters(exclude_categories=["Cs"])', "character=st.text(), seed=seeds"),
        ("answer, character)", "answer, device, character, seed)"),
        ("len(encode(character))", "len(encode(character * round(1 + seed)))"),
    ),
    "simulated-by-the-page": specimen(
        ("refuted by one_byte_a_character:", "imprecise:"),
        ("right=bytes_by_code_point)", 'right=bytes_by_code_point, evidence="simulated")'),
        ("import codecs\n\n", ""),
        ('codecs.encode(character, "utf-8")', "[character for _ in range(4)]"),
    ),
    "derived": specimen(
        ("refuted by one_byte_a_character:", "imprecise:"),
        ("right=bytes_by_code_point)", 'right=bytes_by_code_point, evidence="derived")'),
        ("len(encode(character))", "1 + ord(character) // 128"),
    ),
    "filled-by-a-call": specimen(
        (
            "    assert observe(length=len(encode(character)))",
            "    seen = []\n    encode(character, seen.append)\n    assert observe(length=len(seen))",
        ),
        ("def encode(character):", "def encode(character, keep):"),
        ('return codecs.encode(character, "utf-8")', 'keep(codecs.encode(character, "utf-8"))'),
    ),
    "acting": specimen(
        ("== answer(character)\n", "== len(character)\n"),
        (
            "    assert observe(length=len(",
            "    written = answer(character)\n    assert observe(length=written + len(",
        ),
        ("return 1 + sum(", "return len(encode(character)) + sum("),
    ),
    "a-trap-of-ones-own": specimen(
        ("Asked: Specimens, chapter 1", "Asked: nowhere yet"),
        ("Says: A character is a byte.\n", ""),
        (
            "refuted by one_byte_a_character: a character takes one to four bytes",
            "not judged: nobody asks it",
        ),
    ),
    "by-a-hair-and-said-why": specimen(
        ("refuted by one_byte_a_character:", "imprecise:"),
        ("Limits: Other encodings.", "Limits: one_byte_a_character is nearly right here."),
        ("é takes 2 bytes and a rocket 4", "some take more"),
        record=(
            ('"observed": {"length": [2, 4]}', '"observed": {"length": [10, 10]}'),
            ('"wrong-one_byte_a_character": [1, 1]', '"wrong-one_byte_a_character": [9, 9]'),
        ),
    ),
    "rival-of-another-claim": specimen(
        (
            "== answer(character)\n",
            "== answer(character)\n\n\n"
            "@claim(wrong=longest, right=shortest)\n@given(character=st.characters())\n"
            "def test_bytes_of_ascii(answer, character):\n"
            '    """ASCII is written in single bytes.\n\n    character: one code point\n    """\n'
            "    assert observe(length=one_byte_a_character(encode(character))) == answer(character)\n",
        ),
        (
            "def encode(",
            'def longest(character):\n    """Four."""\n    return 4\n\n\n'
            'def shortest(character):\n    """One."""\n    return 1\n\n\ndef encode(',
        ),
    ),
}
"""Pages that keep every rule, among them the forms which a rule might mistake for a breach."""
