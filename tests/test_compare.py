"""Every rival is asked what it predicts where the right answer holds, and asking changes nothing."""

import math
import random
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fixtures import observe
from fixtures.clocks import nearest
from fixtures.trial.claims import parameters
from fixtures.trial.compare import Comparison, _ratios
from fixtures.trial.watch import Watch


def of(body):
    """The text of a claim of this body."""
    lines = "\n    ".join(body.splitlines())
    return f"def test(answer, n, **more):\n    {lines}\n"


def watched(body, right, wrong=None, inputs=(3,), **more):
    """What the right answer's run shows on a claim of this body."""
    names = {"approx": pytest.approx, "observe": observe, "pytest": pytest, "nearest": nearest}
    names["helper"] = lambda x: x
    exec(compile(of(body), "page.py", "exec"), names)
    test = names["test"]
    trial = {"right": right}
    claim = SimpleNamespace(body=test.__code__, parameters=parameters(right))
    watch = Watch(claim, Comparison.of(of(body), "test"), trial, trial | {"wrong": wrong or right})
    for n in inputs:
        watch.around(test, {"answer"})(answer=right, n=n, **more)
    return watch


def asked(body, right, wrong, **more):
    """What the wrong answer says on one example."""
    return watched(body, right, wrong, **more).examples[0].asked["wrong"]


def double(n):
    return 2 * n


PREDICTIONS = {
    "an equation": ("assert observe(x=2 * n) == answer(n)", 4),
    "turned around": ("assert answer(n) == observe(x=2 * n)", 4),
    "a tolerance": ("assert observe(x=2 * n) == approx(answer(n), rel=1e-9)", 4),
    "pytest's tolerance": ("assert observe(x=2 * n) == pytest.approx(answer(n))", 4),
    "a list": ("assert observe(x=[2 * n]) == approx([answer(n)])", [4]),
    "text": ("assert str(observe(x=2 * n)) == str(answer(n))", 4),
    "rounded": ("assert round(observe(x=2 * n)) == round(answer(n) / 1)", 4.0),
    "a bound": ("assert observe(x=2 * n) <= answer(n)", 4),
    "between": ("assert answer(n) <= observe(x=2 * n) < answer(n) + 1", 4),
    "a name": ("x = observe(x=2 * n)\nassert x == answer(n)", 4),
    "a name among others": ("y = 5\nx = observe(x=2 * n)\nassert y == 5\nassert x == approx(answer(n))", 4),
    "the nearest law": ("assert nearest(observe(x=1.9 * n), n, 2 * n) == answer(n)", 4),
    "the nearest law by name": (
        "x = observe(x=1.9 * n)\nlaw = nearest(x, n, 2 * n)\nassert law == approx(answer(n))",
        4,
    ),
    "several calls": ("assert observe(x=2 * n) == answer(2 * n) - answer(n)", 3),
    "a call for each": ("assert observe(x=2 * n) == [answer(i) for i in (n, 1)][0]", 4),
    "names of its own": ("assert observe(x=2 * n) == answer(n=n)", 4),
    "spread inputs": ("given = {'n': n}\nassert observe(x=2 * n) == answer(**given)", 4),
    "an assert before": ("assert observe(y=1) == 1\nassert observe(x=2 * n) == answer(n)", 4),
    "an observation in a helper": (
        "def look():\n    return observe(y=2 * n)\n\nassert observe(x=look()) == answer(n)",
        4,
    ),
}


@pytest.mark.parametrize(("body", "predicted"), PREDICTIONS.values(), ids=PREDICTIONS)
def test_predictions(body, predicted):
    """Whatever the form of the comparison, a wrong answer is known by what it predicts."""
    watch = watched(body, double, lambda n: n + 1)

    assert watch.quantity == "x"
    assert watch.fits()["right"].agrees == 1
    assert watch.fits()["wrong"].agrees == 0
    assert watch.samples().predicted["wrong"] == [predicted]


