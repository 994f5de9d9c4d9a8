"""The quiz asks first and tells then."""

import random

import pytest

from tests.corpus import SLUG
from tools import quiz


@pytest.fixture
def recorded(corpus):
    """A corpus of one page with its record."""
    corpus.write()
    corpus.run("traps", "--evidence=evidence")
    return corpus


def played(corpus, monkeypatch, capsys, *guesses, words=()):
    """The output of a game in which these are typed, one after the other."""
    typed = iter(guesses)
    monkeypatch.setattr(quiz, "input", lambda prompt: next(typed), raising=False)
    monkeypatch.setattr(quiz.play, "__defaults__", (lambda prompt: next(typed),))
    status = quiz.main([*words, "--root", str(corpus.path), "--seed", "1"])
    return status, capsys.readouterr().out


def letter_of(corpus, side):
    """The letter under which an answer is shown."""
    (question,) = quiz.questions(corpus.path, [], random.Random(1))
    names = [name.partition("-")[0] for name in question.answers]
    return quiz.LETTERS[names.index(side)]


def test_a_right_guess_scores(recorded, monkeypatch, capsys):
    """The question comes first; the counterexample and the answer follow the guess."""
    status, output = played(recorded, monkeypatch, capsys, letter_of(recorded, "right"))

    assert status == 0
    assert output.index("How many items") < output.index("Right.") < output.index("observed 4, it says 2")
    assert f"pytest -k {SLUG}" in output
    assert "1 of 1 question right." in output


def test_a_wrong_guess_is_told_the_right_one(recorded, monkeypatch, capsys):
    """No score, and the letter of the answer that holds."""
    _, output = played(recorded, monkeypatch, capsys, letter_of(recorded, "wrong"))

    assert f"No: {letter_of(recorded, 'right')}." in output
    assert "0 of 1 question right." in output


def test_nonsense_is_asked_again_and_q_ends(recorded, monkeypatch, capsys):
    """Only a letter that is shown is a guess."""
    _, output = played(recorded, monkeypatch, capsys, "z", "", "q")

    assert "0 of 0 questions right." in output


def test_the_order_of_answers_does_not_tell(recorded):
    """Over many games the right answer stands first about as often as last."""
    places = [
        quiz.questions(recorded.path, [], random.Random(seed))[0].answers[0].startswith("right-")
        for seed in range(100)
    ]

    assert 25 < sum(places) < 75


def test_words_select(recorded, monkeypatch, capsys):
    """A word that no page holds is said so."""
    status, output = played(recorded, monkeypatch, capsys, words=["nowhere"])

    assert status == 2
    assert "no verified page holds nowhere" in output
