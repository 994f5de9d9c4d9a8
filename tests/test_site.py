"""The site: it says what the view holds, tells nothing before it is asked, and needs nothing else."""

import re
from html.parser import HTMLParser

import pytest

from tests.corpus import ROOT
from tools import site
from tools.view import view

VOID = {"meta", "link", "br", "hr"}


class Read(HTMLParser):
    """Links, ids and text of a page, and whether every element is closed in its order."""

    def __init__(self):
        super().__init__()
        self.open, self.links, self.ids, self.shown, self.hidden = [], [], [], [], []

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.links += [named[name] for name in ("href", "src") if name in named]
        self.ids += [named["id"]] if "id" in named else []
        if tag not in VOID:
            self.open.append(tag)
        assert not (tag == "details" and "open" in named), "an answer is shown before it is asked for"
        assert tag not in ("script", "img", "iframe", "form"), tag

    def handle_endtag(self, tag):
        assert tag in VOID or self.open.pop() == tag

    def handle_data(self, text):
        (self.hidden if "details" in self.open else self.shown).append(text)


def read(text):
    """A page that has been read to its end."""
    page = Read()
    page.feed(text)
    page.close()
    assert page.open == []
    return page


@pytest.fixture(scope="module")
def corpus():
    """What the records and the pages of the repository say."""
    return view(ROOT)


@pytest.fixture(scope="module")
def files(corpus):
    """The site of the repository."""
    return site.draw_up(corpus)


@pytest.fixture(scope="module")
def html(files):
    """Its pages, read."""
    return {name: read(text) for name, text in files.items() if name.endswith(".html")}


def words(parts):
    """Text without the marks of Markdown, and with single blanks."""
    return re.sub(r"[`*_\\\s]+", " ", " ".join(parts)).strip()


def test_every_trap_has_a_page_that_asks_first(corpus, html):
    """The question and all answers are shown; what is true is behind the summary, with its sources."""
    for page in corpus.pages:
        read = html[f"{page.page.slug}.html"]
        shown, hidden = words(read.shown), words(read.hidden)
        assert words([page.page.question]) in shown
        assert all(
            words([answer.rival.sentence]) in shown for claim in page.claims for answer in claim.answers
        )
        assert "Refuted" not in shown
        assert "Answer." in hidden


def test_the_order_of_answers_does_not_tell(corpus):
    """The right answer stands first about as often as it would by chance."""
    claims = [claim for page in corpus.pages for claim in page.claims]
    first = sum(site.shuffled(claim)[0] is claim.right for claim in claims)
    expected = sum(1 / len(claim.answers) for claim in claims)

    assert first == pytest.approx(expected, abs=5 * expected**0.5)


def test_links_lead_somewhere(files, html):
    """Within the site to a file and an id that are there, and outside to an address."""
    for name, page in html.items():
        for link in page.links:
            file, _, anchor = link.partition("#")
            if link.startswith(("https://", "http://")):
                continue
            assert file in files, (name, link)
            assert not anchor or anchor in html[file].ids, (name, link)


def test_it_is_light(files):
    """A page weighs 150 KB at most, the home page 60."""
    assert max(len(text.encode()) for text in files.values()) <= 150_000
    assert len(files["index.html"].encode()) <= 60_000


def test_every_trap_is_listed(corpus, html):
    """On the home page, and by each place and term."""
    slugs = {f"{page.page.slug}.html" for page in corpus.pages}

    assert slugs <= set(html["index.html"].links)
    assert slugs <= set(html["asked.html"].links)
    assert {f"{p.page.slug}.html" for p in corpus.pages if p.page.terms} <= set(html["terms.html"].links)
    assert {f"{p.page.slug}.html" for p in corpus.pages if p.refutes or p.qualifies} <= set(
        html["errata.html"].links
    )


def test_text_is_no_markup(corpus, files):
    """A less-than of a title is printed as one."""
    for page in corpus.pages:
        title = page.page.title.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        assert title.split("'")[0].split('"')[0] in files[f"{page.page.slug}.html"]


def test_it_is_written_once(tmp_path, files):
    """A second run changes nothing, its own pages that are gone are removed, and other files stay."""
    few = {name: files[name] for name in ("index.html", "style.css", "errata.html")}
    (tmp_path / "notes.html").write_text("mine", encoding="utf-8")
    assert site.write(few, tmp_path) == 3
    assert site.write(few, tmp_path) == 0

    del few["errata.html"]
    assert site.write(few, tmp_path) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "notes.html", "style.css"]


def test_it_is_the_same_each_time(corpus, files):
    """No date, no order that varies."""
    assert site.draw_up(corpus) == files


def test_a_repository_without_records_is_refused(tmp_path, capsys):
    """In one sentence, and nothing is written."""
    assert site.main(["--root", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.strip()
    assert not (tmp_path / "out").exists()
