"""A wrong answer is refuted by what it says: one that says nothing is a fault of the page."""

import pytest

IDLE = {
    "None": ("return None", "returned nothing at items=2, where the right one returned a number, 4."),
    "no return": ("pass", "returned nothing at items=2"),
    "NaN": ('return float("nan")', "returned NaN at items=2, where the right one returned a number, 4."),
    "a text": ('return "2"', "returned a text, '2' at items=2"),
    "a list": ("return [items]", "returned a list, [2] at items=2"),
    "a truth value": ("return items > 1", "returned a truth value, True at items=2"),
    "an object": ("return object()", "returned an object, <object object> at items=2"),
}


@pytest.mark.parametrize(("wrong", "seen"), IDLE.values(), ids=IDLE)
def test_an_answer_that_says_nothing_is_no_refutation(corpus, wrong, seen):
    """None, NaN or another type than the right answer's fails the run, in two sentences."""
    corpus.write(wrong=wrong)
    result = corpus.run("traps")
    assert result.parseoutcomes() == {"passed": 1, "failed": 1}
    result.stdout.fnmatch_lines([f"*the wrong answer {seen.replace('[', '[[]')}*"])
    result.stdout.fnmatch_lines(["*A wrong answer is a working function: let it return *"])


SAYING = {
    "a float for an integer": {"wrong": "return float(items)"},
    "NaN where numbers overflow": {
        "wrong": "return float('nan')",
        "right": "return float('inf')",
        "body": "length = 1e308 * 10 * items\n\n    assert observe(length=length) == answer(items)",
    },
    "a fraction for an integer": {
        "head": "from fractions import Fraction",
        "wrong": "return Fraction(items, 3)",
    },
    "infinity": {"wrong": 'return float("inf")'},
    "a tensor for a list": {
        "head": "import torch",
        "wrong": "return torch.tensor([items, 1])",
        "right": "return [2 * items, 0]",
        "body": "assert observe(length=[2 * items, 0]) == list(answer(items))",
    },
    "NaN where the right one says so too": {
        "wrong": 'return ["nan", items]',
        "right": 'return ["nan", 2 * items]',
        "body": 'assert observe(lengths=["nan", 2 * items]) == answer(items)',
    },
}


@pytest.mark.parametrize("parts", SAYING.values(), ids=SAYING)
def test_an_answer_of_the_same_kind_is_refuted(corpus, parts):
    """A number is a number, whatever type holds it, and a list is a list."""
    corpus.write(**parts)
    assert corpus.run("traps").parseoutcomes() == {"passed": 1, "refuted": 1}


def act(corpus, wrong, right, body):
    """Write a page whose answers take two lists and join them themselves."""
    path = corpus.write(wrong=wrong, right=right, body=body)
    text = path.read_text(encoding="utf-8").replace("(items: int) -> int", "(one, two)")
    path.write_text(text, encoding="utf-8")


def test_an_implementation_that_returns_nothing_is_no_refutation(corpus):
    """Where no prediction is compared, the right answer is tried on the same example."""
    joined = "joined = answer([0] * items, [1] * items) or []\n\n"
    act(
        corpus,
        wrong="one.extend(two)",
        right="return one + two",
        body=f"{joined}    assert observe(length=len(joined)) == 2 * items",
    )
    result = corpus.run("traps")
    assert result.parseoutcomes() == {"passed": 1, "failed": 1}
    result.stdout.fnmatch_lines(["*returned nothing at items=2, where the right one returned a list, *"])


def test_an_implementation_may_act_and_return_nothing(corpus):
    """Where the right answer returns nothing either, what the wrong one has done refutes it."""
    acted = "one = [0] * items\n    answer(one, [1] * items)\n\n"
    act(
        corpus,
        wrong="one.append(two)",
        right="one.extend(two)",
        body=f"{acted}    assert observe(length=len(one)) == 2 * items",
    )
    assert corpus.run("traps").parseoutcomes() == {"passed": 1, "refuted": 1}
