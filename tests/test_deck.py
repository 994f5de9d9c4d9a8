"""The deck: cards that ask first, as text and as a package, which an import knows again."""

import json
import re
import sqlite3
import sys
import zipfile
from html.parser import HTMLParser

import pytest

from tests.corpus import ROOT
from tests.specimens import add, examples, found, read_page, runs_of, unverified, write_page, write_record
from tools.deck import DECK_ID, HEAD, MODEL_ID, cards, deck, main, pack
from tools.gather import SheetError
from tools.ids import Ledger, ledger
from tools.view import view

HOSTILE = "<b>tag</b> &amp; \"quote\" 'tick' | a\x1fb {{Front}} `x < 1` \\t # end"


class Read(HTMLParser):
    """The text of a side, its elements, and whether each is closed in its order."""

    def __init__(self, side):
        super().__init__()
        self.open, self.tags, self.text = [], set(), ""
        self.feed(side)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert attributes == []
        self.tags.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.text += text


def notes(text):
    """The columns of each note of a deck."""
    assert text.startswith(HEAD)
    return [line.split("\t") for line in text.removeprefix(HEAD).splitlines()]


@pytest.fixture(scope="module")
def corpus():
    """What the records and the pages of the repository say."""
    return view(ROOT)


# A card


def test_a_card_asks_first_and_tells_then(repository):
    """Question and answers in front; behind the right one, how each other fails, and the command."""
    worked = examples([512], [512], [6144], [512], heads=[8], group=[2])
    add(repository, "inference/kvcache", rest="Answer: One per group of `heads`.")
    page = read_page(repository)
    write_record(repository, page, runs_of(page, right={"worked": worked}))

    (card,) = cards(view(repository))

    assert card.front == (
        "<b>Heads of the cache</b><br><br>"
        "A model has eight heads. How many does the cache hold for each token?<br>"
        "<br>a) All of them.<br>b) One a group.<br>c) None of them."
    )
    assert card.back == (
        "<b>b) One a group. A group reads the same pair. It always did.</b><br>"
        "<br>a) observed 512 kept bytes, not 6,144 at <code>heads=8, group=2</code>; "
        "wrong on 73 of 100 inputs, too large by 1.3 to 8 times"
        "<br>c) observed 1 kept bytes, not 2 at <code>heads=1, group=2</code>; wrong on 100 of 100 inputs"
        "<br><br>One per group of <code>heads</code>."
        "<br><br><code>pytest traps/inference/kvcache.py::test_heads</code>"
    )
    assert card.tags == ("area::inference", "kind::exact", "verdict::holds")


def test_an_implementation_fails_by_its_assertion(repository):
    """It says no number that could be set against what was observed."""
    page = read_page(repository)
    broken = {"counterexample": found(None, None, "assert 3 <= 2.000000001")}
    policy = runs_of(page, right={"quantity": "", "fits": {}}, first=broken, second=broken)
    write_record(repository, page, policy)

    (card,) = cards(view(repository))

    assert "<br>c) <code>assert 3 &lt;= 2</code> at <code>heads=1, group=2</code><br>" in card.back


def test_a_derived_claim_is_not_called_observed(repository):
    """It follows from a cost model."""
    add(repository, "inference/kvcache", evidence="derived")

    (card,) = cards(view(repository))

    assert "a) the cost model gives 1 kept bytes, not 2 at" in card.back
    assert "observed" not in card.back


def test_the_claims_of_a_page_are_told_apart(repository):
    """One question may have several cards; what nothing verifies has none."""
    path = write_page(repository, "gpu/streams", title="Streams").path
    text = path.read_text()
    again = text[text.index("@claim") :].replace("test_heads", "test_again")
    path.write_text(
        f"{text}\n\n{again}\n\n{again.replace('test_again', 'test_gpu').replace('device', 'gpu')}"
    )
    page = read_page(repository, "gpu/streams")
    runs = [*runs_of(page), *runs_of(page, claim="test_again")]
    skipped = [run.model_copy(update={"claim": "test_gpu"}) for run in unverified(page)]
    write_record(repository, page, [*runs, *skipped])

    first, second, _ = cards(view(repository))

    assert first.front.startswith("<b>Streams</b> (1 of 3)<br>")
    assert second.front.startswith("<b>Streams</b> (2 of 3)<br>")
    assert first.guid != second.guid


