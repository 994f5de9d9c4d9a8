"""Greedy speculative decoding, word for word

A target model decodes greedily, and a draft guesses its next tokens so that one pass of the target checks
them all. Which guesses may stand, if the text shall be the one that the target writes alone?

Verdict: holds
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 2
Source: Leviathan, Kalman and Matias 2022, "Fast Inference from Transformers via Speculative Decoding",
    section 2.2: greedy decoding samples from the argmax alone, https://arxiv.org/abs/2211.17192
Right when: Another text of like quality will do. A threshold then accepts more guesses, and decoding is
    lossy: it is neither greedy nor a sample of the target.
Limits: Models of one block in float64. In bf16 the logits of several tokens at once and of one at a time
    differ in the last places, and where two tokens nearly tie a kernel may decide otherwise.
"""

import torch
from hypothesis import given, strategies as st
from torch import nn

from fixtures import claim, observe
from fixtures.nets import LM


def keep_what_is_likely(target, draft, prompt, n, gamma):
    """A guess to which the target gives a fifth or more is as good as its own choice."""
    text = list(prompt)
    while len(text) < len(prompt) + n:
        guessed = guess(draft, text, gamma)
        for chances in target(guessed)[len(text) - 1 :]:
            likely = [token for token in guessed[len(text) :][:1] if chances[token] >= 0.2]
            text.append(likely[0] if likely else best(chances))
            if text != guessed[: len(text)]:
                break
    return text[len(prompt) :][:n]


def keep_by_the_logits_at_the_guess(target, draft, prompt, n, gamma):
    """A guess stands if the logits at its own position choose it."""
    text = list(prompt)
    while len(text) < len(prompt) + n:
        guessed = guess(draft, text, gamma)
        for chances in target(guessed)[len(text) :]:
            text.append(best(chances))
            if text != guessed[: len(text)]:
                break
    return text[len(prompt) :][:n]


def keep_the_agreed_prefix(target, draft, prompt, n, gamma):
    """Every guess up to the first that is not the target's choice, then that choice.

    Logits at a position choose the token after it, so one pass over γ guesses makes γ + 1 choices. Each
    of them counts as long as all guesses before it were right.
    """
    text = list(prompt)
    while len(text) < len(prompt) + n:
        guessed = guess(draft, text, gamma)
        for chances in target(guessed)[len(text) - 1 :]:
            text.append(best(chances))
            if text != guessed[: len(text)]:
                break
    return text[len(prompt) :][:n]


def best(chances):
    """The most likely token."""
    return chances.index(max(chances))


def guess(model, text, n):
    """The text and n tokens more, decoded greedily, a pass a token."""
    for _ in range(n):
        text = [*text, best(model(text)[-1])]
    return text


class Decoder:
    """A random causal transformer over five tokens: the law of the next token after each of a text."""

    def __init__(self, seed, noise=0.0):
        self.model, self.passes = LM(vocab=5, d=8, layers=1).double().requires_grad_(False), 0
        random = torch.Generator().manual_seed(seed)
        for weight in self.model.parameters():
            nn.init.normal_(weight, std=0.5, generator=random)
        for weight in self.model.parameters():
            weight += noise * torch.randn(weight.shape, generator=random)

    def __call__(self, text):
        """One pass, counted."""
        self.passes += 1
        return self.model.logits(torch.tensor([text]))[0].softmax(-1).tolist()


@claim(
    wrong=(keep_what_is_likely, keep_by_the_logits_at_the_guess), right=keep_the_agreed_prefix, examples=25
)
@given(
    seed=st.integers(0, 200),
    noise=st.sampled_from([0.3, 0.0]),
    prompt=st.lists(st.integers(0, 4), min_size=1, max_size=3),
    n=st.integers(1, 8),
    gamma=st.integers(1, 3),
)
def test_speculative_greedy_text_is_the_targets_own(answer, seed, noise, prompt, n, gamma):
    """Whatever the draft guesses, the text is the target's own, and good guesses save passes."""
    target, draft = Decoder(seed), Decoder(seed, noise)

    text = answer(target, draft, prompt, n, gamma)

    # Without noise the draft is the target, and every pass makes γ + 1 tokens.
    assert observe(passes=target.passes) <= (n if noise else -(-n // (gamma + 1)))
    assert observe(text=text) == guess(target, prompt, n)[len(prompt) :]
