"""The fact sheet: what is printed, what is refused, and that no text can break it."""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import assume, given, strategies as st
from markdown_it import MarkdownIt

from fixtures.trial.page import Page
from fixtures.trial.record import SCHEMA, Environment, Observation, Record, Run, Samples
from tools.markdown import block, code, label, prose
from tools.sheet import BEGIN, END, LONGEST_DIFF, main, natural, number, place, span

ROOT = Path(__file__).parents[1]
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

PAGE = '''\
{front!r}
from hypothesis import given, strategies as st
from fixtures import claim, observe

def too_many(heads, group):
    {wrong!r}

def too_few(heads, group):
    """None of them."""

def just_right(heads, group):
    {right!r}

@claim(wrong=(too_many, too_few), right=just_right)
@given(heads=st.integers(1, 8), group={regime})
def test_heads(answer, {device}, heads, group):
    {sentence!r}
'''


def write_page(root, name="inference/kvcache", **words):
    """A page under `root`, with the texts given; what is not given is harmless."""
    said = {
        "title": "Heads of the cache",
        "question": "A model has eight heads. How many does the cache hold for each token?",
        "verdict": "holds",
        "asked": ["A Book of Traps, chapter 2"],
        "rest": "",
        "wrong": "All of them.",
        "right": "One a group.\n\nA group reads the same pair.\n\nIt always did.",
        "sentence": "The cache grows with groups.",
        "regime": "st.integers(2, 8)",
        "device": "device",
        "opening": "What serving costs.",
        **words,
    }
    asked = "\n".join(f"Asked: {text}" for text in said["asked"])
    said["front"] = (
        f"{said['title']}\n\n{said['question']}\n\nVerdict: {said['verdict']}\n{asked}\n"
        f"Source: Noether 1918, https://example.org/a_b_(c)\n{said['rest']}"
    )
    path = root / f"traps/{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "__init__.py").write_text(f"{said['opening']!r}\n")
    path.write_text(PAGE.format(**said))
    return Page.read(path)


def a_run(page, answer, device="cpu", **words):
    """The run of an answer of a page's only claim, as it should come out."""
    held = answer.startswith("right-")
    seen = {"kept": Observation(smallest=1, largest=12345, last=7)}
    ran = {
        "page": page.name,
        "claim": page.claims[0].name,
        "answer": answer,
        "device": device,
        "digest": page.digest,
        "evidence": "exact",
        "outcome": "held" if held else "refuted",
        "examples": 100 if held else 3,
        "observed": seen,
        "samples": Samples(inputs={}, observed={}, predicted=[]),
        "counterexample": None if held else {"group": 2, "heads": 1},
        "assertion": "" if held else "assert 1 == 2",
        "reason": "",
        **words,
    }
    return Run(**ran)


def runs_of(page, device="cpu", **words):
    """A run of every answer of a page."""
    return [a_run(page, answer, device, **words) for answer in page.claims[0].rivals]


