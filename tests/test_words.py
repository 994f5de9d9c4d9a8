"""Numbers and counterexamples as people read them."""

import pytest

from fixtures.trial.record import Counterexample
from fixtures.trial.words import inputs, number, plural, refutation


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (26624, "26,624"),
        (26624.0, "26,624"),
        (1.1118820468, "1.112"),
        (0.0078125, "0.007812"),
        (1.5e-7, "1.5e-07"),
        (119520.5, "119,520"),
        (-3.14159, "-3.142"),
        (1e21, "1e+21"),
        (True, "True"),
        (None, "None"),
        ("inf", "inf"),
        ("'relu'", "'relu'"),
        ([1.0, 0.25, [2048]], "[1, 0.25, [2,048]]"),
        (0, "0"),
    ],
)
def test_a_number_has_four_digits_and_its_thousands_apart(value, text):
    """Whole numbers are printed whole, floats to four digits, what is no number as it was recorded."""
    assert number(value) == text


FOUND = Counterexample(
    inputs={"dim": 8, "group": 2, "kv_heads": 1}, observed=32, predicted=64, assertion="assert 32 == 64"
)


def test_a_refutation_says_what_was_seen_and_what_was_said():
    """The inputs stand in the order in which the claim takes them."""
    parameters = ("answer", "kv_heads", "group", "dim")

    assert inputs(FOUND, parameters) == "kv_heads=1, group=2, dim=8"
    assert refutation(FOUND, parameters) == "observed 32, it says 64, at kv_heads=1, group=2, dim=8"


def test_a_refutation_of_an_implementation_quotes_the_assertion():
    """An implementation predicts nothing."""
    found = FOUND.model_copy(update={"observed": None, "predicted": None})

    assert refutation(found, ()).startswith("assert 32 == 64, at ")


def test_two_numbers_that_print_alike_are_printed_in_full():
    """A refutation by a hair shows the hair."""
    found = FOUND.model_copy(update={"observed": 0.918012, "predicted": 0.918014, "inputs": {}})

    assert refutation(found, ()) == "observed 0.918012, it says 0.918014"


def test_a_plural_has_an_s():
    """One is no plural."""
    assert [plural(1, "page"), plural(1000, "page")] == ["1 page", "1,000 pages"]
