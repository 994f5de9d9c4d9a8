"""Jitter on the router's logits

A mixture of experts has collapsed: most experts get no tokens. A colleague adds random jitter to the
router's logits so that it explores. Does that bring the dead experts back?

Answer: No. Jitter decides only where experts are close: 1 % lets one win that is 2 % behind, and a
    collapsed router is sure. Trained on from a gap of 4 in the logits, some 3.3 of 8 experts live with
    jitter of 10 % as without. What pushes against the load revives 7.8: a balancing loss, or a bias per
    expert for the choice alone.
Verdict: not judged: the stored text stops before its own answer
Asked: AI Interview Prep newsletter, LLM System Design #38
Source: Zoph et al. 2022, "ST-MoE", section 3: input jitter among methods of stability,
    https://arxiv.org/abs/2202.08906
Source: Wang et al. 2024, "Auxiliary-Loss-Free Load Balancing Strategy for Mixture-of-Experts", section 3: a
    bias per expert for the choice alone, https://arxiv.org/abs/2408.15664
Terms: MoE, mixture of experts, router, jitter, router jitter, input jitter, noise, exploration, dead
    experts, router collapse, expert bias, auxiliary-loss-free, load balancing, load_balancing, auxiliary
    loss
Right when: Experts are close: jitter decides among those whose logits are nearly equal.
Limits: 8 linear experts with top-1 routing on 8 clusters, 240 steps of Adam, jitter that multiplies the
    logits; some code multiplies the router's inputs, or adds. At a gap of 8 neither cure revives all
    experts in that time. Neither paper was read but for summaries.
"""

from itertools import product

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe

# With 50 seeds each: 2.6 to 4 of 8 with jitter and without a cure, 7.2 to 8 with either cure.
SOME, ALL = 3.3, 7.8


def exploration(cure):
    """Noise tries the other experts, so they learn, and the load evens out."""
    return SOME if cure == "none" else ALL


def dead_stay_dead(cure):
    """Experts that get no tokens get no gradient; without a cure one of 8 is left."""
    return ALL if cure in ("balancing loss", "bias") else 1


def pressure_on_the_load(cure):
    """3.3 of 8 with jitter as without, and 7.8 with what pushes against the load."""
    return ALL if cure in ("balancing loss", "bias") else SOME


def anyone_in_time(logits, jitter):
    """Noise is random, so every expert has its turn."""
    return len(logits)


def percent_of_the_best(logits, jitter):
    """Those within that percentage of the best."""
    return sum(logit >= max(logits) - jitter * abs(max(logits)) for logit in logits)


def best_against_worst(logits, jitter):
    """Those whose logit at its luckiest reaches every other one at its unluckiest.

    Between positive logits that is a factor of (1 - jitter) / (1 + jitter); a negative one is luckiest if
    it is scaled down.
    """
    lucky = [logit + jitter * abs(logit) for logit in logits]
    unlucky = max(logit - jitter * abs(logit) for logit in logits)
    return sum(logit >= unlucky for logit in lucky)


@claim(wrong=(exploration, dead_stay_dead), right=pressure_on_the_load, evidence="trained", examples=2)
@example(cure="jitter", seed=0)
@example(cure="none", seed=0)
@example(cure="balancing loss", seed=0)
@example(cure="bias", seed=0)
@given(cure=st.sampled_from(["jitter", "none", "balancing loss", "bias"]), seed=st.integers(0, 9999))
def test_jitter_in_a_collapsed_router(answer, device, cure, seed):
    """Jitter leaves as many experts dead as there are without it.

    cure: jitter of 10 % on the logits, a balancing loss, a bias for the choice that is moved against the
        load, or none
    """
    torch.manual_seed(seed)
    nets, experts, tokens, d = 8, 8, 64, 8
    centers, maps = 2 * torch.randn(nets, experts, d), torch.randn(nets, experts, d, d) / d**0.5
    router, weights = torch.randn(nets, d, experts) / 10 / d**0.5, torch.randn(nets, experts, d, d) / d**0.5
    centers, maps, router, weights = (made.to(device) for made in (centers, maps, router, weights))
    # The first expert is ahead by a gap of 4 in all logits.
    ahead = torch.tensor([4.0] + 7 * [0.0], device=device).expand(nets, 1, experts).clone()
    optimizer = torch.optim.Adam([part.requires_grad_() for part in (router, weights, ahead)], lr=0.01)

    net, bias = torch.arange(nets, device=device)[:, None], torch.zeros(nets, 1, experts, device=device)
    for _ in range(240):
        cluster = torch.randint(experts, (nets, tokens)).to(device)
        x = centers[net, cluster] + 0.3 * torch.randn(nets, tokens, d).to(device)
        y = torch.einsum("ntd,ntde->nte", x, maps[net, cluster])
        logits = x @ router + ahead
        if cure == "jitter":
            logits = logits * (1 + 0.1 * (2 * torch.rand(logits.shape).to(device) - 1))
        probabilities = logits.softmax(-1)
        top = (logits + bias).argmax(-1)
        out = probabilities.gather(-1, top[..., None]) * torch.einsum("ntd,ntde->nte", x, weights[net, top])
        load = F.one_hot(top, experts).float().mean(1)
        loss = (out - y).square().mean((1, 2)).sum()
        if cure == "balancing loss":
            loss = loss + experts * (load * probabilities.mean(1)).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if cure == "bias":
            bias -= 0.05 * (load - 1 / experts).sign()[:, None]

    # Alive is what gets an eighth of a fair share.
    alive = (load > 1 / 8 / experts).float().sum(-1).mean().item()
    assert observe(live_experts=alive) == approx(answer(cure), abs=1)


@claim(wrong=(anyone_in_time, percent_of_the_best), right=best_against_worst)
@example(logits=[4.0, 3.92, 1.0], jitter=0.01)
@example(logits=[4.0, 3.0, 1.0], jitter=0.125)
@given(
    logits=st.tuples(
        st.sampled_from([4, 1, -1, -4]), st.lists(st.integers(0, 16), min_size=2, max_size=4)
    ).map(lambda drawn: [drawn[0] - behind / 8 for behind in drawn[1]]),
    jitter=st.sampled_from([1 / 128, 1 / 8, 1 / 4]),
)
def test_jitter_reaches_experts(answer, logits, jitter):
    """Jitter lets an expert win only if its logit is close to the best.

    logits: of the experts, for one token
    jitter: by how much a logit is scaled up or down at most
    """
    scales = torch.tensor([*product((1 - jitter, 1 + jitter), repeat=len(logits))], dtype=torch.float64)
    jittered = scales * torch.tensor(logits, dtype=torch.float64)
    winners = jittered == jittered.max(-1, keepdim=True).values

    assert observe(experts_that_can_win=int(winners.any(0).sum())) == answer(logits, jitter)