def write_record(root, runs, device="cpu", file=None, partial=False, **words):
    """A record under `root/evidence`."""
    environment = {
        "device": device,
        "device_name": "a machine",
        "platform": "Linux",
        "python": "3.13.1",
        "torch": "2.13.0",
        "hypothesis": "6.150.0",
        "day": "2026-01-02",
        **words,
    }
    record = Record(
        schema_version=SCHEMA, partial=partial, environment=Environment(**environment), runs=list(runs)
    )
    path = root / "evidence" / (file or f"{device}.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(record.text())
    return path


def write_readme(root):
    (root / "README.md").write_text(f"# Read me\n\n{BEGIN}\n{END}\n\nThe end.\n")


@pytest.fixture
def root(tmp_path):
    """A repository of one page with its evidence."""
    write_record(tmp_path, runs_of(write_page(tmp_path)))
    write_readme(tmp_path)
    return tmp_path


def printed(root):
    """The sheet that the tool writes."""
    assert main(["--root", str(root)]) == 0
    return (root / "FACTSHEET.md").read_text()


def words_of(tokens):
    """What a reader reads: the text of Markdown tokens, code among it."""
    return "".join(
        "\n" if token.type in ("softbreak", "hardbreak") else token.content
        for token in inline(tokens)
        if not token.type.startswith("html")
    )


def inline(tokens):
    return [child for token in tokens for child in token.children or ()]


def hrefs(tokens):
    return [token.attrs["href"] for token in inline(tokens) if token.type == "link_open"]


# What is printed


def test_an_entry_tells_the_trap_from_question_to_command(root):
    """An entry holds the question, every answer with how it fared, the regime and where to look further."""
    assert textwrap.dedent("""\
        ### <a id="kvcache"></a>Heads of the cache

        > A model has eight heads. How many does the cache hold for each token?

        **Verdict: holds.**

        **The cache grows with groups.** *(exact)*

        - Wrong: “All of them.”\\
          *Refuted* at `heads=1, group=2`: `assert 1 == 2`
        - Wrong: “None of them.”\\
          *Refuted* at `heads=1, group=2`: `assert 1 == 2`
        - Right: One a group.\\
          A group reads the same pair.\\
          It always did.\\
          *Held* on 100 examples.
        - Observed: `kept` 1 … 12,345

        ```python
        @given(heads=st.integers(1, 8), group=st.integers(2, 8))
        ```

        **Source.** Noether 1918, <https://example.org/a_b_(c)>

        **Asked in** A Book of Traps, chapter 2.

        [traps/inference/kvcache.py](traps/inference/kvcache.py) · `pytest -k kvcache`
        """) in printed(root)


def test_the_sheet_says_what_was_verified_and_where(root):
    """The sheet opens with its counts and one row for each record."""
    text = printed(root)

    assert "**1 page, 1 claim:**\n1 right answer held, 2 wrong answers refuted,\n106 examples tried" in text
    assert "| cpu | a machine | Linux | 3.13.1 | 2.13.0 | 6.150.0 | 2026-01-02 |" in text
    assert "None: every source holds as it is stated." in text
    assert "Nothing: each claim was tried, with all its answers, on every device to which it applies." in text


def test_nothing_dated_stands_outside_the_table(root):
    """Day and machine are told once, in the table of environments."""
    lines = [line for line in printed(root).splitlines() if "2026-01-02" in line or "a machine" in line]

    assert len(lines) == 1


def test_right_when_limits_and_several_sources_are_told(root):
    """The colophon's optional entries stand below the claims, and several sources are a list."""
    rest = "Source: Curie 1903, https://example.org/\nRight when: One head.\nLimits: Eight heads."
    write_record(root, runs_of(write_page(root, rest=rest)))

    text = printed(root)

    assert "**Right when.** One head.\n\n**Limits.** Eight heads.\n\n**Sources.**\n\n- Noether" in text
    assert "- Curie 1903, <https://example.org/>\n" in text


def test_a_long_regime_takes_a_line_an_argument(root):
    """A decorator that does not fit on one line is printed as one writes it."""
    regime = "st.lists(st.integers(1, 8), min_size=1, max_size=8).map(len)"
    write_record(root, runs_of(write_page(root, regime=regime)))

    assert f"@given(\n    heads=st.integers(1, 8),\n    group={regime},\n)" in printed(root)


def test_devices_stand_side_by_side(root):
    """With two records each device has its figure; what both say alike is said once."""
    page = write_page(root)
    right, first, second = (f"{side}-{name}" for side, name in SIDES)
    gpu = [
        a_run(page, first, "tpu", assertion="assert 1 == 3"),
        a_run(page, second, "tpu"),
        a_run(page, right, "tpu", examples=1, observed={"kept": Observation(smallest=2, largest=2, last=2)}),
    ]
    write_record(root, gpu, "tpu")

    text = printed(root)

    assert (
        "*Refuted* at `heads=1, group=2`: `assert 1 == 2` (cpu); at `heads=1, group=2`: `assert 1 == 3` (tpu)"
    ) in text
    assert "“None of them.”\\\n  *Refuted* at `heads=1, group=2`: `assert 1 == 2`\n" in text
    assert "*Held* on 100 examples (cpu), 1 (tpu)." in text
    assert "- Observed (cpu): `kept` 1 … 12,345\n- Observed (tpu): `kept` 2\n" in text


SIDES = (("right", "just_right"), ("wrong", "too_many"), ("wrong", "too_few"))


def test_records_of_one_device_that_agree_add_up(root):
    """Two records of one kind of device are two rows, and their examples are counted together."""
    write_record(root, runs_of(write_page(root)), file="another.json", device_name="another machine")

    text = printed(root)

    assert "| cpu | another machine |" in text
    assert "*Held* on 200 examples." in text
    assert text.count("assert 1 == 2") == 2


# Errata, index, what is not verified


def test_errata_come_first_and_show_the_refutation(root):
    """An erratum gives the correct statement, where it was asked, and the temptation refuted."""
    page = write_page(
        root,
        "scaling/halves",
        title="Halves",
        verdict="refuted as stated: not none of them but half",
        asked=["A Book of Traps, chapter 10", "Letters #3"],
    )
    other = write_page(root, "scaling/thirds", title="Thirds", verdict="holds if heads are grouped.")
    write_record(root, [*runs_of(Page.read(root / "traps/inference/kvcache.py")), *map_runs(page, other)])

    text = printed(root)

    assert text.index('## <a id="errata">') < text.index('## <a id="area-inference">')
    assert (
        textwrap.dedent("""\
        - [Halves](#halves), asked in A Book of Traps, chapter 10 and in Letters #3\\
          **Refuted as stated:** not none of them but half.\\
          “All of them.” fails at `heads=1, group=2`: `assert 1 == 2`

        - [Thirds](#thirds), asked in A Book of Traps, chapter 2\\
          **Holds if** heads are grouped.\\
          “All of them.” fails at""")
        in text
    )
    assert "**Verdict: refuted as stated:** not none of them but half." in text


def map_runs(*pages):
    return [run for page in pages for run in runs_of(page)]


def test_an_erratum_that_nothing_refuted_yet_stands_without_refutation(tmp_path):
    """A verdict is printed although its claim was skipped, and nothing is invented beside it."""
    page = write_page(tmp_path, verdict="holds if heads are grouped")
    write_record(tmp_path, runs_of(page, outcome="unverified", reason="no time"))
    write_readme(tmp_path)

    text = printed(tmp_path)

    assert "**Holds if** heads are grouped.\n\n## " in text
    assert "fails" not in text.partition('## <a id="errata">')[2]
    assert text.count("*Not tried here.*") == 3


def test_the_index_counts_as_people_do(root):
    """Places are grouped by series, and chapter 9 stands before chapter 10."""
    pages = [
        write_page(root, "inference/kvcache", asked=["A Book of Traps, chapter 10", "Plain course"]),
        write_page(root, "inference/nine", title="Nine", asked=["A Book of Traps, chapter 9"]),
        write_page(root, "inference/also", title="Also", asked=["A Book of Traps, chapter 9"]),
    ]
    write_record(root, map_runs(*pages))

    assert textwrap.dedent("""\
        **A Book of Traps**

        - chapter 9: [Also](#also); [Nine](#nine)
        - chapter 10: [Heads of the cache](#kvcache)

        **Plain course**

        - [Heads of the cache](#kvcache)
        """) in printed(root)


@pytest.mark.parametrize(
    ("asked", "parts"),
    [
        ("Top 25 Questions (Hoang 2025), chapter 6", ("Top 25 Questions (Hoang 2025)", "chapter 6")),
        ("AI Interview Prep, ML System Design #33", ("AI Interview Prep, ML System Design", "#33")),
        ("Letters, no. #7", ("Letters", "no. #7")),
        ("Architectures (course page)", ("Architectures (course page)", "")),
    ],
)
def test_a_place_is_split_from_its_series(asked, parts):
    """The chapter or number at the end of an `Asked:` line is its place in a series."""
    assert place(asked) == parts


def test_natural_order_mixes_words_and_numbers():
    """Numbers sort by value, and before words."""
    assert sorted(["#10", "chapter 2", "#9", "", "chapter 10"], key=natural) == [
        "", "#9", "#10", "chapter 2", "chapter 10"
    ]  # fmt: skip


def test_what_no_record_verifies_is_listed_with_its_reason(root):
    """A skipped claim is unverified in words and in the counts, never silently green."""
    page = write_page(root, "gpu/streams", title="Streams", device="gpu")
    kvcache = Page.read(root / "traps/inference/kvcache.py")
    skipped = runs_of(page, outcome="unverified", reason="no CUDA device here", examples=0)
    write_record(root, [*runs_of(kvcache), *skipped])

    text = printed(root)

    assert "tried, 1 claim unverified." in text
    assert '## <a id="area-gpu"></a>GPU' in text
    assert "No record verifies it. cpu: no CUDA device here." in text.partition('id="unverified"')[2]


def test_a_skip_that_another_device_makes_good_is_no_debt(root):
    """A claim about a GPU is verified by a GPU's record, whatever the CPU's says."""
    page = write_page(root, "gpu/streams", device="gpu")
    kvcache = Page.read(root / "traps/inference/kvcache.py")
    skipped = runs_of(page, outcome="unverified", reason="no CUDA device here", examples=0)
    write_record(root, [*runs_of(kvcache), *skipped])
    write_record(root, [*runs_of(kvcache, "tpu"), *runs_of(page, "tpu")], "tpu")

    text = printed(root)

    assert "Nothing: each claim was tried" in text
    assert "no CUDA device here" not in text
    assert "*Held* on 100 examples (tpu)." in text


def test_a_claim_that_nobody_tried_is_listed(tmp_path):
    """A claim about a GPU, and no record that knows of it, is unverified still."""
    write_record(tmp_path, runs_of(write_page(tmp_path)))
    write_page(tmp_path, "gpu/streams", title="Streams", device="gpu")
    write_readme(tmp_path)

    text = printed(tmp_path)

    assert "1 claim unverified." in text
    owed = text.partition('id="unverified"')[2]
    assert (
        "[Streams](#streams): The cache grows with groups.\n  No record verifies it. cpu: not tried." in owed
    )


def test_stale_runs_of_another_device_are_left_out_and_listed(root):
    """An older record of a far device stays useful: only what no longer fits is dropped."""
    page = write_page(root)
    added = write_page(root, "inference/added", title="Added")
    gone = [run.model_copy(update={"page": "traps/inference/gone.py"}) for run in runs_of(page, "tpu")]
    write_record(root, map_runs(page, added))
    write_record(root, [*runs_of(page, "tpu", digest="older"), *gone], "tpu")

    text = printed(root)

    owed = text.partition('id="unverified"')[2]
    assert "*Held* on 100 examples (cpu)." in text
    assert "212 examples tried, 0 claims unverified" in text
    assert "The cache grows with groups.\n  tpu: the evidence was taken of another text of the page." in owed
    assert "[Added](#added): The cache grows with groups.\n  tpu: not tried." in owed
    assert "gone" not in text


# Numbers


@pytest.mark.parametrize(
    ("value", "shown"),
    [(12345, "12,345"), (-7, "-7"), (0.1 + 0.2, "0.3"), (1234567.891, "1.23457e+06"), (1e-9, "1e-09")],
)
def test_a_number_is_short_and_grouped(value, shown):
    """Integers stand in full with thousands apart; floats have six digits."""
    assert number(value) == shown


@pytest.mark.parametrize(
    ("seen", "shown"),
    [
        ((2, 8, 8), "2 … 8"),
        ((0.5, 0.5, 0.5), "0.5"),
        ((0, 1, True), "False … True"),
        ((1, 1, True), "True"),
        ((None, None, [2, 3]), "such as [2, 3]"),
    ],
)
def test_an_observation_is_a_range_where_it_can_be(seen, shown):
    """Numbers span a range; of anything else one value stands for many."""
    smallest, largest, last = seen

    assert span(Observation(smallest=smallest, largest=largest, last=last)) == shown


# README's list, and --check


def test_the_readme_lists_every_trap_between_its_markers(root):
    """The list is renewed in place, and the rest of the file is left as it is."""
    question = "Heads are grouped, approx. eight a group. Is the time? What else?"
    page = write_page(root, "scaling/halves", title="Halves", verdict="holds if so", question=question)
    write_record(root, [*runs_of(Page.read(root / "traps/inference/kvcache.py")), *runs_of(page)])
    printed(root)
    once = (root / "README.md").read_text()
    printed(root)

    assert (
        (root / "README.md").read_text()
        == once
        == textwrap.dedent(f"""\
        # Read me

        {BEGIN}
        **Inference.** What serving costs.

        - [Heads of the cache](FACTSHEET.md#kvcache): How many does the cache hold for each token?

        **Scaling.** What serving costs.

        - [Halves](FACTSHEET.md#halves): Heads are grouped, approx. eight a group. Is the time? *(holds if)*

        {END}

        The end.
        """)
    )


def test_check_is_content_with_what_was_just_written(root, capsys):
    """A sheet is up to date right after it was written."""
    printed(root)

    assert main(["--root", str(root), "--check"]) == 0
    assert "are up to date" in capsys.readouterr().out


def test_the_committed_sheet_says_what_the_committed_evidence_says(capsys):
    """FACTSHEET.md and README.md are what the tool writes from `evidence/` and the pages."""
    assert main(["--root", str(ROOT), "--check"]) == 0, "".join(capsys.readouterr())


@pytest.mark.parametrize("file", ["FACTSHEET.md", "README.md"])
def test_check_shows_a_difference_and_writes_nothing(root, capsys, file):
    """A sheet or a list that was changed by hand fails the check, with the lines that differ."""
    printed(root)
    text = (root / file).read_text().replace("Heads of the cache", "Tails of the cache")
    (root / file).write_text(text)

    assert main(["--root", str(root), "--check"]) == 1

    said = capsys.readouterr().out
    assert f"--- {file} as it is" in said
    assert re.search(r"^-.*Tails.*\n(?:.*\n)*\+.*Heads", said, re.MULTILINE)
    assert (root / file).read_text() == text


def test_check_is_short_where_everything_differs(root, capsys):
    """A missing sheet differs in every line, of which the first ones are shown."""
    assert main(["--root", str(root), "--check"]) == 1

    said = capsys.readouterr().out
    assert re.search(r"^… and \d+ more lines$", said, re.MULTILINE)
    assert len(said.splitlines()) < LONGEST_DIFF + 20
    assert not (root / "FACTSHEET.md").exists()


# Refusals


def no_evidence(root):
    (root / "evidence/cpu.json").unlink()
    return "evidence/ holds no record. Take one with `make facts`."


def no_folder(root):
    no_evidence(root)
    (root / "evidence").rmdir()
    return "evidence/ holds no record."


def partial(root):
    write_record(root, [], "tpu", partial=True)
    return "evidence/tpu.json is partial"


def malformed(root):
    (root / "evidence/cpu.json").write_text("{")
    return "cpu.json: is not JSON"


def foreign(root):
    (root / "evidence/notes.json").write_text('{"a": 1}')
    return "notes.json: is JSON, but no record of a run"


def another_schema(root):
    path = root / "evidence/cpu.json"
    path.write_text(path.read_text().replace(f'"schema_version": {SCHEMA}', '"schema_version": 99'))
    return "cpu.json: has schema version 99"


def a_right_answer_failed(root):
    page = write_page(root)
    write_record(root, [*runs_of(page)[:-1], a_run(page, "right-just_right", outcome="failed")])
    return "traps/inference/kvcache.py::test_heads[right-just_right] failed in evidence/cpu.json."


def wrong_answers_survived(root):
    page = write_page(root)
    write_record(root, [*runs_of(page, outcome="survived")[:-1], *runs_of(page)[-1:]])
    return "[wrong-too_few] survived in evidence/cpu.json; traps/inference/kvcache.py::test_heads[wrong-"


def a_wrong_answer_held(root):
    page = write_page(root)
    write_record(root, runs_of(page, outcome="held"))
    return "test_heads[wrong-too_few] held in evidence/cpu.json"


def a_rival_is_missing(root):
    write_record(root, runs_of(write_page(root))[1:])
    return "evidence/cpu.json lacks traps/inference/kvcache.py::test_heads[wrong-too_many]. Run `make facts`."


def the_text_has_changed(root):
    write_page(root, regime="st.integers(2, 9)")
    return "evidence/cpu.json was taken of another text of traps/inference/kvcache.py. Run `make facts`."


def the_rival_is_unknown(root):
    page = write_page(root)
    write_record(root, [*runs_of(page), a_run(page, "wrong-nobody")])
    return "evidence/cpu.json was taken of another text of traps/inference/kvcache.py."


def the_page_is_gone(root):
    write_page(root, "inference/other")
    (root / "traps/inference/kvcache.py").unlink()
    return "evidence/cpu.json holds runs of traps/inference/kvcache.py, which is no page."


def a_run_of_another_device(root):
    write_record(root, runs_of(write_page(root), "tpu"))
    return "evidence/cpu.json is a record of cpu and holds a run on tpu"


def records_disagree(root):
    page = write_page(root)
    other = [*runs_of(page)[:-1], a_run(page, "right-just_right", outcome="failed")]
    write_record(root, other, file="other.json")
    return (
        "evidence/cpu.json and evidence/other.json disagree on "
        "traps/inference/kvcache.py::test_heads[right-just_right]: held and failed."
    )


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
    pages = write_page(root), write_page(root, "scaling/kvcache")
    write_record(root, map_runs(*pages))
    return "Two pages are called kvcache. Rename one"


def an_area_without_opening(root):
    (root / "traps/inference/__init__.py").unlink()
    return "traps/inference has no __init__.py. Open the chapter there in one sentence."


def no_page(root):
    (root / "traps/inference/kvcache.py").unlink()
    write_record(root, [])
    return "traps/ holds no page. Run this in the root of the repository."


def no_readme(root):
    (root / "README.md").unlink()
    return f"README.md. Write it, and mark the list of traps: {BEGIN} {END}."


def no_markers(root):
    (root / "README.md").write_text(f"# Read me\n\n{END}\n{BEGIN}\n")
    return f"README.md has no place for the list of traps. Mark it with {BEGIN} and {END}."


@pytest.mark.parametrize("check", [False, True], ids=["write", "check"])
@pytest.mark.parametrize(
    "spoil",
    [
        no_evidence,
        no_folder,
        partial,
        malformed,
        foreign,
        another_schema,
        a_right_answer_failed,
        wrong_answers_survived,
        a_wrong_answer_held,
        a_rival_is_missing,
        the_text_has_changed,
        the_rival_is_unknown,
        the_page_is_gone,
        a_run_of_another_device,
        records_disagree,
        an_unknown_colophon_entry,
        a_syntax_error,
        not_utf8,
        two_pages_of_one_name,
        an_area_without_opening,
        no_page,
        no_readme,
        no_markers,
    ],
)
def test_what_cannot_go_to_print_is_refused(root, capsys, spoil, check):
    """Exit status 2, one line that names the cause, and nothing is written."""
    expected = spoil(root)
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}

    assert main(["--root", str(root), *(["--check"] if check else [])]) == 2

    said = capsys.readouterr()
    assert expected in said.err
    assert len(said.err.splitlines()) == 1
    assert not said.out
    assert {path: path.read_bytes() for path in root.rglob("*") if path.is_file()} == before


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
OPENINGS = ("- ", "+ ", "* ", "1. ", "1) ", "# ", "> ", "=== ", "--- ", "~~~ ", "``` ", "    ", "| ", "<br> ")


