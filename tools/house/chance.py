"""Chance: what a page draws and what it reads off a clock comes out the same tomorrow."""

from __future__ import annotations

import ast
import re

from .rules import Complaints, broken_by
from .source import Source, sides
from .specimen import believing, importing


@broken_by(('st.characters(exclude_categories=["Cs"])', "st.data()"))
@broken_by(
    importing("from hypothesis.strategies import data"),
    ('st.characters(exclude_categories=["Cs"])', "data()"),
)
def draws_are_printed(source: Source) -> Complaints:
    """Every input of a claim stands in `@given`, and so in its counterexample."""
    for call, name in source.calls(source.tree):
        if name == "hypothesis.strategies.data":
            yield call.lineno, "draws of st.data() are printed nowhere. Draw in @given, or in a composite"


@broken_by(
    importing("import time"),
    ("    return codecs", "    time.perf_counter()\n    return codecs"),
)
@broken_by(
    importing("from datetime import datetime as calendar"),
    believing("calendar.now().year"),
)
def only_a_measured_claim_reads_the_clock(source: Source) -> Complaints:
    """Everything else comes out the same tomorrow."""
    for claim, _ in source.claims:
        if claim.evidence != "measured":
            for call, name in source.calls(*source.reached([claim.name, *sides(claim)]).values()):
                if CLOCK.match(name):
                    yield call.lineno, f"{ast.unparse(call.func)} reads the clock. Count instead of timing"


CLOCK = re.compile(
    r"(time|timeit|torch\.utils\.benchmark)\.|torch\.cuda\.Event|datetime\.\w+\.(now|utcnow|today)"
)


@broken_by(
    importing("import random"),
    believing("random.randrange(4)"),
)
@broken_by(
    importing("from random import Random"),
    believing("Random().randrange(4)"),
)
@broken_by(
    importing("import numpy as np"),
    believing("np.random.randint(4)"),
)
@broken_by(
    importing("import numpy as np"),
    believing("np.random.default_rng().integers(4)"),
)
@broken_by(
    importing("import torch"),
    believing("torch.randint(4, ())"),
)
@broken_by(
    importing("import torch"),
    believing("torch.empty(4).normal_()"),
)
@broken_by(importing("from os import urandom\n\nSALT = urandom(8)"))
def chance_is_seeded(source: Source) -> Complaints:
    """What is drawn at random can be drawn again."""
    for part in source.tree.body:
        calls = list(source.calls(part))
        seeded = any(name.endswith("manual_seed") for _, name in calls)
        for call, name in calls:
            if SEEDED_BY_ARGUMENT.fullmatch(name):
                sown = bool(call.args or call.keywords)
            elif TORCH_DRAW.search(name):
                sown = seeded or any(keyword.arg == "generator" for keyword in call.keywords)
            else:
                sown = not UNSEEDED.match(name)
            if not sown:
                yield call.lineno, f"{ast.unparse(call.func)} draws without a seed. Take one from @given"


SEEDED_BY_ARGUMENT = re.compile(
    r"random\.Random|numpy\.random\.(default_rng|Generator|PCG64|Philox|RandomState|SeedSequence)"
)


TORCH_DRAW = re.compile(
    r"torch\.(rand|randn|randint|rand_like|randn_like|randint_like|randperm|normal|bernoulli|multinomial"
    r"|poisson|nn\.functional\.dropout)$"
    r"|\.(bernoulli|cauchy|exponential|geometric|log_normal|normal|random|uniform)_$"
)

UNSEEDED = re.compile(r"(random|numpy\.random|secrets|uuid)\.|os\.urandom$")
