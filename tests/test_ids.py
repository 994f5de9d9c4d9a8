"""Ids: an id keeps its meaning, and none goes without a word."""

import pytest

from tests.corpus import ROOT
from tests.specimens import add
from tools.gather import SheetError
from tools.ids import ALIASES, HEAD, PUBLISHED, Ledger, counted, ids, ledger, publish
from tools.view import view

LIVING = (
    "kvcache",
    "kvcache::test_heads",
    "kvcache::test_heads[right-just_right]",
    "kvcache::test_heads[wrong-too_many]",
    "kvcache::test_heads[wrong-too_few]",
)


def with_aliases(root, text):
    """The ledger of a repository whose aliases are these."""
    path = root / ALIASES
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return ledger(root)


def test_pages_claims_and_answers_have_ids(repository):
    """They are named as pytest names them, whatever area the page lies in."""
    assert ids(view(repository)) == LIVING


def test_ids_are_counted_by_kind():
    """A page, its claim, and the answers of that."""
    assert counted(LIVING) == "1 page, 1 claim, 3 answers"


# Publishing


def test_published_ids_are_appended(repository):
    """The list begins with what it held before; a second time there is nothing to add."""
    assert publish(repository, LIVING) == 5
    add(repository, "attention/added")

    assert publish(repository, ids(view(repository))) == 5
    assert publish(repository, ids(view(repository))) == 0
    text = (repository / PUBLISHED).read_text()
    assert text.startswith(HEAD)
    assert ledger(repository).published[:5] == LIVING
    assert text.count("\n") == 11


def test_a_repository_that_published_nothing_has_an_empty_ledger(repository):
    """Neither file need be there."""
    assert ledger(repository) == Ledger()


# Renaming


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kvcache", "kvcache"),
        ("heads", "kvcache"),
        ("heads::test_heads", "kvcache::test_heads"),
        ("heads::test_heads[wrong-too_few]", "kvcache::test_heads[wrong-too_few]"),
        ("heads::test_old", "kvcache::test_heads"),
        ("heads::test_old[wrong-none]", "kvcache::test_heads[wrong-too_few]"),
        ("first", "kvcache"),
        ("heads::test_gone", None),
        ("other", None),
        ("round", None),
        ("ended", ""),
        ("ended::test_heads[wrong-too_few]", ""),
        ("renamed_and_ended", ""),
    ],
)
def test_what_lies_below_a_name_goes_with_it(old, new):
    """The narrowest line decides, names lead on to names, and what leads nowhere is lost."""
    names = Ledger(
        renamed={
            "first": "heads",
            "heads": "kvcache",
            "heads::test_old": "kvcache::test_heads",
            "kvcache::test_heads[wrong-none]": "kvcache::test_heads[wrong-too_few]",
            "round": "and_round",
            "and_round": "round",
            "renamed_and_ended": "ended",
        },
        retired={"ended": "nobody asks"},
    )

    assert names.now(old, LIVING) == new


def test_aliases_are_the_names_before():
    """By page, claim and answer; those that were published stand first."""
    names = Ledger(
        published=("heads", "heads::test_heads", "heads::test_heads[right-just_right]", *LIVING),
        renamed={"first": "heads", "heads": "kvcache"},
    )

    assert names.aliases(LIVING) == {
        "kvcache": ("heads", "first"),
        "kvcache::test_heads": ("heads::test_heads",),
        "kvcache::test_heads[right-just_right]": ("heads::test_heads[right-just_right]",),
    }


def test_the_first_name_is_the_one_that_was_published_first():
    """It outlives every renaming; what was never published goes by its own name."""
    names = Ledger(published=("second", "first", "kvcache"))

    assert names.first("kvcache", ["first", "second"]) == "second"
    assert names.first("other", []) == "other"


# Refusals

REFUSED = {
    "a lost id": (
        Ledger(published=("gone", "kvcache::test_gone", *LIVING)),
        "gone and 1 more of tools/published.txt is no longer in the corpus. Say in tools/aliases.toml what "
        'it is called now, `"gone" = "…"` below [renamed], or why it ended, below [retired].',
    ),
    "an answer that changed sides": (
        Ledger(published=("kvcache::test_heads[wrong-just_right]",)),
        "kvcache::test_heads[wrong-just_right] of tools/published.txt is no longer in the corpus.",
    ),
    "a name that is used again": (
        Ledger(renamed={"kvcache": "other"}),
        "tools/aliases.toml says that kvcache is gone, and it is here. Name the new one otherwise",
    ),
    "a retired id that is here": (
        Ledger(retired={"kvcache::test_heads": "too dear"}),
        "says that kvcache::test_heads is gone, and it is here",
    ),
    "a line of each kind": (
        Ledger(renamed={"old": "kvcache"}, retired={"old": "too dear"}),
        "tools/aliases.toml has old both renamed and retired. Keep one of the lines.",
    ),
    "a name of nothing": (
        Ledger(renamed={"old": "kvcash"}),
        "tools/aliases.toml renames old to kvcash, which is no page. Name the one that says the same now",
    ),
    "a claim for a page": (
        Ledger(renamed={"old": "kvcache::test_heads"}),
        "renames old to kvcache::test_heads, which is no page",
    ),
    "a page for an answer": (
        Ledger(renamed={"old::test_x[wrong-y]": "kvcache"}),
        "renames old::test_x[wrong-y] to kvcache, which is no answer",
    ),
}


@pytest.mark.parametrize(("names", "said"), REFUSED.values(), ids=REFUSED)
def test_what_would_change_a_meaning_is_refused(names, said):
    """In two sentences: what was seen, and what to do."""
    with pytest.raises(SheetError) as error:
        names.refuse(LIVING)

    assert said in str(error.value)


@pytest.mark.parametrize("section", ["renamed", "retired"])
def test_a_lost_id_that_is_accounted_for_is_let_pass(repository, section):
    """A line in the aliases is all that it takes."""
    publish(repository, [*LIVING, "old"])
    told = {"renamed": "kvcache", "retired": "nobody asks"}

    names = with_aliases(repository, f'[{section}]\nold = "{told[section]}"\n')

    names.refuse(LIVING)


UNREADABLE = {
    "no TOML": ("[renamed", "tools/aliases.toml is not TOML ("),
    "another section": ("[removed]\n", "tools/aliases.toml has 'removed' at its top. Its sections are"),
    "no section": ('old = "kvcache"\n', "tools/aliases.toml has 'old' at its top."),
    "no name": (
        "[renamed]\nold = 1\n",
        "tools/aliases.toml says nothing of old. Write its new name in quotes.",
    ),
    "no reason": (
        '[retired]\nold = " "\n',
        "tools/aliases.toml says nothing of old. Write the reason in quotes.",
    ),
}


@pytest.mark.parametrize(("text", "said"), UNREADABLE.values(), ids=UNREADABLE)
def test_aliases_that_cannot_be_read_are_refused(repository, text, said):
    """The file and the line's name are told."""
    with pytest.raises(SheetError) as error:
        with_aliases(repository, text)

    assert str(error.value).startswith(said)


def test_two_areas_share_one_name_space(repository):
    """A page keeps its id where it moves to another area, and no line is needed."""
    publish(repository, ids(view(repository)))
    for path in ("traps/inference/kvcache.py", "evidence/cpu/inference/kvcache.json"):
        (repository / path).unlink()
    add(repository, "memory/kvcache")

    ledger(repository).refuse(ids(view(repository)))


def test_every_id_of_the_corpus_is_accounted_for():
    """What was published is here, renamed or retired."""
    ledger(ROOT).refuse(ids(view(ROOT)))
