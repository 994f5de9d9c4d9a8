"""The view: what every printer sees of the corpus, before anything is worded."""

import pytest

from fixtures.trial.record import Observation
from tests.specimens import (
    CPU,
    TPU,
    add,
    examples,
    found,
    read_page,
    runs_of,
    unverified,
    write_page,
    write_record,
)
from tools.view import view

TPU_COLUMN = "tpu, torch 2.11"
STALE = "the evidence was taken of another text of the page"


def claim_of(root, slug="kvcache"):
    """The only claim of a page."""
    (page,) = (page for page in view(root).pages if page.page.slug == slug)
    return page.claims[0]


# Columns


def test_a_column_tells_each_kind_of_place_once(repository):
    """Another page on the same machine, on another day, changes nothing of a column."""
    before = view(repository).columns
    page = write_page(repository, "scaling/halves")
    write_record(repository, page, day="2027-12-31", python="3.13.9", hypothesis="6.150.9")

    assert view(repository).columns == before
    (column,) = before
    assert (column.device, column.torch, column.pythons, column.hypotheses) == (
        "cpu",
        "2.13",
        ("3.13",),
        ("6.150",),
    )


def test_places_of_a_column_are_sorted_as_one_counts(repository):
    """Of three Pythons 3.9 comes before 3.13."""
    page = read_page(repository)
    for minor in ("3.11", "3.9"):
        write_record(repository, page, folder=minor, python=f"{minor}.2", device_name="x86_64")

    (column,) = view(repository).columns

    assert column.pythons == ("3.9", "3.11", "3.13")
    assert column.machines == ("a machine", "x86_64")


# Claims


def test_inputs_stand_in_the_order_of_the_claim(repository):
    """A record sorts them by name; the claim takes heads before the group."""
    write_record(repository, read_page(repository), runs_of(read_page(repository), right={"worked": WORKED}))

    claim = claim_of(repository)

    assert [*claim.wrong[0].refutations[CPU].inputs] == ["heads", "group"]
    assert [*claim.worked[CPU][0].inputs] == ["heads", "group"]


WORKED = examples([4096, 512], [4096, 512], [4096, 2048], [0, 0.5], group=[1, 4], heads=[8, 8])


def test_a_worked_example_knows_by_what_factor_each_answer_is_off(repository):
    """Predicted over observed stands beside each prediction, the right answer's first."""
    page = read_page(repository)
    write_record(repository, page, runs_of(page, right={"worked": WORKED}))

    _, row = claim_of(repository).worked[CPU]

    assert row.observed == {"kept_bytes": 512}
    assert [(said.answer, said.value, said.factor) for said in row.predicted] == [
        ("just_right", 512, 1),
        ("too_many", 2048, 4),
        ("too_few", 0.5, 0.5 / 512),
    ]


@pytest.mark.parametrize(
    ("observed", "predicted"),
    [(0, 8), (8.67e-19, 0.05), ([1, 2], [1, 1]), (8, "inf"), (True, 1), ("1/3", "1/2")],
)
def test_what_is_no_number_has_no_factor(repository, observed, predicted):
    """Nothing is divided by zero or what rounding leaves of it, by a sequence or a text."""
    page = read_page(repository)
    worked = examples([observed], [observed], [predicted], ["raised ZeroDivisionError"], heads=[8], group=[2])
    write_record(repository, page, runs_of(page, right={"worked": worked}))

    (row,) = claim_of(repository).worked[CPU]

    assert [said.factor for said in row.predicted[1:]] == [None, None]


def test_the_figure_is_the_first_worked_example_that_tells(repository):
    """An answer that happens to be right at one worked example is shown at the next."""
    page = read_page(repository)
    write_record(repository, page, runs_of(page, right={"worked": WORKED}))
    claim = claim_of(repository)

    figure = claim.figure(claim.wrong[0])

    assert (figure.observed, figure.predicted, figure.inputs) == (512, 2048, {"heads": 8, "group": 4})


def test_the_figure_is_a_counterexample_where_no_worked_example_tells(repository):
    """Off by a hair is not what a reader should see first."""
    page = read_page(repository)
    worked = examples([100], [100], [119], [100], heads=[8], group=[2])
    write_record(repository, page, runs_of(page, right={"worked": worked}))
    claim = claim_of(repository)

    assert [claim.figure(wrong) for wrong in claim.wrong] == [found(heads=1, group=2)] * 2


def test_an_implementation_has_no_quantity_and_the_assertion_for_a_figure(repository):
    """Worked examples of a policy hold no predictions."""
    page = read_page(repository)
    worked = examples([4], [None], [None], [None], heads=[8], group=[2])
    policy = {"quantity": "", "fits": {}, "worked": worked}
    broken = {"counterexample": found(None, None, "assert 3 <= 2")}
    write_record(repository, page, runs_of(page, right=policy, first=broken))
    claim = claim_of(repository)

    assert claim.figure(claim.wrong[0]).assertion == "assert 3 <= 2"
    assert claim.worked[CPU][0].predicted == ()


# What is verified, and what is owed


def test_a_claim_is_verified_in_a_column_that_tried_all_of_its_answers(repository):
    """One answer left out, and the column verifies nothing."""
    page = read_page(repository)
    partly = runs_of(page, first={"outcome": "unverified", "reason": "no time"})
    write_record(repository, page, partly, **TPU)

    claim = claim_of(repository)

    assert claim.verified == (CPU,)
    assert claim.owed == ((TPU_COLUMN, "no time"),)


