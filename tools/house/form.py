"""Form: length, names, order, and sentences that can be printed."""

from __future__ import annotations

import ast
import keyword
import re

from fixtures.trial.page import ENTRIES
from tools.new_trap import NAME

from .rules import Complaints, broken_by
from .source import Source, sentences, sides, worked
from .specimen import altered, believing


@broken_by(("return 1 +", "\n" * 160 + "    return 1 +"))
def a_page_is_short(source: Source) -> Complaints:
    """At most 160 lines."""
    length = len(source.text.splitlines())
    if length > 160:
        yield 161, f"the page has {length} lines. Split it along its questions"


@broken_by(at="traps/tokenization/CharactersAreBytes.py")
@broken_by(at="traps/tokenization/2_characters_are_bytes.py")
@broken_by(at="traps/tokenization/lambda.py")
@broken_by(at="traps/byte level/characters_are_bytes.py")
def a_slug_is_snake_case(source: Source) -> Complaints:
    """A slug, and an area, is what a person types after `-k`."""
    for name, what in ((source.page.slug, "file"), (source.page.area, "folder")):
        if not NAME.fullmatch(name) or keyword.iskeyword(name):
            yield 1, f"{name!r} is not snake_case with a letter first. Rename the {what}"


ANSWER = altered()[altered().index("Answer:") : altered().index("Says:")]


@broken_by((ANSWER, ""))
@broken_by((ANSWER, "Answer: One to four bytes.\n"))
@broken_by((ANSWER, "Answer: It depends. Mostly one. Two for é. Three for €. Four for a rocket.\n"))
def an_answer_takes_two_to_four_sentences(source: Source) -> Complaints:
    """`Answer:` is what one says aloud in the room."""
    count = len(sentences(source.page.answer))
    if count == 0:
        yield 1, "the colophon has no 'Answer'. Add what one says aloud in the room, in two to four sentences"
    elif not 2 <= count <= 4:
        yield source.line_of("Answer"), f"the answer takes {_count(count, 'sentence')}. Say it in two to four"


@broken_by(("as soon as it leaves ASCII.", "as soon as it leaves ASCII"))
@broken_by(("Right when: All is ASCII.", "Right when: All is ASCII"))
def what_is_said_ends_in_a_full_stop(source: Source) -> Complaints:
    """The prose of the colophon is printed as sentences."""
    for name, line, text in source.entries:
        if name in PROSE and not text.rstrip().endswith((".", "?", "!", ".)")):
            yield line, f"'{name}' ends in '…{text.rstrip()[-20:]}'. End it with a full stop"


PROSE = ("Answer", "Says", "Right when", "Limits")


@broken_by(("Bytes of a character\n", "bytes of a character\n"))
def a_title_begins_with_a_capital(source: Source) -> Complaints:
    """A title stands alone in a list; only a name may begin small, as muP and p99 do."""
    first = source.page.title.split()[0]
    if first.isalpha() and first.islower():
        yield 1, f"the title begins with {first!r}. Give it a capital"


@broken_by(("Source: Yergeau 2003, RFC", "Source: Yergeau, RFC"))
def a_source_is_dated(source: Source) -> Complaints:
    """A paper and a post have a year; documentation is what stands there today, an issue has its number."""
    for name, line, text in source.entries:
        words = text.partition("http")[0]
        if name == "Source" and not re.search(
            r"\b(19|20)\d\d\b|documentation|source code|\bguide\b|\b(issue|pull) \d", words, re.IGNORECASE
        ):
            yield line, f"the source {text[:40]!r} has no year. Name its author, year, title and section"


@broken_by(("Says: A character is a byte.\n", ""))
def a_judged_statement_is_restated(source: Source) -> Complaints:
    """`Says:` is what the verdict judges; without it there is nothing to judge."""
    word = source.page.verdict.word
    if word != "not judged" and not source.page.says:
        seen = f"the verdict {word!r} judges a statement, and the colophon has no 'Says'"
        yield source.line_of("Verdict"), f"{seen}. Restate the source's, or write 'not judged: <why>'"


