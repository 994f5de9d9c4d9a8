"""What a router learns from

The choice of experts is an argmax, which has no gradient. Through what does a router learn, and does it
make a difference whether the gates of the chosen experts are normalized to sum to 1?

Answer: From the language-model loss through the gate values, and from the balancing loss through the mean
    probabilities; the loads are counts without a gradient. A softmax over all 8 experts teaches all 8
    logits of a token. Gates normalized over the chosen ones teach only those, 2 for top-2, and none for
    top-1, where the only gate is always 1: such a router learns from its balancing loss alone.
Says: The balancing loss multiplies the load vector and the importance vector of the experts and minimizes
    the squared sum of these values.
Verdict: imprecise: it is their dot product, times the experts, and nothing is squared; a square of the
    sum would push the same way, but less or more hard
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 12
Source: Fedus, Zoph and Shazeer 2021, "Switch Transformers", section 2.2, equations 2 to 6,
    https://arxiv.org/abs/2101.03961
Source: Shazeer et al. 2017, "Outrageously Large Neural Networks", section 4: the squared coefficient of
    variation, https://arxiv.org/abs/1701.06538
Terms: MoE, mixture of experts, router, gating, gate, top-k, top-1 routing, norm_topk_prob, router
    gradient, argmax, straight-through, load balancing, load_balancing, auxiliary loss, Mixtral, Switch
    Transformer
Right when: Gates are not normalized, as in Switch, or top-k is 2 or more.
Limits: One step of autograd on one layer, and no training. Sigmoid gates without normalization, as
    DeepSeek-V3's, teach the chosen logits alone. Noise that makes the choice itself differentiable is
    left out. The Switch paper's equations were read in reproductions, and Shazeer et al. were not read.
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def none_through_argmax(experts, top_k, normalized):
    """The choice of experts is discrete, so no gradient of the task reaches the router."""
    return 0


def all_of_them(experts, top_k, normalized):
    """Softmax ties all logits together, so each of them gets a gradient."""
    return experts


def chosen_ones(experts, top_k, normalized):
    """Only experts that have run have something to say."""
    return top_k


def by_what_the_gate_depends_on(experts, top_k, normalized):
    """All logits that the gates' softmax runs over, and none if that is a single one.

    It runs over all 8, or over the chosen ones: then 2 learn of top-2 and 0 of top-1. A softmax over a
    single logit is 1, whatever that logit is.
    """
    if not normalized:
        return experts
    return top_k if top_k > 1 else 0


def square_of_the_products(load, importance):
    """The products of load and importance are summed, and the sum is squared."""
    return 2 * len(load) * (load @ importance) * (load[0] - load[1])


def sum_of_squares(load, importance):
    """The products of load and importance are squared, then summed."""
    return 2 * len(load) * (load[0] ** 2 * importance[0] - load[1] ** 2 * importance[1])


def load_and_importance(load, importance):
    """Load and importance both shrink, as each is a function of the router."""
    return 2 * len(load) * (load[0] - load[1])


def difference_of_the_loads(load, importance):
    """The load is a constant of the step, so the loads' difference alone counts.

    The loss grows by experts · (its load - the other's), whatever the importance.
    """
    return len(load) * (load[0] - load[1])


@claim(wrong=(none_through_argmax, all_of_them, chosen_ones), right=by_what_the_gate_depends_on)
@example(experts=8, top_k=1, normalized=False, seed=0)
@example(experts=8, top_k=1, normalized=True, seed=0)
@example(experts=8, top_k=2, normalized=True, seed=0)
@given(
    experts=st.integers(4, 8),
    top_k=st.integers(1, 4),
    normalized=st.booleans(),
    seed=st.integers(0, 9999),
)
def test_router_logits_that_learn(answer, experts, top_k, normalized, seed):
    """How many logits of a token get a gradient from the task depends on what the gates are normalized over.

    normalized: whether the gates of a token's experts are made to sum to 1
    """
    torch.manual_seed(seed)
    x, weights = torch.randn(1, 4, dtype=torch.float64), torch.randn(experts, 4, 4, dtype=torch.float64)
    logits = torch.randn(1, experts, dtype=torch.float64, requires_grad=True)
    gates, chosen = logits.softmax(-1).topk(top_k)
    if normalized:
        gates = gates / gates.sum(-1, keepdim=True)
    outputs = torch.einsum("td,tkde->tke", x, weights[chosen])
    task = torch.einsum("tk,tke->te", gates, outputs).square().sum()
    (gradient,) = torch.autograd.grad(task, logits)

    # What is left of a gradient that cancels is below 1e-13.
    assert observe(logits_with_gradient=int((gradient.abs() > 1e-12).sum())) == answer(
        experts, top_k, normalized
    )


@claim(wrong=(square_of_the_products, sum_of_squares, load_and_importance), right=difference_of_the_loads)
@example(experts=4, tokens=6, seed=0)
@given(experts=st.integers(2, 8), tokens=st.integers(1, 16), seed=st.integers(0, 9999))
def test_balancing_loss_gradient(answer, experts, tokens, seed):
    """The balancing loss grows, as probability moves between experts, by the difference of their loads.

    load: share of the tokens that is sent to each expert
    importance: mean probability of each expert
    """
    random = torch.Generator().manual_seed(seed)
    probabilities = torch.randn(tokens, experts, generator=random).double().softmax(-1).requires_grad_()
    load = F.one_hot(probabilities.argmax(-1), experts).double().mean(0)
    (gradient,) = torch.autograd.grad(experts * (load @ probabilities.mean(0)), probabilities)

    moved = (gradient[:, 0] - gradient[:, 1]).sum().item()
    expected = answer(load, probabilities.mean(0).detach())
    assert observe(change=moved) == approx(float(expected), abs=1e-12)
