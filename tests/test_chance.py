"""The exact law of a random procedure, proved on procedures whose law is known."""

from fractions import Fraction

import pytest

from fixtures.chance import law, rarest, shares


def test_law_of_one_die():
    """Each face has its share."""
    assert law(lambda rng: rng.randrange(6)) == {face: Fraction(1, 6) for face in range(6)}


def test_law_of_two_dice():
    """The sum of two dice is 7 in 6 of 36 cases."""
    chance = law(lambda rng: rng.randrange(6) + rng.randrange(6))

    assert chance[5] == Fraction(6, 36)
    assert sum(chance.values()) == 1


def test_law_of_a_procedure_whose_rolls_depend_on_rolls():
    """A die rolled on heads only leaves half the chance to tails."""
    chance = law(lambda rng: rng.randrange(3) if rng.randrange(2) else "tails")

    assert chance == {"tails": Fraction(1, 2)} | {face: Fraction(1, 6) for face in range(3)}


def test_law_of_certainty():
    """A procedure that rolls nothing has one outcome."""
    assert law(lambda rng: "sure") == {"sure": 1}


def test_law_of_a_weighted_choice():
    """A weight is an int, a float or a fraction; what weighs nothing is no branch."""
    chance = law(lambda rng: rng.choices("abc", [2, 0, 1])[0] + rng.choices("xy", [0.25, Fraction(3, 4)])[0])

    assert chance == {
        "ax": Fraction(1, 6),
        "ay": Fraction(1, 2),
        "cx": Fraction(1, 12),
        "cy": Fraction(1, 4),
    }
    assert law(lambda rng: tuple(rng.choices("ab", k=2)))["a", "b"] == Fraction(1, 4)


@pytest.mark.parametrize("weights", [[0, 0], [1, -1], [1]], ids=str)
def test_weights_that_give_no_law_are_refused(weights):
    """Nothing to choose from, a negative chance, an item without one."""
    with pytest.raises(ValueError, match="by the weights"):
        law(lambda rng: rng.choices("ab", weights))


def test_a_die_without_sides_is_refused():
    """randrange(0) is as much an error here as it is in the standard library."""
    with pytest.raises(ValueError, match="at least one side"):
        law(lambda rng: rng.randrange(0))


def test_rarest_subset_of_a_fair_draw_has_its_full_share():
    """One of three pairs, each equally likely."""
    pairs = [frozenset("ab"), frozenset("ac"), frozenset("bc")]

    assert rarest(law(lambda rng: pairs[rng.randrange(3)]), "abc", 2) == Fraction(1, 3)


def test_rarest_subset_may_be_one_that_never_comes():
    """A subset that no branch returns has probability 0."""
    assert rarest(law(lambda rng: frozenset("ab")), "abc", 2) == 0


def test_shares_between_cuts():
    """Three cuts make four outcomes; where two cuts meet one of them is impossible."""
    assert shares([3, 1, 1], 4) == [Fraction(1, 4), 0, Fraction(1, 2), Fraction(1, 4)]
    assert shares([], 4) == [1]
