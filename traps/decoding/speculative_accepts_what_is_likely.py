"""Greedy speculative decoding, word for word

A target model decodes greedily, and a draft guesses its next γ tokens so that one pass of the target
checks them all. Which guesses may stand if the text must be the one that the target writes alone?

Answer: Those up to the first that is not the target's argmax given all before it; there its argmax is
    written instead. The logits at a position choose the next token, so a pass over γ guesses makes γ + 1
    choices: 8 tokens take 2 passes at γ = 3 if all guesses stand. Accepting what is merely likely, by a
    threshold or typical acceptance, keeps more guesses and is lossy.
Says: The target computes logits for the whole speculated sequence in one pass, accepts the longest prefix
    of tokens that align with its own distribution, and goes back to one at a time at the diverging token.
Verdict: holds if decoding is greedy and a token aligns only where it is the target's argmax
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 2
Source: Leviathan, Kalman and Matias 2022, "Fast Inference from Transformers via Speculative Decoding",
    section 2.2: greedy decoding samples from the argmax alone, https://arxiv.org/abs/2211.17192
Terms: greedy decoding, speculative decoding, argmax, exact match, temperature 0, lossless, typical
    acceptance, Medusa, assisted generation, prompt lookup, draft model, target model, bonus token, passes
Right when: Another text of like quality will do: then a threshold saves passes.
Limits: Small transformers in float64. In bf16 the logits of several tokens at once and of one at a time
    differ in the last places, and a near tie may fall otherwise. Sampling is the page
    speculative_redraws_from_the_target.
"""

from itertools import takewhile

from hypothesis import example, given, strategies as st

from fixtures import claim, observe
from fixtures.speculation import Decoder


def keep_what_is_likely(draft, target, text, gamma):
    """A guess that the target finds nine tenths as likely as its own choice is as good."""
    guessed = guess(draft, text, gamma)
    laws, guesses = target(guessed)[len(text) - 1 :], guessed[len(text) :]
    likely = [
        token if law[token] >= 0.9 * max(law) else best(law)
        for law, token in zip(laws, guesses, strict=False)
    ]
    return agreed(guesses, [*likely, best(laws[-1])])


def keep_by_the_logits_at_the_guess(draft, target, text, gamma):
    """A guess stands if the logits at its own position choose it."""
    guessed = guess(draft, text, gamma)
    return agreed(guessed[len(text) :], [best(law) for law in target(guessed)[len(text) :]])


def correct_every_guess(draft, target, text, gamma):
    """The check has the target's choice at all γ + 1 positions, so these are the next tokens."""
    return [best(law) for law in target(guess(draft, text, gamma))[len(text) - 1 :]]


def draft_writes_the_last(draft, target, text, gamma):
    """If all guesses stand, the draft has earned a further one."""
    new = keep_the_agreed_prefix(draft, target, text, gamma)
    return guess(draft, [*text, *new[:-1]], 1)[len(text) :] if len(new) > gamma else new


def stop_at_the_guesses(draft, target, text, gamma):
    """Write the guesses that stand; without any, the target's own choice."""
    return keep_the_agreed_prefix(draft, target, text, gamma)[:gamma]


def keep_the_agreed_prefix(draft, target, text, gamma):
    """Every guess up to the first that is not the target's choice, then that choice.

    Logits at a position choose the token after it, so one pass over γ guesses makes γ + 1 choices. Each
    of them counts as long as all guesses before it were right.
    """
    guessed = guess(draft, text, gamma)
    return agreed(guessed[len(text) :], [best(law) for law in target(guessed)[len(text) - 1 :]])


def best(law):
    """The most likely token."""
    return law.index(max(law))


def guess(model, text, n):
    """The text and n tokens more, decoded greedily, a pass per token."""
    for _ in range(n):
        text = [*text, best(model(text)[-1])]
    return text


def agreed(guesses, choices):
    """The choices up to the first that was not guessed, and that one."""
    same = [a == b for a, b in zip(guesses, choices, strict=False)]
    return choices[: [*same, False].index(False) + 1]


def decode(step, draft, target, text, n, gamma):
    """Write n new tokens, step by step, in at most n steps."""
    written = list(text)
    for _ in range(n):
        if len(written) < len(text) + n:
            written += step(draft, target, written, gamma)
    return written[len(text) :][:n]


def fewest_passes(draft, text, own, gamma):
    """Passes that write one's own text, each what the draft guesses of it, and one token more."""
    written = passes = 0
    while written < len(own):
        start = [*text, *own[:written]]
        guesses = guess(draft, start, gamma)[len(start) :]
        right = takewhile(lambda pair: pair[0] == pair[1], zip(guesses, own[written:], strict=False))
        written += len([*right]) + 1
        passes += 1
    return passes


texts = st.lists(st.integers(0, 4), min_size=1, max_size=3)


@claim(
    wrong=(
        keep_what_is_likely,
        keep_by_the_logits_at_the_guess,
        correct_every_guess,
        draft_writes_the_last,
        stop_at_the_guesses,
    ),
    right=keep_the_agreed_prefix,
    examples=25,
)
@example(seed=1, noise=0.0, text=[0], n=8, gamma=3)
@example(seed=2070, noise=0.3, text=[0], n=8, gamma=3)  # a guess likelier than by the draft, and no argmax
@example(seed=3936, noise=0.3, text=[0], n=8, gamma=3)  # a guess at 0.99 of the argmax's probability
@given(
    seed=st.integers(0, 9999),
    noise=st.sampled_from([0.3, 0.0]),
    text=texts,
    n=st.integers(1, 8),
    gamma=st.integers(1, 3),
)
def test_speculative_greedy_text_is_the_targets_own(answer, seed, noise, text, n, gamma):
    """Whatever the draft guesses, the text is the target's own, and right guesses save passes.

    target: the model whose text is wanted, which tells its laws as the draft does
    n: tokens to write
    """
    target, draft = Decoder(seed), Decoder(seed, noise)

    own = guess(Decoder(seed), text, n)[len(text) :]

    new = decode(answer, draft, target, text, n, gamma)

    assert observe(new=new) == own
    # Without noise the draft is the target, and a pass makes γ + 1 tokens.
    assert observe(passes=target.passes) <= fewest_passes(draft, text, own, gamma)
