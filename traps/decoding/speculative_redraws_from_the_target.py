"""Speculative decoding and the law of the text

A small draft model proposes tokens, and the target keeps each with probability min(1, p/q). From which law
is another token drawn in place of a rejected one, so that the text is distributed as the target's own?

Verdict: holds
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 2
Source: Leviathan, Kalman and Matias 2022, "Fast Inference from Transformers via Speculative Decoding",
    section 2.3 and appendix A.1, https://arxiv.org/abs/2211.17192
Source: Chen et al. 2023, "Accelerating Large Language Model Decoding with Speculative Sampling",
    theorem 1, https://arxiv.org/abs/2302.01318
Right when: The draft is the target: nothing is rejected, so nothing is drawn again.
Limits: The law of the text is the target's; its bits need not be, as logits of several tokens at once differ
    in the last places from those of one at a time.
"""

from itertools import accumulate

import torch
import torch.nn.functional as F
from hypothesis import given, strategies as st
from torch import nn

from fixtures import claim, observe
from fixtures.chance import law
from fixtures.nets import LM


def redraw_from_the_target(p, q):
    """The token shall follow the target, so draw it from the target."""
    return p


def redraw_from_the_draft(p, q):
    """Let the draft try again, it is the cheap one."""
    return q


def redraw_the_likeliest(p, q):
    """A rejected token is replaced by the target's best one."""
    return F.one_hot(p.argmax(-1), p.shape[-1])


def redraw_by_the_distance(p, q):
    """Draw where the two models differ, in proportion to how much."""
    return (p - q).abs()


def redraw_what_the_draft_lacks(p, q):
    """From the positive part of p - q: what the draft proposes too seldom.

    An accepted draft contributes min(p, q) to the chance of a token. What is missing to p is max(p - q, 0),
    and a rejection happens exactly as often as the sum of that.
    """
    return (p - q).clamp(min=0)


def draw(weights, rng):
    """A token, its chance in proportion to its weight."""
    ticket = rng.randrange(sum(weights))
    return next(token for token, reach in enumerate(accumulate(weights)) if ticket < reach)


def speculate(p, q, again, rng):
    """One token: drafted from q, and kept with probability min(1, p/q) or drawn again."""
    token = draw(q, rng)
    return token if rng.randrange(q[token]) < p[token] else draw(again, rng)


# A text of two tokens out of five, so of 25 kinds, written 20 000 times.
VOCAB, TEXTS = 5, 20_000


@torch.no_grad()
def next_token_laws(seed):
    """Laws of a random causal transformer: of the first token [5], and of the second after each [5, 5]."""
    model, random = LM(VOCAB + 1, d=8, layers=1), torch.Generator().manual_seed(seed)
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.3, generator=random)
    start = torch.full((VOCAB,), VOCAB)
    texts = torch.stack([start, torch.arange(VOCAB)], dim=1)
    laws = model.logits(texts)[..., :VOCAB].softmax(-1).double()
    return laws[0, 0], laws[:, 1]


def draw_all(weights, random):
    """As `draw`, a row a text."""
    reach = weights.cumsum(-1, dtype=torch.float64)
    ticket = torch.rand(TEXTS, 1, generator=random, dtype=torch.float64) * reach[:, -1:]
    return (reach[:, :-1] <= ticket).sum(-1)


def speculate_all(p, q, again, random):
    """As `speculate`, a row a text."""
    token, row = draw_all(q, random), torch.arange(TEXTS)
    kept = torch.rand(TEXTS, generator=random, dtype=torch.float64) * q[row, token] < p[row, token]
    return torch.where(kept, token, draw_all(again, random))


# A law over three tokens in quarters: the lengths into which two cuts divide 0..4.
quarters = st.lists(st.integers(0, 4), min_size=2, max_size=2).map(
    lambda cuts: [min(cuts), max(cuts) - min(cuts), 4 - max(cuts)]
)


@claim(
    wrong=(redraw_from_the_target, redraw_from_the_draft, redraw_the_likeliest, redraw_by_the_distance),
    right=redraw_what_the_draft_lacks,
    examples=60,
)
@given(p=quarters, q=quarters)
def test_speculative_token_keeps_the_law(answer, p, q):
    """A token that is drafted, and drawn again if rejected, has the target's law exactly."""
    again = answer(torch.tensor(p), torch.tensor(q)).tolist()

    chance = law(lambda rng: speculate(p, q, again, rng))

    assert observe(quarters=[float(4 * chance.get(token, 0)) for token in range(3)]) == p


@claim(
    wrong=(redraw_from_the_target, redraw_from_the_draft, redraw_the_likeliest, redraw_by_the_distance),
    right=redraw_what_the_draft_lacks,
    evidence="simulated",
    examples=12,
)
@given(seed=st.integers(0, 500))
def test_speculative_text_keeps_the_joint_law(answer, seed):
    """Texts of two tokens from two transformers follow the joint law of the target."""
    (p, p_after), (q, q_after) = next_token_laws(seed), next_token_laws(seed + 1000)
    random = torch.Generator().manual_seed(seed)

    first = speculate_all(*(each.expand(TEXTS, -1) for each in (p, q, answer(p, q))), random)
    second = speculate_all(*(each[first] for each in (p_after, q_after, answer(p_after, q_after))), random)
    written = torch.bincount(VOCAB * first + second, minlength=VOCAB**2) / TEXTS
    distance = (written - (p[:, None] * p_after).flatten()).abs().sum().item() / 2

    # 20 000 draws keep a mean distance of at most sqrt(25 / 20 000 / 2π) = 0.0141 from their own law, and its
    # deviation is at most sqrt(1 / 20 000) / 2 = 0.0035: five of them on top.
    assert observe(distance=distance) <= 0.0318
