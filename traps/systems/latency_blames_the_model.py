"""The model's share of the latency

A recommender takes 400 ms a request and has to answer within 100 ms. Its ranking model is quantized and runs
four times as fast. Is the request four times as fast, and how fast must the model be to meet the target?

Verdict: holds if the model takes 300 of the 400 ms or less: then no speed-up of it meets a target of 100 ms.
    A model of 320 ms meets it at sixteen times the speed
Asked: AI Interview Prep newsletter, ML System Design #26
Source: Amdahl 1967, "Validity of the single processor approach to achieving large scale computing
    capabilities", AFIPS Spring Joint Computer Conference, pages 483-485,
    https://doi.org/10.1145/1465482.1465560
Source: Gupta et al. 2020, "The Architectural Implications of Facebook's DNN-based Personalized
    Recommendation", HPCA, abstract, https://arxiv.org/abs/1906.03109
Right when: The model is nearly all of the request; or, for whoever blames the network alone, nearly nothing.
Limits: One request at a time, stage after stage: no queue and no load. The newsletter's abstract breaks off
    before its solution and has no profile, so the "10 ms" that it grants to quantization cannot be checked;
    at four times the speed they belong to a model of 13 ms. Amdahl's paper was read in excerpts.
"""

import asyncio
from bisect import bisect_left
from math import ceil, inf

from hypothesis import given, strategies as st

from fixtures import claim, observe
from fixtures.worlds import duration


def all_of_it_speeds_up(candidates, features, model, faster):
    """The model is the heavy part: four times as fast, a quarter of the latency."""
    return (candidates + features + model) / faster


def network_is_all(candidates, features, model, faster):
    """The time goes to the network; the speed of the model does not show."""
    return candidates + features + model


def only_its_share_speeds_up(candidates, features, model, faster):
    """The model's time is divided and the rest stays.

    A model of 40 ms in 400 can save 40 at most. At a quarter of its time it leaves 370.
    """
    return candidates + features + model / faster


def total_over_target(rest, model, target):
    """From 400 to 100 ms the model has to be four times as fast."""
    return ceil((rest + model) / target)


def model_within_target(rest, model, target):
    """The model has to come down to the target."""
    return ceil(model / target)


def model_within_what_is_left(rest, model, target):
    """The model must fit into what the rest leaves of the target; if that is nothing, no speed is enough.

    Of 400 ms a model of 320 has 20 left below 100, which takes 16 times its speed. A model of 300 has none.
    """
    return ceil(model / (target - rest)) if rest < target else inf


async def request(*stages):
    """Serve a request: its stages run one after the other."""
    for milliseconds in stages:
        await asyncio.sleep(milliseconds)


def speed_up_that_meets(target, rest, model):
    """The least whole speed-up of the model with which a request meets its target, or inf."""

    def in_time(faster):
        return duration(request(rest, model / faster)) <= target

    # If anything is left it is a millisecond, so a speed-up by the model's milliseconds is always enough.
    return bisect_left(range(1, model + 1), True, key=in_time) + 1 if in_time(model) else inf


stage = st.integers(1, 40).map(lambda n: 10 * n)


@claim(wrong=(all_of_it_speeds_up, network_is_all), right=only_its_share_speeds_up, evidence="simulated")
@given(candidates=stage, features=stage, model=stage, faster=st.sampled_from([4, 2, 8, 64]))
def test_latency_with_a_faster_model(answer, candidates, features, model, faster):
    """A faster model shortens its own share of the latency and nothing else."""
    taken = duration(request(candidates, features, model / faster))

    assert observe(milliseconds=taken) == answer(candidates, features, model, faster)


@claim(
    wrong=(total_over_target, model_within_target),
    right=model_within_what_is_left,
    evidence="simulated",
    examples=70,
)
@given(
    rest=st.integers(0, 25).map(lambda n: 100 - 4 * n) | st.integers(95, 110),
    model=st.integers(0, 28).map(lambda n: 300 - 10 * n) | st.integers(1, 400),
    target=st.sampled_from([100, 50, 104]),
)
def test_latency_target_by_a_faster_model(answer, rest, model, target):
    """What decides whether a faster model meets the target is what the rest of the request leaves of it."""
    needed = speed_up_that_meets(target, rest, model)

    assert observe(speed_up=needed) == answer(rest, model, target)
