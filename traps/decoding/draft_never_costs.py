"""What a bad draft does to the speed of decoding

A draft proposes γ tokens for the price of γ·c passes of the target, one pass checks them, and a share of the
guesses stands. How many tokens does a pass yield, how much faster is decoding, and can it be slower?

Verdict: holds if "no speed-up" of a draft that is never right reads a slow-down to 1/(γ·c + 1)
Asked: AI Interview Prep newsletter, LLM System Design #50
Source: Leviathan, Kalman and Matias 2022, "Fast Inference from Transformers via Speculative Decoding",
    equation 1, theorem 3.8 and corollary 3.9, https://arxiv.org/abs/2211.17192
Right when: The draft is free, as a look-up in the prompt nearly is: then the worst is no speed-up.
Limits: Guesses stand independently of each other, and a pass over γ + 1 tokens costs what a pass over one
    costs, so it must be memory-bound. The newsletter's abstract breaks off in mid-sentence; only what is
    visible is judged.
"""

from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.speculation import mean_tokens


def a_share_of_the_guesses(accepted, gamma):
    """A pass yields its own token and the accepted share of γ guesses."""
    return 1 + accepted * gamma


def guesses_that_stand(accepted, gamma):
    """A guess stands with probability a, two with a², and so on: what stands is what a pass yields."""
    return sum(accepted**i for i in range(1, gamma + 1))


def up_to_the_first_rejection(accepted, gamma):
    """1 + a + a² + … + a^γ, which is (1 - a^(γ+1))/(1 - a).

    A guess counts only if all before it stand. The target's own token comes on top: it replaces the first
    rejected guess, or follows the last accepted one.
    """
    return sum(accepted**i for i in range(gamma + 1))


def no_speed_up_at_worst(accepted, gamma, cost):
    """Tokens of a pass over its price; if the guesses are rejected there is no speed-up."""
    return max(1, sum(accepted**i for i in range(gamma + 1)) / (gamma * cost + 1))


def drafts_are_free(accepted, gamma, cost):
    """The target's passes are what takes time, and each yields several tokens."""
    return sum(accepted**i for i in range(gamma + 1))


def tokens_over_price(accepted, gamma, cost):
    """Tokens of a pass, over the price of the pass and γ drafts: below 1 if too few guesses stand.

    A draft that is never right leaves a token a pass, and slows it down to 1/(γ·c + 1): 0.93 for five
    guesses at a 70th of the price, 0.5 for five at a fifth.
    """
    return sum(accepted**i for i in range(gamma + 1)) / (gamma * cost + 1)


def smaller_is_cheap_enough(accepted, gamma):
    """Any draft that is smaller than the target."""
    return 1.0


def right_more_often_than_not(accepted, gamma):
    """A draft whose guesses stand more often than not, at any price below the target's."""
    return 1.0 if accepted > 0.5 else 0.0


def acceptance_is_the_price(accepted, gamma):
    """A guess may cost what it saves: its acceptance, as a share of a pass."""
    return accepted


def mean_share_that_stands(accepted, gamma):
    """The mean of a, a², …, a^γ: what a guess saves on average.

    Only for γ = 1 is it the acceptance itself. Later guesses stand less often and cost the same.
    """
    return sum(accepted**i for i in range(1, gamma + 1)) / gamma


acceptances = st.integers(0, 8).map(lambda eighths: eighths / 8)
gammas = st.integers(1, 6)


@claim(wrong=(a_share_of_the_guesses, guesses_that_stand), right=up_to_the_first_rejection)
@given(accepted=acceptances, gamma=gammas)
def test_draft_tokens_of_a_pass(answer, accepted, gamma):
    """A pass yields the guesses before the first rejection, and one token more."""
    assert observe(tokens=mean_tokens(accepted, gamma)) == approx(answer(accepted, gamma))


@claim(wrong=(no_speed_up_at_worst, drafts_are_free), right=tokens_over_price)
@given(accepted=acceptances, gamma=gammas, cost=st.integers(1, 20).map(lambda twentieths: twentieths / 20))
def test_draft_speed(answer, accepted, gamma, cost):
    """A draft speeds decoding up or slows it down, by the tokens of a pass over what they cost."""
    price = 1 + gamma * cost  # in passes of the target, of which plain decoding takes one a token

    assert observe(speed=mean_tokens(accepted, gamma) / price) == approx(answer(accepted, gamma, cost))


@claim(
    wrong=(smaller_is_cheap_enough, right_more_often_than_not, acceptance_is_the_price),
    right=mean_share_that_stands,
)
@given(accepted=acceptances, gamma=gammas)
def test_draft_break_even_price(answer, accepted, gamma):
    """The dearest draft that still pays costs what its average guess saves."""
    passes_saved = mean_tokens(accepted, gamma) - 1

    assert observe(price=passes_saved / gamma) == approx(answer(accepted, gamma))
