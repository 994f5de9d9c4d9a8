"""Chinchilla and Gopher at the same compute

Chinchilla has 70B parameters and read 1.4T tokens, Gopher has 280B and read 300B. Did the two runs cost
the same compute?

Answer: To within a fifth. Training costs six FLOPs per parameter and token, which gives a ratio of 1.17.
    Counted on modules of both shapes it is 1.19, as attention's scores, which 6ND leaves out, weigh more
    in the narrower model. So 4.7 times the tokens on a quarter of the parameters cost about the same in
    training, and a quarter per token that is served.
Says: Chinchilla (70B, 1.4T tokens) significantly outperformed Gopher (280B, 300B tokens) despite using
    the same training compute.
Verdict: holds if "the same" allows a fifth
Asked: AI interview course, "Model Architectures and Scaling": what are scaling laws?
Source: Hoffmann et al. 2022, "Training Compute-Optimal Large Language Models", table 4: the shapes of
    both models, https://arxiv.org/abs/2203.15556
Terms: Chinchilla, Gopher, training compute, compute_optimal, compute-optimal, 6ND, FLOPs, scaling laws,
    undertrained, tokens per parameter, tokens_per_parameter
Right when: One model is trained on more tokens: then its compute goes by the tokens.
Limits: Matrix products alone, forward and backward, full attention, with the position projection of d by
    d per layer that brings the counts of parameters to those published; it is counted per token, though
    such a model computes it once for all sequences of a batch. What six FLOPs count is the page
    flops_forgets_backward. The shapes were taken from a reproduction of the table.
"""

import torch
from hypothesis import example, given, strategies as st
from pytest import approx
from torch import nn

from fixtures import claim, observe
from fixtures.meters import flops
from fixtures.nets import attention


def by_the_tokens(a, b):
    """More tokens are more compute: 4.7 times the tokens, 4.7 times the cost."""
    return a[-1] / b[-1]


def by_the_parameters(a, b):
    """A smaller model is cheaper to train, in proportion."""
    return parameters(a) / parameters(b)


def the_same(a, b):
    """The runs had one budget, so the ratio is 1."""
    return 1.0


def parameters_times_tokens(a, b):
    """6ND is the exact count, so it is parameters times tokens: 1.17 for Chinchilla over Gopher."""
    return parameters(a) * a[-1] / (parameters(b) * b[-1])


def with_the_scores(a, b):
    """Parameters and 2 · layers · context · d, times tokens: 1.19 for Chinchilla over Gopher.

    Each parameter of a matrix takes part in one multiply-add per token forward, and in two backward;
    scores and weighted values in as many as the context has tokens.
    """
    total = [(parameters(run) + 2 * run[1] * run[3] * run[0]) * run[-1] for run in (a, b)]
    return total[0] / total[1]


def parameters(run):
    """Weights of the products: q, k, v, o, the position's and a 4d MLP per layer, and the output head."""
    d, layers, vocab, _, _ = run
    return 13 * d * d * layers + vocab * d


class Model(nn.Module):
    """The products of one layer and of the output head."""

    def __init__(self, d, vocab, heads):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.o, self.position = (nn.Linear(d, d, False) for _ in range(5))
        self.up, self.down, self.head = (
            nn.Linear(d, 4 * d, False),
            nn.Linear(4 * d, d, False),
            nn.Linear(d, vocab, False),
        )

    def layer(self, x):
        """[1, context, d] to the same shape."""
        q, k, v = (
            part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.q, self.k, self.v)
        )
        mixed = attention(q, k, v).transpose(1, 2).flatten(2)
        return self.down(self.up(self.o(mixed) + self.position(x)).relu())


def counted(run, dim=128):
    """FLOPs of a run, forward and backward: those of one layer times the layers, and of the head."""
    d, layers, vocab, context, tokens = run
    with torch.device("meta"):
        model, x = Model(d, vocab, max(1, d // dim)), torch.empty(1, context, d, requires_grad=True)
    layer = flops(lambda: model.layer(x).sum().backward())
    head = flops(lambda: model.head(x).sum().backward())
    return (layers * layer + head) / context * tokens


chinchilla = (8192, 80, 32000, 2048, 1.4e12)
gopher = (16384, 80, 32000, 2048, 3e11)


@st.composite
def runs(draw):
    """Width, layers, vocabulary, context and tokens of a run, the context at most four times the width."""
    d = 128 * draw(st.integers(1, 16))
    context = draw(st.integers(16, 4 * d))
    return (
        d,
        draw(st.integers(1, 8)),
        draw(st.sampled_from([1000, 32000])),
        context,
        draw(st.sampled_from([1e9, 1e10, 4e10])),
    )


@claim(wrong=(by_the_tokens, by_the_parameters, the_same, parameters_times_tokens), right=with_the_scores)
@example(a=chinchilla, b=gopher)
@example(a=(4096, 32, 32000, 2048, 1e12), b=(4096, 32, 32000, 2048, 1e11))
@example(a=(2048, 24, 32000, 8192, 1e11), b=(2048, 24, 32000, 512, 1e11))
@given(a=runs(), b=runs())
def test_compute_of_two_runs(answer, a, b):
    """Two runs cost compute in the ratio of parameters times tokens, and their scores on top.

    a: width, layers, vocabulary, context and tokens of a run
    b: the same of the other run
    """
    assert observe(ratio=counted(a) / counted(b)) == approx(answer(a, b), rel=1e-9)
