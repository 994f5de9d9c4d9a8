"""Text as Markdown that reads as it was written, whatever it holds.

Everything that a page or a record says passes one of these filters on its way to print.
"""

from __future__ import annotations

import re

_MARKED = re.compile(
    r"(?<!`)(?P<fence>`+)(?!`)(?P<code>.+?)(?<!`)(?P=fence)(?!`)|\b(?P<url>https?://[^\W_][^\s<>`\\\"]*)"
)
_SPECIAL = re.compile(r"[\\`*\[\]<>|~&$]|(?<![^\W_])_|_(?![^\W_])|#(?=#*$)")
_OPENING = re.compile(r"^(\d+(?=[.)](?:\s|$))|(?=[-+=:#]))")
"""What makes a heading, a list or a rule at the start of a line only."""


def prose(text: str) -> str:
    """A paragraph: its balanced backtick spans are code, its addresses are links."""
    return _written(text, links=True)


def sentence(text: str) -> str:
    """A paragraph that ends as a sentence does, or where it was cut."""
    return prose(text) + ("" if text.endswith((".", "?", "!", "…")) else ".")


def label(text: str) -> str:
    """A paragraph that may stand in a link or a table: it holds no link, and no code with a `|`."""
    return _written(text, links=False)


def code(text: str) -> str:
    """A code span on one line, with a fence that nothing in it closes."""
    line = _visible(" ".join(text.splitlines()).strip())
    if not line:
        return ""
    fence = _fence(line, 1)
    pad = " " if "`" in (line[0], line[-1]) else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def cell(text: str) -> str:
    """A code span that may stand in a table; text that holds a `|` stands there without."""
    return label(text) if "|" in text else code(text)


def block(text: str) -> str:
    """A block of Python, with a fence that nothing in it closes."""
    fence = _fence(text, 3)
    return "\n".join([f"{fence}python", *map(_visible, text.splitlines()), fence])


def addresses(text: str) -> list[str]:
    """The addresses to which a paragraph links, each once."""
    found = (match["url"] for match in _MARKED.finditer(text) if match["url"])
    return list(dict.fromkeys(map(_address, found)))


def anchor(name: str) -> str:
    """A name as the anchor of a heading."""
    return re.sub(r"[^\w-]", "-", name)


def _written(text: str, links: bool) -> str:
    line = _visible(" ".join(text.split()))
    written, end = [], 0
    for found in _MARKED.finditer(line):
        url = _address(found["url"] or "")
        marked = f"<{url}>" if url else code(found["code"])
        if not marked or (not links and (url or "|" in marked)):
            continue
        written += [_literal(line[end : found.start()]), marked]
        end = found.start() + len(url) if url else found.end()
    return _OPENING.sub(r"\1\\", "".join([*written, _literal(line[end:])]))


def _literal(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


def _visible(line: str) -> str:
    """A line in which a character that does not print, a turn of direction say, stands as its escape."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)


def _address(url: str) -> str:
    """An address without the punctuation of the sentence around it."""
    while url.endswith(tuple(".,;:!?'*_~]}’”")) or (url.endswith(")") and url.count(")") > url.count("(")):
        url = url[:-1]
    return url


def _fence(text: str, shortest: int) -> str:
    return "`" * max([shortest, *(len(run) + 1 for run in re.findall("`+", text))])
