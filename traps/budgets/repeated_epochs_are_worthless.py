"""Repeating the data

Good text runs out before the GPUs do. Is a second epoch worth nothing, and what changes if you repeat the
data many times?

Answer: A few epochs are nearly as good as fresh text: here 4 bring 0.82 of what as many fresh samples
    would have brought, 16 bring 0.49 and 32 next to nothing. Ten times the weight decay takes the
    divergence at 32 epochs to 0.76, which only gets back what 16 had without it, and does nothing at 4.
    So repeat up to some four epochs without a second thought, and stop or regularize by held-out loss.
Says: Once compute outruns high-quality text the single-epoch rule collapses into overfitting: adopt
    multi-epoch schedules and re-introduce heavy regularization.
Verdict: holds if the epochs are many; up to four, repeats cost little and regularization brings nothing
Asked: AI Interview Prep newsletter, LLM System Design #29
Source: Muennighoff et al. 2023, "Scaling Data-Constrained Language Models", abstract: up to 4 epochs are
    nearly as good as fresh data, https://arxiv.org/abs/2305.16264
Source: Kim et al. 2025, "Pre-training under infinite compute", abstract: weight decay 30 times that of
    common practice, https://arxiv.org/abs/2509.14786
Terms: epochs, repeated data, repeated_data, multi-epoch, data-constrained, data wall, overfitting, weight
    decay, one epoch, effective tokens, held-out loss
Right when: The epochs are as many as 32, and nothing regularizes.
Limits: A small MLP on a second-order Markov chain of 16 tokens, 2,048 samples per epoch; where it turns
    depends on parameters per sample. Of both papers the abstracts were read.
"""

from functools import cache

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx
from torch import nn

from fixtures import claim, observe

TOKENS, SAMPLES, BATCH = 16, 2048, 256
# With 50 seeds each: 0.68 to 1.01, 0.39 to 0.58, -0.04 to 0.19, 1.00 to 1.02 and 0.73 to 0.79.
FEW, MANY, TOO_MANY, IDLE, CURED = 0.82, 0.49, 0.08, 1.01, 0.76


def worthless(epochs):
    """A second look at the same text teaches nothing: it is as if there had been one epoch."""
    return 0.0


def as_good_as_fresh(epochs):
    """A token is a token, seen before or not."""
    return 1.0


def good_for_a_few(epochs):
    """A few epochs bring nearly what as many fresh samples would, and many bring little.

    Of the gain of fresh samples four epochs bring 0.82, sixteen 0.49 and thirty-two 0.08. By then the net
    has learned its samples' noise.
    """
    return {4: FEW, 16: MANY, 32: TOO_MANY}[epochs]


def as_soon_as_data_repeat(epochs):
    """Repeats overfit, so regularize hard from the second epoch on."""
    return CURED


def no_matter(epochs):
    """There is no overfitting in pretraining, so weight decay makes no difference."""
    return IDLE


def once_it_overfits(epochs):
    """Strong weight decay helps once many repeats overfit; after a few it does nothing.

    Ten times the decay takes the divergence to 0.76 at 32 epochs, and does nothing at 4.
    """
    return IDLE if epochs == 4 else CURED


@cache
def divergence(epochs, decay, fresh, seed, device):
    """KL divergence in nats per token of a net from its source, after epochs of 2,048 samples."""
    torch.manual_seed(seed)
    law = (1.5 * torch.randn(TOKENS, TOKENS, TOKENS)).softmax(-1)

    def drawn():
        before = torch.randint(TOKENS, (SAMPLES, 2))
        after = law[before[:, 0], before[:, 1]].multinomial(1)[:, 0]
        return before.to(device), after.to(device)

    net = nn.Sequential(
        *(nn.Embedding(TOKENS, 32), nn.Flatten(), nn.Linear(64, 256), nn.ReLU()),
        *(nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, TOKENS)),
    ).to(device)
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.003, weight_decay=decay, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * SAMPLES // BATCH)
    before, after = drawn()
    for _ in range(epochs):
        if fresh:
            before, after = drawn()
        for part in torch.randperm(SAMPLES).to(device).split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(net(before[part]), after[part]).backward()
            optimizer.step()
            schedule.step()
    every = torch.cartesian_prod(torch.arange(TOKENS), torch.arange(TOKENS)).to(device)
    with torch.no_grad():
        learned = net(every).log_softmax(-1).cpu()
    return F.kl_div(learned, law.flatten(0, 1), reduction="batchmean").item()


@claim(wrong=(worthless, as_good_as_fresh), right=good_for_a_few, evidence="trained", examples=2)
@example(epochs=4, seed=0)
@example(epochs=16, seed=0)
@example(epochs=32, seed=0)
@given(epochs=st.sampled_from([4, 16, 32]), seed=st.integers(0, 9999))
def test_repeated_epochs_against_fresh_samples(answer, device, epochs, seed):
    """Four epochs of the same samples are nearly as good as fresh ones, and sixteen are not.

    epochs: how often the samples are seen
    """
    repeated, fresh = (divergence(epochs, 0.1, new, seed, device) for new in (False, True))
    one = divergence(1, 0.1, False, seed, device)
    assert observe(share_of_the_gain=(one - repeated) / (one - fresh)) == approx(answer(epochs), abs=0.24)


@claim(wrong=(as_soon_as_data_repeat, no_matter), right=once_it_overfits, evidence="trained", examples=2)
@example(epochs=4, seed=0)
@example(epochs=32, seed=0)
@given(epochs=st.sampled_from([4, 32]), seed=st.integers(0, 9999))
def test_weight_decay_over_repeated_epochs(answer, device, epochs, seed):
    """Strong weight decay pays once the repeats are many.

    epochs: how often the samples are seen
    """
    strong, usual = (divergence(epochs, decay, False, seed, device) for decay in (1.0, 0.1))
    # At 4 epochs all 50 seeds lie within 0.02 of 1, so that a gain of some per cent would show.
    off = 0.03 if epochs == 4 else 0.1
    assert observe(times=strong / usual) == approx(answer(epochs), rel=off)
