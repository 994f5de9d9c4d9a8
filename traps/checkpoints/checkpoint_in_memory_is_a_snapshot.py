"""Is state_dict() a snapshot?

You keep the best model in memory as best = model.state_dict(), or the optimizer's state as a checkpoint,
and train on. What do you hold in the end: what was there when you took it, or what is there now?

Answer: What is there now: state_dict() hands out references to the live tensors, which go on training. So
    do .copy(), copy.copy and, on a CPU, {k: v.cpu()}: taken after 2 steps and read after 3 more they have
    counted 5. Clone each tensor of a model's state, take a deepcopy of an optimizer's, or write a file:
    those stay at 2.
Verdict: not judged: the newsletter asks what a checkpoint must hold, not when it holds still
Asked: AI Interview Prep newsletter, LLM System Design #32
Source: The PyTorch authors 2026, "Saving and Loading Models", on state_dict, "a reference to the state
    and not its copy", https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html
Source: PyPOTS issue 667, 2025: the best model that was kept in memory is the last one,
    https://github.com/WenjieDu/PyPOTS/issues/667
Terms: state_dict, optimizer.state_dict, deepcopy, clone, best checkpoint, early stopping, shallow copy,
    reference, in-memory checkpoint, load_state_dict, alias
Right when: The model is on a GPU, and each tensor is moved to the CPU: then v.cpu() is a copy. Loading
    into a module copies too, unless assign=True is set; an optimizer keeps the tensors that
    load_state_dict() was given.
Limits: A model on the CPU. What a checkpoint must hold is the page checkpoint_is_the_weights.
"""

import copy

import torch
from hypothesis import example, given, strategies as st
from torch import nn

from fixtures import claim, observe
from fixtures.adam import adamw, through_a_file, train


def a_snapshot(kept, before, after):
    """A checkpoint holds what there was when it was taken."""
    return before


def a_view_unless_copied(kept, before, after):
    """state_dict() is a view; .copy() or .cpu() makes a snapshot of it."""
    return before + after if kept in ("state_dict()", "another optimizer") else before


def a_view_of_the_tensors(kept, before, after):
    """state_dict() is a view, and only a copy of its tensors is a snapshot.

    clone(), deepcopy and a file make one, and so does a module that loads them. A copy of the dict
    holds the same tensors, and so does v.cpu() where they are on the CPU already. An optimizer keeps
    the tensors that it is given to load.
    """
    views = ["state_dict()", "copy()", "copy.copy()", "v.cpu()", "another optimizer"]
    return before + after if kept in views else before


def loaded_by(other, checkpoint):
    """What another model or optimizer holds that has loaded a checkpoint."""
    other.load_state_dict(checkpoint)
    return other.state_dict()


COPIES = {
    "state_dict()": lambda state: state,
    "copy()": lambda state: state.copy(),
    "copy.copy()": copy.copy,
    "copy.deepcopy()": copy.deepcopy,
    "a file": through_a_file,
}
OF_A_MODEL = COPIES | {
    "v.cpu()": lambda state: {k: v.cpu() for k, v in state.items()},
    "v.clone()": lambda state: {k: v.clone() for k, v in state.items()},
    "another model": lambda state: loaded_by(nn.Linear(1, 1, bias=False), state),
}
OF_AN_OPTIMIZER = COPIES | {"another optimizer": lambda state: loaded_by(adamw(torch.zeros(1)), state)}
steps = st.integers(1, 5)


@claim(wrong=(a_snapshot, a_view_unless_copied), right=a_view_of_the_tensors, examples=200)
@example(kept="state_dict()", before=2, after=3)
@example(kept="copy()", before=2, after=3)
@example(kept="copy.copy()", before=2, after=3)
@example(kept="v.cpu()", before=2, after=3)
@example(kept="v.clone()", before=2, after=3)
@example(kept="copy.deepcopy()", before=2, after=3)
@example(kept="a file", before=2, after=3)
@example(kept="another model", before=2, after=3)
@given(kept=st.sampled_from(list(OF_A_MODEL)), before=steps, after=steps)
def test_model_kept_in_memory_goes_on_training(answer, kept, before, after):
    """What state_dict() of a model returned goes on training, unless its tensors were copied.

    kept: how the state was kept
    before: steps before it was taken
    after: steps after it was taken
    """
    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    model.weight.grad = -torch.ones_like(model.weight)  # so that the weight counts the steps
    for _ in range(before):
        optimizer.step()
    best = OF_A_MODEL[kept](model.state_dict())
    for _ in range(after):
        optimizer.step()

    assert observe(counted_steps=best["weight"].item()) == answer(kept, before, after)


@claim(wrong=(a_snapshot, a_view_unless_copied), right=a_view_of_the_tensors, examples=100)
@example(kept="state_dict()", before=2, after=3)
@example(kept="another optimizer", before=2, after=3)
@example(kept="copy.deepcopy()", before=2, after=3)
@given(kept=st.sampled_from(list(OF_AN_OPTIMIZER)), before=steps, after=steps)
def test_checkpoint_in_memory_goes_on_training(answer, kept, before, after):
    """What state_dict() of an optimizer returned counts the steps that were made after it was called.

    kept: how the state was kept
    before: steps before it was taken
    after: steps after it was taken
    """
    gradient = torch.ones(1)
    optimizer = adamw(gradient)
    train(optimizer, *[gradient] * before)
    checkpoint = OF_AN_OPTIMIZER[kept](optimizer.state_dict())
    train(optimizer, *[gradient] * after)

    counted = checkpoint["state"][0]["step"].item()
    assert observe(counted_steps=counted) == answer(kept, before, after)
