"""A pass makes as many tokens as its guesses allow, and a step keeps the law that its rules keep."""

from fractions import Fraction
from itertools import chain
from random import Random

import pytest

from fixtures.chance import law
from fixtures.speculation import (
    Decoder,
    draw,
    law_of_the_text,
    mean_tokens,
    speculate,
    tokens_of_a_pass,
    total_variation,
)


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


P, Q = ([Fraction(n, 4) for n in law] for law in ((2, 1, 1, 0), (1, 1, 2, 0)))


def steady(chances):
    """A model that says the same after every token."""
    return lambda text: [chances] * len(text)


def step(rng, gamma=1, draft=Q, **rules):
    """The new tokens of a step under the standard rules, or others."""
    told = {
        "keep": lambda p, q: min(1, p / q),
        "redraw": lambda p, q, token: [max(a - b, 0) for a, b in zip(p, q, strict=True)],
    }
    return tuple(speculate(steady(draft), steady(P), [0], gamma, rng, **(told | rules)))


@pytest.mark.parametrize("gamma", [1, 2, 3])
def test_a_step_keeps_the_law_and_its_length(gamma):
    """At an overlap of 3/4 a guess is kept three times in four, and texts have the target's law exactly."""
    chance = law(lambda rng: step(rng, gamma))

    assert sum(share * len(tokens) for tokens, share in chance.items()) == mean_tokens(Fraction(3, 4), gamma)
    assert law_of_the_text(steady(P), [0], gamma + 1, chance) == law_of_the_text(steady(P), [0], gamma + 1)


def test_a_step_whose_bonus_token_is_another_models():
    """The token after guesses that stand follows the model that wrote it."""
    chance = law(lambda rng: step(rng, draft=P, bonus=steady([0, 0, 0, 1])))

    assert chance == {(token, 3): P[token] for token in range(3)}


def test_a_step_under_rules_that_keep_nothing():
    """The first guess is replaced by what the rule draws, and the next ones are lost."""
    assert law(lambda rng: step(rng, 3, keep=lambda p, q: 0, redraw=lambda p, q, token: [0, 0, 0, 1])) == {
        (3,): 1
    }


def test_a_step_runs_on_real_dice():
    """random.Random does where law walks all branches."""
    drawn = [step(Random(seed))[0] for seed in range(400)]

    # Half of 400 draws are 200, with a deviation of 10: five of them.
    assert drawn.count(0) == pytest.approx(200, abs=50)
    assert draw([0, 0, 1], Random(0)) == 2


def test_law_of_a_text_that_a_model_writes_alone():
    """The chances of its tokens multiply, each under the law after those before."""
    chance = law_of_the_text(lambda text: [[0.25, 0.75] if token else [1, 0] for token in text], [1], 2)

    assert chance == {(0, 0): 0.25, (1, 0): 0.75 * 0.25, (1, 1): 0.75 * 0.75}


def test_law_of_a_text_that_was_begun():
    """What stands there already is kept, and cut to the length that is asked for."""
    assert law_of_the_text(steady([0, 1]), [0], 2, {(0,): 0.5, (1, 0, 0): 0.5}) == {(0, 1): 0.5, (1, 0): 0.5}


def test_distance_of_a_law_from_the_models_own():
    """None from what the model writes itself, all of it from what it never writes, a half in between."""
    model = steady([0.5, 0.5, 0])

    assert total_variation({(): 1}, model, [0], 2) == 0
    assert total_variation({(2,): 1}, model, [0], 2) == 1
    assert total_variation({(0,): 1}, model, [0], 2) == 0.5


def test_a_decoder_tells_a_law_after_every_token_of_a_text():
    """A pass for all of them, counted each time, and each sees what stands before it alone."""
    target = Decoder(seed=1)
    laws = target([0, 3, 1])

    assert target([0, 3, 1]) == laws
    assert target.passes == 2
    assert [len(chances) for chances in laws] == [5, 5, 5]
    assert [sum(chances) for chances in laws] == pytest.approx([1, 1, 1])
    assert [*chain(*target([0, 3]))] == pytest.approx([*chain(*laws[:2])])


def test_a_draft_is_its_target_or_another():
    """Without noise it says the same."""
    assert Decoder(1, noise=0.0)([2]) == Decoder(1)([2])
    assert Decoder(1, noise=0.3)([2]) != Decoder(1)([2])
    assert Decoder(2)([2]) != Decoder(1)([2])
