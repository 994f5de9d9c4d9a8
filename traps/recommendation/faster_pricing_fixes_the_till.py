"""Prices that change while people shop

A shop's prices come from a model that answers within 10 ms, and shoppers find other prices at the till
than on the shelf. Does a faster pipeline help, and why might prices of the day be better?

Answer: No: what counts is the time between shelf and till. With a change per hour and visits of half an
    hour a third of the items cost something else at the till, whether the model takes 1 ms or half an
    hour. Prices of the day change at the till only for those who shop while they change: none if the
    shop is closed then, 0.02 if it never closes. Or hold the shelf's price: a hold of an hour leaves 0.1.
Says: Not infrastructure limits but physical and psychological constraints of retail shelves explain why
    day-old batch prices replace a real-time model.
Verdict: holds if the shelf's price is not held for the visit, and the batch comes while the shop is
    closed
Asked: AI Interview Prep newsletter, ML System Design #31
Source: NIST 2024, "Examination Procedure for Price Verification", Handbook 130,
    https://www.nist.gov/pml/owm/nist-handbook-130-current-edition
Terms: dynamic pricing, real-time inference, batch inference, real-time pricing, Kafka, electronic shelf
    label, ESL, price accuracy, price lock, dwell time, streaming, latency, retail
Right when: Prices change so seldom that hardly any change falls into a visit.
Limits: Changes at a constant rate, independent of the shoppers; a price that changed and came back counts
    as changed, and shelf and till lag alike. Tags that lag behind the till, their batteries and what
    shoppers feel are not shown. The newsletter's stored text stops at "tag", and the handbook was not
    read.
"""

from math import exp, inf

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe

DAY = 24


def set_by_the_latency(rate, visit, law, latency, policy, open_hours, hold):
    """A price can change only while the model works on it, so it is the rate times the latency."""
    return 1 - exp(-rate * latency / 3.6e6)


def mean_visit(rate, visit, law, latency, policy, open_hours, hold):
    """All that counts is the mean visit, and nothing changes if that is held."""
    return changed_in_a_longer_visit(rate, visit, "fixed", latency, policy, open_hours, hold)


def only_batch_helps(rate, visit, law, latency, policy, open_hours, hold):
    """Prices that change at once are wrong at the till; only prices of the day are safe."""
    if policy == "daily":
        return 0.0
    return changed_in_a_longer_visit(rate, visit, law, latency, policy, open_hours, 0)


def changed_in_a_longer_visit(rate, visit, law, latency, policy, open_hours, hold):
    """The chance of a change during the visit, over those visits that outlast the hold.

    It is the mean of 1 - exp(-rate · visit): 0.33, and 0.1 past an hour. The law of visits counts: 0.39
    if all take half an hour. A daily change needs a visit over its hour, as visit / 24 of those to a shop
    that never closes are, 0.02, and a price that the day has changed.
    """

    def chance(stay):
        if policy == "at once":
            return 1 - exp(-rate * stay)
        return stay / DAY * (1 - exp(-DAY * rate)) if open_hours == DAY else 0.0

    if law == "exponential":
        from scipy.integrate import quad

        return quad(lambda stay: exp(-stay / visit) / visit * chance(stay), hold, inf)[0]
    share, stay = (1, visit) if law == "fixed" else (0.5, 2 * visit)
    return share * chance(stay) if stay > hold else 0.0


@claim(
    wrong=(set_by_the_latency, mean_visit, only_batch_helps),
    right=changed_in_a_longer_visit,
    evidence="simulated",
    examples=20,
)
@example(rate=1.0, visit=0.5, law="exponential", latency=1, policy="at once", open_hours=12, hold=0, seed=0)
@example(
    rate=1.0, visit=0.5, law="exponential", latency=1_800_000, policy="at once", open_hours=12, hold=0, seed=0
)
@example(rate=1.0, visit=0.5, law="fixed", latency=10, policy="at once", open_hours=12, hold=0, seed=0)
@example(rate=1.0, visit=0.5, law="exponential", latency=10, policy="at once", open_hours=12, hold=1, seed=0)
@example(rate=1.0, visit=0.5, law="exponential", latency=10, policy="daily", open_hours=12, hold=0, seed=0)
@example(
    rate=1.0, visit=0.5, law="half grab and go", latency=10, policy="at once", open_hours=12, hold=0.5, seed=0
)
@example(rate=1.0, visit=0.5, law="fixed", latency=10, policy="at once", open_hours=12, hold=0.5, seed=0)
@example(rate=1.0, visit=0.5, law="exponential", latency=10, policy="daily", open_hours=24, hold=0, seed=0)
@example(rate=0.05, visit=1.0, law="fixed", latency=10, policy="daily", open_hours=24, hold=0, seed=0)
@given(
    rate=st.sampled_from([0.0, 0.05, 1.0, 2.0]),
    visit=st.sampled_from([0.1, 0.5, 1.0]),
    law=st.sampled_from(["exponential", "fixed", "half grab and go"]),
    latency=st.sampled_from([1, 1000, 1_800_000]),
    policy=st.sampled_from(["at once", "daily"]),
    open_hours=st.sampled_from([12, 24]),
    hold=st.sampled_from([0, 0.5, 1.5]),
    seed=st.integers(0, 9999),
)
def test_pricing_between_shelf_and_till(answer, rate, visit, law, latency, policy, open_hours, hold, seed):
    """How many items cost something else at the till depends on the visit, and not on the pipeline's latency.

    rate: price changes of an item per hour
    visit: hours from shelf to till, in the mean
    law: of the visits: exponential, all alike, or half of them without delay and half twice as long
    latency: milliseconds from the decision to a new price, on the shelf and at the till
    policy: changes are made at once, or together at hour 20 of each day
    open_hours: of the shop, from hour 0 on
    hold: hours for which a shopper is charged the price that the shelf had
    """
    random = torch.Generator().manual_seed(seed)
    shoppers = 4000
    start = open_hours * torch.rand(shoppers, 1, generator=random, dtype=torch.float64)
    stays = torch.full_like(start, visit)
    if law == "exponential":
        stays = torch.empty_like(start).exponential_(1 / visit, generator=random)
    elif law == "half grab and go":
        stays = 2 * visit * (torch.rand(shoppers, 1, generator=random) < 0.5).double()
    # An item's changes since the last batch, at hour -4: past hour 34, with 8 standard deviations to spare.
    many = int(38 * rate + 8 * (38 * rate) ** 0.5) + 1
    gaps = torch.empty(shoppers, many, dtype=torch.float64)
    made = gaps.exponential_(max(rate, 1e-9), generator=random).cumsum(1) - 4
    if policy == "daily":
        made = DAY * ((made - 20) / DAY).ceil() + 20
    made += latency / 3.6e6
    charged = torch.where(stays > hold, start + stays, start)
    share = ((start < made) & (made <= charged)).any(1).double().mean().item()

    # Five standard errors, and what may not have come up once: a chance of 12 / n is missed with e^-12.
    error = 5 * (share * (1 - share) / shoppers) ** 0.5 + 12 / shoppers
    assert observe(other_price=share) == approx(
        answer(rate, visit, law, latency, policy, open_hours, hold), abs=error
    )