def test_what_no_record_verifies_is_owed_with_its_reason(repository):
    """A skipped claim is unverified in words, never silently green."""
    page = write_page(repository, "gpu/streams", device="gpu")
    write_record(repository, page, unverified(page))

    claim = claim_of(repository, "streams")

    assert (claim.verified, claim.lead) == ((), "")
    assert claim.owed == ((CPU, "no CUDA device here"),)


def test_a_skip_that_another_device_makes_good_is_no_debt(repository):
    """A claim about a GPU is verified by a GPU's record, whatever the CPU's says."""
    page = write_page(repository, "gpu/streams", device="gpu")
    write_record(repository, page, unverified(page))
    write_record(repository, page, **TPU)

    claim = claim_of(repository, "streams")

    assert claim.lead == TPU_COLUMN
    assert claim.owed == ()


def test_a_device_owes_what_runs_on_it_and_was_not_tried(repository):
    """A page that joined later, and one that has changed, are owed by the other device."""
    write_record(repository, read_page(repository), digest="older", **TPU)
    add(repository, "inference/added")

    assert claim_of(repository).owed == ((TPU_COLUMN, STALE),)
    assert claim_of(repository, "added").owed == ((TPU_COLUMN, "not tried"),)


def test_a_claim_of_the_cpu_alone_is_owed_by_no_other_device(repository):
    """A claim that names no device runs on the CPU."""
    add(repository, "inference/kvcache", device="seed")
    write_record(repository, add(repository, "inference/added"), **TPU)

    assert claim_of(repository).owed == ()


# Pages


def test_the_first_verified_claim_speaks_for_a_page(repository):
    """Where the first claim waits for a GPU, the sheet shows the next."""
    path = write_page(repository, "gpu/streams", device="gpu").path
    text = path.read_text()
    again = text[text.index("@claim") :].replace("test_heads", "test_again").replace("gpu, heads", "heads")
    path.write_text(f"{text}\n\n{again}")
    page = read_page(repository, "gpu/streams")
    write_record(repository, page, [*unverified(page), *runs_of(page, claim="test_again")])

    (streams,) = (page for page in view(repository).pages if page.page.slug == "streams")

    assert streams.lead.text.name == "test_again"
    assert streams.unverified == 1


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        (
            "A model has eight heads. How many does the cache hold for each token?",
            "How many does the cache hold for each token?",
        ),
        (
            "Heads are grouped, approx. eight a group. Is the time? What else?",
            "Heads are grouped, approx. eight a group. Is the time?",
        ),
        ("It is said. Is it?", "It is said. Is it?"),
    ],
)
def test_a_page_asks_its_first_question(repository, question, asks):
    """The sentence that asks, with the one before it where it is too short to stand alone."""
    add(repository, "inference/kvcache", question=question)

    assert view(repository).pages[0].asks == asks


def test_a_page_answers_in_the_words_of_its_colophon(repository):
    """`Answer:` speaks for the page; where there is none, the right answer's rule does."""
    assert view(repository).pages[0].answer == "One a group."

    add(repository, "inference/kvcache", rest="Answer: One per group of query heads.")

    assert view(repository).pages[0].answer == "One per group of query heads."


@pytest.mark.parametrize(
    ("verdict", "refutes", "qualifies"),
    [
        ("holds", False, False),
        ("holds if heads are grouped", False, True),
        ("imprecise: one per group of heads", False, True),
        ("refuted by too_few: one per group", True, False),
        ("not judged: our toy has no cache", False, False),
    ],
)
def test_a_verdict_refutes_qualifies_or_lets_stand(repository, verdict, refutes, qualifies):
    """Errata hold what is refuted, and what is right only in part is told behind them."""
    add(repository, "inference/kvcache", verdict=verdict)
    (page,) = view(repository).pages

    assert (page.refutes, page.qualifies) == (refutes, qualifies)


def test_only_the_answer_that_the_verdict_names_speaks_for_the_source(repository):
    """A verdict that lets the source stand charges it with none of the page's mistakes."""
    add(repository, "inference/kvcache", verdict="holds if heads are grouped")
    assert view(repository).pages[0].charged is None

    add(repository, "inference/kvcache", verdict="refuted by too_few: one per group")
    claim, answer = view(repository).pages[0].charged
    assert (claim.text.name, f"wrong-{answer.rival.name}") == ("test_heads", "wrong-too_few")


def test_an_area_is_named_by_its_folder(repository):
    """Underscores are spaces, and an acronym stands in capitals."""
    for name in ("gpu/streams", "long_context/needles"):
        add(repository, name)

    assert [area.title for area in view(repository).areas] == ["GPU", "Inference", "Long context"]


def test_observations_stand_by_column(repository):
    """Each column has its own range."""
    page = read_page(repository)
    one = {"kept_bytes": Observation(smallest=2, largest=2, last=2)}
    write_record(repository, page, runs_of(page, right={"observed": one}), **TPU)

    observed = claim_of(repository).right.observed

    assert {column: seen["kept_bytes"].largest for column, seen in observed.items()} == {
        CPU: 12345,
        TPU_COLUMN: 2,
    }
