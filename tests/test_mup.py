"""The network of two pages has the variances and learning rates of muP's table."""

import pytest
import torch

from fixtures.mup import tanh_mlp


@pytest.mark.parametrize(
    ("k", "variances", "rates"), [(1, (4, 256, 256), (1, 1)), (8, (4, 256, 2048), (1, 8))]
)
def test_variances_and_learning_rates(k, variances, rates):
    """Only the output's variance and the rates of the two matrices with a wide input know of k."""
    torch.manual_seed(0)
    net, optimizer = tanh_mlp(256, 0.5, k)

    for layer, inverse in zip(net[::2], variances, strict=True):
        # A variance of 1,024 numbers has a standard error of 4.4 %.
        assert layer.weight.var().item() == pytest.approx(1 / inverse, rel=0.22)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5 / by for by in rates]
    assert [len(group["params"]) for group in optimizer.param_groups] == [1, 2]
