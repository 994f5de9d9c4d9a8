"""Tail latency of a fan-out

The ranker of a recommender needs features from many stores, all of them asked at once. How often is a
request slow if a call seldom is, and which percentile of a call decides the p99 of the request?

Answer: A request waits for its slowest call: with 100 calls, each slow once in 100 times, 63 % of
    requests are slow. The p99 of such a request is the p99.99 of a call, not its p99. So make fewer
    calls, hedge or drop the stragglers, cache, and set the budget of a call by its far tail.
Says: Poorly batched feature joins make p99 explode past 400 ms, through their hops over the network
    alone.
Verdict: holds if a request waits for many calls that are slow independently
Asked: AI Interview Prep newsletter, ML System Design #26
Source: Dean and Barroso 2013, "The Tail at Scale", CACM 56(2), pages 74-80: of requests to 100 servers 63
    % are slow if 1 % of the calls are, https://research.google/pubs/the-tail-at-scale/
Terms: tail latency, p99, p999, percentile, quantile, fan-out, scatter-gather, hedged requests,
    stragglers, feature store, SLA, latency budget, order statistics
Right when: The chance of a slow call times their number is far below 1: 10 calls, each slow with a chance
    of 0.1 %, make 1 % of the requests slow. For a p99, too, 1 - 0.01/n is as good as the root.
Limits: The calls are independent draws, for which both claims are the product rule; stores that slow down
    together make fewer requests slow. The post's stored text stops before its solution. How many calls it
    takes is the page n_plus_one_hides_in_the_loop.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def as_rare_as_a_slow_call(calls, slow):
    """If one call in a hundred is slow, so is one request in a hundred."""
    return slow


def once_for_each_call(calls, slow):
    """Each call adds its chance, n·p: 100 calls, each slow once in 100 times, make every request slow."""
    return calls * slow


def unless_all_are_fast(calls, slow):
    """A request is slow with probability 1 - (1 - p)^n, as it is fast only if all of its calls are.

    With 100 calls, of which each is slow once in 100 times, 63 % of the requests are slow.
    """
    return 1 - (1 - slow) ** calls


def percentile_of_a_call(calls, percentile):
    """All calls run at once, so the p99 of the request is the p99 of a call."""
    return percentile


def power_of_the_percentile(calls, percentile):
    """Tails add up, so n calls each need the percentile to the power of n."""
    return percentile**calls


def root_of_the_percentile(calls, percentile):
    """All calls must be that fast, so each needs the n-th root of the percentile.

    The p-quantile of a request is the p^(1/n)-quantile of its calls. For the p99 of 100 calls it is the
    0.9999-quantile of a call.
    """
    return percentile ** (1 / calls)


def latencies(seed, requests, calls):
    """Milliseconds of calls [requests, calls], heavy-tailed: 5 at the median, more than 100 at times."""
    random = torch.Generator().manual_seed(seed)
    return 5 * torch.randn(requests, calls, generator=random, dtype=torch.float64).mul(1.3).exp()


REQUESTS = 4000


@claim(
    wrong=(as_rare_as_a_slow_call, once_for_each_call),
    right=unless_all_are_fast,
    evidence="derived",
    examples=24,
)
@example(calls=100, slow=0.01, seed=0)
@example(calls=10, slow=0.001, seed=0)
@example(calls=2, slow=0.5, seed=0)
@given(
    calls=st.sampled_from([1, 2, 3, 10, 100]),
    slow=st.sampled_from([0.0, 0.01, 0.02, 0.1, 0.5, 1.0]),
    seed=st.integers(0, 9999),
)
def test_latency_tail_of_a_fan_out(answer, calls, slow, seed):
    """The more calls a request waits for, the more often it waits for a slow one.

    calls: fetches of a request, all at once
    slow: chance that a call is slow
    """
    taken = latencies(seed, REQUESTS, calls)
    # What a call exceeds with that chance: the quantile of its law, by the normal law of its logarithm.
    quantile = torch.special.ndtri(torch.tensor(1 - slow, dtype=torch.float64)).mul(1.3).exp() * 5

    share = (taken.amax(1) > quantile).double().mean().item()

    # Five deviations of a share of so many requests, and one request where none or all were slow.
    off = 5 * max(share * (1 - share), 1 / REQUESTS) ** 0.5 / REQUESTS**0.5
    assert observe(share=share) == approx(answer(calls, slow), abs=off)


@claim(
    wrong=(percentile_of_a_call, power_of_the_percentile),
    right=root_of_the_percentile,
    evidence="derived",
    examples=24,
)
@example(calls=100, percentile=0.99, seed=0)
@example(calls=1, percentile=0.99, seed=0)
@given(
    calls=st.sampled_from([1, 2, 3, 10, 100]),
    percentile=st.sampled_from([0.5, 0.9, 0.99]),
    seed=st.integers(0, 9999),
)
def test_latency_percentile_of_a_fan_out(answer, calls, percentile, seed):
    """A request's median or p99 is a far rarer percentile of a single call.

    calls: fetches of a request, all at once
    percentile: share of the requests that are to be faster
    """
    taken = latencies(seed, REQUESTS, calls)
    of_a_request = taken.amax(1).quantile(percentile)

    reached = (taken <= of_a_request).double().mean().item()
    # Five deviations of a quantile of so many requests, √(p(1-p) / 4000), over its slope in a call's share.
    off = 5 * (percentile * (1 - percentile) / REQUESTS) ** 0.5 / calls / percentile ** (1 - 1 / calls)
    assert observe(percentile=reached) == approx(answer(calls, percentile), abs=off)
