"""Why verification is nearly free

Product wants a 70B endpoint twice as fast, without quantization or pruning. How, losslessly, and which
asymmetry do you exploit?

Answer: Speculative decoding: a small draft proposes γ tokens, and one pass of the target checks them all.
    At batch 1 each pass waits for its weights, so checking γ + 1 tokens takes about the time of one. With
    80 % of the guesses standing, γ = 4 and a draft at 1/64 of a pass that is 3.16 times as fast; by the
    data sheet of an H200 it is 1.06 at a batch of 128 and 0.66 at 206, where the check itself is
    compute-bound.
Says: The draft's tokens are verified in a single parallel pass, "during a compute-bound prefill phase",
    which makes inference 2 to 3 times as fast, losslessly; better batching does not shorten one user's
    latency.
Verdict: imprecise: the method holds, but the check is cheap as long as it is memory-bound; compute-bound
    it costs up to γ + 1 times a step, all of it from a batch at the ridge on
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 2
Source: Leviathan, Kalman and Matias 2022, "Fast Inference from Transformers via Speculative Decoding",
    abstract and section 3.3, https://arxiv.org/abs/2211.17192
Terms: speculative decoding, draft model, target model, verification, memory-bound, compute-bound,
    arithmetic intensity, ridge, batch size, lossless, assisted generation, TPOT, latency
Right when: The batch has reached the ridge, 206 on an H200: then γ + 1 tokens do cost γ + 1 times one.
Limits: The clock read passes of 128 tokens and more: on a CPU a few rows cost neither one read nor their
    FLOPs, as its kernels change with the rows. Attention and its caches are left out: long contexts share
    the reads of a cache as well, and the gain lasts longer. Leviathan and others' 2 to 3 times are at
    batch 1. What acceptance does is the page draft_is_too_slow.
"""

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.clocks import nearest, seconds
from fixtures.machines import H200
from fixtures.speculation import mean_tokens
from fixtures.stack import measured, stack


def a_pass_per_token(checked, ridge):
    """Checking a token is as much work as writing it, so n checks take n passes."""
    return checked


def parallel_is_free(checked, ridge):
    """A pass checks its tokens in parallel, so it takes the time of one, however many they are."""
    return 1


def the_flops_of_one_pass(checked, ridge):
    """Above the ridge a pass takes the time of its FLOPs, some reads of the weights and not n of them.

    The weights are read once for all tokens of the pass, and in fp32 each of them adds half a FLOP per
    byte.
    """
    return checked / (2 * ridge)


def gain_at_any_batch(accepted, gamma, cost, batch, ridge):
    """Each pass writes that many tokens, whatever else it does."""
    return sum(accepted**i for i in range(gamma + 1)) / (1 + gamma * cost)


def no_gain_at_all(accepted, gamma, cost, batch, ridge):
    """The target computes as much as before and the draft comes on top."""
    return sum(accepted**i for i in range(gamma + 1)) / (gamma + 1 + gamma * cost)


def until_the_check_fills_the_ridge(accepted, gamma, cost, batch, ridge):
    """The gain shrinks once the tokens that a batch checks pass the ridge.

    It is the tokens of a pass over the price of the check, which grows from batch·(γ + 1) = ridge on.
    Beyond the ridge the step itself grows as well, and a check costs γ + 1 of them.
    """
    step, check = max(1, batch / ridge), max(1, batch * (gamma + 1) / ridge)
    return sum(accepted**i for i in range(gamma + 1)) / (check / step + gamma * cost)


@claim(
    wrong=(gain_at_any_batch, no_gain_at_all),
    right=until_the_check_fills_the_ridge,
    evidence="derived",
)
@example(accepted=0.8, gamma=4, cost=1 / 64, batch=1)
@example(accepted=0.8, gamma=4, cost=1 / 64, batch=128)
@example(accepted=0.8, gamma=4, cost=1 / 64, batch=206)
@given(
    accepted=st.sampled_from([0.0, 0.5, 0.8, 1.0]),
    gamma=st.integers(1, 6),
    cost=st.sampled_from([0.0, 1 / 64, 0.2]),
    batch=st.integers(1, 512),
)
def test_speculative_gain_by_the_batch(answer, accepted, gamma, cost, batch):
    """By the data sheet the gain of speculation ends as the batch nears the ridge.

    accepted: chance of a guess to stand if all before it do
    cost: time of drafting a token over that of a pass of the target
    """

    def seconds_of(rows):  # per weight, of two bytes and two FLOPs
        return max(2 * rows / H200.peak, 2 / H200.bandwidth)

    price = seconds_of(batch * (gamma + 1)) / seconds_of(batch) + gamma * cost

    assert observe(speed=mean_tokens(accepted, gamma) / price) == approx(
        answer(accepted, gamma, cost, batch, H200.ridge)
    )


@claim(
    wrong=(a_pass_per_token, parallel_is_free), right=the_flops_of_one_pass, evidence="measured", examples=2
)
@given(checked=st.sampled_from([128, 160]))
def test_speculative_check_by_the_clock(answer, device, checked):
    """A pass over many tokens takes the time of their FLOPs, far less than that of as many passes.

    checked: tokens that one pass checks
    """
    ridge = measured(device).ridge
    many, one = seconds(stack(device).passing(1, checked), stack(device).passing(1, 1), device=device)

    law = checked / (2 * ridge)
    assert nearest(observe(ratio=many / one), 1, law, checked) == approx(answer(checked, ridge))
