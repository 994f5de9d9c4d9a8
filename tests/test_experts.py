"""The mixtures of experts learn side by side, and start where they are told to."""

import pytest
import torch

from fixtures.experts import EXPERTS, Mixtures


def test_mixtures_learn():
    """Forty steps take most of the error away."""
    torch.manual_seed(0)
    nets = Mixtures()
    optimizer = torch.optim.Adam(nets.weights, lr=0.03)

    first, *_, last = (nets.step(optimizer)[0].mean().item() for _ in range(40))

    assert last < first / 5


def test_a_router_that_is_far_ahead_has_collapsed():
    """All tokens go to the first expert, and most experts of a fresh router get some."""
    torch.manual_seed(0)

    assert Mixtures(ahead=100.0).alive() == 1
    assert Mixtures().alive() > EXPERTS / 2


def test_a_bias_moves_the_choice_and_not_the_gates():
    """Against a lead of 5 a bias of 10 sends the tokens elsewhere, where their gates stay small."""
    torch.manual_seed(0)
    nets = Mixtures(ahead=50.0, nets=2)
    bias = torch.tensor([-1000.0] + [0.0] * 7)

    _, load = nets.step(torch.optim.SGD(nets.weights, lr=0.0), bias=bias)

    assert load[:, 0].eq(0).all()
    assert load.sum(-1).tolist() == pytest.approx([1, 1])
    assert nets.alive(bias) > 1


def test_mixtures_do_not_meet():
    """A step of one net does not move another."""
    torch.manual_seed(0)
    nets = Mixtures(nets=2)
    before = [weight.clone() for weight in nets.weights]
    nets.maps[1] = 0
    nets.centers[1] = 0
    nets.experts.data[1] = 0
    nets.step(torch.optim.SGD(nets.weights, lr=0.1))

    assert not torch.equal(nets.experts[0], before[1][0])
    assert nets.experts[1].eq(0).all()
