"""The fact sheet: its rows and errata, what is written where, and what `--check` says."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from fixtures.trial.record import Observation
from tests.rendered import MARKDOWN, hrefs, inline, words_of
from tests.specimens import (
    CPU,
    TPU,
    add,
    examples,
    found,
    printed,
    read_page,
    rows,
    runs_of,
    unverified,
    write_page,
    write_record,
)
from tools.rows import ROW
from tools.sheet import BEGIN, END, LONGEST_DIFF, PRINTED, main

ROOT = Path(__file__).parents[1]


def files_of(root):
    """Every file below a folder with its content."""
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


# Rows


def test_a_row_tells_the_trap_in_a_line(repository):
    """Question, tempting answer, answer, a figure, how often and by how much, kind, and the link."""
    worked = examples([4096], [4096], [32768], [0], heads=[8], group=[1])
    write_record(repository, read_page(repository), runs_of(read_page(repository), right={"worked": worked}))

    assert rows(repository) == [
        "| [Heads of the cache](facts/inference.md#kvcache): How many does the cache hold for each token? "
        "| “All of them.” | One a group. "
        "| 4,096 kept bytes, not 32,768 at `heads=8, group=1`; "
        "wrong on 73 of 100 inputs, too large by 1.3 to 8 times | exact |"
    ]


def test_a_row_answers_with_the_answer_of_the_colophon(repository):
    """`Answer:` is what one says in the room; a rule is only half of it."""
    add(repository, "inference/kvcache", rest="Answer: One per group of query heads.")

    assert "| One per group of query heads. |" in rows(repository)[0]


def test_a_row_quotes_the_assertion_of_an_implementation(repository):
    """Where an answer says nothing there is still something that failed."""
    policy = {"quantity": "", "fits": {}}
    broken = {"counterexample": found(None, None, "assert 3 <= 2")}
    page = read_page(repository)
    write_record(repository, page, runs_of(page, right=policy, first=broken))

    assert "| `assert 3 <= 2` at `heads=1, group=2` | exact |" in rows(repository)[0]


@pytest.mark.parametrize(
    ("at", "assertion", "shown"),
    [
        ("x" * 120, "assert 3 <= 2", "| `assert 3 <= 2` |"),
        ("short", f"assert {'3' * 120} <= 2", "| fails at `name='short'` |"),
        ("x" * 120, f"assert {'3' * 120} <= 2", "|  | exact |"),
    ],
)
def test_a_figure_is_whole_or_left_out(repository, at, assertion, shown):
    """Long inputs are for the full entry, and half an assertion says nothing."""
    page = read_page(repository)
    broken = {"counterexample": found(None, None, assertion, name=repr(at))}
    write_record(repository, page, runs_of(page, right={"quantity": "", "fits": {}}, first=broken))

    assert shown in rows(repository)[0]


def test_a_row_says_what_is_unverified(repository):
    """A page that no record verifies shows the reason in place of a figure."""
    page = write_page(repository, "gpu/streams", device="gpu")
    write_record(repository, page, unverified(page))

    assert f"| *unverified* on {CPU}: no CUDA device here | exact |" in rows(repository)[0]


def test_a_row_counts_the_claims_that_are_unverified(repository):
    """One claim may be verified where its neighbour waits for a GPU."""
    page = write_page(repository, "gpu/streams")
    text = page.path.read_text()
    again = (
        text[text.index("@claim") :]
        .replace("test_heads", "test_again")
        .replace("device, heads", "gpu, heads")
    )
    page.path.write_text(f"{text}\n\n{again}")
    page = read_page(repository, "gpu/streams")
    skipped = runs_of(page, claim="test_again", outcome="unverified", reason="no CUDA device here")
    write_record(repository, page, [*runs_of(page), *skipped])

    assert rows(repository)[0].endswith("| exact; 1 of 2 claims *unverified* |")


LONG = "The cache, which holds a key and a value for each of the heads of a group, grows " * 5


@pytest.mark.parametrize(
    "letters", [LONG, "é" * 50 + LONG, "*" * 400, "\u202e" * 400, "x" * 400, "`a b` " * 80]
)
def test_a_row_has_at_most_800_bytes(repository, letters):
    """Words give way, at a word; the link and the figure never do."""
    said = {"title": letters.strip(), "question": f"{letters}?", "wrong": letters, "right": letters}
    add(repository, "inference/kvcache", **said)

    (row,) = rows(repository)

    assert len(f"{row}\n".encode()) <= ROW
    assert row.count("…") == 4
    assert "](facts/inference.md#kvcache):" in row
    assert "kept bytes" in row
    assert "too large by 1.3 to 8 times | exact |" in row


def test_the_rows_of_the_corpus_have_at_most_800_bytes():
    """So has every row that is committed."""
    lines = (ROOT / "FACTSHEET.md").read_bytes().splitlines(keepends=True)

    assert max(len(line) for line in lines if line.startswith(b"| [")) <= ROW


def test_a_row_that_cannot_be_cut_is_refused(repository, capsys):
    """A link is whole, and a file's name may be too long for it."""
    add(repository, f"{'é' * 120}/kvcaches")

    assert main(["--root", str(repository)]) == 2

    assert "its row passes 800 bytes however its words are cut. Shorten the name" in capsys.readouterr().err


