"""From LayerNorm to RMSNorm without loss

RMSNorm leaves out the subtraction of the mean. Can a layer that was trained with LayerNorm be turned into
one with RMSNorm that computes the same?

Answer: Yes. The mean of a linear layer's outputs is linear in its inputs, so subtract it beforehand: give
    each column of the weight matrix mean zero, and the bias as well. RMSNorm with the same gain and eps
    then gives what LayerNorm gave, up to LayerNorm's shift, which moves into the bias of the layer that
    follows. In a pre-norm transformer that is done to every matrix that writes into the residual stream,
    with its bias, and to the embeddings.
Verdict: not judged: the question is asked as our own, after the newsletter's on what RMSNorm saves
Asked: AI Interview Prep newsletter, LLM System Design #34
Source: Jiang et al. 2023, "Pre-RMSNorm and Pre-CRMSNorm Transformers", abstract: pre-LN and pre-RMSNorm
    transformers are equivalent once the mean is removed from the main branch,
    https://arxiv.org/abs/2305.14858
Source: Zhang and Sennrich 2019, "Root Mean Square Layer Normalization", section 3,
    https://arxiv.org/abs/1910.07467
Terms: RMSNorm, LayerNorm, rms_norm, layer_norm, mean subtraction, re-centering, recentering, weight
    folding, fold, model conversion, pre-norm
Right when: The activations have mean zero, as those of a centered layer do.
Limits: One layer is converted. That training comes out equal as well is what the paper establishes and is
    not run here. Of Jiang et al. the abstract was read, Zhang and Sennrich were not.
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from torch import nn

from fixtures import claim, observe


def weights_as_they_are(weight, bias):
    """The mean of activations is close to zero anyway, so nothing has to be done."""
    return weight, bias


def rows_centered(weight, bias):
    """What is subtracted is a mean over inputs: center each row, and the bias."""
    return weight - weight.mean(1, keepdim=True), bias - bias.mean()


def weights_alone(weight, bias):
    """Center the columns of the weights; a bias is only a shift."""
    return weight - weight.mean(0), bias


def columns_and_bias_centered(weight, bias):
    """Center each column and the bias: then the outputs have mean zero for any input."""
    return weight - weight.mean(0), bias - bias.mean()


@claim(wrong=(weights_as_they_are, rows_centered, weights_alone), right=columns_and_bias_centered)
@example(d=64, n=64, seed=0)
@given(d=st.integers(1, 16), n=st.integers(2, 16), seed=st.integers(0, 9999))
def test_layernorm_folds_into_rmsnorm(answer, d, n, seed):
    """RMSNorm after a centered linear layer gives what LayerNorm gives after the original one.

    n: outputs of the layer
    weight: its weights, [n, d]
    bias: its bias, [n]
    """
    torch.manual_seed(seed)
    layer, norm = nn.Linear(d, n, dtype=torch.float64), nn.LayerNorm(n, dtype=torch.float64)
    norm.weight.data.normal_()
    norm.bias.data.normal_()
    x = torch.randn(8, d, dtype=torch.float64)

    y = F.linear(x, *answer(layer.weight.data, layer.bias.data))
    converted = F.rms_norm(y, (n,), norm.weight, norm.eps) + norm.bias

    assert observe(difference=(converted - norm(layer(x))).abs().max().item()) < 1e-9
