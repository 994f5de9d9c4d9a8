"""The site: it says what the view holds, tells nothing before it is asked, and needs nothing else."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from tests.corpus import ROOT
from tests.specimens import add, examples, fit, read_page, runs_of, unverified, write_page, write_record
from tools import leaves, site
from tools.gather import SheetError
from tools.view import view

VOID = {"meta", "link", "br", "hr", "input"}
OURS = ("https://", "http://")


class Read(HTMLParser):
    """Links, ids and text of a page, and whether every element is closed in its order."""

    def __init__(self):
        super().__init__()
        self.open, self.links, self.ids, self.shown, self.hidden, self.tags = [], [], [], [], [], set()

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.links += [named[name] for name in ("href", "src") if name in named]
        self.ids += [named["id"]] if "id" in named else []
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        assert not (tag == "details" and "open" in named), "an answer is shown before it is asked for"

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert tag in VOID or self.open.pop() == tag

    def handle_data(self, text):
        (self.hidden if "details" in self.open or "strong" in self.open else self.shown).append(text)


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
def files():
    """The site of the repository."""
    return site.draw_up(ROOT)


@pytest.fixture(scope="module")
def html(files):
    """Its pages, read."""
    return {name: read(text) for name, text in files.items() if name.endswith(".html")}


def words(parts):
    """Text without the marks of Markdown, and with single blanks."""
    return re.sub(r"[`*_\\\s]+", " ", " ".join(parts)).strip()


def drawn(root, **words):
    """The page of a repository of one trap, with a text changed, and that text as the site prints it."""
    add(root, "inference/kvcache", **words)
    return site.draw_up(root)["kvcache.html"]


# What a page says


def test_every_trap_has_a_page_that_asks_first(corpus, html):
    """The question and its answers are shown; what is true is behind the summary, with its sources."""
    for page in corpus.pages:
        read = html[f"{page.page.slug}.html"]
        shown, hidden = words(read.shown), words(read.hidden)
        assert words([page.page.question]) in shown
        assert all(words([answer.rival.sentence]) in shown for answer in page.claims[0].answers)
        assert "Refuted" not in shown
        assert "Answer" in read.hidden
        assert "Cite it as" in hidden


def test_the_order_of_answers_does_not_tell(corpus):
    """The right answer stands first about as often as it would by chance."""
    claims = [page.claims[0] for page in corpus.pages]
    first = sum(claim.shuffled[0] is claim.right for claim in claims)
    expected = sum(1 / len(claim.answers) for claim in claims)

    assert first == pytest.approx(expected, abs=5 * expected**0.5)


def test_every_claim_has_its_anchor_and_a_picture_or_a_reason(corpus, files, html):
    """A claim can be linked to; where nothing is drawn, the page says why not."""
    for page in corpus.pages:
        name = f"{page.page.slug}.html"
        assert {claim.text.name for claim in page.claims} <= set(html[name].ids)
        told = files[name].count("<svg ") + files[name].count("There is no picture: ")
        assert told == len(page.claims)


def test_a_picture_tells_its_figures_and_what_it_shows(corpus, files):
    """A title, a description, a caption, and a table with a row per example drawn."""
    known = leaves.charts_of(corpus)
    for page in corpus.pages:
        text = files[f"{page.page.slug}.html"]
        assert text.count("<title") == 1 + text.count("<svg ")
        assert text.count("<desc") == text.count("<svg ") == text.count("<figcaption>")
        assert text.count("The figures of the picture") == text.count("<svg ")
    assert sum(not isinstance(chart, str) for chart in known.values()) > len(corpus.pages)


def test_a_citation_names_the_text_and_the_record(repository):
    """Another text, or another run, is cited otherwise."""
    (page,) = view(repository).pages
    cited = leaves.citation(page)
    assert page.page.digest[:12] in cited
    assert "“Heads of the cache”, traps/inference/kvcache.py" in cited
    assert "(cpu, torch 2.13)" in cited

    runs = runs_of(read_page(repository), right={"examples": 99})
    write_record(repository, read_page(repository), runs)
    (again,) = view(repository).pages
    assert leaves.citation(again) != cited


def test_what_no_record_verifies_is_not_said_to_hold(repository):
    """Where no device was there, its right answer is right and not tried, and the picture says why not."""
    page = write_page(repository, "inference/kvcache", device="gpu")
    write_record(repository, page, unverified(page))
    text = site.draw_up(repository)["kvcache.html"]

    assert "Right, and not tried yet." in text
    assert "There is no picture: no record verifies the claim." in text
    assert "no CUDA device here" in text


def test_the_source_is_linked_where_it_can_be_read(repository):
    """With an address the file is a link; without one it is named."""
    assert (
        '<a href="https://host/blob/main/traps/inference/kvcache.py">'
        in site.draw_up(repository, "https://host/blob/main/")["kvcache.html"]
    )
    assert "<code>traps/inference/kvcache.py</code>" in site.draw_up(repository)["kvcache.html"]


@pytest.mark.parametrize("part", ["title", "question", "wrong", "right", "sentence", "opening"])
def test_text_is_no_markup(repository, part):
    """A tag of a page's text is printed as it stands there, and makes nothing."""
    text = drawn(repository, **{part: "Is <script>alert(1)</script> & <b>that</b> one?"})
    home = site.draw_up(repository)["index.html"]

    assert "<script>alert" not in text + home
    assert "<b>" not in text + home
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;that" in text + home


# The lists