def test_a_card_keeps_its_guid_through_a_renaming(repository):
    """What was learnt of it stays with it."""
    (before,) = cards(view(repository))
    for path in ("traps/inference/kvcache.py", "evidence/cpu/inference/kvcache.json"):
        (repository / path).unlink()
    add(repository, "memory/heads_of_a_cache")
    names = Ledger(published=("kvcache", "kvcache::test_heads"), renamed={"kvcache": "heads_of_a_cache"})

    (after,) = cards(view(repository), names)

    assert after.guid == before.guid
    assert re.fullmatch(r"[0-9a-f]{16}", after.guid)


# Text


def test_the_text_is_what_anki_imports(repository):
    """Its headers, and a note a line: guid, deck, front, back, tags."""
    (card,) = cards(view(repository))

    assert deck(view(repository)) == (
        "#separator:tab\n#html:true\n#notetype:Basic\n#guid column:1\n#deck column:2\n#tags column:5\n"
        f"{card.guid}\tTrapsheet\t{card.front}\t{card.back}\tarea::inference kind::exact verdict::holds\n"
    )


def test_text_makes_no_markup(repository):
    """Whatever a page or a record holds: no tag, no column, no line of its own."""
    page = add(
        repository,
        "inference/kvcache",
        title=HOSTILE,
        question=f"{HOSTILE}\n\n{HOSTILE}?",
        wrong=HOSTILE,
        rest=f"Answer: {HOSTILE}",
    )
    failed = {"counterexample": found(f"'{HOSTILE}\t\n'", "'x'", group=HOSTILE)}
    quoted = {"counterexample": found(None, None, f"assert {HOSTILE}\n\t1", group=HOSTILE)}
    write_record(repository, page, runs_of(page, first=failed, second=quoted))

    ((_, _, front, back, _),) = notes(deck(view(repository)))

    for side in (front, back):
        assert '"' not in side
        assert not re.search(r"[\x00-\x1f]", side)
        assert Read(side).tags <= {"b", "br", "code"}
    assert "<b>tag</b> &amp; \"quote\" 'tick' | a b {{Front}} x < 1 \\t # end" in Read(front).text


def test_the_cards_of_the_corpus_are_whole(corpus):
    """A note for each verified claim, no two alike in front, none that shows what is right."""
    told = notes(deck(corpus, ledger(ROOT)))
    verified = sum(bool(claim.verified) for page in corpus.pages for claim in page.claims)

    assert len(told) == verified
    assert {len(columns) for columns in told} == {5}
    assert len({guid for guid, *_ in told}) == len({front for _, _, front, *_ in told}) == verified
    assert all(Read(side).tags <= {"b", "br", "code"} for _, _, *sides, _ in told for side in sides)
    assert all(re.search(r"\bpytest traps/\w+/\w+\.py::test_\w+</code>$", back) for _, _, _, back, _ in told)


def test_the_order_of_answers_does_not_tell(corpus):
    """The right answer stands first about as often as it would by chance."""
    claims = [claim for page in corpus.pages for claim in page.claims]
    first = sum(claim.shuffled[0] is claim.right for claim in claims)
    expected = sum(1 / len(claim.answers) for claim in claims)

    assert all({*map(id, c.shuffled)} == {*map(id, c.answers)} for c in claims)
    assert first == pytest.approx(expected, abs=5 * expected**0.5)


# Package


def opened(path, folder):
    """The collection within a package."""
    with zipfile.ZipFile(path) as package:
        assert package.namelist() == ["collection.anki2", "media"]
        package.extractall(folder)
    return sqlite3.connect(folder / "collection.anki2")


