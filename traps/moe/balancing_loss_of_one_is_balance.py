"""Reading the load-balancing loss

The load-balancing loss of a mixture of experts, experts · sum(f · P), is said to be smallest, and 1, when
the routing is uniform. Your log reads 1. Is the routing balanced?

Answer: Not necessarily: it reads 1, too, if one expert of 8 wins every token by a small margin, as load
    is multiplied by mean probability; it even reads 0.4 if tokens are split among 4 experts, each spread
    evenly over its own and the 4 dead ones, with a small margin for its own. Loads of top-k choices may
    be summed, and then balance reads k; over the concatenated logits of 8 layers, each collapsed onto
    another one of 8 experts, the loss reads 1. So log loads per layer, and the share of the busiest
    expert.
Says: By the Switch paper, on which the book leans, the loss encourages uniform routing, since it is
    minimized under a uniform distribution.
Verdict: holds if loads and probabilities are ordered alike, as when the router is confident; else the
    minimum lies below 1, with dead experts
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 12
Source: Fedus, Zoph and Shazeer 2021, "Switch Transformers", section 2.2, equations 4 to 6,
    https://arxiv.org/abs/2101.03961
Source: liangxuZhang 2023, "Incorrect implementation of auxiliary loss", transformers issue 28255: logits
    concatenated over layers, https://github.com/huggingface/transformers/issues/28255
Terms: MoE, mixture of experts, load balancing, load_balancing, load balancing loss, auxiliary loss, aux
    loss, router, router collapse, dead experts, expert load, Switch Transformer, Mixtral
Right when: The router is confident: with all probability on the chosen expert 4 live experts of 8 read 2.
Limits: Constructed tables of probabilities, routed by torch's topk; how near a training comes to them is
    not shown. Whether the loss balances a training is the page router_collapse_costs_nothing. The paper's
    equations were read in reproductions.
"""

from collections import Counter

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def balancing_loss(logits, top_k=1):
    """Experts · sum of f · P of logits [tokens, experts], where f counts all of a token's choices."""
    experts, probabilities = logits.shape[-1], logits.softmax(-1)
    chosen = probabilities.topk(top_k).indices
    load = F.one_hot(chosen, experts).double().sum(1).mean(0)
    return (experts * load @ probabilities.mean(0)).item()


def uniform_is_the_minimum(experts, live, confident):
    """It is 1 when routing is uniform, and more whenever it is not: experts over live ones."""
    return experts / live


def never_below_one(experts, live, confident):
    """It cannot fall below 1, its value at uniform routing, which a router that is not sure comes near."""
    return experts / live if confident else 1.0


def by_the_confidence(experts, live, confident):
    """Experts / live if confident: 2 for 4 of 8. Else experts / (live · (experts - live + 1)): 0.4.

    A token may give each dead expert nearly what it gives its own, and that probability meets no load.
    With a single live expert of 8 it reads 1.
    """
    return experts / live if confident else experts / (live * (experts - live + 1))


def choices_are_averaged(experts, live, top_k):
    """Balanced is 1, whatever top-k is, and otherwise experts over live ones."""
    return experts / live


def choices_are_summed(experts, live, top_k):
    """Balanced is k and not 1, as the loads of a token's choices sum to k.

    Over 8 experts with top-2 that reads 2, and with dead ones experts over live ones times as much.
    """
    return top_k * experts / live


def concatenated_is_the_mean(experts, favorites):
    """Concatenating the layers averages them: each has collapsed, so it reads the number of experts."""
    return float(experts)


def experts_used_anywhere(experts, favorites):
    """Experts over those that any layer uses."""
    return experts / len(set(favorites))


def loads_summed_over_layers(experts, favorites):
    """It reads like one layer whose tokens are split among the experts as the layers' favorites are.

    That is experts · sum of squares of the shares of layers that favor an expert: 1 if 8 layers favor 8
    of them. Expert 3 of one layer and expert 3 of the next are other weights, but share an index.
    """
    layers = len(favorites)
    return experts * sum((count / layers) ** 2 for count in Counter(favorites).values())


@claim(wrong=(uniform_is_the_minimum, never_below_one), right=by_the_confidence)
@example(experts=8, share=32, confident=False)
@example(experts=8, share=32, confident=True)
@example(experts=8, share=8, confident=False)
@example(experts=8, share=64, confident=False)
@given(experts=st.integers(2, 64), share=st.integers(1, 64), confident=st.booleans())
def test_balancing_loss_with_dead_experts(answer, experts, share, confident):
    """Routing that leaves experts dead by a small margin reads no more than uniform routing does.

    share: 64ths of the experts that are live
    live: experts to which tokens are sent, to each as many
    confident: whether a token puts all of its probability on its expert, or hardly more there than on
        each dead one; it gives none to the other live ones
    """
    live = -(-share * experts // 64)
    # Token i likes expert i best; the dead ones are 1e-4 behind, less than the tolerance below.
    logits = torch.full((live, experts), -torch.inf, dtype=torch.float64)
    logits[:, live:] = -30.0 if confident else -1e-4
    logits.fill_diagonal_(0)

    assert observe(loss=balancing_loss(logits)) == approx(answer(experts, live, confident), rel=1e-3)


@claim(wrong=choices_are_averaged, right=choices_are_summed)
@example(experts=8, live=8, top_k=2)
@example(experts=8, live=4, top_k=2)
@example(experts=8, live=8, top_k=1)
@given(experts=st.integers(4, 16), live=st.integers(4, 16), top_k=st.integers(1, 4))
def test_balancing_loss_of_top_k(answer, experts, live, top_k):
    """If the loads of all choices are summed, uniform routing reads top-k.

    live: experts to which tokens are sent, to each as many
    """
    live = min(live, experts)
    # Token i is sure of the live experts from i on, in a circle.
    logits = torch.full((live, experts), -torch.inf, dtype=torch.float64)
    for token in range(live):
        logits[token, [(token + choice) % live for choice in range(top_k)]] = 0

    assert observe(loss=balancing_loss(logits, top_k)) == approx(answer(experts, live, top_k))


@claim(
    wrong=(concatenated_is_the_mean, experts_used_anywhere),
    right=loads_summed_over_layers,
)
@example(experts=8, favorites=[0, 1, 2, 3, 4, 5, 6, 7])
@example(experts=8, favorites=[0, 0, 0, 0, 0, 0, 0, 0])
@example(experts=8, favorites=[0, 0, 0, 0, 0, 0, 0, 1])
@given(experts=st.integers(2, 8), favorites=st.lists(st.integers(0, 7), min_size=1, max_size=12))
def test_balancing_loss_over_layers(answer, experts, favorites):
    """Concatenated over layers the loss hides that each of them has collapsed.

    favorites: of each layer the expert to which it sends every token
    """
    favorites = [favorite % experts for favorite in favorites]
    layers = [40.0 * F.one_hot(torch.full((4,), favorite), experts).double() for favorite in favorites]

    assert observe(loss=balancing_loss(torch.cat(layers))) == approx(answer(experts, favorites))
