"""Phrases: numbers and misses in as few words as they need."""

import pytest
from hypothesis import given, strategies as st

from fixtures.trial.record import Observation
from tests.specimens import fit
from tools.phrases import cut, factor, figure, inputs, missed, off, short, span

# Texts that are cut


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("One per group.", 14, "One per group."),
        ("Each group has one. So it is shared.", 25, "Each group has one…"),
        ("Each group has one, and so it is shared.", 24, "Each group has one…"),
        ("Each group of heads has one", 20, "Each group of heads…"),
        ("Each group of heads has one", 19, "Each group of…"),
        ("Each, of course has one of its own", 25, "Each, of course has one…"),
        ("The field `kv_heads of it` says", 20, "The field…"),
        ("Supercalifragilistic", 8, "Superca…"),
        ("", 8, ""),
    ],
)
def test_a_text_is_cut_at_a_phrase_or_a_word(text, limit, shown):
    """Where room is short a sentence ends at its last phrase, else at a word, never within code."""
    assert cut(text, limit) == shown


@given(text=st.text(), limit=st.integers(2, 40))
def test_a_cut_text_fits(text, limit):
    """Nothing is longer than its limit, and what is cut says so."""
    shown = cut(text, limit)

    assert len(shown) <= limit
    assert shown == text or shown.endswith("…")


# Figures


@pytest.mark.parametrize(
    ("quantity", "observed", "predicted", "shown"),
    [
        ("cache_bytes", 4096, 32768, "4,096 cache bytes, not 32,768"),
        ("flops", 20160, 6656, "20,160 FLOPs, not 6,656"),
        ("speed_up", 3.0006, 3.16386, "speed up: 3.001, not 3.164"),
        ("flops_a_byte", 85.3333, 1.0, "flops a byte: 85.33, not 1"),
        ("tokens", [2.0, 1.0], [1, 1], "tokens: [2, 1], not [1, 1]"),
        ("tokens", 2.00011, 2.00014, "2.00011 tokens, not 2.00014"),
        ("weight", "'nan'", "'finite'", "weight: 'nan', not 'finite'"),
    ],
)
def test_a_figure_names_what_was_observed_and_what_was_said(quantity, observed, predicted, shown):
    """Units follow the number, other names go before it, and two figures never look alike."""
    assert figure(quantity, observed, predicted) == shown


# Misses


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (fit(27, 100, (1.3, 2, 8)), "wrong on 73 of 100 inputs, too large by 1.3 to 8 times"),
        (fit(0, 1, None), "wrong on 1 of 1 input"),
        (fit(27, 100, None, raised=3), "wrong on 73 of 100 inputs, with an error on 3"),
        (fit(0, 100, (-2, 1, 3)), "wrong on 100 of 100 inputs"),
        (fit(100, 100, None), "right on all 100 inputs that were drawn"),
        (fit(0, 0, None), ""),
    ],
)
def test_a_miss_says_how_often_and_by_how_much(told, shown):
    """An answer that fails at a counterexample only is said to be right on what was drawn."""
    assert missed(told) == shown


@pytest.mark.parametrize(
    ("smallest", "largest", "shown"),
    [
        (2, 2, "too large by 2 times"),
        (1, 8, "too large by up to 8 times"),
        (1.1, 7.119, "too large by up to 7.1 times"),
        (4, 81215000, "too large by 4 to 81,200,000 times"),
        (1, 1.03, "too large by up to 3 %"),
        (0.125, 0.5, "too small by 2 to 8 times"),
        (0.125, 1, "too small by up to 8 times"),
        (0.825, 0.9998, "too small by up to 18 %"),
        (0.25, 8, "too small by up to 4 times, too large by up to 8 times"),
        (0.03, 1.18, "too small by up to 33 times, too large by up to 18 %"),
        (0.98, 1.023, "off by up to 2.3 %"),
        (1.00001, 1.00001, "too large by less than 0.01 %"),
        (0, 0.5, ""),
        (-1, 3, ""),
        (1, 1, ""),
    ],
)
def test_how_far_predictions_are_off_is_told_by_factors(smallest, largest, shown):
    """Small factors are percentages; zeros and other signs have none."""
    assert off(smallest, largest) == shown


@pytest.mark.parametrize(
    ("ratio", "shown"),
    [
        (8, "8×"),
        (1.333333, "1.3×"),
        (1.07, "+7 %"),
        (0.998, "−0.2 %"),
        (1.00001, "less than 0.01 %"),
        (0.125, "1/8"),
        (1, ""),
        (None, ""),
        (0, ""),
        (-2, ""),
        (1234.5, "1,230×"),
    ],
)
def test_a_factor_is_a_multiple_or_a_part(ratio, shown):
    """Near 1 it is a percentage, and a prediction that is right has none."""
    assert factor(ratio) == shown


# Observations, inputs, assertions


@pytest.mark.parametrize(
    ("seen", "shown"),
    [
        ((2, 8, 8), "2 … 8"),
        ((0.5, 0.5, 0.5), "0.5"),
        ((1.23456, 12345, 7), "1.235 … 12,345"),
        ((0, 1, True), "False … True"),
        ((1, 1, True), "True"),
        ((None, None, [2.0, 3]), "such as [2, 3]"),
    ],
)
def test_an_observation_is_a_range_where_it_can_be(seen, shown):
    """Numbers span a range; of anything else one value stands for many."""
    smallest, largest, last = seen

    assert span(Observation(smallest=smallest, largest=largest, last=last)) == shown


def test_inputs_are_written_as_arguments():
    """A reader can hand them to the claim: no thousands apart, strings in quotes, floats to four digits."""
    those = {"tokens": 8192, "share": 1 / 3, "kept": "'all'", "sizes": [1.0, 2.5]}

    assert inputs(those) == "tokens=8192, share=0.3333, kept='all', sizes=[1, 2.5]"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("assert 0.053255203741891154 == 0.015625 ± 3.1e-04", "assert 0.05326 == 0.01562 ± 3.1e-04"),
        ("assert 2.0000113 == 2.0000418", "assert 2.00001 == 2.00004"),
        ("assert 4.266576095320618 <= 1e-08", "assert 4.267 <= 1e-08"),
        ("assert -2.25 == v1.2.3 and x1.50001", "assert -2.25 == v1.2.3 and x1.50001"),
        ("assert Fraction(1, 4) == Fraction(1, 3)",) * 2,
        ("assert 22351.68123 == 22351.7", "assert 22351.68 == 22351.7"),
    ],
)
def test_an_assertion_is_shortened_where_that_confuses_nothing(text, shown):
    """Floats have four digits, or as many as keep them apart; other words stay as they are."""
    assert short(text) == shown
