"""How often a draft's token is accepted

The target of speculative decoding wants the next token from law p, the draft proposes one from law q. What
decides how often the proposal is accepted: the divergence of the laws, or whether they prefer the same token?

Verdict: holds if "diverges sharply" means a large total variation distance, and not a large divergence
Asked: AI Interview Prep newsletter, LLM System Design #50
Source: Leviathan, Kalman and Matias 2022, "Fast Inference from Transformers via Speculative Decoding",
    theorem 3.5 and corollary 3.6, https://arxiv.org/abs/2211.17192
Right when: Both models decode greedily: then the preferred token is all that counts.
Limits: One token; how acceptance turns into time is another page's question. The newsletter's abstract breaks
    off in mid-sentence; only what is visible is judged.
"""

from itertools import pairwise
from math import exp, log

from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.chance import law


def exp_minus_kl(p, q):
    """Acceptance falls off with the divergence of the draft from the target, as exp(-KL)."""
    if any(a > 0 and b == 0 for a, b in zip(p, q, strict=True)):
        return 0.0
    return exp(-sum(a * log(a / b) for a, b in zip(p, q, strict=True) if a > 0))


def same_favourite(p, q):
    """The proposal is accepted if it is what the target would have said."""
    return 1.0 if p.index(max(p)) == q.index(max(q)) else 0.0


def both_draw_the_same(p, q):
    """The two have to agree on a token, so it is the chance that both draw the same."""
    return sum(a * b for a, b in zip(p, q, strict=True))


def overlap(p, q):
    """The sum of min(p, q) over all tokens, which is 1 less the total variation distance.

    A token is proposed with probability q and accepted with min(1, p/q). A divergence asks for ratios:
    p = (½, ½) against q = (1, 0) has an infinite one, and every other proposal is accepted.
    """
    return sum(map(min, p, q))


def draw(chances, rng):
    """A token; the chances are in eighths."""
    number = rng.randrange(8)
    return next(token for token in range(len(chances)) if number < 8 * sum(chances[: token + 1]))


def accepted(p, q, rng):
    """Propose a token from q and accept it with probability min(1, p/q)."""
    token = draw(q, rng)
    return rng.randrange(int(8 * q[token])) < 8 * p[token]


def cut(places):
    """The lengths into which cuts divide 0..8, in eighths."""
    edges = [0, *sorted(places), 8]
    return [(right - left) / 8 for left, right in pairwise(edges)]


# Four tokens: of three the total variation distance is the largest difference as well.
laws = st.lists(st.integers(0, 8), min_size=3, max_size=3).map(cut)


@claim(wrong=(exp_minus_kl, same_favourite, both_draw_the_same), right=overlap)
@given(p=laws, q=laws)
def test_draft_acceptance(answer, p, q):
    """A drafted token is accepted as often as the two laws overlap."""
    chance = law(lambda rng: accepted(p, q, rng))

    assert observe(acceptance=float(chance.get(True, 0))) == approx(answer(p, q))
