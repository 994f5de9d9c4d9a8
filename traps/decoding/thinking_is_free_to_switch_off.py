"""Thinking and not thinking with one set of weights

Qwen3 answers with a chain of thought or without one, as a flag in the prompt says, "without sacrificing" hard
problems. What must a model learn from for the flag to work, and what do questions lose without the chain?

Verdict: refuted as stated: the switch is learned from answers of both kinds that carry the flag, and hard
    questions lose without their chain; no mixing head and no REINFORCE takes part, and the flag /no_think
    has to be set by somebody
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 10
Source: Qwen Team 2025, "Qwen3 Technical Report", section 4.3 and table 22, https://arxiv.org/abs/2505.09388
Source: Zelikman et al. 2024, "Quiet-STaR: Language Models Can Teach Themselves to Think Before Speaking",
    https://arxiv.org/abs/2403.09629
Right when: The question is easy: one that the weights answer in a single step.
Limits: Three seeds of a small network that is handed the bit which attention would have to find. In table 22
    fused thinking keeps 81.9, in the end 81.4, of 83.8 on AIME'24, and no thinking reaches 31.0; the report
    accepts that loss for versatility. Of Quiet-STaR, whose method the book gives as that of Qwen3, the
    abstract was read.
"""

from functools import cache

import torch
import torch.nn.functional as F
from hypothesis import given, strategies as st
from pytest import approx

from fixtures import claim, observe


def mix_without_a_flag(cells):
    """Learn from short answers and chains alike: the model sees by itself what a question needs."""
    return [[(question, None, mode == "think") for question, mode in cells]]


def think_then_tune_short(cells):
    """First learn to think, then to answer in short: the model can do both."""
    return [[(question, mode, chain) for question, mode in cells] for chain in (True, False)]


def flag_the_chains_alone(cells):
    """Learn from chains, with the flag in the prompt: not to think needs no lesson."""
    return [[(question, mode, True) for question, mode in cells]]


def flag_both_kinds(cells):
    """One mixture, in which every answer carries the flag that asks for its kind.

    The flag is an input like any other: weights that saw both kinds under it can tell them apart.
    """
    return [[(question, mode, mode == "think") for question, mode in cells]]


def chain_is_for_show(question, mode):
    """The weights know the answer; the flag only spares us the chain."""
    return 1.0


def hard_questions_need_the_chain(question, mode):
    """Easy questions are answered in both modes, hard ones with their chain alone.

    A chain takes one step a token, each of them easy. What was not learned as one step is not done in one.
    """
    return 0.0 if (question, mode) == ("hard", "no_think") else 1.0


# A question shows 8 bits and asks for the first (easy) or for their parity (hard). A chain is the parity so
# far, bit by bit, in tokens 0 and 1. The answer is token 2 or 3, and 4 stands before the first token. Lessons
# hold 96 of the 256 strings, the rest is for the test; three networks learn side by side, one a seed.
BITS, START, LESSONS, SEEDS = 8, 4, 96, 3
CELLS = tuple((question, mode) for question in ("easy", "hard") for mode in ("no_think", "think"))


def solution(bits, question, chain):
    """The tokens to write for some bits [..., 8]."""
    parity = bits.cumsum(-1) % 2
    result = 2 + (parity[..., -1:] if question == "hard" else bits[..., :1])
    return torch.cat([parity, result], -1) if chain else result


def sight(bits, question, flag, before, step):
    """What the network sees at a step: the prompt, the token before, the bit where attention would look."""
    told = torch.tensor([question == "hard", flag == "think", flag == "no_think"]).expand(*before.shape, 3)
    signs = F.pad(2 * bits - 1, (0, 1))
    return torch.cat([told, F.one_hot(before, START + 1), signs, signs[..., step, None]], -1).float()


def logits(w, x):
    """Three products with two rectifiers between."""
    return ((x @ w[0]).relu() @ w[1]).relu() @ w[2]


