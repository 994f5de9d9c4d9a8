"""Perplexity over windows

A long text is cut into windows, and each window's perplexity is known. What is the perplexity of the
text?

Answer: The exponential of the total negative log-likelihood over all tokens, not the mean of the windows'
    perplexities, which is larger for windows of one length unless all are equal, nor the exponential of
    the mean of their mean losses, which weighs a short last window as much as a full one. Windows of 4
    tokens at a loss of 1 and of 1 token at 6 have perplexity 7.4, where the mean of the two is 203 and
    the exponential of the mean loss 33. And it counts tokens, so compare models of different tokenizers
    by bits per byte.
Verdict: not judged: a trap of our own
Asked: nowhere yet
Source: Hugging Face documentation 2025, "Perplexity of fixed-length models",
    https://huggingface.co/docs/transformers/perplexity
Terms: perplexity, negative log-likelihood, nll, cross-entropy, sliding window, stride, bits per byte,
    language model evaluation, token mean, mean of means
Right when: All windows have as many tokens: then the mean of their mean losses will do, and if these are
    equal the mean of perplexities as well.
Limits: Losses are given. That tokens at the start of a window lack their context, which a stride mends,
    is not shown.
"""

from math import exp

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def mean_of_the_perplexities(windows):
    """Average the perplexities of the windows: 203 for four tokens at 1 and one at 6."""
    return sum(exp(sum(window) / len(window)) for window in windows) / len(windows)


def exponential_of_the_mean_losses(windows):
    """Average the windows' mean losses, and take the exponential: 33 for a loss of 1 and one of 6."""
    return exp(sum(sum(window) / len(window) for window in windows) / len(windows))


def exponential_of_the_token_mean(windows):
    """The exponential of all losses over all tokens: 7.4 for four tokens at 1 and one at 6."""
    return exp(sum(map(sum, windows)) / sum(map(len, windows)))


@claim(wrong=(mean_of_the_perplexities, exponential_of_the_mean_losses), right=exponential_of_the_token_mean)
@example(windows=[[1.0, 1.0, 1.0, 1.0], [6.0]])
@example(windows=[[1.0, 1.0], [1.0, 1.0]])
@example(windows=[[2.0, 2.0, 2.0, 2.0], [1.0]])
@given(
    windows=st.lists(
        st.lists(st.sampled_from([0.5, 1.0, 2.0, 6.0]), min_size=1, max_size=5), min_size=1, max_size=4
    )
)
def test_perplexity_of_a_text(answer, windows):
    """A text's perplexity is that of torch's cross-entropy over all of its tokens, however it is cut.

    windows: negative log-likelihood of each token, in nats, window by window
    """
    # Two tokens, of which the text's own has the given loss.
    chance = torch.tensor([loss for window in windows for loss in window], dtype=torch.float64).neg().exp()
    logits = torch.stack([chance, 1 - chance], -1).log()
    whole = F.cross_entropy(logits, torch.zeros(len(chance), dtype=torch.long)).exp().item()

    assert observe(perplexity=whole) == approx(answer(windows))
