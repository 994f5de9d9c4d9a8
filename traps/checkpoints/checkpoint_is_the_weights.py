"""What a checkpoint must hold, and when it holds still

A training run shall be repeated to the last bit after a crash. Are the weights enough, is a file exact, and
is `optimizer.state_dict()` a snapshot of the moment?

Verdict: holds if the checkpoint is written to a file or copied at once: with the optimizer's state beside the
    weights every bit repeats, and without it no weight does
Asked: AI Interview Prep newsletter, LLM System Design #32
Source: The PyTorch authors 2026, "Saving and Loading Models", on state_dict, "a reference to the state and
    not its copy", https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html
Source: Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1,
    https://arxiv.org/abs/1412.6980
Right when: The optimizer is plain SGD without momentum: then the weights are enough.
Limits: One process on one device, and gradients that are given. A real run must restore the data's order, the
    generators and the schedule too.
"""

from copy import deepcopy
from io import BytesIO

import torch
from hypothesis import given, strategies as st

from fixtures import claim, observe


def none_differs(saved, weights):
    """The weights are the model: whoever has them can repeat the run."""
    return 0


def all_differ(saved, weights):
    """A run that went through a file never repeats, for the file rounds."""
    return weights


def state_belongs_to_the_run(saved, weights):
    """With moments and counter in the file no bit differs; without them every weight does.

    A step depends on gradients that are long gone. Moments and counter are all that is left of them.
    """
    return 0 if "optimizer" in saved else weights


def a_snapshot(kept_as, before, after):
    """A checkpoint holds what there was when it was taken."""
    return before


def a_view(kept_as, before, after):
    """state_dict() hands out the optimizer's own tensors, and load_state_dict() keeps those it is given.

    They go on counting with the training. A deep copy or a file stays behind.
    """
    return before + after if kept_as in ("state_dict()", "another optimizer") else before


def adamw(weights, path="for-loop"):
    """AdamW on a copy of these weights."""
    return torch.optim.AdamW([torch.nn.Parameter(weights.clone())], lr=0.01, **PATHS[path])


def weights_of(optimizer):
    """The tensor that an optimizer trains, as numbers."""
    return optimizer.param_groups[0]["params"][0].detach()


def train(optimizer, gradients):
    """One step on each of these gradients."""
    for gradient in gradients:
        optimizer.param_groups[0]["params"][0].grad = gradient.clone()
        optimizer.step()


def through_a_file(checkpoint):
    """What torch reads where it wrote a checkpoint."""
    file = BytesIO()
    torch.save(checkpoint, file)
    file.seek(0)
    return torch.load(file)


def loaded_elsewhere(checkpoint):
    """What a second optimizer holds that has loaded a checkpoint."""
    optimizer = adamw(torch.zeros(WIDTH, dtype=torch.float64))
    optimizer.load_state_dict(checkpoint)
    return optimizer.state_dict()


WIDTH = 8
PATHS = {"for-loop": {"foreach": False}, "foreach": {"foreach": True}, "fused": {"fused": True}}
KEEP = {
    "state_dict()": lambda checkpoint: checkpoint,
    "another optimizer": loaded_elsewhere,
    "a deep copy": deepcopy,
    "a file": through_a_file,
}
steps = st.sampled_from([2, 3, 6])


@claim(wrong=(none_differs, all_differ), right=state_belongs_to_the_run, examples=40)
@given(
    saved=st.sampled_from(["weights", "weights, optimizer"]),
    path=st.sampled_from(list(PATHS)),
    before=steps,
    after=steps,
    seed=st.integers(0, 9),
)
def test_checkpoint_repeats_every_bit(answer, saved, path, before, after, seed):
    """A run resumed with its optimizer state repeats every weight; from weights alone it repeats none."""
    random = torch.Generator().manual_seed(seed)
    start, *gradients = torch.randn(1 + before + after, WIDTH, generator=random, dtype=torch.float64)
    whole = adamw(start, path)
    train(whole, gradients[:before])
    checkpoint = through_a_file({"weights": weights_of(whole), "optimizer": whole.state_dict()})
    train(whole, gradients[before:])

    resumed = adamw(checkpoint["weights"], path)
    if "optimizer" in saved:
        resumed.load_state_dict(checkpoint["optimizer"])
    train(resumed, gradients[before:])

    differing = (weights_of(resumed) != weights_of(whole)).sum().item()
    assert observe(differing=differing) == answer(saved, WIDTH)


@claim(wrong=a_snapshot, right=a_view)
@given(kept_as=st.sampled_from(list(KEEP)), before=steps, after=steps)
def test_checkpoint_in_memory_goes_on_training(answer, kept_as, before, after):
    """What state_dict() returned counts the steps that were made after it was called."""
    gradient = torch.ones(WIDTH, dtype=torch.float64)
    optimizer = adamw(gradient)
    train(optimizer, [gradient] * before)
    checkpoint = KEEP[kept_as](optimizer.state_dict())
    train(optimizer, [gradient] * after)

    assert observe(steps=checkpoint["state"][0]["step"].item()) == answer(kept_as, before, after)