def test_a_package_holds_the_cards(repository, tmp_path):
    """Under a note type and a deck whose ids never change, with the guids of the text."""
    drawn = cards(view(repository))
    pack(drawn, tmp_path / "there/traps.apkg", 1e9)

    with opened(tmp_path / "there/traps.apkg", tmp_path) as there:
        ((guid, model, fields, tags, day),) = there.execute("SELECT guid, mid, flds, tags, mod FROM notes")
        ((decks, models),) = there.execute("SELECT decks, models FROM col")
        assert there.execute("SELECT did FROM cards").fetchall() == [(DECK_ID,)]

    assert (guid, model, day) == (drawn[0].guid, MODEL_ID, 10**9)
    assert fields.split("\x1f") == [drawn[0].front, drawn[0].back]
    assert tags.split() == [*drawn[0].tags]
    assert json.loads(decks)[str(DECK_ID)]["name"] == "Trapsheet"
    assert [field["name"] for field in json.loads(models)[str(MODEL_ID)]["flds"]] == ["Front", "Back"]
    assert [path.name for path in (tmp_path / "there").iterdir()] == ["traps.apkg"]


def test_a_package_is_the_same_each_time(repository, tmp_path, monkeypatch):
    """Where the time is given, as builds that are to be repeated give it."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    for name in ("one", "two"):
        assert main(["--root", str(repository), "--out", str(tmp_path / f"{name}.apkg")]) == 0

    assert (tmp_path / "one.apkg").read_bytes() == (tmp_path / "two.apkg").read_bytes()


def test_without_genanki_nothing_is_packed(repository, tmp_path, monkeypatch):
    """The message says what to install, and what does without."""
    monkeypatch.setitem(sys.modules, "genanki", None)

    with pytest.raises(SheetError) as error:
        pack(cards(view(repository)), tmp_path / "traps.apkg", 0)

    assert str(error.value) == (
        "traps.apkg cannot be packed, as genanki is not installed. "
        'Install it with `pip install -e ".[anki]"`, or write a .txt, which Anki imports as well.'
    )
    assert not (tmp_path / "traps.apkg").exists()


# From the terminal


def test_a_deck_is_printed_or_written(repository, tmp_path, capsys):
    """The same text; what is written is counted."""
    assert main(["--root", str(repository)]) == 0
    printed = capsys.readouterr().out
    assert main(["--root", str(repository), "--out", str(tmp_path / "traps.txt")]) == 0

    assert printed == (tmp_path / "traps.txt").read_text() == deck(view(repository))
    assert capsys.readouterr().out == f"{tmp_path / 'traps.txt'}: 1 card\n"


def test_a_query_chooses_the_pages(repository, capsys):
    """The terms of `tools.query`, with or without a minus."""
    add(repository, "gpu/streams", title="Streams")

    assert main(["--root", str(repository), "-area:gpu", "kind:exact"]) == 0

    ((_, _, front, _, tags),) = notes(capsys.readouterr().out)
    assert front.startswith("<b>Heads of the cache</b>")
    assert "area::inference" in tags


REFUSED = {
    "no card": (["nowhere"], "deck: No verified claim meets nowhere. Ask for less."),
    "a bad query": (["verdict:refutd"], "deck: 'refutd' is no verdict. Did you mean 'refuted'?"),
    "another file": (["--out", "traps.csv"], "deck: traps.csv is neither .txt nor .apkg. Name one of them."),
}


@pytest.mark.parametrize(("arguments", "said"), REFUSED.values(), ids=REFUSED)
def test_what_makes_no_deck_is_refused(repository, capsys, arguments, said):
    """Exit status 2, and nothing on the output."""
    assert main(["--root", str(repository), *arguments]) == 2

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.splitlines()[0] == said


def test_a_time_that_is_none_is_refused(repository, tmp_path, capsys, monkeypatch):
    """It is read where a package is written, and nowhere else."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "noon")

    assert main(["--root", str(repository), "--out", str(tmp_path / "traps.apkg")]) == 2
    assert capsys.readouterr().err.startswith("deck: SOURCE_DATE_EPOCH is 'noon'. Set it to whole seconds")
    assert main(["--root", str(repository), "--out", str(tmp_path / "traps.txt")]) == 0


def test_a_page_that_cannot_be_read_is_named(repository, capsys):
    """With its line."""
    (repository / "traps/inference/kvcache.py").write_text('"""Title"""\ndef (\n')

    assert main(["--root", str(repository)]) == 2
    assert "kvcache.py:2: invalid syntax. Mend the page first." in capsys.readouterr().err
