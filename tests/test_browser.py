"""The site in a browser, from files alone: what is seen, with and without script, at any width, by keyboard.

The tests need a Chromium on this machine. Where there is none they are skipped as unverified.
"""

import shutil
from itertools import chain
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from tests.corpus import ROOT
from tools import site

pytestmark = pytest.mark.browser

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-sync", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update"),
]
NARROW, WIDE = 320, 1400


@pytest.fixture(scope="module")
def chromium():
    """A browser that asks nothing of the network by itself."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip("unverified: there is no Chromium here. Install one, with `apt-get install chromium`.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The site of the repository as files, and the names of its pages."""
    folder = tmp_path_factory.mktemp("site")
    site.write(site.draw_up(ROOT), folder)
    return folder


@pytest.fixture
def opened(chromium, built):
    """Opens a page of the site from its file; every request is checked, and every error of a script."""
    contexts = []

    def opener(name, script=True, width=WIDE, scheme="light"):
        context = chromium.new_context(
            java_script_enabled=script, viewport={"width": width, "height": 800}, color_scheme=scheme
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"file://{built / name}")
        return page

    asked, errors = [], []
    yield opener
    for context in contexts:
        context.close()
    assert errors == []
    assert [url for url in asked if not url.startswith("file://")] == []


def traps(folder: Path) -> list[str]:
    """The pages of traps, each named for a mistake; what only leads on to another page is none."""
    named = (path for path in folder.glob("*_*.html") if "http-equiv" not in path.read_text(encoding="utf-8"))
    return sorted(path.name for path in named)


def lists(folder: Path) -> list[str]:
    """Every other page; of the quizzes and letters, which are alike, the largest."""
    others = {path for path in folder.glob("*.html") if "_" not in path.name}
    alike = [[path for path in others if path.name.startswith(start)] for start in ("quiz-", "glossary-")]
    largest = {max(those, key=lambda path: path.stat().st_size) for those in alike}
    return sorted(path.name for path in others - set(chain(*alike)) | largest)


def guess(page, value):
    """Choose an answer of the first trap, and see what is true."""
    page.locator(f"input[value={value}]").first.check()
    page.locator(".reveal > summary").first.click()


def test_every_page_tells_everything_without_script(opened, built):
    """Question and answers at first; one click, and answer, pictures and sources are there."""
    page = opened("index.html", script=False)
    for name in traps(built):
        page.goto(f"file://{built / name}")
        assert page.locator(".question").first.is_visible()
        assert not page.locator(".answer, .claim, .fate").locator("visible=true").count()
        page.locator(".reveal > summary").click()
        assert page.locator(".answer, .claim").first.is_visible()
        assert page.locator(".claim").count() == page.locator(".claim svg, .claim > .kind + .kind").count()
        assert page.get_by_role("heading", name="Sources").is_visible()
        assert page.locator(".fate").first.is_visible()


def test_no_page_scrolls_sideways(opened, built):
    """At 320 pixels and at 1400; wide tables and pictures scroll by themselves."""
    page = opened("index.html")
    for name in lists(built) + traps(built):
        page.goto(f"file://{built / name}")
        page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
        for width in (NARROW, WIDE):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_barrier(opened, built, scheme):
    """On every kind of list and on every twentieth trap, with all of it shown."""
    page = opened("index.html", scheme=scheme)
    for name in lists(built) + traps(built)[::20]:
        page.goto(f"file://{built / name}")
        page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"


def test_the_quiz_keeps_the_score(opened):
    """The first guess of a trap counts, on whatever page; it is kept, until it is to be forgotten."""
    page = opened("quiz-memory.html")
    guess(page, "right")
    expect(page.locator(".told").first).to_have_text("You were right: It held.")
    page.locator("input[value=wrong]").first.check()
    expect(page.locator(".told").first).to_have_text("Not that one: Refuted.")
    expect(page.locator(".score")).to_contain_text("1 of 1 right")

    page.get_by_role("link", name="How it was tried").first.click()
    page.go_back()
    second = page.locator(".trap").nth(1)
    second.locator("input[value=wrong]").first.check()
    second.locator("summary").click()
    expect(page.locator(".score")).to_contain_text("1 of 2 right")
    page.goto(page.url.replace("quiz-memory", "quiz"))
    expect(page.locator("p.score")).to_contain_text("1 of 2 right")

    page.get_by_role("button", name="Forget my guesses").click()
    assert not page.locator("p.score").is_visible()


