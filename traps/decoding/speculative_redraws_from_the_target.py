"""Speculative decoding and the law of the text

A draft model proposes a token from its law q, and the target, whose law is p, keeps it with probability
min(1, p/q). What is drawn in place of a rejected one, so that the text is distributed as the target's
own?

Answer: The normalized positive part of p - q: a kept guess contributes min(p, q), and that is what is
    missing to p. Drawn from p itself, the text leans towards the draft. If all γ guesses stand, a bonus
    token comes from the target. The law of the text is then exactly p, and 0.75 of the guesses stand at p
    = (1/2, 1/4, 1/4), q = (1/4, 1/4, 1/2).
Says: Rejection sampling checks a speculated sequence in one forward pass, and the output remains
    statistically identical to the original model's.
Verdict: holds if a rejected token is redrawn from the residual and the bonus token from the target
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 2
Source: Leviathan, Kalman and Matias 2022, "Fast Inference from Transformers via Speculative Decoding",
    section 2.3 and appendix A.1, https://arxiv.org/abs/2211.17192
Source: Chen et al. 2023, "Accelerating Large Language Model Decoding with Speculative Sampling", theorem
    1, https://arxiv.org/abs/2302.01318
Terms: speculative decoding, speculative sampling, rejection sampling, modified rejection sampling,
    residual distribution, acceptance rate, bonus token, lossless, draft model, target model, norm(max(0,
    p - q))
Limits: Of one guess no lossless rule accepts more; of blocks, block verification does (Sun et al. 2024,
    arXiv 2403.10444). Laws and not bits: in floats a check rounds otherwise. Greedy:
    speculative_accepts_what_is_likely.
"""

from itertools import accumulate

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.chance import law, shares
from fixtures.speculation import Decoder, speculate, total_variation


def redraw_from_the_target(draft, target, text, gamma, rng):
    """The token is to follow the target, so draw it from the target."""
    return speculate(draft, target, text, gamma, rng, keep=ratio, redraw=lambda p, q, token: p)


def equal_else_residual(draft, target, text, gamma, rng):
    """The target draws as well: a guess stands if it is equal, else the residual is drawn from."""
    return speculate(draft, target, text, gamma, rng, keep=lambda p, q: p, redraw=residual)


def bonus_from_the_draft(draft, target, text, gamma, rng):
    """If all guesses stand the draft is good here: it may write one more."""
    return speculate(draft, target, text, gamma, rng, keep=ratio, redraw=residual, bonus=draft)


def equal_to_the_targets_draw(draft, target, text, gamma, rng):
    """The target draws as well, and its token is emitted; a guess stands if it is equal."""
    return speculate(draft, target, text, gamma, rng, keep=lambda p, q: p, redraw=another)


def redraw_what_the_draft_lacks(draft, target, text, gamma, rng):
    """Keep a guess by p/q, and in place of a rejected one draw from what the draft lacks.

    A guess is kept with min(1, p/q) and so contributes min(p, q) to the chance of a token. What is
    missing to p is max(p - q, 0), and a rejection happens exactly as often as the sum of that. The
    bonus token comes from the target.
    """
    return speculate(draft, target, text, gamma, rng, keep=ratio, redraw=residual)


def ratio(p, q):
    """The chance that a guess stands, which the target gives p and the draft q."""
    return min(1, p / q) if q else 1


def residual(p, q, token):
    """What the draft lacks, or p if rounding alone made them differ."""
    lacks = [max(a - b, 0) for a, b in zip(p, q, strict=True)]
    return lacks if any(lacks) else p


def another(p, q, token):
    """The target's law without the token that was rejected."""
    return [*p[:token], 0, *p[token + 1 :]]


def turning(p):
    """A model whose law of the next token is p, turned by the sum of the tokens before."""
    return lambda text: [p[-s % 4 :] + p[: -s % 4] for s in accumulate(text)]


laws = st.lists(st.integers(0, 4), min_size=3, max_size=3).map(lambda cuts: shares(cuts, 4))
texts = st.lists(st.integers(0, 3), min_size=1, max_size=2)


@claim(
    wrong=(redraw_from_the_target, equal_else_residual, bonus_from_the_draft),
    right=redraw_what_the_draft_lacks,
    evidence="simulated",
    examples=40,
)
@example(p=shares([2, 3, 4], 4), q=shares([1, 2, 4], 4), gamma=1)  # (1/2, 1/4, 1/4), (1/4, 1/4, 1/2)
@given(p=laws, q=laws, gamma=st.integers(1, 2))
def test_speculative_step_keeps_the_law(answer, p, q, gamma):
    """Whatever a step of draft and check emits, and the target goes on to write, has the target's law.

    p: law of the target
    q: law of the draft
    target: the model whose text is wanted, which tells its laws as the draft does
    """
    chance = law(lambda rng: tuple(answer(turning(q), turning(p), [0], gamma, rng)))

    first = [sum(share for text, share in chance.items() if text[0] == token) for token in range(4)]
    assert observe(first=[float(share) for share in first]) == approx(p)
    assert observe(total_variation=total_variation(chance, turning(p), [0], gamma + 1)) == approx(0, abs=1e-9)


@claim(wrong=equal_to_the_targets_draw, right=redraw_what_the_draft_lacks, evidence="simulated", examples=40)
@example(p=shares([2, 3, 4], 4), q=shares([1, 2, 4], 4))
@given(p=laws, q=laws)
def test_speculative_step_accepts_the_overlap(answer, p, q):
    """A single guess is accepted with the sum of min(p, q).

    p: law of the target
    q: law of the draft
    target: the model whose text is wanted, which tells its laws as the draft does
    """
    one, two = (law(lambda rng, n=n: tuple(answer(turning(q), turning(p), [0], n, rng))) for n in (1, 2))

    accepted = sum(share for text, share in one.items() if len(text) == 2)
    assert observe(accepted=float(accepted)) == approx(sum(map(min, p, q)))
    # Two guesses can both stand, unless none can.
    assert max(map(len, two)) == (3 if accepted else 1)


@claim(
    wrong=(redraw_from_the_target, equal_else_residual, bonus_from_the_draft),
    right=redraw_what_the_draft_lacks,
    evidence="simulated",
    examples=12,
)
@given(seed=st.integers(0, 9999), noise=st.sampled_from([0.3, 0.0, 1.0]), gamma=st.integers(1, 2), text=texts)
def test_speculative_text_of_transformers_keeps_the_law(answer, seed, noise, gamma, text):
    """A transformer that checks another's guesses in one pass writes texts of its own law.

    target: the model whose text is wanted, which tells its laws as the draft does
    """
    target, draft = Decoder(seed, vocab=4), Decoder(seed, noise, vocab=4)

    chance = law(lambda rng: tuple(answer(draft, target, text, gamma, rng)))

    assert observe(total_variation=total_variation(chance, target, text, gamma + 1)) == approx(0, abs=1e-9)
