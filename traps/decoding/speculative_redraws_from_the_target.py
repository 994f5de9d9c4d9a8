"""Speculative decoding and the law of the text

A draft model proposes tokens, and the target keeps each with probability min(1, p/q). What is drawn in
place of a rejected one, so that the text is distributed as the target's own?

Answer: A token from the residual, the normalized positive part of p - q: what the draft proposes too
    seldom. If all drafts stand, a bonus token comes from the target. Then the law of the text is exactly p.
    Drawing from p again favours the draft: with p = (½, ¼, ¼, 0) and q = (¼, ¼, ½, 0) one outcome in eight
    comes out wrong.
Says: Rejection sampling accepts the longest prefix of tokens that aligns with the target's distribution, so
    the output stays statistically identical to the original model's.
Verdict: holds if a rejected token is redrawn from the residual and the bonus token from the target
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 2
Source: Leviathan, Kalman and Matias 2022, "Fast Inference from Transformers via Speculative Decoding",
    section 2.3 and appendix A.1, https://arxiv.org/abs/2211.17192
Source: Chen et al. 2023, "Accelerating Large Language Model Decoding with Speculative Sampling", theorem 1,
    https://arxiv.org/abs/2302.01318
Source: mlx-swift-lm, pull 459, on the acceptance rule,
    https://github.com/ml-explore/mlx-swift-lm/pull/459
Terms: speculative decoding, speculative sampling, rejection sampling, residual distribution, acceptance
    rate, acceptance rule, bonus token, lossless, draft model, target model, verification, norm(max(0, p -
    q))
Right when: The draft is the target: nothing is rejected, so nothing is drawn again.
Limits: Laws that do not depend on what was written, in quarters over four tokens; every branch of chance is
    walked. To draw the target's own token, emit it, and count the draft as accepted where both agree keeps
    the law as well, and accepts less often. The bits of a text need not be the target's, as logits of
    several positions at once differ in the last places.
"""

from itertools import accumulate, product
from math import prod

from hypothesis import example, given, strategies as st

from fixtures import claim, observe
from fixtures.chance import law


def draw(weights, rng):
    """A token, its chance in proportion to its weight."""
    ticket = rng.randrange(sum(weights))
    return next(token for token, reach in enumerate(accumulate(weights)) if ticket < reach)


def positive_part(p, q):
    """What the draft proposes too seldom; nothing is rejected where that is nothing."""
    return [max(a - b, 0) for a, b in zip(p, q, strict=True)]


def verify(p, gamma, rng, draft, keeps, again, bonus):
    """A pass: γ tokens from the draft, each kept or in its place one of `again`, behind the last a bonus."""
    written = []
    for token in [draw(draft, rng) for _ in range(gamma)]:
        if not keeps(token):
            return (*written, draw(again, rng))
        written.append(token)
    return (*written, draw(bonus, rng))


def redraw_from_the_target(p, q, gamma, rng):
    """The token is to follow the target, so draw it from the target."""
    return verify(p, gamma, rng, q, lambda t: rng.randrange(q[t]) < p[t], again=p, bonus=p)


def redraw_from_the_draft(p, q, gamma, rng):
    """Let the draft try again, it is the cheap one."""
    return verify(p, gamma, rng, q, lambda t: rng.randrange(q[t]) < p[t], again=q, bonus=p)


def redraw_by_the_distance(p, q, gamma, rng):
    """Draw where the two models differ, in proportion to how much."""
    apart = [abs(a - b) for a, b in zip(p, q, strict=True)]
    return verify(p, gamma, rng, q, lambda t: rng.randrange(q[t]) < p[t], again=apart, bonus=p)


def bonus_from_the_draft(p, q, gamma, rng):
    """The draft has earned it: if all its tokens stand, its next one does too."""
    return verify(p, gamma, rng, q, lambda t: rng.randrange(q[t]) < p[t], again=positive_part(p, q), bonus=q)


def keep_what_the_target_draws_too(p, q, gamma, rng):
    """Keep a token if the target, drawing for itself, draws the same; else redraw from the residual."""
    again = positive_part(p, q) if p != q else p
    return verify(p, gamma, rng, q, lambda t: draw(p, rng) == t, again=again, bonus=p)


def redraw_what_the_draft_lacks(p, q, gamma, rng):
    """Keep with min(1, p/q), redraw from the positive part of p - q, and take the bonus from the target.

    A kept draft contributes min(p, q) to the chance of a token. What p lacks then is max(p - q, 0), and a
    rejection happens exactly as often as the sum of that.
    """
    return verify(p, gamma, rng, q, lambda t: rng.randrange(q[t]) < p[t], again=positive_part(p, q), bonus=p)


# A law over four tokens in quarters: the lengths into which three cuts divide 0..4.
quarters = st.lists(st.integers(0, 4), min_size=3, max_size=3).map(
    lambda cuts: [b - a for a, b in zip([0, *sorted(cuts)], [*sorted(cuts), 4], strict=True)]
)


@claim(
    wrong=(
        redraw_from_the_target,
        redraw_from_the_draft,
        redraw_by_the_distance,
        bonus_from_the_draft,
        keep_what_the_target_draws_too,
    ),
    right=redraw_what_the_draft_lacks,
    evidence="simulated",
    examples=40,
)
@example(p=[2, 1, 1, 0], q=[1, 1, 2, 0], gamma=1)
@example(p=[2, 1, 1, 0], q=[1, 1, 2, 0], gamma=2)
@example(p=[2, 1, 1, 0], q=[2, 1, 1, 0], gamma=1)
@example(p=[4, 0, 0, 0], q=[0, 2, 1, 1], gamma=1)
@given(p=quarters, q=quarters, gamma=st.integers(1, 2))
def test_speculative_text_keeps_the_law(answer, p, q, gamma):
    """Whatever a pass accepts, the text has the target's law exactly.

    p: the target's law, in quarters
    q: the draft's law, in quarters
    """

    def text(rng):
        # What a pass leaves unwritten the target writes, so that all texts are as long.
        written = answer(p, q, gamma, rng)
        return (*written, *(draw(p, rng) for _ in range(gamma + 1 - len(written))))

    chance = law(text)
    own = {
        tokens: prod(p[t] for t in tokens) / 4 ** (gamma + 1)
        for tokens in product(range(4), repeat=gamma + 1)
    }
    distance = sum(abs(chance.get(tokens, 0) - share) for tokens, share in own.items()) / 2

    assert observe(total_variation=float(distance)) == 0