POLICIES = {
    "a helper that runs it": "assert observe(x=helper(answer(n))) == 2 * n",
    "work done on it": "assert observe(x=2 * n) == helper(answer(n))",
    "a method of its result": "assert observe(x=2 * n) == answer(n).conjugate()",
    "a result of its own": "out = answer(n)\nassert observe(x=out) == 2 * n",
    "a result that is used too": "out = answer(n)\nassert observe(x=out) == answer(n)",
    "a function handed on": "assert observe(x=2 * n) == sum(map(answer, [n]))",
    "a lambda": "assert observe(x=2 * n) == (lambda: answer(n))()",
    "two asserts": "assert observe(x=2 * n) == answer(n)\nassert observe(y=2 * n) == answer(n)",
    "an observation within": "assert observe(x=2 * n) - answer(n) < 1",
    "a part of an observation": "assert observe(x=2 * n) / 2 == answer(n) / 2",
    "no observation": "observe(x=2 * n)\nassert 2 * n == answer(n)",
    "a name that changes": "x = observe(x=4 * n)\nx = x // 2\nassert x == answer(n)",
    "a tolerance of its own": "assert observe(x=2 * n) == approx(2 * n, abs=answer(n))",
    "no comparison": "assert observe(x=2 * n) == answer(n) or n",
    "membership": "assert observe(x=2 * n) in [answer(n)]",
    "below the top": "if n:\n    assert observe(x=2 * n) == answer(n)",
}


@pytest.mark.parametrize("body", POLICIES.values(), ids=POLICIES)
def test_implementations(body):
    """An answer that does work, or whose part in the assert is not clear, predicts nothing."""
    watch = watched(body, double, double)

    assert watch.quantity == ""
    assert watch.fits() == watch.samples().predicted == {}


def test_no_such_test():
    """A claim that is no function of the page's text predicts nothing."""
    assert Comparison.of("test = given(n=n)(other)", "test") is None


def test_agreement_is_the_asserts_own():
    """A rival agrees where the claim's assert is true of it, tolerance and all."""
    body = "assert observe(x=1000 * n) == approx(answer(n), rel=0.01)"

    assert asked(body, lambda n: 1000 * n, lambda n: 1009 * n).agrees
    assert not asked(body, lambda n: 1000 * n, lambda n: 1011 * n).agrees


def test_reality_is_observed_once():
    """The observation is recalled for the rivals, not made again."""
    seen = []
    body = "seen.append(n)\nassert observe(x=[seen.append(0), 2 * n][1]) == answer(n)".replace(
        "seen", "more['seen']"
    )

    assert asked(body, double, lambda n: 1, seen=seen).predicted == 1
    assert seen == [3, 0]


