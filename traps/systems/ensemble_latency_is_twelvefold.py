"""Serving an ensemble of twelve

Twelve models won the leaderboard. Why is their average a bad thing to deploy, and how much longer does a
request take than with one of them?

Answer: It costs 12 times the FLOPs and the memory in any case, and 12 models to monitor and retrain. On
    one busy device it takes 12 times as long, with a device per member as long as the slowest: 3.1 times
    the mean if their times are exponential, 4.1 times on four devices. Distill what the average gains
    into one model, or stack the members, if they are small, into one batched product.
Says: An ensemble of 12 that wins a leaderboard raises raw accuracy, but raises inference latency
    dramatically and multiplies the complexity of maintenance.
Verdict: holds if the members share one device; with a device each the cost is 12 times and the latency
    rises by the tail alone
Asked: AI Interview Prep newsletter, Advanced Deep Learning #3
Source: Dean and Barroso 2013, "The Tail at Scale", CACM 56(2), pages 74-80,
    https://research.google/pubs/the-tail-at-scale/
Terms: ensemble, deep ensemble, inference latency, serving cost, Kaggle, leaderboard, stacking, model
    averaging, tail latency, stragglers, makespan, batched matmul, bmm, vmap, kernel launch, maintenance
Right when: Each member has a device and always takes the same time: then all of them take as long as one.
Limits: Members of one size and independent times; real tails are not exponential. Maintenance is not
    counted. With a device each, the request is late as often as any member is: its p99 is the page
    latency_forgets_the_slowest_fetch. Of the post only the abstract was read; it names no device. What
    averaging gains is the page ensemble_distills_anywhere.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.meters import flops, nbytes


def the_flops_take_their_time(members, stacked, small):
    """Twelve times the FLOPs take twelve times as long, in a loop or in one product."""
    return members


def stacked_as_long_as_one(members, stacked, small):
    """A loop runs one member after the other; one batched product runs all of them at once."""
    return 1 if stacked else members


def stacked_as_one_if_small(members, stacked, small):
    """As many times longer as there are members; if small ones are stacked, nearer to one time.

    A small product takes less time than its launch, and a batched product is one launch. A large one
    keeps the device busy, and the others wait.
    """
    return 1 if stacked and small else members


def input_is_shared(members):
    """All members read the same input, so the work is done once; only the weights add up."""
    return [1, members]


def weights_take_turns(members):
    """One member runs at a time, so there need only be room for one."""
    return [members, 1]


def everything_adds_up(members):
    """FLOPs and bytes of weights are those of one member, times the members.

    The weights differ, so not one product is saved, and a service that answers at once holds all of them.
    """
    return [members, members]


def in_turn(members, devices):
    """Twelve models take twelve times as long."""
    return members


def as_the_mean(members, devices):
    """They run in parallel, so a request takes what a member takes on average."""
    return 1


def in_rounds(members, devices):
    """It takes as many rounds as the devices need for all members: 3 for 12 members on 4 devices."""
    return -(-members // devices)


def until_the_last_is_done(members, devices):
    """(n - D)/D + 1 + 1/2 + … + 1/D mean times on D devices, for exponential times.

    While all devices are busy, one of them is done every mean/D. Of the last D members the first is done
    after mean/D, the next mean/(D - 1) later, and so on to the slowest. 12 members take 3.1 mean times on
    12 devices, 4.1 on four, 12 on one.
    """
    devices = min(devices, members)
    return (members - devices) / devices + sum(1 / k for k in range(1, devices + 1))


def run(x, weights, stacked):
    """The output of each member, all in one batched product or one after the other."""
    return torch.bmm(x.expand(len(weights), *x.shape), weights) if stacked else [x @ w for w in weights]


@claim(
    wrong=(the_flops_take_their_time, stacked_as_long_as_one),
    right=stacked_as_one_if_small,
    evidence="measured",
)
@given(members=st.just(12), stacked=st.booleans(), small=st.booleans())
def test_ensemble_latency_on_one_device(answer, device, members, stacked, small):
    """On one device twelve members take twelve times as long as one, unless they are small and stacked.

    stacked: whether one batched product runs them all
    small: whether a member's product takes less time than its launch
    """
    times, rows, width = (100, 8, 16) if small else (1, 64, 1024) if device.type == "cpu" else (1, 1024, 4096)
    x, weights = (torch.ones(*n, width, device=device) for n in ((rows,), (members, width)))

    all_of_them, one = seconds(
        lambda: [run(x, weights, stacked) for _ in range(times)],
        lambda: [x @ weights[0] for _ in range(times)],
        device=device,
    )
    ratio = observe(ratio=all_of_them / one)

    assert nearest(ratio, 1, members) == answer(members, stacked, small)


@claim(wrong=(input_is_shared, weights_take_turns), right=everything_adds_up, evidence="derived")
@example(members=12)
@given(members=st.integers(1, 16))
def test_ensemble_cost(answer, members):
    """An ensemble costs the FLOPs and the weights of all its members."""
    x, weights, one = (torch.empty(*n, 64, device="meta") for n in ((8,), (members, 64), (1, 64)))

    work = flops(lambda: run(x, weights, stacked=True)) / flops(lambda: run(x, one, stacked=True))

    assert observe(times_one=[work, nbytes(weights) / nbytes(one)]) == answer(members)


@claim(wrong=(in_turn, as_the_mean, in_rounds), right=until_the_last_is_done, evidence="simulated")
@example(members=12, devices=12, seed=0)
@example(members=12, devices=4, seed=0)
@example(members=12, devices=1, seed=0)
@given(members=st.integers(1, 16), devices=st.integers(1, 16), seed=st.integers(0, 9999))
def test_ensemble_latency_on_devices(answer, members, devices, seed):
    """An ensemble takes as long as its slowest member, and longer where members queue for devices.

    devices: how many of them run one member each
    """
    requests, random = 5000, torch.Generator().manual_seed(seed)
    times = torch.empty(members, requests, dtype=torch.float64).exponential_(generator=random)
    busy_until = torch.zeros(devices, requests, dtype=torch.float64)
    for time in times:
        first, free = busy_until.min(0, keepdim=True)
        busy_until.scatter_(0, free, first + time)

    latencies = busy_until.amax(0)
    five_errors = 5 * latencies.std().item() / requests**0.5

    assert observe(mean_times=latencies.mean().item()) == approx(answer(members, devices), abs=five_errors)