@cache
def train(phases):
    """Share of right answers and mean tokens [SEEDS] of every cell, for bits that no lesson held."""
    random = torch.Generator().manual_seed(0)
    every = torch.arange(2**BITS)[:, None] >> torch.arange(BITS) & 1
    bits = torch.stack([every[torch.randperm(2**BITS, generator=random)] for _ in range(SEEDS)])
    shapes = [(sight(bits, "", "", bits[..., 0], 0).shape[-1], 32), (32, 32), (32, 4)]
    w = [(torch.randn(SEEDS, *s, generator=random) * (2 / s[0]) ** 0.5).requires_grad_() for s in shapes]
    for lessons in phases:
        x, y = [], []
        for question, flag, chain in lessons:
            text = F.pad(solution(bits[:, :LESSONS], question, chain), (1, 0), value=START)
            for step in range(text.shape[-1] - 1):
                x.append(sight(bits[:, :LESSONS], question, flag, text[..., step], step))
                y.append(text[..., step + 1])
        x, y = torch.cat(x, 1), torch.cat(y, 1)
        optimizer = torch.optim.AdamW(w, lr=0.03)
        for _ in range(100):
            optimizer.zero_grad()
            F.cross_entropy(logits(w, x).flatten(0, 1), y.flatten()).backward()
            optimizer.step()
    flags = {flag for lessons in phases for _, flag, _ in lessons}
    return {(q, mode): write(w, bits[:, LESSONS:], q, mode if mode in flags else None) for q, mode in CELLS}


@torch.no_grad()
def write(w, bits, question, flag):
    """Decode greedily up to the answer; whoever has not answered after nine tokens is wrong."""
    before = torch.full(bits.shape[:-1], START)
    tokens = torch.zeros_like(before)
    for step in range(BITS + 1):
        token = logits(w, sight(bits, question, flag, before, step)).argmax(-1)
        answered = (before == 2) | (before == 3)
        tokens += ~answered
        before = torch.where(answered, before, token)
    right = before == solution(bits, question, False)[..., 0]
    return right.double().mean(-1), tokens.double().mean(-1)


@claim(
    wrong=(mix_without_a_flag, think_then_tune_short, flag_the_chains_alone),
    right=flag_both_kinds,
    evidence="trained",
    examples=12,
)
@given(
    question=st.sampled_from(["easy", "hard"]),
    mode=st.sampled_from(["no_think", "think"]),
    seed=st.integers(0, SEEDS - 1),
)
def test_thinking_follows_the_flag(answer, question, mode, seed):
    """Weights that saw both kinds under their flags answer at once when told to, and think when told to."""
    accuracy, tokens = train(tuple(map(tuple, answer(CELLS))))[question, mode]
    # In 40 seeds: 1.0 tokens without a chain and 8.8 to 9 with one; at least 0.93 right, except for hard
    # questions without a chain (below). The wrong recipes write 3.3 to 7.8, 1 and 9 tokens in either mode.
    assert observe(tokens=tokens[seed].item()) == approx(9 if mode == "think" else 1, abs=1)
    least = 0 if (question, mode) == ("hard", "no_think") else 0.75
    assert observe(accuracy=accuracy[seed].item()) >= least


@claim(wrong=chain_is_for_show, right=hard_questions_need_the_chain, evidence="trained", examples=4)
@given(cell=st.sampled_from(CELLS))
def test_thinking_is_what_hard_questions_need(answer, cell):
    """Without its chain a hard question is answered no better than by a coin."""
    accuracy, _ = train(tuple(map(tuple, flag_both_kinds(CELLS))))[cell]

    # In 40 seeds: 0.29 to 0.49 for hard questions without their chain, at least 0.93 elsewhere. It is less
    # than a coin's half, as many neighbours of a string, all of the other parity, were trained on.
    assert observe(share=(accuracy > 0.75).double().mean().item()) == answer(*cell)
