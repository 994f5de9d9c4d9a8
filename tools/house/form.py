"""Form: length, names, order, and sentences that can be printed."""

from __future__ import annotations

import re

from tools.new_trap import NAME

from .rules import Complaints, broken_by
from .source import Source, sides
from .specimen import believing


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


@broken_by(believing("1  # TODO: combining characters"))
@broken_by(("as Python's codec writes them.", "as Python's codec writes them. FIXME: surrogates."))
def a_page_owes_nothing(source: Source) -> Complaints:
    """What is left open is said under `Limits:`, in words."""
    for number, line in enumerate(source.text.splitlines(), start=1):
        if found := re.search(r"\b(TODO|FIXME|XXX)\b", line):
            yield number, f"{found[0]} is left over. Do it, or say under `Limits:` what is not shown"