def test_hostile_texts_come_out_as_they_were_written(tmp_path):
    """No text of a page or a record makes a tag, a heading, a link or a table cell."""
    said = {
        "title": f"Title {HOSTILE}",
        "question": f"# {HOSTILE}\n\n- {HOSTILE}?",
        "verdict": f"refuted as stated: {HOSTILE}",
        "asked": [f"Book {HOSTILE}, chapter 1"],
        "rest": f"Right when: > {HOSTILE}\nLimits: 1. {HOSTILE}",
        "wrong": f"- {HOSTILE}",
        "right": f"> {HOSTILE}\n\n1. {HOSTILE}",
        "sentence": f"=== {HOSTILE}",
        "regime": f"st.just({HOSTILE + ' ```'!r})",
        "opening": f"~~~ {HOSTILE}",
    }
    page = write_page(tmp_path, **said)
    spoilt = {"counterexample": {"group": HOSTILE}, "assertion": f"assert {HOSTILE}"}
    seen = {f"kept {HOSTILE}": Observation(smallest=None, largest=None, last=HOSTILE)}
    spoilt_runs = [
        a_run(page, answer, **({"observed": seen} if answer.startswith("right-") else spoilt))
        for answer in page.claims[0].rivals
    ]
    write_record(tmp_path, spoilt_runs, device_name=f"| {HOSTILE}", torch="`a|b`")
    skipped = runs_of(page, "tpu `x|y`", outcome="unverified", reason=HOSTILE)
    write_record(tmp_path, skipped, "tpu `x|y`", file="tpu.json")
    write_readme(tmp_path)

    tokens = MARKDOWN.parse(printed(tmp_path))
    listed = MARKDOWN.parse((tmp_path / "README.md").read_text())

    tags = [token.content for token in inline([*tokens, *listed]) if token.type == "html_inline"]
    assert all(re.fullmatch(r'<a id="[\w-]+">|</a>', tag) for tag in tags)
    assert [token.content for token in listed if token.type == "html_block"] == [f"{BEGIN}\n", f"{END}\n"]
    assert not [token for token in tokens if token.type == "html_block"]
    headings = [token.tag for token in tokens if token.type == "heading_open"]
    assert headings == ["h1", "h2", "h2", "h2", "h3", "h2", "h2"]
    assert [token.tag for token in tokens if token.type == "td_open"] == ["td"] * 14
    assert len([token for token in tokens if token.type == "fence"]) == 1
    assert {href.partition("#")[0] for href in hrefs([*tokens, *listed])} == {
        "", "FACTSHEET.md", "traps/inference/kvcache.py", "https://example.org/a_b_(c)"
    }  # fmt: skip
    text = words_of(tokens)
    for literal in (
        f"Title {HOSTILE}",
        f"# {HOSTILE}",
        f"> {HOSTILE}",
        f"=== {HOSTILE}",
        f"assert {HOSTILE}",
    ):
        assert literal in text


def test_every_link_on_the_sheet_leads_somewhere(root):
    """Anchors are unique, and every link within the sheet and from the list finds its anchor."""
    page = write_page(root, "scaling/an odd-näme", title="Odd", verdict="holds if so")
    write_record(root, [*runs_of(Page.read(root / "traps/inference/kvcache.py")), *runs_of(page)])
    text = printed(root)
    anchors = re.findall(r'<a id="([^"]*)">', text)
    targets = hrefs(MARKDOWN.parse(text)) + hrefs(MARKDOWN.parse((root / "README.md").read_text()))

    assert len(set(anchors)) == len(anchors)
    assert {MARKDOWN.normalizeLink(f"#{anchor}") for anchor in anchors} == {
        target.removeprefix("FACTSHEET.md") for target in targets if "#" in target
    }
    assert "traps/scaling/an%20odd-n%C3%A4me.py" in targets


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
