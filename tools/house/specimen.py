"""The good page, and how a specimen is cut from it."""

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
