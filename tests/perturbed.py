"""A plugin that tries each claim's right answer as a reader's own, with its numbers a last bit too large.

What came of each claim is written to the file named in $PERTURBED: how many examples were tried, how
many numbers were changed, and the error, if there was one.
"""

import json
import os

import pytest
from hypothesis import settings

from fixtures.trial.answers import OnTrial, Yours
from fixtures.trial.evidence import WATCH
from fixtures.trial.rivals import claim_of, role_of
from fixtures.trial.values import decode, encode
from fixtures.trial.watch import first_line

EXAMPLES = 3
"""Of each claim, where its regime is no grid that is enumerated."""

TOLD = {}


class Perturbed(Yours):
    """A reader who knows a claim's right answer, but for the last bit of its numbers."""

    def __init__(self, claim):
        self.claim, self.name, self.parameters, self.numbers = claim, "perturbed", [], 0
        self.cell, self.custody, self.used = self, self, False

    def call(self, request, named=None):
        """Answer from the cell; or in custody, as an implementation, which has no numbers to change."""
        if named is not None:
            return {"value": self.claim.right(*request, **named)}
        _, named = decode(request, records=True)
        return {"value": encode(self.perturbed(self.claim.right(**named)))}

    def perturbed(self, value):
        if isinstance(value, list | tuple):
            return type(value)(map(self.perturbed, value))
        if isinstance(value, dict):
            return {key: self.perturbed(item) for key, item in value.items()}
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value
        self.numbers += 1
        return value * (1 + 2**-52)


def pytest_configure():
    settings.register_profile("few", settings.get_profile("sheet"), max_examples=EXAMPLES)
    settings.load_profile("few")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if role_of(item) == "right"]
    for item in items:
        item.callspec.params["answer"] = OnTrial(Perturbed(claim_of(item)), claim_of(item))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.when == "call" and not report.skipped:
        watch, answer = item.stash[WATCH], item.callspec.params["answer"]
        error = watch.error and first_line(watch.error)
        TOLD[item.nodeid] = [len(watch.examples), answer.yours.numbers, error]
    return report


def pytest_sessionfinish():
    with open(os.environ["PERTURBED"], "w", encoding="utf-8") as file:
        json.dump(TOLD, file)
