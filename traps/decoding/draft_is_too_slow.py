"""A draft that brings no speed-up

A 70B target with a 1B draft is no faster than without, and the text is the same. Is the draft too slow,
and what do you change?

Answer: Its guesses are not accepted. With none standing each pass yields one token and the drafts come on
    top: 0.93 of plain speed with 5 guesses at 1/70 of a pass each, and a free draft would give 1.00, no
    more. With 60 % standing the same draft gives 2.22. So measure the acceptance rate, distil the draft
    on the target's own outputs, and stop guessing where acceptance falls below the draft's cost c.
Says: The draft's distribution diverges sharply from the target's, and the near-zero token acceptance rate
    takes the speed-up away; below an acceptance of about 30 % it is a net loss.
Verdict: imprecise: the loss is real, but where it begins follows from the draft's cost: at 30 % this
    draft still brings 1.33 times, and one at 0.11 of a pass 0.92
Asked: AI Interview Prep newsletter, LLM System Design #50
Source: AI Interview Prep 2026, "LLM System Design Interview #50", its figure of 30 %,
    https://aiinterviewprep.substack.com/p/llm-system-design-interview-50-the
Source: Leviathan, Kalman and Matias 2022, "Fast Inference from Transformers via Speculative Decoding",
    equation 1, theorem 3.8 and corollary 3.9, https://arxiv.org/abs/2211.17192
Source: llama.cpp, issue 3649: the speed of a draft at its measured acceptance,
    https://github.com/ggml-org/llama.cpp/issues/3649
Terms: token acceptance rate, acceptance rate, draft model, speculative decoding slower, lookahead, gamma,
    num_speculative_tokens, distillation, break-even, acceptance length, rejection
Right when: Acceptance is high: then the price of the draft is what is left to gain.
Limits: Guesses stand independently of each other, and a pass over γ + 1 tokens costs what a pass over one
    costs, so it must be memory-bound. A draft of a 70th of the parameters takes more than a 70th of the
    time. Whether checking stays that cheap is the page speculative_pays_per_checked_token; which distance
    acceptance is, draft_is_judged_by_kl.
"""

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.speculation import mean_tokens


def a_share_of_the_guesses(accepted, gamma):
    """A pass yields its own token and the accepted share of γ guesses, 1 + a·γ."""
    return 1 + accepted * gamma


def guesses_that_stand(accepted, gamma):
    """A guess stands with probability a, two with a², and so on, and what stands is what a pass yields."""
    return sum(accepted**i for i in range(1, gamma + 1))


def up_to_the_first_rejection(accepted, gamma):
    """A pass yields 1 + a + a² + … + a^γ tokens, as a guess counts only if all before it stand.

    That is 2.38 at 0.6 and γ = 5, and (1 - a^(γ+1))/(1 - a) below a = 1. The target's own token comes on
    top: it replaces the first rejected guess, or follows the last accepted one.
    """
    return sum(accepted**i for i in range(gamma + 1))


def make_the_draft_faster(accepted, gamma, cost):
    """Drafting takes the time, so a smaller or a quantized draft brings the speed-up."""
    return (1 + gamma) / (gamma * cost + 1)


def no_speed_up_at_worst(accepted, gamma, cost):
    """Tokens of a pass over its price; if the guesses are rejected there is no speed-up, and no harm."""
    return max(1, sum(accepted**i for i in range(gamma + 1)) / (gamma * cost + 1))


def drafts_are_free(accepted, gamma, cost):
    """The target's passes are what takes time, and each yields several tokens."""
    return sum(accepted**i for i in range(gamma + 1))


def tokens_over_price(accepted, gamma, cost):
    """Tokens of a pass, over the price of the pass and γ drafts: slower than plain if too few stand.

    A draft that is never right slows decoding down to 1/(γ·c + 1): 0.93 for five guesses at a 70th of the
    price, 0.5 for five at a fifth. At a 70th, an acceptance of 0.067 breaks even.
    """
    return sum(accepted**i for i in range(gamma + 1)) / (gamma * cost + 1)


rates = st.integers(0, 8).map(lambda eighths: eighths / 8)
gammas = st.integers(1, 6)


@claim(
    wrong=(make_the_draft_faster, no_speed_up_at_worst, drafts_are_free),
    right=tokens_over_price,
    evidence="derived",
)
@example(accepted=0.0, gamma=5, cost=1 / 70)
@example(accepted=0.0, gamma=5, cost=0.0)
@example(accepted=0.067, gamma=5, cost=1 / 70)
@example(accepted=0.6, gamma=5, cost=1 / 70)
@example(accepted=0.3, gamma=5, cost=1 / 70)
@example(accepted=0.3, gamma=5, cost=0.11)
@example(accepted=0.0, gamma=5, cost=0.2)
@example(accepted=0.44, gamma=5, cost=0.11)
@given(accepted=rates, gamma=gammas, cost=st.integers(0, 20).map(lambda twentieths: twentieths / 20))
def test_draft_speed(answer, accepted, gamma, cost):
    """A draft speeds decoding up or slows it down, by the tokens of a pass over what they cost.

    accepted: chance of a guess to stand if all before it do
    cost: time of drafting a token over that of a pass of the target
    """
    price = 1 + gamma * cost  # in passes of the target, of which plain decoding takes one per token

    assert observe(speed=mean_tokens(accepted, gamma) / price) == approx(answer(accepted, gamma, cost))


@claim(
    wrong=(a_share_of_the_guesses, guesses_that_stand),
    right=up_to_the_first_rejection,
    evidence="simulated",
)
@example(accepted=0.6, gamma=5)
@example(accepted=1.0, gamma=5)
@given(accepted=rates, gamma=gammas)
def test_draft_tokens_of_a_pass(answer, accepted, gamma):
    """A pass yields the guesses before the first rejection, and one token more.

    accepted: chance of a guess to stand if all before it do
    """
    assert observe(tokens=mean_tokens(accepted, gamma)) == approx(answer(accepted, gamma))