def test_the_quiz_asks_what_was_not_guessed(opened):
    """One of all traps, at random."""
    page = opened("quiz.html")
    page.get_by_role("button", name="A question that").click()
    page.wait_for_url("**/*_*.html")
    assert page.locator(".guess").is_visible()


def test_a_guess_works_with_a_store_that_holds_nonsense(opened):
    """What another page left under the same name does no harm."""
    page = opened("quiz-memory.html")
    for left in ("[1, 2", "7", "null"):
        page.evaluate("left => localStorage.setItem('trapsheet.guesses', left)", left)
        page.reload()
        guess(page, "right")
        expect(page.locator(".told").first).to_have_text("You were right: It held.")


def test_search_finds_a_trap_by_words_and_terms(opened):
    """Beginnings of words are enough; titles come first, and nothing is said to be nothing."""
    page = opened("index.html")
    box = page.get_by_role("searchbox")
    box.fill("kv cac")
    assert page.locator("#found a").count() > 3
    box.fill("beta2")
    assert page.locator("#found a").count() > 0
    page.locator("#found a").first.click()
    assert page.locator(".guess").is_visible()

    page.go_back()
    box.fill("zzzz")
    assert page.locator("#found").inner_text() == "No trap holds these words."


def test_without_script_nothing_is_offered_that_needs_it(opened):
    """No search box and no buttons; the lists are there."""
    assert not opened("index.html", script=False).locator(".find").is_visible()
    quiz = opened("quiz.html", script=False)
    assert quiz.locator("button:visible").count() == 0
    assert quiz.locator(".areas a").first.is_visible()


def test_everything_by_keyboard(opened):
    """To the text, choose an answer, see what is true: Tab, arrows, Space and Enter."""
    page = opened("kvcache_counts_query_heads.html")
    focus = "document.activeElement.outerHTML.slice(0, 60)"
    page.keyboard.press("Tab")
    assert "skip" in page.evaluate(focus)
    while "radio" not in page.evaluate(focus):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert page.locator("input:checked").count() == 1
    page.keyboard.press("Tab")
    assert "summary" in page.evaluate(focus)
    page.keyboard.press("Enter")
    expect(page.locator(".answer")).to_be_visible()
    expect(page.locator(".told")).not_to_be_empty()


def test_everything_is_shown_by_one_click(opened):
    """Nobody is forced to guess."""
    page = opened("quiz-memory.html")
    page.get_by_role("button", name="Show everything").click()
    assert page.locator(".answer").count() == page.locator(".answer:visible").count() > 3


def test_an_old_name_leads_to_the_new_one(opened, built):
    """Also without script."""
    old = next(path for path in built.glob("*.html") if "http-equiv" in path.read_text(encoding="utf-8"))
    page = opened(old.name, script=False)
    page.wait_for_url(lambda url: old.name not in url)
    assert page.locator(".question").first.is_visible()


def test_a_link_to_a_claim_shows_it(opened, built):
    """An anchor within what is hidden opens it."""
    page = opened("kvcache_counts_query_heads.html")
    page.goto(f"file://{built / 'kvcache_counts_query_heads.html'}#test_bytes_of_the_cache")
    page.reload()
    assert page.locator("#test_bytes_of_the_cache").is_visible()


def test_wrong_answers_can_be_sorted(opened):
    """By how far they are off, the least first at a second click."""
    page = opened("compare.html")
    far = "[...document.querySelectorAll('tbody td:first-child')].map(cell => Number(cell.dataset.key))"
    assert page.evaluate(far) == sorted(page.evaluate(far), reverse=True)
    page.get_by_role("button", name="Off by").click()
    assert page.evaluate(far) == sorted(page.evaluate(far))
    page.get_by_role("button", name="Wrong on").click()
    share = far.replace("first-child", "nth-child(2)")
    assert page.evaluate(share) == sorted(page.evaluate(share), reverse=True)


def test_a_printed_page_holds_the_answer(opened):
    """Paper cannot be clicked: all of it is printed, also without script."""
    page = opened("kvcache_counts_query_heads.html", script=False)
    page.emulate_media(media="print")
    assert page.locator(".answer").is_visible()
    assert page.locator("figure svg").first.is_visible()
    assert not page.locator("header nav").is_visible()
    assert len(page.pdf()) > 10_000
