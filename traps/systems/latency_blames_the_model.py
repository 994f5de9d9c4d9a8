"""Amdahl's law for a 100 ms target

A recommender takes 400 ms per request and has to answer within 100 ms. Everybody proposes INT8 or pruning
for the ranking model. Where do you cut?

Answer: Profile first, by wall clock: a CPU profile sees no waiting and blames the model. A ranker of 320
    of the 400 ms has to run 16 times as fast, not 4 times, and one of 300 ms or less cannot meet the 100
    ms by itself at any speed, by Amdahl's law. By the same law a ranker of 100 ms or more has to be cut
    as well, however fast the fetches get. If the profile shows waiting, batch the feature fetches into
    one round trip, run stages in parallel, and cache.
Says: Most candidates quantize or prune, on the assumption that ranking inference is the bottleneck;
    inference almost never is, feature fetching is.
Verdict: holds if the ranker takes less than 100 of the 400 ms; from there to 300 ms neither cut meets the
    target alone
Asked: AI Interview Prep newsletter, ML System Design #26
Source: Amdahl 1967, "Validity of the single processor approach to achieving large scale computing
    capabilities", AFIPS Spring Joint Computer Conference, pages 483-485,
    https://doi.org/10.1145/1465482.1465560
Source: Gupta et al. 2020, "The Architectural Implications of Facebook's DNN-based Personalized
    Recommendation", HPCA, abstract, https://arxiv.org/abs/1906.03109
Terms: profiler, Amdahl, Amdahl's law, p99, latency budget, SLA, INT8, quantization, pruning, profiling,
    flame graph, wall clock, off-CPU time, feature store, recommendation, two-tower, critical path
Right when: The model is most of the request: a ranker of 320 ms meets the target at 16 times its speed.
Limits: One request at a time, stage after stage: no queue and no load. Amdahl's law is derived. The
    post's stored text stops before its solution and has no profile; "almost never" cannot be checked.
    Amdahl's paper was read in excerpts.
"""

import time
from bisect import bisect_left
from concurrent.futures import ThreadPoolExecutor
from math import inf

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds, settled
from fixtures.stack import stack


def what_the_flame_graph_shows(clock, ranker, rest):
    """The profile is all matrix products, so the ranker is the whole request."""
    return 1.0


def one_share_on_any_clock(clock, ranker, rest):
    """Time is time: the share of a stage does not depend on how you profile."""
    return ranker / (ranker + rest)


def waiting_costs_no_cpu(clock, ranker, rest):
    """By wall clock the ranker has its share of the time, by CPU time nearly all.

    A thread that waits for the network is not on the CPU, so a CPU profile does not see the fetches.
    """
    return ranker / (ranker + rest) if clock == "wall" else 1.0


def total_over_target(rest, ranker, target):
    """From 400 to 100 ms the model has to be four times as fast."""
    return (rest + ranker) / target


def ranker_within_target(rest, ranker, target):
    """The model has to come down to the target, so one of 320 ms has to be 3.2 times as fast."""
    return ranker / target


def ranker_within_what_is_left(rest, ranker, target):
    """The model has to fit into what the rest leaves, so one of 320 ms has to be 16 times as fast.

    That is a speed-up of ranker / (target - rest), at least 1. The rest takes 80 of 100 ms there; if it
    takes all 100, no speed is enough.
    """
    return max(1.0, ranker / (target - rest)) if rest < target else inf


def profiled(clock, fetch, trips, rank):
    """Seconds of a few requests, and of the ranker in them, by a clock: some round trips, then the ranker."""

    def read():
        whole = part = 0.0
        for _ in range(4):
            start = clock()
            for _ in range(trips):
                fetch()
            fetched = clock()
            rank()
            end = clock()
            whole, part = whole + end - start, part + end - fetched
        return [whole, part]

    return settled(read)


# Two trips of 10 ms are several times as long as one row through the stack.
TRIPS, WAIT = 2, 0.01


@claim(
    wrong=(what_the_flame_graph_shows, one_share_on_any_clock),
    right=waiting_costs_no_cpu,
    evidence="measured",
)
@given(clock=st.sampled_from(["wall", "cpu"]))
def test_latency_share_of_the_ranker(answer, clock):
    """The ranker is a small share of the request by wall clock, and all of it by CPU time.

    clock: wall clock, or CPU time of the process, as a sampling profiler sees it
    ranker: seconds of the ranking model
    rest: seconds of the rest of the request
    """
    cpu = torch.device("cpu")
    rank = stack(cpu).passing(1)
    (ranker,) = seconds(rank, device=cpu)
    read = time.perf_counter if clock == "wall" else time.process_time

    # The store is a thread that answers after a while.
    with ThreadPoolExecutor(1) as thread:
        whole, part = profiled(read, lambda: thread.submit(time.sleep, WAIT).result(), TRIPS, rank)

    laws = 1, ranker / (ranker + TRIPS * WAIT)
    assert nearest(observe(share=part / whole), *laws) == approx(answer(clock, ranker, TRIPS * WAIT))


@claim(wrong=(total_over_target, ranker_within_target), right=ranker_within_what_is_left, evidence="derived")
@example(rest=80, ranker=320, target=100)
@example(rest=100, ranker=300, target=100)
@example(rest=300, ranker=100, target=100)
@given(
    rest=st.integers(0, 95) | st.sampled_from([98, 100, 101, 110]),
    ranker=st.integers(1, 400),
    target=st.sampled_from([100, 50, 104]),
)
def test_latency_target_by_a_faster_ranker(answer, rest, ranker, target):
    """Whether a faster model meets the target depends on what the rest of the request leaves of it.

    rest: milliseconds of the rest of the request, which stays as it is
    ranker: milliseconds of the ranking model, or of whatever is made faster
    target: milliseconds that a request may take
    """
    hundredths = range(100, 100 * 400 + 1)
    first = bisect_left(hundredths, True, key=lambda n: rest + 100 * ranker / n <= target)
    least = hundredths[first] / 100 if first < len(hundredths) else inf

    assert observe(speed_up=least) == approx(answer(rest, ranker, target), abs=0.011)
