"""Gradient accumulation over unequal micro-batches

You accumulate gradients over micro-batches and divide each mean loss by their number. Is that the
gradient of the whole batch?

Answer: Only if all micro-batches have the same number of tokens with a target. A mean of means weighs
    each micro-batch alike, so a token of a short one counts more: with micro-batches of 1 and 3 tokens,
    the losses 4 and 0 give 2 instead of 1. Sum the losses, and divide by the targets of all micro-batches
    on all ranks; under DDP, which averages over ranks, multiply by their number.
Verdict: not judged: a trap of our own
Asked: nowhere yet
Source: Unsloth 2024, "Bugs in LLM Training: Gradient Accumulation Fix", https://unsloth.ai/blog/gradient
Source: Hugging Face 2024, "Fixing Gradient Accumulation",
    https://huggingface.co/blog/gradient_accumulation
Terms: gradient accumulation, gradient_accumulation, micro-batch, micro-batching, mean of means, token
    mean, loss normalization, num_items_in_batch, data parallelism, DDP, padding, cross-entropy
Right when: All micro-batches have as many tokens with a target, as packed pretraining text does; prompts
    that are masked for SFT do not.
Limits: Cross-entropy of one linear layer, and no training. What DDP averages over ranks is the same mean
    of means, and is not run here. Both posts were read in summaries.
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st

from fixtures import claim, observe


def mean_of_means(model, batches):
    """Each micro-batch's mean loss, divided by their number."""
    for x, y in batches:
        (F.cross_entropy(model(x), y) / len(batches)).backward()


def sum_of_means(model, batches):
    """Gradients add up by themselves, so the mean loss of each."""
    for x, y in batches:
        F.cross_entropy(model(x), y).backward()


def sum_over_all_positions(model, batches):
    """The summed losses, divided by the positions of all micro-batches."""
    positions = sum(len(y) for _, y in batches)
    for x, y in batches:
        (F.cross_entropy(model(x), y, reduction="sum") / positions).backward()


def sum_over_all_targets(model, batches):
    """The summed losses, over the unmasked targets of all micro-batches.

    Then each token counts alike, as in the batch that did not fit.
    """
    targets = sum((y != -100).sum() for _, y in batches)
    for x, y in batches:
        (F.cross_entropy(model(x), y, reduction="sum") / targets).backward()


def average_of_the_means(losses):
    """Mean over micro-batches of their mean losses."""
    return sum(sum(batch) / len(batch) for batch in losses) / len(losses)


def average_of_all_tokens(losses):
    """Mean over the tokens of all micro-batches.

    That is 1 for a micro-batch of one token with loss 4 and one of three without.
    """
    return sum(map(sum, losses)) / sum(map(len, losses))


@claim(wrong=(mean_of_means, sum_of_means, sum_over_all_positions), right=sum_over_all_targets)
@example(sizes=[1, 3], masked=0, seed=0)
@example(sizes=[4, 4], masked=2, seed=0)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    masked=st.integers(0, 3),
    seed=st.integers(0, 9999),
)
def test_accumulated_gradient(answer, sizes, masked, seed):
    """The accumulated gradient is that of the whole batch if each target counts alike.

    sizes: tokens of the micro-batches
    masked: tokens of a prompt at the start of the first one, whose targets are -100
    batches: inputs and targets of each micro-batch
    """
    random = torch.Generator().manual_seed(seed)
    model = torch.nn.Linear(3, 4, dtype=torch.float64)
    torch.nn.init.normal_(model.weight, generator=random)
    x = torch.randn(sum(sizes), 3, dtype=torch.float64, generator=random)
    y = torch.randint(4, (sum(sizes),), generator=random)
    y[: min(masked, sizes[0] - 1)] = -100
    expected = torch.autograd.grad(F.cross_entropy(model(x), y), model.weight)[0]

    answer(model, list(zip(x.split(sizes), y.split(sizes), strict=True)))
    assert observe(difference=(model.weight.grad - expected).abs().max().item()) < 1e-12


@claim(wrong=average_of_the_means, right=average_of_all_tokens, evidence="derived")
@example(losses=[[4], [0, 0, 0]])
@given(losses=st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=4), min_size=1, max_size=3))
def test_accumulated_loss(answer, losses):
    """A batch's loss is the mean over its tokens, and not over its micro-batches.

    losses: of each token of each micro-batch
    """
    whole = torch.tensor([token for batch in losses for token in batch], dtype=torch.float64)
    assert observe(loss=F.l1_loss(whole, torch.zeros_like(whole)).item()) == answer(losses)
