"""The AdamW of the pages is torch's own, on a copy of what it is given."""

import pytest
import torch

from fixtures.adam import PATHS, adamw, through_a_file, train, trained

START, GRADIENT = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 0.25])


@pytest.mark.parametrize("path", PATHS)
def test_train_makes_one_step_for_each_gradient(path):
    """Two gradients count as two steps, and a first step of AdamW is the learning rate against the sign."""
    optimizer = adamw(START, path, lr=0.125)

    assert torch.allclose(train(optimizer, GRADIENT), torch.tensor([0.875, -2.125]), atol=1e-6)
    train(optimizer, GRADIENT)
    assert optimizer.state[trained(optimizer)]["step"] == 2


@pytest.mark.parametrize("path", PATHS)
def test_adamw_trains_a_copy(path):
    """Neither the start nor a gradient nor what was handed back changes afterwards."""
    optimizer = adamw(START, path)
    first = train(optimizer, GRADIENT)
    kept = first.clone()
    train(optimizer, GRADIENT)

    assert torch.equal(first, kept)
    assert START.tolist() == [1.0, -2.0]
    assert GRADIENT.tolist() == [0.5, 0.25]
    assert not torch.equal(trained(optimizer), kept)


@pytest.mark.parametrize("path", PATHS)
def test_each_path_is_the_one_that_was_asked_for(path):
    """torch keeps the choice in the parameter group."""
    group = adamw(START, path).param_groups[0]

    assert (bool(group["foreach"]), bool(group["fused"])) == (path == "foreach", path == "fused")


def test_weight_decay_is_off_unless_asked_for():
    """Without gradient and decay nothing moves; with decay weights shrink by rate times decay."""
    nothing = torch.zeros(2)

    assert torch.equal(train(adamw(START), nothing), START)
    assert torch.allclose(train(adamw(START, lr=0.5, weight_decay=0.5), nothing), 0.75 * START)


def test_a_file_keeps_what_is_written():
    """What comes back is equal, and is no view of what was written."""
    tensor = torch.tensor([1.0, -2.0])
    back = through_a_file({"weights": tensor})["weights"]
    tensor += 1

    assert back.tolist() == [1.0, -2.0]
