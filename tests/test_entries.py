"""Entries: what a trap's full entry says, and how columns share it."""

import re
import textwrap

import pytest

from fixtures.trial.record import Observation
from tests.specimens import (
    CPU,
    RIGHT,
    TPU,
    add,
    entries,
    examples,
    fit,
    found,
    read_page,
    runs_of,
    unverified,
    write_page,
    write_record,
)

WORKED = examples([4096, 512], [4096, 512], [32768, 512], [0, 0.5], heads=[8, 1], group=[1, 2])


MISSED = "wrong on 73 of 100 inputs, too large by 1.3 to 8 times"


def test_an_entry_tells_the_trap_from_question_to_command(repository):
    """An entry holds the question, every answer with how it fared, the regime and where to look further."""
    assert textwrap.dedent(f"""\
        ## <a id="kvcache"></a>Heads of the cache

        > A model has eight heads. How many does the cache hold for each token?

        **The cache grows with groups.** *(exact)*

        - Wrong: “All of them.”\\
          *Refuted*: observed 1, it says 2, at `heads=1, group=2`; {MISSED}.
        - Wrong: “None of them.”\\
          *Refuted*: observed 1, it says 2, at `heads=1, group=2`; wrong on 100 of 100 inputs.
        - Right: One a group.\\
          A group reads the same pair.\\
          It always did.\\
          *Held* on 100 examples.
        - Observed: `kept_bytes` 1 … 12,345

        ```python
        @given(heads=st.integers(1, 8), group=st.integers(2, 8))
        ```

        **On the source.** Asked in A Book of Traps, chapter 2.
        **Holds.**

        **Source.** Noether 1918, <https://example.org/a_b_(c)>

        [traps/inference/kvcache.py](../traps/inference/kvcache.py) · `pytest -k kvcache`
        """) in entries(repository)


def test_the_answer_comes_before_the_claims_and_the_source_behind_them(repository):
    """What one says in the room is told first; what the source says, and the verdict on that, last."""
    rest = "\n".join(
        [
            "Source: Curie 1903, https://example.org/",
            "Answer: One per group.",
            "Says: All heads are cached.",
            "Terms: GQA, KV cache",
            "Right when: One head.",
            "Limits: Eight.",
        ]
    )
    add(
        repository,
        "inference/kvcache",
        verdict="refuted by too_many: one per group",
        asked=["A Book of Traps, chapter 2", "Letters #3"],
        rest=rest,
    )

    text = entries(repository)

    assert "each token?\n\n**Answer.** One per group.\n\n**The cache" in text
    assert (
        textwrap.dedent("""\
        **On the source.** Asked in A Book of Traps, chapter 2; Letters #3.
        It says: All heads are cached.
        **Refuted:** one per group.

        **Right when.** One head.

        **Limits.** Eight.

        **Sources.**

        - Noether 1918, <https://example.org/a_b_(c)>
        - Curie 1903, <https://example.org/>

        **Terms.** GQA, KV cache

        [traps/""")
        in text
    )


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        ("holds if heads are grouped", "**Holds if** heads are grouped."),
        ("imprecise: one per group.", "**Imprecise:** one per group."),
        ("not judged: our toy has no cache", "**Not judged:** our toy has no cache."),
        ("refuted by too_few: one per group", "**Refuted:** one per group."),
    ],
)
def test_every_verdict_is_a_sentence(repository, verdict, told):
    """It ends in one full stop."""
    add(repository, "inference/kvcache", verdict=verdict)

    assert f"\n{told}\n" in entries(repository)


def test_a_long_regime_takes_a_line_an_argument(repository):
    """A decorator that does not fit on one line is printed as one writes it."""
    regime = "st.lists(st.integers(1, 8), min_size=1, max_size=8).map(len)"
    add(repository, "inference/kvcache", regime=regime)

    assert f"@given(\n    heads=st.integers(1, 8),\n    group={regime},\n)" in entries(repository)


def test_worked_examples_are_a_table_with_factors(repository):
    """Each answer has a column, the right one first, with the factor by which it is off."""
    write_record(repository, read_page(repository), runs_of(read_page(repository), right={"worked": WORKED}))

    assert textwrap.dedent("""\
        Worked examples:

        | at | observed `kept_bytes` | `just_right` | `too_many` | `too_few` |
        | --- | --- | --- | --- | --- |
        | `heads=8, group=1` | 4,096 | 4,096 | 32,768 (8×) | 0 |
        | `heads=1, group=2` | 512 | 512 | 512 | 0.5 (1/1,020) |

        ```python""") in entries(repository)


def test_worked_examples_of_an_implementation_show_what_was_observed(repository):
    """There is nothing to predict; every observed quantity has a column."""
    policy = {
        "quantity": "",
        "fits": {},
        "worked": examples([4], [None], [None], [None], heads=[8], group=[2]),
    }
    write_record(repository, read_page(repository), runs_of(read_page(repository), right=policy))

    text = entries(repository)

    assert "| at | observed `kept_bytes` |\n| --- | --- |\n| `heads=8, group=2` | 4 |\n" in text


