"""Training far past the Chinchilla optimum

Llama 2 7B read 2T tokens, some 285 per parameter. Why train so far past the optimum of 20, and when does
it pay?

Answer: Chinchilla minimizes training FLOPs for a loss; a model that is served also costs 2 FLOPs per
    parameter and served token. By the refit law Llama 2 7B took 1.9 times the compute of the cheapest
    model of its loss, which is larger, and has earned that back after serving 0.77 of the tokens that it
    read; after 1e13 served tokens training and serving cost 0.51 times those of the larger model. So
    count the tokens of the model's lifetime: a million calls are far too few.
Says: Llama 2 7B was trained on 2T tokens, roughly 285 per parameter, far past the optimum on purpose:
    inference is run millions of times, so one pays extra training once and saves on each call.
Verdict: holds if the tokens served in the model's lifetime exceed 0.77 of its training tokens, for Llama
    2 7B
Asked: AI interview course, "Model Architectures and Scaling": what are scaling laws?
Source: Touvron et al. 2023, "Llama 2", table 1: 2.0T tokens, https://arxiv.org/abs/2307.09288
Source: Sardana et al. 2024, "Beyond Chinchilla-Optimal", abstract, https://arxiv.org/abs/2401.00448
Source: Besiroglu et al. 2024, "Chinchilla Scaling: A replication attempt", abstract: L = 1.82 +
    482.0/N^0.3478 + 2085.4/D^0.3658, https://arxiv.org/abs/2404.10102
Terms: overtraining, Chinchilla, Llama 2, inference-optimal, compute_optimal, tokens per parameter,
    tokens_per_parameter, break-even, lifetime tokens, serving cost
Right when: Hardly anything is served: then the training optimum is the cheapest size.
Limits: Arithmetic of one published law, FLOPs as the price, prompt and reply tokens alike; a served token
    costs more where bandwidth limits it. Equal loss is taken for equal quality. The papers were read in
    reproductions.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe

# The refit law, L = E + A/N^ALPHA + B/D^BETA.
A, ALPHA, B, BETA = 482.0, 0.3478, 2085.4, 0.3658


def training_is_all(size, read, served):
    """The training optimum is the cheapest by definition, at 6 FLOPs per parameter and token."""
    return size * read / optimum(size, read)[0] / optimum(size, read)[1]


def serving_is_all(size, read, served):
    """Training is paid once and inference for ever, so it is the ratio of the sizes."""
    return size / optimum(size, read)[0]


def training_and_serving(size, read, served):
    """6ND + 2NI of both: 1.89 for Llama 2 7B if nothing is served, 0.51 at 1e13 served tokens.

    I are the served tokens.
    """
    best, tokens = optimum(size, read)
    return size * (3 * read + served) / (best * (3 * tokens + served))


def calls_by_the_million(size, read):
    """Inference runs millions of times, so a million calls of 500 tokens are enough."""
    return 5e8 / read


def all_it_was_trained_on(size, read):
    """It has to serve what it has read."""
    return 1.0


def premium_over_the_saving(size, read):
    """It has to serve until the FLOPs saved per token add up to the extra ones of training.

    That is 0.77 of what Llama 2 7B has read. A served token costs 2 FLOPs per parameter, and one that is
    trained on 6. If it had read 3.37e11 tokens it would be 0.41.
    """
    best, tokens = optimum(size, read)
    return 3 * (1 - best / size * tokens / read) / (best / size - 1)


def optimum(size, read):
    """Parameters and tokens with which the loss of a run is cheapest to train, by Lagrange."""
    gap = A / size**ALPHA + B / read**BETA
    return (A * (ALPHA + BETA) / (BETA * gap)) ** (1 / ALPHA), (B * (ALPHA + BETA) / (ALPHA * gap)) ** (
        1 / BETA
    )


def searched(size, read):
    """The same by trying 100,001 sizes."""
    gap = A / size**ALPHA + B / read**BETA
    sizes = torch.logspace(8, 13, 100_001, dtype=torch.float64)
    left = gap - A / sizes**ALPHA
    tokens = torch.where(left > 0, (B / left.clamp(min=1e-9)) ** (1 / BETA), torch.inf)
    best = (sizes * tokens).argmin()
    return sizes[best].item(), tokens[best].item()


sizes = st.sampled_from([1e9, 6.74e9, 8e9])
reads = st.sampled_from([1e12, 2e12, 1.5e13])


@claim(wrong=(training_is_all, serving_is_all), right=training_and_serving, evidence="derived")
@example(size=6.74e9, read=2e12, served=0)
@example(size=6.74e9, read=2e12, served=1e12)
@example(size=6.74e9, read=2e12, served=1e13)
@given(size=sizes, read=reads, served=st.sampled_from([0, 1e9, 1e11, 1e12, 1e13, 1e14]))
def test_cost_of_an_overtrained_model(answer, size, read, served):
    """Whether an overtrained model is cheaper than the training optimum depends on what it serves.

    size: parameters of the model
    read: tokens that it was trained on
    served: tokens that it reads and writes in its lifetime
    """
    best, tokens = searched(size, read)
    times = (6 * size * read + 2 * size * served) / (6 * best * tokens + 2 * best * served)
    assert observe(times=times) == approx(answer(size, read, served), rel=0.01)


@claim(wrong=(calls_by_the_million, all_it_was_trained_on), right=premium_over_the_saving, evidence="derived")
@example(size=6.74e9, read=2e12)
@example(size=6.74e9, read=3.37e11)
@given(size=sizes, read=reads | st.sampled_from([50 * 6.74e9, 100 * 6.74e9, 1000 * 6.74e9]))
def test_served_tokens_that_repay_overtraining(answer, size, read):
    """A smaller model repays its longer training the sooner, in tokens that it has read, the milder that was.

    size: parameters of the smaller model
    read: tokens that it was trained on
    """
    best, tokens = searched(size, read)
    repaid = (6 * size * read - 6 * best * tokens) / (2 * (best - size))
    assert observe(served_over_read=repaid / read) == approx(answer(size, read), rel=0.01)
