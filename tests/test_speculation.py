"""A pass makes as many tokens as its guesses allow."""

import pytest

from fixtures.speculation import mean_tokens, tokens_of_a_pass


@pytest.mark.parametrize(
    ("stands", "tokens"),
    [([], 1), ([False], 1), ([True], 2), ([True, False, True], 2), ([False, True, True], 1), ([True] * 4, 5)],
    ids=str,
)
def test_tokens_of_a_pass_end_at_the_first_rejection(stands, tokens):
    """A guess behind a rejected one is lost, and the target adds a token in any case."""
    assert tokens_of_a_pass(stands) == tokens


@pytest.mark.parametrize("gamma", range(5))
def test_mean_tokens_of_a_draft_that_is_always_or_never_right(gamma):
    """All guesses and one more, or one."""
    assert mean_tokens(1.0, gamma) == gamma + 1
    assert mean_tokens(0.0, gamma) == 1


def test_mean_tokens_of_an_even_chance():
    """Two guesses of an even chance: a half makes one token, a quarter two, a quarter three."""
    assert mean_tokens(0.5, 2) == 0.5 * 1 + 0.25 * 2 + 0.25 * 3
