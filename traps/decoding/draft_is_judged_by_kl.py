"""How often a draft's token is accepted

The distribution of a draft diverges sharply from the target's. Which distance between the two laws
decides how many of its tokens are accepted?

Answer: Total variation. A token is proposed with probability q and kept with min(1, p/q), so acceptance
    is the overlap, the sum of min(p, q). KL may be infinite while half of the tokens are accepted, as
    with p = (½, ½) against q = (1, 0). So watch acceptance itself; a falling KL in distillation is a
    means to it.
Says: The draft's token distribution diverges sharply from the target's, which results in a near-zero
    acceptance rate.
Verdict: holds if "diverges sharply" means a large total variation distance
Asked: AI Interview Prep newsletter, LLM System Design #50
Source: Leviathan, Kalman and Matias 2022, "Fast Inference from Transformers via Speculative Decoding",
    theorem 3.5 and corollary 3.6, https://arxiv.org/abs/2211.17192
Terms: acceptance rate, token acceptance rate, total variation distance, TVD, KL divergence, overlap,
    draft alignment, distillation, DistillSpec, speculative decoding
Right when: KL is small: by Pinsker's inequality acceptance is 1 - √(KL/2) or more.
Limits: One token, in eighths over four tokens; every branch of chance is walked. How acceptance turns
    into time is the page draft_is_too_slow. The stored text of the newsletter stops after the words that
    are judged.
"""

from math import log

from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe
from fixtures.chance import law, shares
from fixtures.speculation import speculate


def the_bound_of_pinsker(p, q):
    """Acceptance is 1 - √(KL/2), so it falls off with the divergence of the draft from the target."""
    if any(a > 0 and b == 0 for a, b in zip(p, q, strict=True)):
        return 0.0
    kl = sum(a * log(a / b) for a, b in zip(p, q, strict=True) if a > 0)
    return max(0.0, 1 - (kl / 2) ** 0.5)


def same_favourite(p, q):
    """The proposal is accepted if it is what the target would have said."""
    return 1.0 if p.index(max(p)) == q.index(max(q)) else 0.0


def both_draw_the_same(p, q):
    """The two have to agree on a token, so it is the chance that both draw the same."""
    return sum(a * b for a, b in zip(p, q, strict=True))


def largest_difference(p, q):
    """What is rejected is where the laws are furthest apart, the largest difference of two chances."""
    return 1 - max(abs(a - b) for a, b in zip(p, q, strict=True))


def overlap(p, q):
    """The sum of min(p, q) over all tokens, which is 1 less the total variation distance.

    A token is proposed with probability q and kept with min(1, p/q), and the product is min(p, q): 0.5
    for (½, ½, 0, 0) against (1, 0, 0, 0), 0.5 for laws that run in opposite directions.
    """
    return sum(map(min, p, q))


# Four tokens: of three the total variation distance is the largest difference as well.
laws = st.lists(st.integers(0, 8), min_size=3, max_size=3).map(lambda cuts: shares(cuts, 8))


@claim(
    wrong=(the_bound_of_pinsker, same_favourite, both_draw_the_same, largest_difference),
    right=overlap,
    evidence="simulated",
)
@example(p=shares([4, 8, 8], 8), q=shares([8, 8, 8], 8))  # (½, ½, 0, 0), (1, 0, 0, 0)
@example(p=shares([4, 6, 7], 8), q=shares([1, 2, 4], 8))  # (½, ¼, ⅛, ⅛), (⅛, ⅛, ¼, ½)
@example(p=shares([2, 4, 6], 8), q=shares([2, 4, 6], 8))
@example(p=shares([4, 8, 8], 8), q=shares([0, 0, 4], 8))  # (½, ½, 0, 0), (0, 0, ½, ½)
@given(p=laws, q=laws)
def test_draft_acceptance(answer, p, q):
    """A drafted token is accepted as often as the two laws overlap.

    p: the target's law, a chance per token
    q: the draft's law, a chance per token
    """

    def step(rng):
        """The tokens that a check of one guess writes: two if it stands."""
        draft, target = (lambda text, its=its: [its] * len(text) for its in (q, p))
        new = speculate(draft, target, [0], 1, rng, keep=lambda p, q: min(1, p / q), redraw=lambda p, q, _: p)
        return len(new)

    acceptance = law(step).get(2, 0)

    assert observe(acceptance=float(acceptance)) == approx(float(answer(p, q)))