def test_rows_stand_by_area_and_name(repository):
    """Each area has a table, sorted by file."""
    for name in ("scaling/thirds", "scaling/halves", "gpu/streams"):
        add(repository, name, title=name.split("/")[1])

    text = printed(repository)

    assert [re.search(r"#(\w+)", row)[1] for row in rows(repository)] == [
        "streams",
        "kvcache",
        "halves",
        "thirds",
    ]
    assert re.findall(r'<a id="area-(\w+)">', text) == ["gpu", "inference", "scaling"]


# The head of the sheet


def test_the_sheet_says_where_its_evidence_was_recorded(repository):
    """One row per column; nothing is dated or counted that another page's record would change."""
    page = read_page(repository)
    write_record(repository, page, **TPU)
    write_record(repository, page, folder="cpu-2.14", torch="2.14.1", python="3.11.2")

    text = printed(repository)

    assert (
        textwrap.dedent("""\
        | cpu | a machine | Linux | 3.13 | 2.13 | 6.150 |
        | cpu | a machine | Linux | 3.11 | 2.14 | 6.150 |
        | tpu | another machine | Linux | 3.13 | 2.11 | 6.150 |
        """)
        in text
    )
    assert "2026" not in text


# Errata


def test_errata_say_what_the_source_says_and_how_it_fails(repository):
    """The answer that the verdict names is shown with its figure, and no other answer."""
    add(
        repository,
        "scaling/halves",
        title="Halves",
        verdict="refuted by too_few: one per group",
        asked=["A Book of Traps, chapter 10", "Letters #3"],
        rest="Says: No head is cached.",
    )

    text = printed(repository)

    assert (
        "**Scaling**\n\n"
        "- [Halves](facts/scaling.md#halves), asked in A Book of Traps, chapter 10 and in Letters #3. "
        "It says: No head is cached. **Refuted:** one per group. "
        "“None of them.” 1 kept bytes, not 2 at `heads=1, group=2`.\n"
    ) in text
    assert text.index('<a id="errata">') < text.index("- [Halves]") < text.index('<a id="qualified">')


def test_an_erratum_that_nothing_refuted_yet_has_no_figure(repository):
    """A verdict is printed although its claim waits for a device, and nothing is invented beside it."""
    page = write_page(repository, "gpu/streams", device="gpu", verdict="refuted by too_few: one")
    write_record(repository, page, unverified(page))

    assert "**Refuted:** one. “None of them.”\n" in printed(repository)


