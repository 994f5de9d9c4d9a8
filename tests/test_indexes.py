"""The indexes of the site: every trap is in them, and they are what a model or a browser expects."""

import json

import pytest

from tests.corpus import ROOT
from tests.rendered import MARKDOWN, hrefs
from tests.specimens import add
from tools.indexes import llms, search_index
from tools.view import view

HOSTILE = '</script><!-- "]; [x](javascript:y) # <b> \\ `'


@pytest.fixture(scope="module")
def corpus():
    """What the records and the pages of the repository say."""
    return view(ROOT)


def traps(text):
    """The constant that the search's script sets."""
    assert text.startswith("const TRAPS = [\n")
    assert text.endswith("\n];\n")
    return json.loads(text.removeprefix("const TRAPS = ").removesuffix(";\n"))


# llms.txt


def test_llms_txt_has_the_form_of_llmstxt_org(corpus):
    """One heading, a quoted summary, text without headings, then sections of links with notes."""
    tokens = MARKDOWN.parse(llms(corpus))
    opened = [f"{token.type} {token.tag}" for token in tokens if token.nesting >= 0 and token.level == 0]

    assert [kind for kind in opened if kind != "inline "] == [
        "heading_open h1",
        "blockquote_open blockquote",
        "paragraph_open p",
        *["heading_open h2", "bullet_list_open ul"] * (1 + len(corpus.areas)),
    ]


def test_llms_txt_links_every_trap(corpus):
    """Relative to the site, in the order of the sheet, behind the data."""
    links = hrefs(MARKDOWN.parse(llms(corpus)))

    assert links[:2] == ["facts.json", "facts.schema.json"]
    assert [link for link in links[2:] if "://" not in link] == [f"{p.page.slug}.html" for p in corpus.pages]


def test_llms_txt_tells_the_answer_in_a_line(repository):
    """What is asked, and the beginning of the answer."""
    assert (
        "- [Heads of the cache](kvcache.html): How many does the cache hold for each token? One a group.\n"
    ) in llms(view(repository))


# search-index.js


def test_the_search_knows_what_people_type(repository):
    """Title, question, terms and the names of the answers."""
    add(repository, "inference/kvcache", rest="Terms: GQA, KV cache")

    assert traps(search_index(view(repository))) == [
        {
            "slug": "kvcache",
            "title": "Heads of the cache",
            "area": "Inference",
            "asks": "How many does the cache hold for each token?",
            "terms": ["GQA", "KV cache"],
            "answers": ["just_right", "too_many", "too_few"],
        }
    ]


def test_the_search_knows_every_trap_and_is_light(corpus):
    """At most 150 KB, which a browser reads before one has typed a word."""
    text = search_index(corpus)

    assert [trap["slug"] for trap in traps(text)] == [page.page.slug for page in corpus.pages]
    assert len(text.encode()) <= 150_000


# Both


def test_text_breaks_out_of_neither(repository):
    """No tag and no Markdown of a page does anything."""
    add(repository, "inference/kvcache", title=f"T {HOSTILE}", question=f"Q {HOSTILE}?")
    script, text = (draw(view(repository)) for draw in (search_index, llms))

    assert "<" not in script
    assert traps(script)[0]["title"] == f"T {HOSTILE}"
    tokens = MARKDOWN.parse(text)
    assert not [token for token in tokens if token.type == "html_block"]
    assert {*hrefs(tokens)} == {"facts.json", "facts.schema.json", "kvcache.html"}


def test_both_are_the_same_each_time(corpus):
    """No date, no order that varies."""
    again = view(ROOT)

    assert llms(corpus) == llms(again)
    assert search_index(corpus) == search_index(again)
