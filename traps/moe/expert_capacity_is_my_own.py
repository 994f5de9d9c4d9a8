"""The same prompt in another batch

A served mixture of experts answers the same prompt differently from time to time, although the
temperature is 0. What in the model can do that?

Answer: Expert capacity. An expert's room is shared by all tokens of the batch: once the tokens of others
    have filled it, yours are dropped there and pass through the residual alone. Where an expert has room
    for 8, the 8 tokens of others before your 8 drop all of yours, and 8 after them none; 16 more that go
    to another expert make room for all. Serve without a capacity, or with a factor of experts / top-k;
    what differs then is rounding.
Says: An MoE in batch inference was inconsistent at temperature 0; the root cause is the expert capacity
    factor: tokens beyond an expert's hard limit are dropped.
Verdict: holds if the server enforces a capacity; without one the same can come of kernels whose rounding
    depends on the batch
Asked: AI Interview Prep newsletter, LLM System Design #40
Source: Fedus, Zoph and Shazeer 2021, "Switch Transformers", section 2.2: dropped tokens pass through the
    residual connection, https://arxiv.org/abs/2101.03961
Source: He et al. 2025, "Defeating Nondeterminism in LLM Inference": without a capacity, kernels that are
    not batch invariant, https://thinkingmachines.ai/blog/defeating-nondeterminism-in-llm-inference/
Terms: MoE, mixture of experts, expert capacity, capacity, capacity factor, dropped tokens,
    nondeterminism, temperature 0, batch invariance, batching, deterministic inference, dropless
Right when: Nothing is dropped: no capacity at inference, or a factor of experts / top-k.
Limits: One layer with top-1 routing, first come, first served, in float64. Rounding of batch-dependent
    kernels is not run here. The stored text stops at "dropped and routed through". Both sources were read
    in summaries.
"""

from math import ceil

import torch
from hypothesis import example, given, strategies as st

from fixtures import claim, observe
from fixtures.routing import kept


def temperature_zero_is_enough(factor, experts, before, mine, after, elsewhere):
    """At temperature 0 the tokens are a function of the prompt; what else is in the batch cannot matter."""
    return 0


def everyone_in_the_batch(factor, experts, before, mine, after, elsewhere):
    """All tokens that choose my expert take room from me, before me in the batch or behind."""
    room = ceil(factor * (before + mine + after + elsewhere) / experts)
    return min(mine, max(0, before + mine + after - room))


def as_if_alone(factor, experts, before, mine, after, elsewhere):
    """An expert has room for its share of my own tokens."""
    return max(0, mine - ceil(factor * mine / experts))


def share_of_those_who_chose_it(factor, experts, before, mine, after, elsewhere):
    """The room is this expert's share of the tokens that want it; those elsewhere do not concern me."""
    room = ceil(factor * (before + mine + after) / experts)
    return min(mine, max(0, before + mine - room))


def what_is_left_by_those_before(factor, experts, before, mine, after, elsewhere):
    """My tokens that do not fit in behind those before me are dropped.

    Behind 8 others, at room for 8, that is all 8 of 8. Every token of the batch makes the room larger,
    wherever it goes; only those before mine take of it.
    """
    room = ceil(factor * (before + mine + after + elsewhere) / experts)
    return min(mine, max(0, before + mine - room))


counts = st.integers(0, 24)


@claim(
    wrong=(temperature_zero_is_enough, everyone_in_the_batch, as_if_alone, share_of_those_who_chose_it),
    right=what_is_left_by_those_before,
    evidence="derived",
)
@example(factor=1.0, experts=2, before=8, mine=8, after=0, elsewhere=0, seed=0)
@example(factor=1.0, experts=2, before=0, mine=8, after=8, elsewhere=0, seed=0)
@example(factor=1.0, experts=2, before=8, mine=8, after=0, elsewhere=16, seed=0)
@example(factor=2.0, experts=2, before=8, mine=8, after=0, elsewhere=0, seed=0)
@given(
    factor=st.sampled_from([1.0, 1.25, 2.0]),
    experts=st.integers(2, 8),
    before=counts,
    mine=st.integers(1, 12),
    after=counts,
    elsewhere=counts,
    seed=st.integers(0, 9999),
)
def test_expert_capacity_and_the_batch(answer, factor, experts, before, mine, after, elsewhere, seed):
    """How many of my tokens an expert serves depends on who else is in the batch, and where.

    factor: capacity factor
    before: tokens of others that choose the same expert and come before mine
    mine: my tokens, which all choose one expert
    after: tokens of others behind mine that choose it as well
    elsewhere: tokens of others that choose the other experts
    """
    torch.manual_seed(seed)
    router = torch.linalg.qr(torch.randn(8, 8).double()).Q[:, :experts]
    weights = torch.randn(experts, 8, 8).double()

    def layer(x, capacity):
        gate, choice = (x @ router).softmax(-1).max(-1)
        served = kept(choice[:, None], experts, capacity)
        return x + served * gate[:, None] * torch.einsum("td,tde->te", x, weights[choice])

    # A token that points along an expert's column of the router chooses that expert.
    wanted = [1 + i % (experts - 1) for i in range(elsewhere)] + [0] * (before + mine + after)
    x = router.T[wanted] * (1 + torch.rand(len(wanted), 1).double())
    limited, dropless = layer(x, ceil(factor * len(x) / experts)), layer(x, len(x))

    changed = (limited - dropless).abs().amax(-1) > 1e-12
    first = elsewhere + before
    assert observe(my_changed_tokens=int(changed[first : first + mine].sum())) == answer(
        factor, experts, before, mine, after, elsewhere
    )
