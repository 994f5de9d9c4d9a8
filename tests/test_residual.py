"""The residual networks start as blind guesses, learn side by side, and have DeepNorm's own constants."""

import pytest
import torch

from fixtures.residual import DESIGNS, ResidualNets


@pytest.mark.parametrize("design", DESIGNS)
def test_networks_learn(design):
    """Two blocks learn the task in thirty steps, from somewhere near a blind guess."""
    torch.manual_seed(0)
    nets = ResidualNets(design, depth=2)
    optimizer = torch.optim.Adam(nets.weights)

    first, *_, last = (nets.step(optimizer, 0.02).mean().item() for _ in range(30))

    assert 0.8 < first < 1.6
    assert last < first / 3


def test_networks_do_not_meet():
    """A step of one network does not move another: their losses are summed, and nothing else is shared."""
    torch.manual_seed(0)
    nets = ResidualNets("post-norm", depth=2, nets=2)
    nets.loss()[0].backward()

    assert all(w.grad[..., 1, :, :].eq(0).all() and w.grad[..., 0, :, :].ne(0).any() for w in nets.weights)


def test_constants_of_deepnorm():
    """For eight blocks the skip is doubled and weights start at less than half their size."""
    torch.manual_seed(0)
    nets = ResidualNets("DeepNorm", depth=8)

    assert nets.skip == 2
    # Of 32,768 numbers the standard deviation is known to 0.4 %.
    assert nets.downs.std().item() == pytest.approx(32**-0.5 / 64**0.25, rel=0.02)
