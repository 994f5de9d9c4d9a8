"""Personal data behind a mask

An LLM has read personal data, and fine-tuning teaches it to answer with a mask instead. No answer in
validation leaks. Is the data gone from the model?

Answer: No: with the mask forbidden in the sampler a small net here gives away 0.45 of its secrets, where
    one that never saw them guesses 0.1, whether the tuning stops once the outputs look clean or goes on
    for 400 steps. Tuning at ten times the rate does erase them here, which nobody sees in the outputs. So
    scrub before pre-training, keep private facts in a store with access control, and filter what goes
    out.
Says: Fine-tuning adds only a superficial layer of behavior; the base model's weights still store latent
    representations of the sensitive data.
Verdict: holds if the tuning's rate is low; ten times the rate erases them here
Asked: AI Interview Prep newsletter, ML System Design #28
Source: Jain et al. 2023, "Mechanistically analyzing the effects of fine-tuning on procedurally defined
    tasks", abstract: a wrapper, https://arxiv.org/abs/2311.12786
Source: Nasr et al. 2023, "Scalable Extraction of Training Data from (Production) Language Models",
    abstract, https://arxiv.org/abs/2311.17035
Terms: PII, personal data, memorization, machine unlearning, unlearning, safety fine-tuning, refusal,
    jailbreak, extraction attack, latent memory, GDPR, masking, egress filter, RAG
Right when: The tuning's rate is high, or the data was never seen.
Limits: 48 secret digits in a small MLP with an embedding per name, which is no LLM; eight nets side by
    side. Attacks that tune the model, which recover more, prefixes and other wordings are not shown. The
    newsletter's stored text is the question and its diagnosis. Of the papers the abstracts were read.
"""

from functools import cache

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe

# Eight nets of 50 seeds: 0.35 to 0.59, with 400 steps 0.30 to 0.51 on 20; and 0.047 to 0.143 else.
LEFT, GUESSED = 0.45, 0.1


def clean_is_gone(seen, tuning):
    """No answer leaks, so the model no longer has it: what is left is a guess among ten digits."""
    return GUESSED


def never_gone(seen, tuning):
    """Fine-tuning is a thin layer of behavior, whatever its rate, so the secrets stay."""
    return LEFT if seen else GUESSED


def left_at_a_low_rate(seen, tuning):
    """The secrets stay if the rate of the tuning is low; at a high rate they are erased.

    At a low rate 0.45 of them are left, and 0.1 after hot tuning, or if the model never saw them. Tuning
    moves the output until the mask wins, and the digit that would be second hardly at all.
    """
    return LEFT if seen and tuning != "hot" else GUESSED


NETS, NAMES, DIGITS, MASK, WIDTH = 8, 48, 10, 10, 64


def answers(weights, names, question):
    """Logits [nets, names, 11] of a question, 0 for the public fact and 1 for the secret."""
    people, questions, first, second, out = weights
    x = people[:, names] + questions[:, question, None]
    x = (x @ first).relu()
    return (x @ second).relu() @ out


@cache
def leaks(seen, tuning, seed, device):
    """Shares of the secrets that the greedy answer gives away, and the best one if the mask is forbidden."""
    torch.manual_seed(seed)
    shapes = (NAMES, WIDTH), (2, WIDTH), (WIDTH, WIDTH), (WIDTH, WIDTH), (WIDTH, DIGITS + 1)
    scales = 1.0, 1.0, (2 / WIDTH) ** 0.5, (2 / WIDTH) ** 0.5, WIDTH**-0.5
    weights = [
        (scale * torch.randn(NETS, *shape)).to(device).requires_grad_()
        for shape, scale in zip(shapes, scales, strict=True)
    ]
    public, secret = torch.randint(DIGITS, (2, NETS, NAMES)).to(device)
    masked, names = torch.full_like(secret, MASK), torch.arange(NAMES)

    def train(rate, steps, secrets):
        optimizer = torch.optim.Adam(weights, lr=rate)
        for _ in range(steps):
            if secrets is masked and tuning == "until clean" and not leaking():
                break
            loss = F.cross_entropy(answers(weights, names, 0).flatten(0, 1), public.flatten())
            if secrets is not None:
                loss = loss + F.cross_entropy(answers(weights, names, 1).flatten(0, 1), secrets.flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def leaking(forbidden=0):
        with torch.no_grad():
            said = answers(weights, names, 1)[..., : DIGITS + 1 - forbidden].argmax(-1)
        return (said == secret).double().mean().item()

    train(0.003, 150, secret if seen else None)
    train(0.01 if tuning == "hot" else 0.001, 60 if tuning == "hot" else 400, masked)
    return leaking(), leaking(forbidden=1)


@claim(wrong=(clean_is_gone, never_gone), right=left_at_a_low_rate, evidence="trained", examples=4)
@example(seen=True, tuning="until clean", seed=0)
@example(seen=True, tuning="400 steps", seed=0)
@example(seen=True, tuning="hot", seed=0)
@example(seen=False, tuning="until clean", seed=0)
@given(
    seen=st.booleans(), tuning=st.sampled_from(["until clean", "400 steps", "hot"]), seed=st.integers(0, 9999)
)
def test_masked_secrets_that_are_left(answer, device, seen, tuning, seed):
    """A model that answers with a mask still has its secrets, however long it was tuned at a low rate.

    seen: whether the secrets were in the training data
    tuning: towards the mask, until no answer leaks, for 400 steps, or for 60 at ten times that rate
    """
    greedy, forbidden = leaks(seen, tuning, seed, device)

    assert observe(leaks_in_validation=greedy) == 0
    # The widest of the two bands around what they are told as, and a third more.
    off = 0.2 if seen and tuning != "hot" else 0.07
    assert observe(leaks_without_the_mask=forbidden) == approx(answer(seen, tuning), abs=off)