def test_an_implementation_is_refuted_by_its_assertion(repository):
    """It says nothing, so the assertion is quoted, its floats cut."""
    broken = {"counterexample": found(None, None, "assert 4.266576095320618 <= 2")}
    write_record(repository, read_page(repository), runs_of(read_page(repository), first=broken))

    assert "*Refuted*: `assert 4.267 <= 2` at `heads=1, group=2`; wrong" in entries(repository)


def test_an_observation_that_reads_like_the_prediction_is_quoted(repository):
    """Where the record's digits do not tell them apart the assertion does."""
    close = {"counterexample": found(0.3, 0.3, "assert 0.30000000000000004 == 0.3")}
    write_record(repository, read_page(repository), runs_of(read_page(repository), first=close))

    assert "*Refuted*: `assert 0.30000000000000004 == 0.3` at" in entries(repository)


def test_a_derived_claim_was_not_observed(repository):
    """Arithmetic of a cost model follows or does not; nothing is called observed, refuted or held."""
    add(repository, "inference/kvcache", evidence="derived")

    text = entries(repository)

    assert "*Does not follow*: the cost model gives 1, it says 2, at `heads=1, group=2`; wrong on" in text
    assert "*Follows* on 100 examples.\n- The cost model gives: `kept_bytes` 1 … 12,345\n" in text
    assert not {"Refuted", "Held", "Observed"} & {*text.replace("*", " ").replace(":", " ").split()}


def test_what_is_not_verified_says_so_beside_its_claim(repository):
    """Answers that were not tried claim nothing, and the reason is told."""
    page = write_page(repository, "gpu/streams", device="gpu")
    write_record(repository, page, unverified(page))

    text = entries(repository, "gpu")

    assert text.startswith("<!-- Printed by")
    assert "# GPU\n\nWhat serving costs." in text
    assert (
        textwrap.dedent(f"""\
        - Wrong: “All of them.”
        - Wrong: “None of them.”
        - Right: One a group.\\
          A group reads the same pair.\\
          It always did.
        - *Unverified* on {CPU}: no CUDA device here

        ```python""")
        in text
    )


# Columns


def test_columns_that_agree_say_it_once(repository):
    """With two columns there is a table of how answers fared, and nothing else is told twice."""
    write_record(repository, read_page(repository), runs_of(read_page(repository), right={"worked": WORKED}))
    write_record(
        repository, read_page(repository), runs_of(read_page(repository), right={"worked": WORKED}), **TPU
    )

    text = entries(repository)

    assert text.count("observed 1, it says 2") == 2
    assert text.count("Worked examples:") == 1
    assert (
        textwrap.dedent("""\
        | tried on | cpu, torch 2.13 | tpu, torch 2.11 |
        | --- | --- | --- |
        | `just_right` | held on 100 | held on 100 |
        """)
        in text
    )


def test_columns_that_differ_stand_side_by_side(repository):
    """Each has its own refutation, observation and worked examples, under its name."""
    page = read_page(repository)
    other = examples([4097], [4097], [32768], [0], heads=[8], group=[1])
    seen = {"kept_bytes": Observation(smallest=2, largest=2, last=2)}
    write_record(repository, page, runs_of(page, right={"worked": WORKED}))
    write_record(
        repository,
        page,
        runs_of(
            page,
            right={"examples": 7, "observed": seen, "worked": other, "fits": {RIGHT: fit(7, 7, None)}},
            first={"counterexample": found(1, 3)},
        ),
        **TPU,
    )

    text = entries(repository)

    assert (
        "*Refuted*: observed 1, it says 2, at `heads=1, group=2` (cpu, torch 2.13); "
        "observed 1, it says 3, at `heads=1, group=2` (tpu, torch 2.11); wrong on 73"
    ) in text
    assert "- Observed: `kept_bytes` 1 … 12,345 (cpu, torch 2.13)\n" in text
    assert "- Observed: `kept_bytes` 2 (tpu, torch 2.11)\n" in text
    assert "Worked examples (cpu, torch 2.13):" in text
    assert "Worked examples (tpu, torch 2.11):" in text
    assert (
        textwrap.dedent("""\
        | `just_right` | held on 100 | held on 7 |
        | `too_many` | wrong on 73 of 100 inputs, too large by 1.3 to 8 times | refuted |
        """)
        in text
    )


def test_a_column_that_did_not_try_a_claim_is_unverified_there(repository):
    """A stale record shows in the table and in words."""
    write_record(repository, read_page(repository), digest="older", **TPU)

    text = entries(repository)

    assert "| `just_right` | held on 100 | *unverified* |" in text
    assert "- *Unverified* on tpu, torch 2.11: the evidence was taken of another text of the page\n" in text


def test_one_value_of_many_is_told_by_one_column(repository):
    """The last sequence that was seen differs from machine to machine, and means nothing by it."""
    page = read_page(repository)
    for last, where in (([1, 2], {}), ([3, 4], TPU)):
        seen = {"kept_bytes": Observation(smallest=None, largest=None, last=last)}
        write_record(repository, page, runs_of(page, right={"observed": seen}), **where)

    assert re.findall("Observed: .*", entries(repository)) == [r"Observed: `kept_bytes` such as \[1, 2\]"]
