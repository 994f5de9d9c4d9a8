"""Markdown as a code host renders it, for tests that look at what a reader sees."""

from markdown_it import MarkdownIt

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def inline(tokens):
    """The tokens within paragraphs, headings and cells."""
    return [child for token in tokens for child in token.children or ()]


def words_of(tokens):
    """What a reader reads: the text of Markdown tokens, code among it."""
    return "".join(
        "\n" if token.type in ("softbreak", "hardbreak") else token.content
        for token in inline(tokens)
        if not token.type.startswith("html")
    )


def hrefs(tokens):
    """Where the links lead."""
    return [token.attrs["href"] for token in inline(tokens) if token.type == "link_open"]
