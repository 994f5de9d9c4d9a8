"""Weight decay under a cosine schedule

AdamW multiplies each weight by 1 - lr·decay. A cosine schedule takes the learning rate to zero: how much
of the decay happens in the last tenth of the steps?

Answer: Next to none: the decay goes with the learning rate, so under a cosine the last tenth of the steps
    takes 0.16 % of all that decay takes, and the second half 18 %. If weights are to be kept small to the
    end, the decay has to be scheduled apart from the learning rate.
Says: As the cosine schedule reduces the learning rate toward zero, weight decay's influence wanes.
Verdict: holds
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 13
Asked: AI Interview Prep newsletter, LLM System Design #37
Source: Loshchilov and Hutter 2019, "Decoupled Weight Decay Regularization", abstract,
    https://arxiv.org/abs/1711.05101
Terms: AdamW, weight decay, decoupled weight decay, cosine decay, cosine schedule, learning rate schedule,
    annealing
Right when: The learning rate is constant.
Limits: What decay alone takes, without steps; weights that have settled keep the size of the higher rate
    for a while (adamw_decay_shrinks_weights_away). The stored text of #37 stops in its second sentence;
    of the paper the abstract was read.
"""

from math import pi, sin

import torch
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def alike_at_every_step(last):
    """AdamW's decay is decoupled from the learning rate: each step takes its share."""
    return last


def with_the_learning_rate(last):
    """AdamW's decay goes with the learning rate: a step takes lr·decay.

    So under a cosine the last tenth of the steps takes 0.0016 of all, and the second half 0.18 of it.
    """
    return last - sin(pi * last) / pi


@claim(wrong=alike_at_every_step, right=with_the_learning_rate)
@example(last=0.1)
@example(last=0.5)
@given(last=st.sampled_from([0.1, 0.25, 0.5, 0.75, 1.0]))
def test_adamw_decay_under_a_cosine(answer, device, last):
    """Under a cosine schedule the last steps take next to nothing of what decay takes in all.

    last: the last steps as a share of all
    """
    weight = torch.ones(1, dtype=torch.float64, device=device, requires_grad=True)
    optimizer = torch.optim.AdamW([weight], lr=0.001, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=1000)
    path = [weight.item()]
    for _ in range(1000):
        weight.grad = torch.zeros_like(weight)
        optimizer.step()
        schedule.step()
        path.append(weight.item())

    logs = torch.tensor(path, dtype=torch.float64).log()
    taken = (logs[-1] - logs[round(1000 * (1 - last))]) / logs[-1]

    # A sum of 1,000 steps stands for the integral.
    assert observe(share=taken.item()) == approx(answer(last), abs=0.001)