def test_an_erratum_is_cut_and_its_entry_is_not(repository):
    """The sheet says the beginning of a long statement, and the entry all of it."""
    add(
        repository,
        "scaling/halves",
        title="Halves",
        verdict=f"refuted by too_few: {LONG}",
        rest=f"Says: {LONG}",
    )

    (line,) = (line for line in printed(repository).splitlines() if line.startswith("- [Halves]"))

    assert len(line) < 600
    assert line.count("…") == 2
    assert printed(repository, "facts/scaling.md").count(LONG.strip()) == 2


def test_what_is_right_in_part_stands_behind_the_errata(repository):
    """A condition and an imprecision are told shorter."""
    add(repository, "scaling/halves", title="Halves", verdict="holds if heads are grouped")
    add(repository, "scaling/thirds", title="Thirds", verdict=f"imprecise: {LONG}")

    behind = printed(repository).partition('<a id="qualified">')[2]

    assert "- [Halves](facts/scaling.md#halves): **holds if** heads are grouped\n" in behind
    assert re.search(
        r"\n- \[Thirds\]\(facts/scaling.md#thirds\): \*\*imprecise\*\* The cache.{100,150}…\n", behind
    )


# What is written where


def test_the_readme_lists_the_areas_between_its_markers(repository):
    """The list is renewed in place, and the rest of the file is left as it is."""
    add(repository, "long_context/needles", opening="What a model finds.")
    once = printed(repository, "README.md")

    assert once == printed(repository, "README.md")
    assert once == textwrap.dedent(f"""\
        # Read me

        {BEGIN}
        - **[Inference](facts/inference.md)**: What serving costs.
        - **[Long context](facts/long_context.md)**: What a model finds.

        {END}

        The end.
        """)


def test_another_page_does_not_change_the_readme(repository):
    """Areas are not counted, and pages not listed."""
    before = printed(repository, "README.md")
    add(repository, "inference/added")

    assert printed(repository, "README.md") == before


def test_files_that_say_the_same_are_not_touched(repository):
    """A second run writes nothing."""
    printed(repository)
    times = {path: path.stat().st_mtime_ns for path in files_of(repository)}
    printed(repository)

    assert {path: path.stat().st_mtime_ns for path in files_of(repository)} == times


def spoil_gone_area(root):
    """An area that was printed, and is gone."""
    page = add(root, "scaling/halves")
    printed(root)
    page.path.unlink()
    (root / "evidence/cpu/scaling/halves.json").unlink()


def test_the_file_of_an_area_that_is_gone_is_removed(repository):
    """What the tool has printed it removes; what others have written stays."""
    spoil_gone_area(repository)
    (repository / "facts/notes.md").write_text("# Notes\n")
    printed(repository)

    assert sorted(path.name for path in (repository / "facts").iterdir()) == ["inference.md", "notes.md"]


# --check


def test_check_is_content_with_what_was_just_written(repository, capsys):
    """A sheet is up to date right after it was written."""
    printed(repository)

    assert main(["--root", str(repository), "--check"]) == 0
    assert "are up to date" in capsys.readouterr().out


def test_the_committed_sheet_says_what_the_committed_evidence_says(capsys):
    """FACTSHEET.md, facts/ and README.md are what the tool writes from `evidence/` and the pages."""
    assert main(["--root", str(ROOT), "--check"]) == 0, "".join(capsys.readouterr())


@pytest.mark.parametrize(
    ("file", "word"),
    [
        ("FACTSHEET.md", "Heads of the cache"),
        ("facts/inference.md", "Heads of the cache"),
        ("README.md", "costs"),
    ],
)
def test_check_shows_a_difference_and_writes_nothing(repository, capsys, file, word):
    """A file that was changed by hand fails the check, with the lines that differ."""
    printed(repository)
    text = (repository / file).read_text().replace(word, "Tails")
    (repository / file).write_text(text)

    assert main(["--root", str(repository), "--check"]) == 1

    said = capsys.readouterr().out
    assert f"--- {file} as it is" in said
    assert re.search(rf"^-.*Tails.*\n(?:.*\n)*\+.*{word}", said, re.MULTILINE)
    assert f"\nNot up to date: {file}.\n" in said
    assert (repository / file).read_text() == text


