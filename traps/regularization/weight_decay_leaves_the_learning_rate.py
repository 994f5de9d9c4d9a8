"""Weight decay below a normalization

A layer norm follows a layer, so the length of its weights changes no output. What does weight decay on
them do?

Answer: It raises the learning rate. A layer that is trained with decay computes, step by step, what one
    without decay computes at the learning rate lr·(1 - lr·decay)^-(2t+1) at step t: with lr = 1 and a
    decay of 0.5 it doubles at step 0 and grows fourfold with each further one. Decay keeps the weights
    short, and short weights turn further per step.
Verdict: not judged: a trap of our own
Asked: nowhere yet
Source: Li and Arora 2020, "An Exponential Learning Rate Schedule for Deep Learning", abstract,
    https://arxiv.org/abs/1910.07454
Terms: weight decay, effective learning rate, scale invariance, scale-invariant weights, layer norm,
    normalization, exponential learning rate, learning rate schedule, SGD, rotational equilibrium
Limits: At a rate of 3e-4 and a decay of 0.1 it takes 16,667 steps for a factor of e. Exact for plain SGD;
    with momentum Li and Arora give another schedule, and under Adam the decay is decoupled and the
    gradient's size divided out, so that only the direction of the effect stays. Of the paper the abstract
    was read.
"""

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def same_rate(lr, decay, step):
    """Decay restrains what the layer can become; the learning rate is another matter and stays as it is."""
    return lr


def undo_the_shrinking(lr, decay, step):
    """Decay takes a factor of 1 - lr·decay per step, so the learning rate has to grow by that factor."""
    return lr / (1 - lr * decay) ** (step + 1)


def square_of_the_past(lr, decay, step):
    """The learning rate grows with the square of what decay has taken in all the steps before."""
    return lr / (1 - lr * decay) ** (2 * step)


def square_and_one_step_more(lr, decay, step):
    """The learning rate grows with the square of what decay has taken before, times what this step takes.

    Without decay, train at lr·(1 - lr·decay)^-(2t+1): it is the same function at each step t, from 0 on. A
    normalized layer ignores the length of its weights, and its gradient shrinks as they grow. Weights c
    times as long need a learning rate c² times as high to turn by the same angle; the decay of the step
    itself, which comes before its gradient is added, makes for the one step more.
    """
    return lr / (1 - lr * decay) ** (2 * step + 1)


def normalized_layer(rates, decay, seed, device):
    """Outputs of a linear map below a layer norm after each step of SGD at these learning rates."""
    torch.manual_seed(seed)
    x, target, w = (torch.randn(n, 4, dtype=torch.float64).to(device) for n in (6, 6, 4))
    w.requires_grad_()
    optimizer = torch.optim.SGD([w], weight_decay=decay)
    outputs = []
    for rate in rates:
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        F.mse_loss(F.layer_norm(x @ w, (4,), eps=0), target).backward()
        optimizer.step()
        outputs.append(F.layer_norm(x @ w.detach(), (4,), eps=0))
    return torch.stack(outputs)


@claim(wrong=(same_rate, undo_the_shrinking, square_of_the_past), right=square_and_one_step_more, examples=20)
@example(lr=1.0, decay=0.5, steps=2, seed=0)
@given(
    lr=st.sampled_from([1.0, 0.5, 0.1]),
    decay=st.sampled_from([0.5, 0.1]),
    steps=st.integers(1, 8),
    seed=st.integers(0, 9999),
)
def test_weight_decay_as_a_schedule(answer, device, lr, decay, steps, seed):
    """A normalized layer trained with decay is, step by step, one trained without at a growing rate.

    step: the step whose learning rate is asked for, from 0
    """
    decayed = normalized_layer([lr] * steps, decay, seed, device)
    undecayed = normalized_layer([answer(lr, decay, t) for t in range(steps)], 0, seed, device)

    # Eight steps in float64 on numbers of order one; what refutes differs in the first digits.
    assert observe(apart=(decayed - undecayed).abs().max().item()) == approx(0, abs=1e-6)
