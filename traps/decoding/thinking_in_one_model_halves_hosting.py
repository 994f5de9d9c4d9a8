"""What one model for both modes saves over two

A large model answers at once or thinks first, as a flag says. That spares "doubled" hosting: a small
model for easy questions, a large one for hard ones, and a router before both. What would the pair cost?

Verdict: refuted as stated: the pair needs 1 + small/large of the memory, not double; and it computes less
    than the single model unless its router costs more than the easy questions save
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 10
Source: Qwen Team 2025, "Qwen3 Technical Report", section 4.3, https://arxiv.org/abs/2505.09388
Right when: The two models are of one size: then memory doubles, and routing between them saves nothing.
Limits: Weights and their FLOPs alone; a pair also splits the cache and the batch. The lengths of prompt,
    answer and chain are invented. The flag of the single model is set for nothing here; where a router has to
    set it, the pair always computes less.
"""

import torch
from hypothesis import given, strategies as st
from pytest import approx
from torch import nn

from fixtures import claim, observe
from fixtures.meters import flops, nbytes


def two_models_cost_double(small, large):
    """Two models instead of one: hosting costs double."""
    return 2.0


def small_one_is_for_nothing(small, large):
    """Beside the large model the small one does not count."""
    return 1.0


def one_and_the_ratio(small, large):
    """1 + small/large: with a billion weights beside 70 billion it is 1.4 % more."""
    return 1 + small / large


def router_comes_on_top(small, large, router, easy, hard):
    """The same questions are answered, and the pair has a router to pay as well."""
    return 1 + router * PROMPT * (easy + hard) / (large * (SHORT * easy + LONG * hard))


def easy_questions_shrink(small, large, router, easy, hard):
    """The easy questions cost what they cost on the small model; the router is a detail."""
    return (small * SHORT * easy + large * LONG * hard) / (large * (SHORT * easy + LONG * hard))


def easy_questions_pay_the_router(small, large, router, easy, hard):
    """The router for every prompt, the small model for easy questions, the large one for hard ones.

    It is less than 1 while the tokens of easy questions times (large - small) outweigh those of all prompts
    times the router. Where some questions are hard it is little less: their chains are most of the tokens.
    """
    routed = router * PROMPT * (easy + hard) + small * SHORT * easy + large * LONG * hard
    return routed / (large * (SHORT * easy + LONG * hard))


# Tokens of a prompt, of a prompt with its answer, and with a chain of thought as well.
PROMPT, SHORT, LONG = 100, 200, 2200


def model(width):
    """Four square weights in bf16, at full size and without numbers."""
    meta = {"bias": False, "dtype": torch.bfloat16, "device": "meta"}
    return nn.Sequential(*(nn.Linear(width, width, **meta) for _ in range(4)))


def size(model):
    """Number of weights."""
    return sum(weight.numel() for weight in model.parameters())


def pass_through(model, tokens):
    """FLOPs of some tokens."""
    x = torch.empty(tokens, model[0].in_features, dtype=torch.bfloat16, device="meta")
    return flops(lambda: model(x))


widths = {"small": st.sampled_from([1024, 2048, 4096]), "large": st.sampled_from([8192, 4096])}


@claim(wrong=(two_models_cost_double, small_one_is_for_nothing), right=one_and_the_ratio)
@given(**widths)
def test_thinking_on_two_models_takes_memory(answer, small, large):
    """A small model beside a large one adds its own weights to the memory, and no more."""
    beside, alone = model(small), model(large)

    both = nbytes(*beside.parameters(), *alone.parameters())

    assert observe(memory=both / nbytes(*alone.parameters())) == approx(answer(size(beside), size(alone)))


@claim(wrong=(router_comes_on_top, easy_questions_shrink), right=easy_questions_pay_the_router, examples=25)
@given(
    **widths,
    router=st.sampled_from([256, 512, 1024, 4096]),
    easy=st.integers(1, 4),
    hard=st.integers(1, 4),
)
def test_thinking_routed_to_two_models_takes_compute(answer, small, large, router, easy, hard):
    """A routed pair computes less than one model if easy questions save more than the router costs."""
    little, big, guide = model(small), model(large), model(router)
    questions = [(little, SHORT)] * easy + [(big, LONG)] * hard

    pair = sum(pass_through(guide, PROMPT) + pass_through(one, tokens) for one, tokens in questions)
    single = sum(pass_through(big, tokens) for _, tokens in questions)

    share = observe(compute=pair / single)
    assert share == approx(answer(size(little), size(big), size(guide), easy, hard))