def test_check_reports_the_file_of_an_area_that_is_gone(repository, capsys):
    """It stands there until the sheet is written."""
    spoil_gone_area(repository)

    assert main(["--root", str(repository), "--check"]) == 1

    assert "+++ facts/scaling.md, removed: its area is gone" in capsys.readouterr().out
    assert (repository / "facts/scaling.md").read_text().startswith(PRINTED)


def test_check_is_short_where_everything_differs(repository, capsys):
    """Files that are missing differ in every line, of which the first ones are shown."""
    for i in range(20):
        add(repository, f"scaling/page_{i}")

    assert main(["--root", str(repository), "--check"]) == 1

    said = capsys.readouterr().out
    assert re.search(r"^… and \d+ more lines$", said, re.MULTILINE)
    assert len(said.splitlines()) < LONGEST_DIFF + 5
    assert "Not up to date: FACTSHEET.md, facts/inference.md, facts/scaling.md, README.md." in said
    assert not (repository / "FACTSHEET.md").exists()


# Pictures


def with_samples(root, name="inference/kvcache", first=(16, 48, 96)):
    """A page whose run has samples, so that it has a picture."""
    page = read_page(root, name)
    samples = examples([8, 16, 24], [8, 16, 24], [*first], [4, 4, 4], heads=[1, 2, 3], group=[2, 2, 2])
    write_record(root, page, runs_of(page, right={"samples": samples}))


def test_an_entry_shows_the_picture_of_its_first_claim_that_has_one(repository):
    """It lies beside the entries, in the colours of the reader's scheme, and is told in words."""
    with_samples(repository)

    assert re.search(
        r"!\[Predicted over observed.*\]\(pictures/kvcache\.svg\)", printed(repository, "facts/inference.md")
    )
    picture = (repository / "facts/pictures/kvcache.svg").read_text()
    assert picture.startswith("<svg ")
    assert "prefers-color-scheme:dark" in picture


def test_a_picture_is_drawn_anew_only_if_it_shows_something_else(repository):
    """Another version of matplotlib makes no noise."""
    with_samples(repository)
    printed(repository)
    path = repository / "facts/pictures/kvcache.svg"
    path.write_text(path.read_text() + "<!-- drawn elsewhere -->")
    printed(repository)
    assert "drawn elsewhere" in path.read_text()

    with_samples(repository, first=(16, 48, 97))
    assert main(["--root", str(repository), "--check"]) == 1
    printed(repository)
    assert "drawn elsewhere" not in path.read_text()


def test_a_picture_goes_with_its_page(repository):
    """As does one that shows nothing any more; what the tool has not drawn stays."""
    with_samples(repository)
    add(repository, "scaling/halves")
    with_samples(repository, "scaling/halves")
    printed(repository)
    pictures = repository / "facts/pictures"
    (pictures / "drawing.svg").write_text("<svg/>")
    (repository / "traps/scaling/halves.py").unlink()
    (repository / "evidence/cpu/scaling/halves.json").unlink()
    printed(repository)
    assert sorted(path.name for path in pictures.iterdir()) == ["drawing.svg", "kvcache.svg"]

    write_record(repository, read_page(repository))
    assert "pictures/" not in printed(repository, "facts/inference.md")
    assert sorted(path.name for path in pictures.iterdir()) == ["drawing.svg"]


# Refusals


def an_unknown_colophon_entry(root):
    page = root / "traps/inference/kvcache.py"
    page.write_text(page.read_text().replace("Asked:", "Askd:"))
    return "unknown colophon entry 'Askd'. Did you mean 'Asked'?"


def a_syntax_error(root):
    (root / "traps/inference/kvcache.py").write_text('"""Title"""\ndef (\n')
    return "traps/inference/kvcache.py:2: invalid syntax. Mend the page first."


