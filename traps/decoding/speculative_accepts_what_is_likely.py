"""Greedy speculative decoding, word for word

A target model decodes greedily, and a draft guesses its next tokens so that one pass of the target checks
them all. Which guesses may stand if the text must be the target's own, word for word?

Answer: Each guess that is the target's argmax given all before it, up to the first that is not; then the
    target's own token. The logits at a position choose the token behind it, so a pass over γ guesses makes
    γ + 1 choices: 8 tokens take 2 passes at γ = 3 if the draft is never wrong. To keep what is merely
    likely, as typical acceptance does, is faster and lossy.
Says: Verification leaves the output identical to the original model's.
Verdict: holds
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 2
Source: Leviathan, Kalman and Matias 2022, "Fast Inference from Transformers via Speculative Decoding",
    section 2.2: greedy decoding samples from the argmax alone, https://arxiv.org/abs/2211.17192
Terms: greedy speculative decoding, argmax, prompt lookup, assisted generation, typical acceptance, Medusa,
    lossless, exact match, verification, bonus token, prefix
Right when: Another text of like quality will do. A threshold then accepts more guesses, and decoding is
    lossy: it is neither greedy nor a sample of the target.
Limits: Models of one block in float64. In bf16 the logits of several tokens at once and of one at a time
    differ in the last places, and where two tokens nearly tie a kernel may decide otherwise. How sampled
    text keeps its law is the page speculative_redraws_from_the_target.
"""

import torch
from hypothesis import example, given, strategies as st
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
    wrong=(keep_what_is_likely, keep_by_the_logits_at_the_guess),
    right=keep_the_agreed_prefix,
    examples=25,
)
@example(seed=0, noise=0.0, prompt=[0], n=8, gamma=3)
@example(seed=0, noise=0.3, prompt=[0], n=8, gamma=3)
@given(
    seed=st.integers(0, 9999),
    noise=st.sampled_from([0.3, 0.0]),
    prompt=st.lists(st.integers(0, 4), min_size=1, max_size=3),
    n=st.integers(1, 8),
    gamma=st.integers(1, 3),
)
def test_speculative_greedy_text_is_the_targets_own(answer, seed, noise, prompt, n, gamma):
    """Whatever the draft guesses, the text is the target's own, and good guesses save passes.

    target: the large model, a pass of which gives the law of the next token behind each of a text
    draft: the small model, called alike
    n: tokens to write
    noise: deviation of the draft's weights from the target's
    """
    target, draft = Decoder(seed), Decoder(seed, noise)

    text = answer(target, draft, prompt, n, gamma)

    # Without noise the draft is the target, and every pass makes γ + 1 tokens.
    assert observe(passes=target.passes) <= (n if noise else -(-n // (gamma + 1)))
    assert observe(text=text) == guess(target, prompt, n)[len(prompt) :]