def test_links_lead_somewhere(files, html):
    """Within the site to a file and an id that are there, and outside to an address."""
    for name, page in html.items():
        for link in page.links:
            file, _, anchor = link.partition("#")
            if link.startswith(OURS):
                continue
            assert not file or file in files, (name, link)
            assert not anchor or anchor in html[file or name].ids, (name, link)
        assert len(page.ids) == len(set(page.ids)), name


def test_every_trap_is_listed(corpus, html):
    """On the home page, in the quiz of its area, and by each place and term."""
    slugs = {f"{page.page.slug}.html" for page in corpus.pages}
    quiz = {link for area in corpus.areas for link in html[f"quiz-{area.name}.html"].links}
    terms = {link for name in html if name.startswith("glossary-") for link in html[name].links}

    assert slugs <= set(html["index.html"].links)
    assert slugs <= set(html["asked.html"].links)
    assert slugs <= quiz
    assert {f"{p.page.slug}.html" for p in corpus.pages if p.page.terms} <= terms
    assert {f"{p.page.slug}.html" for p in corpus.pages if p.refutes or p.qualifies} <= set(
        html["errata.html"].links
    )


def test_wrong_answers_stand_by_how_far_they_are_off(repository):
    """Too small by ten times comes before too large by eight; an answer without a factor is counted."""
    page = read_page(repository)
    fits = {
        "wrong-too_many": fit(90, 100, (2, 8, 9)),
        "wrong-too_few": fit(40, 100, (0.1, 0.1, 0.1)),
    }
    write_record(repository, page, runs_of(page, right={"fits": fits}))
    far = [(miss.name, miss.off, miss.often) for miss in leaves.misses(view(repository))]

    assert far == [
        ("too few", "too small by 10 times", "60 of 100 inputs"),
        ("too many", "too large by 8 times", "10 of 100 inputs"),
    ]
    fits["wrong-too_few"] = fit(0, off=None)
    write_record(repository, page, runs_of(page, right={"fits": fits}))
    assert "1 more answers are" in site.draw_up(repository)["compare.html"]


def test_a_term_is_found_by_its_letter(repository):
    """In any case, and once; what begins with no letter has a page of its own."""
    add(repository, "inference/kvcache", rest="Terms: KV cache, 1F1B")
    add(repository, "inference/other", title="Another", rest="Terms: kv cache")
    letters = leaves.terms(view(repository))

    assert [*letters] == ["0-9", "k"]
    assert [(term, len(pages)) for term, pages in letters["k"]] == [("KV cache", 2)]


# How it is built


def test_it_is_light(files):
    """A page weighs 150 KB at most with its pictures, the home page 60, our script 10."""
    assert max(len(text.encode()) for name, text in files.items() if name.endswith(".html")) <= 150_000
    assert len(files["index.html"].encode()) <= 60_000
    assert len(files["site.js"].encode()) <= 10_000


def test_it_asks_nothing_of_anywhere(files, html):
    """No font, no image and no script from outside; no style but the one sheet."""
    assert "url(" not in files["style.css"].replace("url(#", "")
    for name, page in html.items():
        assert page.tags.isdisjoint({"img", "iframe", "style", "form"})
        loaded = re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=\"([^\"]+)\"", files[name])
        assert not [address for address in loaded if address.startswith(OURS)]


def test_it_is_written_once(tmp_path, files):
    """A second run changes nothing, its own pages that are gone are removed, and other files stay."""
    few = {name: files[name] for name in ("index.html", "style.css", "errata.html")}
    (tmp_path / "notes.html").write_text("mine", encoding="utf-8")
    assert site.write(few, tmp_path) == 3
    assert site.write(few, tmp_path) == 0

    del few["errata.html"]
    assert site.write(few, tmp_path) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index.html", "notes.html", "style.css"]


def test_it_is_the_same_each_time(repository, tmp_path):
    """Under another hash seed too, with its pictures drawn anew."""
    page = read_page(repository)
    samples = examples([8, 16, 24], [8, 16, 24], [16, 48, 96], [4, 4, 4], heads=[1, 2, 3], group=[2, 2, 2])
    write_record(repository, page, runs_of(page, right={"samples": samples}))

    def build(seed):
        out = tmp_path / f"site{seed}"
        for kept in (repository / site.KEPT).glob("*.svg"):
            kept.unlink()
        command = [sys.executable, "-m", "tools.site", "--root", str(repository), "--out", str(out)]
        environment = {**os.environ, "PYTHONHASHSEED": str(seed)}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        return {path.name: path.read_bytes() for path in out.iterdir()}

    first = build(1)
    assert b"<svg " in first["kvcache.html"]
    assert build(2) == first


# What it refuses


def test_a_repository_without_records_is_refused(tmp_path, capsys):
    """In one sentence, and nothing is written."""
    assert site.main(["--root", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.strip()
    assert not (tmp_path / "out").exists()


def test_a_partial_record_is_refused(repository):
    """What the sheet refuses the site refuses too."""
    page = read_page(repository)
    write_record(repository, page, runs_of(page)[:1])

    with pytest.raises(SheetError, match="lacks"):
        site.draw_up(repository)


def test_a_folder_that_cannot_be_written_is_named(repository, tmp_path, capsys):
    """The error names it, and what was there stays."""
    (tmp_path / "out").write_text("mine", encoding="utf-8")

    assert site.main(["--root", str(repository), "--out", str(tmp_path / "out")]) == 1
    assert str(tmp_path / "out") in capsys.readouterr().err
    assert (tmp_path / "out").read_text(encoding="utf-8") == "mine"