def not_utf8(root):
    (root / "traps/inference/kvcache.py").write_bytes(b'"""\xff"""')
    return "traps/inference/kvcache.py:1: the page is not UTF-8. Save it in that encoding."


def two_pages_of_one_name(root):
    add(root, "scaling/kvcache")
    return "traps/inference/kvcache.py and traps/scaling/kvcache.py have one name. Rename one"


def a_page_without_a_claim(root):
    page = root / "traps/inference/kvcache.py"
    page.write_text(page.read_text().partition("@claim")[0])
    return "traps/inference/kvcache.py makes no claim. Write one with @claim, or remove the page."


def an_area_without_opening(root):
    (root / "traps/inference/__init__.py").unlink()
    return "traps/inference has no __init__.py. Open the chapter there in one sentence."


def no_page(root):
    (root / "traps/inference/kvcache.py").unlink()
    return "traps/ holds no page. Run this in the root of the repository."


def no_readme(root):
    (root / "README.md").unlink()
    return f"README.md. Write it, and mark the list of areas: {BEGIN} {END}."


def no_markers(root):
    (root / "README.md").write_text(f"# Read me\n\n{END}\n{BEGIN}\n")
    return f"README.md has no place for the list of areas. Mark it with {BEGIN} and {END}."


def a_torn_record(root):
    (root / "evidence/cpu/inference/kvcache.json").write_text("{")
    return "kvcache.json: is not JSON"


@pytest.mark.parametrize("check", [False, True], ids=["write", "check"])
@pytest.mark.parametrize(
    "spoil",
    [
        an_unknown_colophon_entry,
        a_syntax_error,
        not_utf8,
        two_pages_of_one_name,
        a_page_without_a_claim,
        an_area_without_opening,
        no_page,
        no_readme,
        no_markers,
        a_torn_record,
    ],
)
def test_what_cannot_go_to_print_is_refused(repository, capsys, spoil, check):
    """Exit status 2, one line that names the cause, and nothing is written."""
    expected = spoil(repository)
    before = files_of(repository)

    assert main(["--root", str(repository), *(["--check"] if check else [])]) == 2

    said = capsys.readouterr()
    assert expected in said.err
    assert len(said.err.splitlines()) == 1
    assert not said.out
    assert files_of(repository) == before


def test_a_folder_that_cannot_be_written_is_named(repository, capsys):
    """The system's own word for it, and exit status 2."""
    (repository / "facts").write_text("a file")

    assert main(["--root", str(repository)]) == 2
    assert "facts" in capsys.readouterr().err


def test_the_sheet_needs_no_torch():
    """Printing a sheet imports neither torch nor a page."""
    seen = "import sys, tools.sheet; print([m for m in sys.modules if m.split('.')[0] in ('torch', 'traps')])"

    told = subprocess.run([sys.executable, "-c", seen], cwd=ROOT, capture_output=True, text=True, check=True)

    assert told.stdout == "[]\n"


# No text can break the sheet

HOSTILE = (
    "<script>alert(1)</script> | *star* **bold** _under_ [x](javascript:alert(1)) ![i](y) # h `` tick ` "
    "</details> <!-- &lt; ~~no~~ $x$ \\ {{ jinja }} 1. > - end #"
)


