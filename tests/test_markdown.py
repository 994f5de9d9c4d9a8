"""Markdown: text reads as it was written, whatever it holds and wherever it stands."""

import re

import pytest
from hypothesis import assume, given, strategies as st

from tests.rendered import MARKDOWN, hrefs, inline, words_of
from tools.markdown import anchor, block, cell, code, label, prose, sentence

OPENINGS = ("- ", "+ ", "* ", "1. ", "1) ", "# ", "> ", "=== ", "--- ", "~~~ ", "``` ", "    ", "| ", "<br> ")

fragments = st.sampled_from(
    [
        *OPENINGS,
        *"`*_[]()<>#|~&$!\\-+=:.'\"1x é\n\t",
        "``",
        "```",
        "](",
        "http://a",
        "https://a.b/c_d",
        "&amp;",
    ]
)
texts = st.lists(fragments | st.text(max_size=3), max_size=12).map("".join) | st.text()


def visible(text):
    """A text with escapes for what does not print."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def bare(text):
    """A text without the fences of its code and the white space beside them."""
    return re.sub(r"[`\s]", "", text)


PLACES = {
    "a paragraph": (prose, "{}", ["paragraph"]),
    "a bullet": (prose, "- {}\\\n  more", ["bullet_list", "list_item", "paragraph"]),
    "a quotation": (prose, "> {}", ["blockquote", "paragraph"]),
    "quotes": (prose, "“{}”\n", ["paragraph"]),
    "bold": (label, "**{}** *(exact)*", ["paragraph"]),
    "a heading": (label, '### <a id="x"></a>{}', ["heading"]),
    "a link": (label, "[{}](#x)", ["paragraph"]),
    "a cell": (label, "| a | b |\n|---|---|\n| {} | c |", None),
}


@pytest.mark.parametrize(("write", "frame", "blocks"), PLACES.values(), ids=PLACES)
@given(text=texts)
def test_text_reads_as_it_was_written(write, frame, blocks, text):
    """In every place text is text: no block, tag or emphasis comes of it, and no character is lost."""
    assume(text.strip())
    tokens = MARKDOWN.parse(frame.format(write(text)))
    kinds = [token.type.removesuffix("_open") for token in tokens if token.nesting == 1]

    if blocks is None:
        assert kinds.count("td") == 2
    else:
        assert kinds == blocks
    allowed = {"text", "code_inline", "link_open", "link_close", "hardbreak"}
    allowed |= {
        "bold": {"strong_open", "strong_close", "em_open", "em_close"},
        "a heading": {"html_inline"},
    }.get(next(name for name, place in PLACES.items() if place[1] == frame), set())
    assert {token.type for token in inline(tokens)} <= allowed
    assert all(re.match(r"https?://|#x$", href) for href in hrefs(tokens))
    assert bare(visible(" ".join(text.split()))) in bare(words_of(tokens))


@given(text=texts.filter(str.strip))
def test_a_code_span_holds_its_text(text):
    """A code span is one token, whatever backticks it holds."""
    (token,) = inline(MARKDOWN.parse(code(text)))

    assert token.type == "code_inline"
    assert token.content.strip() == visible(" ".join(text.splitlines()).strip())


@given(text=texts)
def test_a_block_holds_its_text(text):
    """A block of code is one token, whatever fences it holds."""
    (token,) = MARKDOWN.parse(block(text))

    assert token.type == "fence"
    assert token.info == "python"
    assert token.content.splitlines() == [visible(line) for line in text.splitlines()]


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("`a*b` stays code", "`a*b` stays code"),
        ("``a ` b`` keeps its tick", "``a ` b`` keeps its tick"),
        ("one ` alone is a tick", r"one \` alone is a tick"),
        ("see https://a.b/c_(d)_e, then", "see <https://a.b/c_(d)_e>, then"),
        ("(https://a.b/c)", "(<https://a.b/c>)"),
        ("kv_heads, _private and __dunder__", r"kv_heads, \_private and \_\_dunder\_\_"),
        ("` ` holds no code", r"\` \` holds no code"),
        ("1. one", r"1\. one"),
        ("1.5 and 3.11.7", "1.5 and 3.11.7"),
        ("right\u202eleft", r"right\\u202eleft"),
        ("", ""),
    ],
)
def test_prose_escapes_no_more_than_it_must(text, markdown):
    """Code and addresses survive; the rest is escaped only where Markdown would take it for more."""
    assert prose(text) == markdown


def test_a_label_holds_no_link_and_no_cell():
    """Where a link or a table stands around it, text links nowhere and divides nothing."""
    assert label("`a|b` and `c` at https://a.b") == r"\`a\|b\` and `c` at https://a.b"


def test_no_text_is_no_code():
    """An empty text leaves no stray ticks."""
    assert code(" \n ") == ""


@given(text=texts.map(str.split).filter(bool).map(" ".join))
def test_code_in_a_cell_divides_nothing(text):
    """A cell holds a code span, or the text itself where a bar would divide it."""
    tokens = MARKDOWN.parse(f"| a | b |\n|---|---|\n| {cell(text)} | c |")

    assert [token.tag for token in tokens if token.type == "td_open"] == ["td", "td"]
    assert bare(visible(text)) in bare(words_of(tokens))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one per group", "one per group."),
        ("Is it?", "Is it?"),
        ("one per…", "one per…"),
        ("It is.", "It is."),
        ("a*b!", r"a\*b!"),
    ],
)
def test_a_sentence_ends_once(text, shown):
    """A verdict may be written with a full stop or without."""
    assert sentence(text) == shown


def test_an_anchor_holds_letters_and_strokes():
    """What else a file's name holds becomes a stroke."""
    assert anchor("an odd-näme (2)") == "an-odd-näme--2-"