@broken_by(("Terms: UTF-8, code point\n", ""))
def a_page_has_terms(source: Source) -> Complaints:
    """`Terms:` are the words that people type."""
    if not source.page.terms:
        yield 1, "the colophon has no 'Terms'. Add the words by which people search, with commas between"


@broken_by(("Limits: Other encodings.\n", ""), ("Says: A", "Limits: Other encodings.\nSays: A"))
def the_colophon_is_in_order(source: Source) -> Complaints:
    """The answer first, then what the source says, the verdict on it, and where both are found."""
    found = [name for name, _, _ in source.entries]
    for (earlier, line, _), later in zip(source.entries[1:], found, strict=False):
        if ENTRIES.index(earlier) < ENTRIES.index(later):
            yield line, f"'{earlier}' stands below '{later}'. The order is {', '.join(ENTRIES)}"


@broken_by(("Asked: Specimens, chapter 1", "Asked: nowhere yet"))
@broken_by(
    ("Asked: Specimens, chapter 1", "Asked: nowhere yet\nAsked: Specimens, chapter 1"),
    ("Verdict: refuted by one_byte_a_character: a", "Verdict: not judged: a"),
)
def a_trap_of_ones_own_judges_nobody(source: Source) -> Complaints:
    """What is asked nowhere yet has no source whose statement could be an erratum."""
    asked, word = source.page.asked, source.page.verdict.word
    if any(NOWHERE.match(text) for text in asked):
        if word != "not judged":
            seen = f"the trap is asked nowhere yet, and its verdict is {word!r}"
            yield source.line_of("Verdict"), f"{seen}. Write 'not judged: a trap of our own', or the like"
        if len(asked) > 1:
            yield source.line_of("Asked"), "the trap is asked nowhere yet, and elsewhere. Keep one of the two"


NOWHERE = re.compile(r"(nowhere|not asked)\b", re.IGNORECASE)


@broken_by(('@example(character="é")\n@example(character="🚀")\n', ""))
def a_page_works_an_example(source: Source) -> Complaints:
    """The figures that people argue about are computed: the trap's own, a real model's."""
    claims = [test for _, test in source.claims]
    if claims and not any(map(worked, claims)):
        seen = "no claim of the page works an example"
        yield claims[0].lineno, f"{seen}. Put the trap's own figures in @example(…) above @given"


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
@broken_by(('    """A character is a byte."""\n', ""))
@broken_by(('"""A character is a byte."""', '""" """'))
def an_answer_opens_with_a_sentence(source: Source) -> Complaints:
    """The first paragraph of an answer's docstring is printed by itself."""
    for claim, _ in source.claims:
        for rival in (*claim.wrong, claim.right):
            if not rival.sentence:
                seen = f"{rival.name} has no docstring"
                yield source.line(rival.name), f"{seen}. Say in it what the answer believes, or its rule"
            elif not rival.sentence.endswith("."):
                yield source.line(rival.name), f"{rival.sentence!r} is left open. End it with a full stop"


@broken_by(("return codecs", "print(character)\n    return codecs"))
@broken_by(("return codecs", "breakpoint()\n    return codecs"))
def a_page_is_silent(source: Source) -> Complaints:
    """What is worth a look is observed, and then it stands in the record."""
    for node in ast.walk(source.tree):
        match node:
            case ast.Call(func=ast.Name(id="print" | "breakpoint" | "input" as name)):
                yield node.lineno, f"{name}(…) is left over. Take it away, or observe(name=value)"


@broken_by(believing("1  # TODO: combining characters"))
@broken_by(("as Python's codec writes them.", "as Python's codec writes them. FIXME: surrogates."))
def a_page_owes_nothing(source: Source) -> Complaints:
    """What is left open is said under `Limits:`, in words."""
    for number, line in enumerate(source.text.splitlines(), start=1):
        if found := re.search(r"\b(TODO|FIXME|XXX)\b", line):
            yield number, f"{found[0]} is left over. Do it, or say under `Limits:` what is not shown"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
