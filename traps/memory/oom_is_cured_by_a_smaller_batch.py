"""Out of memory after some steps

Training runs, and dies of out-of-memory after some hundred steps, with a long stack trace. Do you halve
the batch?

Answer: If memory grows with every step that at best doubles the steps until it dies again: 625 instead of
    312 until kept losses of a small net fill a megabyte. The trace names the allocation that met the
    wall, and not what filled the room: watch what is allocated from step to step. A loss that is kept
    with its graph, for a log or a running mean, holds its activations if no backward pass has released
    them: 3 kept losses hold 3 times the activations. Keep loss.item().
Says: Stack traces of out-of-memory errors are unreliable, and lowering the batch size is no way to debug
    them.
Verdict: holds if memory grows from step to step
Asked: AI Interview Prep newsletter, Advanced Deep Learning #2
Source: PyTorch documentation 2025, "Frequently Asked Questions": do not accumulate history across the
    training loop, https://docs.pytorch.org/docs/stable/notes/faq.html
Terms: OOM, out of memory, CUDA out of memory, memory leak, loss.item(), detach, retain_graph, no_grad,
    memory snapshot, stack trace, batch size, evaluation loop
Right when: Memory does not grow from step to step and one of them does not fit: the first, or the one
    with the longest sequences.
Limits: Bytes that autograd holds on the CPU, in a small MLP; nodes of the graph without tensors are not
    counted, and fragmentation is not shown, nor that traces mislead. The newsletter's stored text stops
    before the cause that its title names.
"""

import weakref

import torch
from hypothesis import example, given, strategies as st
from torch import nn
from torch.autograd.graph import saved_tensors_hooks

from fixtures import claim, observe
from fixtures.meters import nbytes


def nothing_is_kept(kept, backward, steps, batch):
    """A loss is one number; what it came from is gone with the step."""
    return 0


def kept_as_long_as_the_loss(kept, backward, steps, batch):
    """The loss holds its graph, and the graph its activations, until the loss is gone."""
    return steps if kept == "loss" else 0


def one_step_of_it(kept, backward, steps, batch):
    """The next step overwrites what the last one held."""
    return 1 if kept == "loss" else 0


def until_backward_releases_it(kept, backward, steps, batch):
    """The activations of every kept loss, unless a backward pass has released them.

    3 kept losses hold those of 3 steps. A number, or a detached loss, has no graph. With retain_graph the
    backward pass releases nothing.
    """
    return steps if kept == "loss" and backward != "released" else 0


def never_again(batch, halved):
    """A smaller batch needs less memory, so it fits."""
    return 10**4


def at_the_same_step(batch, halved):
    """What is kept is a loss per step, one number, so the batch does not matter."""
    return BUDGET // (4 * 25 * 32)


def by_the_activations(batch, halved):
    """Bytes of the budget over those of a step's activations, which go with the batch.

    A step keeps its inputs, its activations and its results, a fixed number of bytes per row: a megabyte
    holds 312 steps at 32 rows.
    """
    return BUDGET // (4 * 25 * (batch // 2 if halved else batch))


BUDGET = 10**6


class Held:
    """What autograd saves, by reference."""

    def __init__(self, tensor):
        self.tensor = tensor


@claim(wrong=(never_again, at_the_same_step), right=by_the_activations, examples=20)
@example(batch=32, halved=False)
@example(batch=32, halved=True)
@example(batch=5, halved=True)
@given(batch=st.sampled_from([8, 15, 16, 32, 64]), halved=st.booleans())
def test_steps_until_kept_losses_fill_the_memory(answer, batch, halved):
    """Where losses are kept, half the batch takes twice the steps to fill the memory, and no more.

    halved: whether the batch was halved
    """
    net = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
    weights = {weight.untyped_storage().data_ptr() for weight in net.parameters()}
    sizes = {}  # of what is saved, once if two operations save it

    def pack(tensor):
        if tensor.untyped_storage().data_ptr() not in weights:
            sizes[tensor.untyped_storage().data_ptr()] = nbytes(tensor)
        return tensor

    log, rows = [], batch // 2 if halved else batch
    while sum(sizes.values()) <= BUDGET and len(log) < 10**4:
        with saved_tensors_hooks(pack, lambda tensor: tensor):
            log.append(net(torch.ones(rows, 8)).square().mean())

    assert observe(steps=len(log) - 1) == answer(batch, halved)


@claim(wrong=(nothing_is_kept, kept_as_long_as_the_loss, one_step_of_it), right=until_backward_releases_it)
@example(kept="loss", backward="none", steps=3, batch=32)
@example(kept="loss", backward="released", steps=3, batch=32)
@example(kept="item", backward="none", steps=3, batch=32)
@given(
    kept=st.sampled_from(["loss", "item", "detached"]),
    backward=st.sampled_from(["none", "released", "retained"]),
    steps=st.integers(0, 5),
    batch=st.integers(1, 32),
)
def test_activations_that_kept_losses_hold(answer, kept, backward, steps, batch):
    """Kept losses hold the activations of their steps until a backward pass releases them.

    kept: what is kept of each step, the loss, its number, or the loss detached
    backward: whether there is a backward pass, and whether it retains the graph
    """
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 1))
    weights = {weight.untyped_storage().data_ptr() for weight in net.parameters()}
    saved = weakref.WeakSet()

    def pack(tensor):
        held = Held(tensor.detach())
        if tensor.untyped_storage().data_ptr() not in weights:
            saved.add(held)
        return held

    def step():
        with saved_tensors_hooks(pack, lambda held: held.tensor):
            loss = net(torch.randn(batch, 8)).square().mean()
        before = nbytes(*(held.tensor for held in saved))
        if backward != "none":
            loss.backward(retain_graph=backward == "retained")
        return {"loss": loss, "item": loss.item(), "detached": loss.detach()}[kept], before

    # One step by itself tells what a graph holds.
    one = step()[1]
    log = [step()[0] for _ in range(steps)]

    held = nbytes(*(item.tensor for item in saved)) / one
    assert len(log) == steps
    assert observe(steps_held=held) == answer(kept, backward, steps, batch)
