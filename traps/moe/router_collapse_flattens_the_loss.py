"""Router collapse in the loss curve

A mixture-of-experts run is some thousand steps old and its validation loss has gone flat. Is that what
router collapse looks like, and does the load-balancing loss repair it?

Answer: Collapse does not flatten the curve: the loss goes on falling as that of the one expert that is
    left, in the second half to 0.65 times what it was, only higher. So look at the load of each expert, and
    not at the loss. The balancing loss revives experts if its coefficient is large enough: here 0.01 leaves
    5.5 of 8 alive, and 1 all of them. It takes a collapsed model to 0.5 times its loss, and costs a healthy
    one 1.3 times.
Says: Router collapse degrades convergence by reducing the active parameters, so that the loss flatlines; an
    auxiliary balancing loss enforces an even distribution of tokens and cures it.
Verdict: imprecise: the loss of a collapsed model falls as that of a smaller dense one does, and the
    balancing loss helps once its coefficient is large enough
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 12
Source: Fedus, Zoph and Shazeer 2021, "Switch Transformers", section 2.2: a coefficient of 0.01,
    https://arxiv.org/abs/2101.03961
Terms: MoE, mixture of experts, router collapse, expert collapse, dead experts, expert starvation, load
    balancing, load_balancing, auxiliary loss, balancing loss, Switch Transformer, top-1 routing
Right when: All that one expert can learn has been learned: then the loss of a collapsed model is flat.
Limits: 8 linear experts with top-1 routing on 8 clusters, each with its own linear map, 240 steps of Adam.
    What a coefficient does depends on the scale of the loss, so 0.01 is no general figure. What the loss
    reads is the page balancing_loss_of_one_is_balance. The paper was read in reproductions of its
    equations.
"""

from functools import cache

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe

EXPERTS, STEPS = 8, 240
# With 50 seeds each: falls by 0.48 to 0.79; 4.7 to 6.2 experts alive with 0 or 0.01, 7.7 to 8 with 1; the
# balancing loss multiplies the loss by 0.31 to 0.77 if collapsed, and by 0.96 to 1.8 if not.
FALL, ALIVE, COLLAPSED, FRESH = 0.65, 5.5, 0.5, 1.3


def flat(start):
    """Most experts receive no updates, so the loss has flatlined."""
    return FALL if start == "fresh" else 1


def falls_either_way(start):
    """It falls to 0.65 times what it was, of a collapsed model as of any other.

    The model has become the one expert that is left, and that one learns on.
    """
    return FALL


def any_coefficient(coefficient):
    """The balancing loss enforces an even distribution; 0.01 is what everybody takes."""
    return EXPERTS if coefficient else ALIVE


def a_coefficient_of_one(coefficient):
    """With 0.01 no more than without, 5.5 of 8, and with 1 all 8.

    It competes with the gradient of the task, whose scale decides what a coefficient does.
    """
    return EXPERTS if coefficient == 1 else ALIVE


def always_better(start):
    """Balanced experts are all trained, so the loss is lower."""
    return COLLAPSED


def always_a_tax(start):
    """The balancing loss pulls against the task, so the loss is higher."""
    return FRESH


def better_if_collapsed(start):
    """0.5 times the loss of a model that had collapsed, and 1.3 times that of one that had not.

    Where tokens find experts by themselves, balance is bought from the task.
    """
    return COLLAPSED if start == "collapsed" else FRESH


@cache
def trained(start, coefficient, seed, device):
    """Loss of 8 models halfway and late, and how many experts get an eighth of a fair share at the end."""
    torch.manual_seed(seed)
    nets, tokens, d = 8, 64, 8
    centers, maps = torch.randn(nets, EXPERTS, d), torch.randn(nets, EXPERTS, d, d) / d**0.5
    router, experts = torch.randn(nets, d, EXPERTS) / d**0.5, torch.randn(nets, EXPERTS, d, d) / d**0.5
    centers, maps, router, experts = (made.to(device) for made in (2 * centers, maps, router, experts))
    # A router that has collapsed prefers the first expert by far.
    preference = torch.tensor([20.0 if start == "collapsed" else 0.0] + 7 * [0.0], device=device)
    optimizer = torch.optim.Adam([router.requires_grad_(), experts.requires_grad_()], lr=0.01)

    net, losses = torch.arange(nets, device=device)[:, None], []
    for _ in range(STEPS):
        cluster = torch.randint(EXPERTS, (nets, tokens)).to(device)
        x = centers[net, cluster] + 0.3 * torch.randn(nets, tokens, d).to(device)
        y = torch.einsum("ntd,ntde->nte", x, maps[net, cluster])
        probabilities = (x @ router + preference).softmax(-1)
        gate, top = probabilities.max(-1)
        out = gate[..., None] * torch.einsum("ntd,ntde->nte", x, experts[net, top])
        load = F.one_hot(top, EXPERTS).float().mean(1)
        task = (out - y).square().mean((1, 2))
        balance = EXPERTS * (load * probabilities.mean(1)).sum(-1)
        optimizer.zero_grad()
        (task + coefficient * balance).sum().backward()
        optimizer.step()
        losses.append(task.mean().item())
    halfway, late = (sum(losses[end - 10 : end]) / 10 for end in (STEPS // 2, STEPS))
    return halfway, late, (load > 1 / 8 / EXPERTS).float().sum(-1).mean().item()


@claim(wrong=flat, right=falls_either_way, evidence="trained", examples=2)
@example(start="collapsed", seed=0)
@example(start="fresh", seed=0)
@given(start=st.sampled_from(["collapsed", "fresh"]), seed=st.integers(0, 9999))
def test_router_collapse_in_the_loss(answer, device, start, seed):
    """The loss of a collapsed mixture of experts goes on falling.

    start: a fresh router, or one that sends nearly every token to one expert
    """
    halfway, late, _ = trained(start, 0, seed, device)
    assert observe(times=late / halfway) == approx(answer(start), abs=0.24)


@claim(wrong=any_coefficient, right=a_coefficient_of_one, evidence="trained", examples=2)
@example(coefficient=0, seed=0)
@example(coefficient=0.01, seed=0)
@example(coefficient=1, seed=0)
@given(coefficient=st.sampled_from([0, 0.01, 1]), seed=st.integers(0, 9999))
def test_balancing_loss_revives_experts(answer, device, coefficient, seed):
    """How many experts live depends on the balancing loss's coefficient.

    coefficient: what the balancing loss is multiplied by
    """
    *_, alive = trained("fresh", coefficient, seed, device)
    assert observe(live_experts=alive) == approx(answer(coefficient), abs=1.1)


@claim(wrong=(always_better, always_a_tax), right=better_if_collapsed, evidence="trained", examples=2)
@example(start="collapsed", seed=0)
@example(start="fresh", seed=0)
@given(start=st.sampled_from(["collapsed", "fresh"]), seed=st.integers(0, 9999))
def test_balancing_loss_and_the_task(answer, device, start, seed):
    """The balancing loss helps the task where the router has collapsed.

    start: a fresh router, or one that sends nearly every token to one expert
    """
    (_, balanced, _), (_, unbalanced, _) = (trained(start, scale, seed, device) for scale in (1, 0))
    assert observe(times=balanced / unbalanced) == approx(answer(start), rel=0.6)