def test_a_rival_that_raises():
    """A rival that raises is recorded so, and the right answer's example holds all the same."""
    watch = watched("assert observe(x=2 * n) == answer(n)", double, lambda n: 1 // (n - 3), inputs=(3, 4))

    assert watch.error is None
    assert watch.samples().predicted == {"right": [6, 8], "wrong": ["raised ZeroDivisionError", 1]}
    assert (watch.fits()["wrong"].raised, watch.fits()["wrong"].agrees, watch.fits()["wrong"].of) == (1, 0, 2)


@pytest.mark.parametrize("stop", [pytest.skip.Exception, SystemExit, RecursionError, AssertionError])
def test_a_rival_that_stops_the_run(stop):
    """A rival that skips, exits or asserts when it is asked stops nothing."""

    def wrong(n):
        raise stop("stop")

    assert asked("assert observe(x=2 * n) == answer(n)", double, wrong).raised in (stop.__name__, "Skipped")


def test_an_interrupt_is_heard():
    """Ctrl-C is no opinion of the rival that was asked."""

    def wrong(n):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asked("assert observe(x=2 * n) == answer(n)", double, wrong)


class Stream:
    """An object with a state: it is equal to itself alone."""

    now = 0

    def advance(self, by):
        """Move on."""
        self.now += by
        return self.now


OBJECTS = {
    "a stream": Stream,
    "a generator of numbers": random.Random,
    "torch's generator": torch.Generator,
    "numpy's generator": np.random.default_rng,
    "a module": lambda: torch.nn.Linear(1, 1),
    "an optimizer": lambda: torch.optim.SGD([torch.ones(1, requires_grad=True)]),
    "a generator": lambda: (i for i in range(3)),
    "a gradient's tensor": lambda: 2 * torch.ones(1, requires_grad=True),
}


@pytest.mark.parametrize("made", OBJECTS.values(), ids=OBJECTS)
def test_objects_are_acted_on(made):
    """An answer that is handed an object with a state of its own is an implementation."""
    thing = made()
    watch = watched(
        "assert observe(x=2 * n) == answer(n, more['thing'])", lambda n, thing: 2 * n, thing=thing
    )

    assert watch.quantity == ""


VALUES = [
    torch.float32,
    torch.optim.Adam,
    math.sin,
    1.5,
    "a",
    None,
    np.float32,
    Fraction(1, 3),
    torch.ones(2),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_values_are_looked_at(value):
    """Kinds, functions and plain values have no state, and leave a prediction."""
    watch = watched(
        "assert observe(x=2 * n) == answer(n, more['value'])", lambda n, value: 2 * n, value=value
    )

    assert watch.quantity == "x"


CONTAINERS = {
    "list": lambda: [3, 1, 2],
    "dict": lambda: {1: [3]},
    "tuple": lambda: ([3],),
    "array": lambda: np.array([3, 1]),
    "tensor": lambda: torch.tensor([3, 1]),
}


@pytest.mark.parametrize("make", CONTAINERS.values(), ids=CONTAINERS)
def test_rivals_share_nothing(make):
    """A rival that changes what it is handed changes nothing for the next one, nor for the claim."""
    given = make()

    def spoil(n, values):
        inner = values[0] if isinstance(values, tuple) else values
        first = inner[1] if isinstance(inner, dict) else inner
        first[0] = 99
        return 0

    watch = watched(
        "assert observe(x=2 * n) == answer(n, more['given'])",
        lambda n, values: 2 * n,
        spoil,
        (3, 4),
        given=given,
    )
    assert str(given) == str(make())
    assert watch.fits()["right"].agrees == 2


def test_an_answer_that_contradicts_itself():
    """Where the answer that held does not hold when it is asked again, no rival is judged by asking."""
    state = {"calls": 0}

    def once(n):
        state["calls"] += 1
        return 2 * n if state["calls"] % 3 == 1 else 0

    watch = watched("assert observe(x=2 * n) == answer(n)", once, double, inputs=(3,))

    assert watch.quantity == ""
    assert watch.samples().predicted == watch.fits() == {}


@pytest.mark.parametrize(
    ("predicted", "observed", "ratios"),
    [
        (4, 2, [2.0]),
        (1, 3.0, [1 / 3]),
        (Fraction(1, 3), Fraction(1, 6), [2.0]),
        (np.float32(1.5), torch.tensor(3), [0.5]),
        ([4, 9], (2, 3), [2.0, 3.0]),
        ([4, [9]], [2, [3]], [2.0, 3.0]),
        (torch.tensor([4, 9]), np.array([2, 3]), [2.0, 3.0]),
        ([1.0] * 300, [2.0] * 300, [0.5] * 300),
        ([1], [1, 2], []),
        (1, 0, []),
        (math.inf, 2, []),
        (math.nan, 2, []),
        (2, math.inf, []),
        (1e308, 1e-308, []),
        (0.25, 1.4e-17, []),
        (0.25, 1.4e-13, [0.25 / 1.4e-13]),
        (1e15, 1, [1e15]),
        (10**400, 3, []),
        (10**400, 10**399, [10.0]),
        (10**400, 2.5, []),
        (True, 2, []),
        ("a", "b", []),
        (None, 2, []),
        (1j, 2, []),
    ],
)
def test_ratios(predicted, observed, ratios):
    """Predicted over observed is told wherever both are finite numbers and something was observed.

    A float that only rounding keeps from zero is nothing; a count of one is something.
    """
    assert list(_ratios(predicted, observed)) == ratios


def test_two_that_differ_by_a_hair_are_recorded_apart():
    """A rival that the claim tells from reality is not recorded as saying the same."""
    told = asked("assert observe(x=119520) == answer(n)", lambda n: 119520, lambda n: 119520.00000000001)

    assert (told.observed, told.predicted) == (119520, 119520.00000000001)
