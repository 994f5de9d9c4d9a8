"""Thinking mode fusion: one model with and without a chain of thought

A reasoning model writes 2000 tokens of chain of thought even for "2+2", which is killing the budget. How
do you cut that without losing the hard problems?

Answer: Fuse the modes: fine-tune one model on chains and on direct answers, each under its flag (Qwen3:
    /think and /no_think), and let the user or a policy set the flag. A small network that learned so
    writes 1 token when told not to think and 9, one per bit and the answer, when told to. Easy questions
    keep their accuracy; hard ones need their chain, without which 0.4 of them are right, no more than by
    a coin, so the flag is not free: Qwen3 falls to 31.0 on AIME'24.
Says: Fine-tune a single model on a mix with tags for thinking and for not thinking: that reduces tokens
    on simple queries and preserves the full reasoning for complex ones, without routing overhead.
Verdict: imprecise: the recipe holds; but somebody still has to set the flag, and set it right, as hard
    questions lose most of their accuracy without their chain.
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 10
Source: Qwen Team 2025, "Qwen3 Technical Report", section 4.3 and table 22: after fusion and general RL
    thinking keeps 81.4 of 83.8 on AIME'24, and not thinking reaches 31.0,
    https://arxiv.org/abs/2505.09388
Terms: thinking mode fusion, /no_think, enable_thinking, chain of thought, reasoning budget, overthinking
Right when: The question is easy, one that the weights answer in a single step.
Limits: A small network, which is handed the bit that attention would have to find.
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
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

    The flag is an input like any other: weights that saw both kinds under it tell them apart.
    """
    return [[(question, mode, mode == "think") for question, mode in cells]]


def chain_is_for_show(question, mode):
    """The weights know the answer; the flag only spares us the chain."""
    return 1.0


def hard_questions_need_the_chain(question, mode):
    """Hard questions need their chain, and easy ones are answered without.

    Without it 0.4 of the hard are right: it takes one easy step per token, and they need several.
    """
    return 0.4 if (question, mode) == ("hard", "no_think") else 1.0


# A question shows 8 bits and asks for the first (easy) or for their parity (hard). A chain is the parity so
# far, bit by bit, in tokens 0 and 1; the answer is token 2 or 3. Lessons hold 96 of the 256 strings.
BITS, START, LESSONS = 8, 4, 96
CELLS = tuple((question, mode) for question in ("easy", "hard") for mode in ("no_think", "think"))


def solution(bits, question, chain):
    """The tokens to write for some bits [..., 8]."""
    parity = bits.cumsum(-1) % 2
    result = 2 + (parity[..., -1:] if question == "hard" else bits[..., :1])
    return torch.cat([parity, result], -1) if chain else result


def sight(bits, question, flag, before, step):
    """What the network sees at a step: the prompt, the token before, the bit where attention would look."""
    told = before.new_tensor([question == "hard", flag == "think", flag == "no_think"])
    parts = told.expand(len(before), 3), F.one_hot(before, START + 1), 2 * bits - 1
    return torch.cat([*parts, F.pad(parts[2], (0, 1))[:, step, None]], -1).float()


def train(phases, seed, device):
    """Accuracy and mean tokens of the four cells, for bits that no lesson held."""
    random = torch.Generator().manual_seed(seed)
    bits = (torch.randperm(2**BITS, generator=random)[:, None] >> torch.arange(BITS) & 1).to(device)
    shapes = (3 + START + 1 + BITS + 1, 32), (32, 32), (32, 4)
    w = [torch.randn(s, generator=random).to(device).div((s[0] / 2) ** 0.5).requires_grad_() for s in shapes]
    for lessons in phases:
        texts = [(q, f, F.pad(solution(bits[:LESSONS], q, c), (1, 0), value=START)) for q, f, c in lessons]
        steps = [(q, f, text[:, i : i + 2], i) for q, f, text in texts for i in range(text.shape[-1] - 1)]
        x = torch.cat([sight(bits[:LESSONS], q, f, pair[:, 0], i) for q, f, pair, i in steps])
        y = torch.cat([pair[:, 1] for _, _, pair, _ in steps])
        optimizer = torch.optim.AdamW(w, lr=0.03)
        for _ in range(100):
            optimizer.zero_grad()
            F.cross_entropy(logits(w, x), y).backward()
            optimizer.step()
    flags = {flag for lessons in phases for _, flag, _ in lessons}
    cells = [write(w, bits[LESSONS:], q, mode if mode in flags else None) for q, mode in CELLS]
    return [list(column) for column in zip(*cells, strict=True)]


def logits(w, x):
    """Three products with two rectifiers between."""
    return ((x @ w[0]).relu() @ w[1]).relu() @ w[2]


@torch.no_grad()
def write(w, bits, question, flag):
    """Decode greedily up to the answer; what has not answered after nine tokens is wrong."""
    before, tokens = torch.full_like(bits[:, 0], START), torch.zeros_like(bits[:, 0])
    for step in range(BITS + 1):
        answered = (before == 2) | (before == 3)
        tokens += ~answered
        before = before.where(answered, logits(w, sight(bits, question, flag, before, step)).argmax(-1))
    right = before == solution(bits, question, False)[:, 0]
    return right.double().mean().item(), tokens.double().mean().item()


@claim(
    wrong=(mix_without_a_flag, think_then_tune_short, flag_the_chains_alone),
    right=flag_both_kinds,
    evidence="trained",
    examples=3,
)
@example(seed=0)
@given(seed=st.integers(0, 9999))
def test_thinking_follows_the_flag(answer, device, seed):
    """Weights that saw both kinds under their flags answer at once when told to, and think when told to.

    cells: pairs of a kind of question and a mode; a recipe makes phases of lessons (question, flag,
        chain)
    """
    accuracy, tokens = train(answer(CELLS), seed, device)

    # In 800 seeds within 0.32 of 1 token without a chain and of 9 with one. The wrong recipes write 4.4 to
    # 7.3, 1 and 9 tokens in either mode.
    assert observe(tokens=tokens) == approx([1, 9, 1, 9], abs=1)
    assert observe(least=min(accuracy[:2] + accuracy[3:])) >= 0.75


@claim(wrong=chain_is_for_show, right=hard_questions_need_the_chain, evidence="trained", examples=3)
@example(seed=0)
@given(seed=st.integers(0, 9999))
def test_thinking_is_what_hard_questions_need(answer, device, seed):
    """Without its chain a hard question is answered no better than by a coin.

    question: easy or hard
    mode: what the flag asks for
    """
    accuracy, _ = train(flag_both_kinds(CELLS), seed, device)

    # In 800 seeds: 0.27 to 0.55 for hard questions without their chain, at least 0.88 elsewhere.
    assert observe(accuracy=accuracy) == approx([answer(*cell) for cell in CELLS], abs=0.2)