@pytest.fixture
def hostile(repository):
    """A repository whose texts and records are full of what Markdown would take for more."""
    said = {
        "title": f"Title {HOSTILE}",
        "question": f"# {HOSTILE}\n\n- {HOSTILE}?",
        "verdict": f"refuted by too_many: {HOSTILE}",
        "asked": [f"Book {HOSTILE}, chapter 1"],
        "rest": f"Answer: # {HOSTILE}\nSays: - {HOSTILE}\nTerms: {HOSTILE.replace('&lt; ', '')}\n"
        f"Right when: > {HOSTILE}\nLimits: 1. {HOSTILE}",
        "wrong": f"- {HOSTILE}",
        "right": f"> {HOSTILE}\n\n1. {HOSTILE}",
        "sentence": f"=== {HOSTILE}",
        "regime": f"st.just({HOSTILE + ' ```'!r})",
        "opening": f"~~~ {HOSTILE}",
    }
    page = write_page(repository, **said)
    worked = examples([HOSTILE], [HOSTILE], [HOSTILE[1:]], [HOSTILE], group=[HOSTILE])
    right = {
        "observed": {f"kept {HOSTILE}": Observation(smallest=None, largest=None, last=HOSTILE)},
        "worked": worked,
    }
    failed = {"counterexample": found(HOSTILE, HOSTILE[1:], group=HOSTILE)}
    quoted = {"counterexample": found(None, None, f"assert {HOSTILE}", group=HOSTILE)}
    runs = runs_of(page, right=right, first=failed, second=quoted)
    write_record(repository, page, runs, device_name=f"| {HOSTILE}", hypothesis="`a|b`")
    where = {"folder": "tpu", "device": "tpu `x|y`", "platform": "`a|b`"}
    write_record(repository, page, unverified(page, HOSTILE), **where)
    return repository


@pytest.mark.parametrize("file", ["FACTSHEET.md", "facts/inference.md", "README.md"])
def test_hostile_texts_make_no_markup(hostile, file):
    """No text of a page or a record makes a tag, a heading, a link or a table cell."""
    tokens = MARKDOWN.parse(printed(hostile, file))

    tags = [token.content for token in inline(tokens) if token.type == "html_inline"]
    blocks = [token.content for token in tokens if token.type == "html_block"]
    assert all(re.fullmatch(r'<a id="[\w-]+">|</a>', tag) for tag in tags)
    assert {*blocks} <= {PRINTED, f"{BEGIN}\n", f"{END}\n", "<!-- inference -->\n"}
    assert [token.tag for token in tokens if token.type == "heading_open"] == {
        "FACTSHEET.md": ["h1", "h2", "h2", "h2"],
        "facts/inference.md": ["h1", "h2"],
        "README.md": ["h1"],
    }[file]
    assert (
        sum(token.type == "td_open" for token in tokens)
        == {
            "FACTSHEET.md": 2 * 6 + 5,
            "facts/inference.md": 5 + 3 * 3,
            "README.md": 0,
        }[file]
    )
    assert {href.partition("#")[0] for href in hrefs(tokens)} <= {
        "",
        "facts/inference.md",
        "../FACTSHEET.md",
        "../traps/inference/kvcache.py",
        "https://example.org/a_b_(c)",
    }


def test_hostile_texts_read_as_they_were_written(hostile):
    """What is printed in full is printed to the letter."""
    text = words_of(MARKDOWN.parse(printed(hostile, "facts/inference.md")))

    for literal in (
        f"Title {HOSTILE}",
        f"# {HOSTILE}",
        f"> {HOSTILE}",
        f"=== {HOSTILE}",
        f"assert {HOSTILE}",
    ):
        assert literal in text


def test_every_link_leads_somewhere(repository):
    """Anchors are unique within a file, and links between the files find theirs."""
    add(repository, "scaling/an odd-näme", title="Odd", verdict="holds if so")
    files = ["FACTSHEET.md", "README.md", "facts/inference.md", "facts/scaling.md"]
    anchors, links = {}, []
    for file in files:
        text = printed(repository, file)
        found_there = re.findall(r'<a id="([^"]*)">', text)
        assert len({*found_there}) == len(found_there)
        anchors[file] = {MARKDOWN.normalizeLink(name) for name in found_there}
        links += [(file, *href.partition("#")) for href in hrefs(MARKDOWN.parse(text)) if "://" not in href]

    for file, target, _, anchor in links:
        there = (Path(file).parent / target).as_posix().replace("facts/../", "") if target else file
        if anchor:
            assert anchor in anchors[there]
        elif there not in files:
            assert there in ("traps/inference/kvcache.py", "traps/scaling/an%20odd-n%C3%A4me.py")
