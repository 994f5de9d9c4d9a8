"""Jitter on the router's logits

A mixture of experts has collapsed: most experts get no tokens. A colleague adds random jitter to the
router's logits so that it explores. Does that bring the dead experts back?

Answer: No, not even noise as large as the gap, which routes at random while it is on and leaves no more
    experts alive. Jitter of 1 % lets a logit of 3.93 win against one of 4, and a collapsed router is
    surer than that. Trained on from a gap of 8 in the logits, 3.6 of 8 experts live with jitter as
    without. What pushes against the load brings back 7.7: a balancing loss or a bias per expert for the
    choice alone, if it is strong enough: with a coefficient of 0.01 nothing comes of it.
Verdict: not judged: the stored text stops before its own answer
Asked: AI Interview Prep newsletter, LLM System Design #38
Source: Zoph et al. 2022, "ST-MoE", section 3: input jitter among methods of stability,
    https://arxiv.org/abs/2202.08906
Source: Wang et al. 2024, "Auxiliary-Loss-Free Load Balancing Strategy for Mixture-of-Experts", section 3:
    a bias per expert for the choice alone, https://arxiv.org/abs/2408.15664
Terms: MoE, mixture of experts, router, jitter, router jitter, input jitter, noise, exploration, dead
    experts, router collapse, expert bias, auxiliary-loss-free, load balancing, load_balancing, auxiliary
    loss
Right when: Experts are close, so that noise decides who wins a token.
Limits: 8 linear experts with top-1 routing on 8 clusters, 240 steps of Adam; longer runs and other scales
    of the loss move what a coefficient does. Some code jitters the router's inputs. Live experts are
    counted without the noise, and with the bias, which balances the choice and leaves the gates of
    revived experts small. Neither paper was read but for summaries.
"""

from functools import cache
from itertools import product

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.experts import EXPERTS, Mixtures

CURES = ["none", "jitter 0.01", "jitter 0.1", "noise 1", "noise 2", "noise 8", "balancing loss 0.01"]
CURES += ["balancing loss 1", "bias 0.001", "bias 0.05"]
PUSHES = ("balancing loss 1", "bias 0.05")
# With 50 seeds of 16 models each: 3.0 to 4.2 of 8 without a strong push on the load, 7 to 8 with one.
SOME, ALL = 3.6, 7.7


def exploration(cure):
    """Noise tries the other experts, so they learn, and the load evens out."""
    return SOME if cure == "none" else ALL


def any_push(cure):
    """A balancing loss or a bias evens out the load, whatever its coefficient, if it has the time."""
    return ALL if cure.startswith(("balancing loss", "bias")) else SOME


def dead_stay_dead(cure):
    """Experts that get no tokens get no gradient; without a cure one of 8 is left."""
    return ALL if cure in PUSHES else 1


def strong_push_on_the_load(cure):
    """Noise revives none; what pushes hard enough against the load revives nearly all.

    With noise 3.6 of 8 live, as without, and 7.7 with a strong push.
    """
    return ALL if cure in PUSHES else SOME


def anyone_in_time(logits, jitter):
    """Noise is random, so in time every expert has its turn."""
    return len(logits)


def percent_of_the_best(logits, jitter):
    """Those within that percentage of the best."""
    return sum(logit >= max(logits) - jitter * abs(max(logits)) for logit in logits)


def best_against_worst(logits, jitter):
    """Those whose luckiest logit reaches the others' unluckiest.

    Between positive logits that is a factor of (1 - jitter) / (1 + jitter); a negative one is luckiest if
    it is scaled down.
    """
    lucky = [logit + jitter * abs(logit) for logit in logits]
    unlucky = max(logit - jitter * abs(logit) for logit in logits)
    return sum(logit >= unlucky for logit in lucky)


@cache
def live_experts(cure, seed, device):
    """Experts that live after 240 steps with a cure, averaged over 16 models."""
    torch.manual_seed(seed)
    nets = Mixtures(ahead=8.0, nets=16, device=device)
    optimizer = torch.optim.Adam(nets.weights, lr=0.01, fused=True)
    name, size = ("none", 0.0) if cure == "none" else (cure.rpartition(" ")[0], float(cure.split()[-1]))

    def noise(logits):
        drawn = size * (2 * torch.rand_like(logits) - 1)
        return logits + drawn * {"noise": 1, "jitter": logits}.get(name, 0)

    bias = torch.zeros_like(nets.offset)
    for _ in range(240):
        _, load = nets.step(optimizer, size * (name == "balancing loss"), noise, bias)
        bias -= size * (name == "bias") * (load - 1 / EXPERTS).sign()[:, None]
    return nets.alive(bias)


@claim(
    wrong=(exploration, any_push, dead_stay_dead),
    right=strong_push_on_the_load,
    evidence="trained",
    examples=2,
)
@example(cure="jitter 0.1", seed=0)
@example(cure="noise 8", seed=0)
@example(cure="none", seed=0)
@example(cure="balancing loss 0.01", seed=0)
@example(cure="balancing loss 1", seed=0)
@example(cure="bias 0.001", seed=0)
@example(cure="bias 0.05", seed=0)
@given(cure=st.sampled_from(CURES), seed=st.integers(0, 9999))
def test_jitter_in_a_collapsed_router(answer, device, cure, seed):
    """Jitter leaves as many experts dead as there are without it.

    cure: jitter that scales a logit by up to 1 % or 10 %, noise of up to 1, 2 or 8 that is added to it, a
        balancing loss with its coefficient, a bias for the choice that steps against the load, or none
    """
    assert observe(live_experts=live_experts(cure, seed, device)) == approx(answer(cure), abs=1)


@claim(wrong=(anyone_in_time, percent_of_the_best), right=best_against_worst, evidence="derived")
@example(logits=[4.0, 3.93, 1.0], jitter=0.01)
@example(logits=[4.0, 3.0, 1.0], jitter=0.125)
@example(logits=[2.5, 1.5], jitter=0.25)
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
