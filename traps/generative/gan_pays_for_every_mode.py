"""What an objective charges for a lost mode

A generator leaves out modes that hold 1 % of the data. What does that cost it under maximum likelihood,
under the reverse KL divergence, and under the Jensen-Shannon divergence that a GAN minimizes?

Answer: Under forward KL, maximum likelihood, infinitely much. Under reverse KL -ln(1 - 0.01) = 0.010
    nats, and under Jensen-Shannon 0.0035: what was never generated is hardly missed. One Gaussian on two
    modes covers both under forward KL at any distance; under reverse KL it settles on one as soon as the
    modes are 2.7 to 2.9 deviations from the middle, under Jensen-Shannon 4.1 to 4.4.
Says: By the generative learning trilemma GANs can excel at only two of quality, speed and mode coverage.
Verdict: not judged: what the objective charges is no trained model, and the paper that coined the
    trilemma builds a diffusion model with GAN steps to have all three
Asked: AI Interview Prep newsletter, Advanced Deep Learning #25
Source: Goodfellow et al. 2014, "Generative Adversarial Nets", section 4.1: the game's value is the
    Jensen-Shannon divergence, https://arxiv.org/abs/1406.2661
Source: Xiao, Kreis and Vahdat 2021, "Tackling the Generative Learning Trilemma with Denoising Diffusion
    GANs", abstract, https://arxiv.org/abs/2112.07804
Source: Minka 2005, "Divergence measures and message passing", section 2: what covers modes and what seeks
    one, https://www.microsoft.com/en-us/research/publication/divergence-measures-and-message-passing/
Terms: GAN, mode collapse, mode dropping, mode seeking, mode covering, KL divergence, forward KL, reverse
    KL, Jensen-Shannon, JS divergence, maximum likelihood, long tail, trilemma
Right when: The lost modes are much of the data: losing half costs Jensen-Shannon 0.22 nats of at most
    0.69.
Limits: Exact divergences, as if the discriminator were perfect, and no training: which modes a GAN finds
    also depends on its optimization. One Gaussian of free mean and width on two of width 1. Minka was not
    read.
"""

from math import inf, log

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st
from pytest import approx

from fixtures import claim, observe


def as_much_as_was_lost(divergence, lost):
    """A divergence measures what is missing: 1 % of the data costs 1 %."""
    return lost


def infinitely_much(divergence, lost):
    """A law that gives no probability to what occurs is infinitely far away, by any divergence."""
    return inf


def by_who_is_asked(divergence, lost):
    """Losing 1 % costs inf by forward KL, 0.010 nats by reverse KL, 0.0035 by Jensen-Shannon.

    Reverse KL is -ln(1 - lost). Forward KL asks the data, reverse KL the generator, who never goes there;
    Jensen-Shannon asks both, and the data's half is charged at most ln 2.
    """
    if divergence == "forward KL":
        return inf
    if divergence == "reverse KL":
        return -log(1 - lost)
    kept = 1 - lost
    return (kept * log(kept / (1 - lost / 2)) + lost * log(2) - log(1 - lost / 2)) / 2


def covers_both(divergence, apart):
    """The divergence is smallest where all of the data is covered."""
    return 0.0


def settles_on_one(divergence, apart):
    """What the generator is asked settles on one mode as soon as there are two; maximum likelihood covers."""
    return 0.0 if divergence == "forward KL" or apart < 1 else apart


def beyond_a_distance(divergence, apart):
    """Forward KL covers both at any distance; reverse KL drops one at some, Jensen-Shannon farther out.

    At 2.7 to 2.9, and at 4.1 to 4.4, one mode alone gets cheaper than a Gaussian across the gap.
    """
    # By bisection 2.80 and 4.25.
    covers = {"forward KL": inf, "reverse KL": 2.7, "Jensen-Shannon": 4.1}[divergence]
    return 0.0 if apart <= covers else apart


def divergences(p, q):
    """Forward KL, reverse KL and Jensen-Shannon of a generator's law q from the data's law p, in nats."""

    def kl(a, b):
        return F.kl_div(b[a > 0].log(), a[a > 0], reduction="sum")

    mixture = (p + q) / 2
    return {
        "forward KL": kl(p, q),
        "reverse KL": kl(q, p),
        "Jensen-Shannon": (kl(p, mixture) + kl(q, mixture)) / 2,
    }


names = st.sampled_from(["forward KL", "reverse KL", "Jensen-Shannon"])


@claim(wrong=(as_much_as_was_lost, infinitely_much), right=by_who_is_asked)
@example(divergence="forward KL", masses=[99, 1])
@example(divergence="reverse KL", masses=[99, 1])
@example(divergence="Jensen-Shannon", masses=[99, 1])
@example(divergence="Jensen-Shannon", masses=[1, 1])
@example(divergence="Jensen-Shannon", masses=[1, 99])
@given(divergence=names, masses=st.lists(st.integers(1, 99), min_size=2, max_size=6))
def test_divergence_of_a_lost_mode(answer, divergence, masses):
    """What a lost mode costs depends on whether the data is asked for it, or the generator.

    divergence: of the generator's law from that of the data
    masses: of the modes, the last of which the generator leaves out
    lost: share of the data in the lost mode
    """
    p = torch.tensor(masses, dtype=torch.float64)
    q = p.clone()
    q[-1] = 0
    p, q = p / p.sum(), q / q.sum()

    nats = divergences(p, q)[divergence].item()
    assert observe(nats=nats) == approx(answer(divergence, masses[-1] / sum(masses)), abs=1e-9)


@claim(wrong=(covers_both, settles_on_one), right=beyond_a_distance)
@example(divergence="forward KL", apart=6.0)
@example(divergence="reverse KL", apart=2.7)
@example(divergence="reverse KL", apart=2.9)
@example(divergence="Jensen-Shannon", apart=4.1)
@example(divergence="Jensen-Shannon", apart=4.4)
@given(divergence=names, apart=st.sampled_from([0.5, 2.0, 2.7, 2.9, 3.5, 4.1, 4.4, 6.0]))
def test_divergence_of_one_gaussian_on_two(answer, divergence, apart):
    """One Gaussian covers two modes or settles on one, by its objective and by how far apart they are.

    divergence: of the Gaussian from the two modes
    apart: distance of either mode from the middle, in its deviations
    """
    x = torch.arange(-16, 16, 0.1, dtype=torch.float64)

    def bell(mean, width):
        density = torch.exp(-(((x - mean) / width) ** 2) / 2)
        return density / density.sum()

    data = (bell(apart, 1) + bell(-apart, 1)) / 2
    fits = []
    # Two ways to begin: on both modes, and on one.
    for mean, width in ((0.01, (1 + apart**2) ** 0.5), (apart, 1.0)):
        values = torch.tensor([mean, log(width)], dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([values], max_iter=50, line_search_fn="strong_wolfe")

        def cost(values=values, optimizer=optimizer):
            optimizer.zero_grad()
            loss = divergences(data, bell(values[0], values[1].exp()) + 1e-300)[divergence]
            loss.backward()
            return loss

        optimizer.step(cost)
        fits.append((cost().item(), abs(values[0].item())))

    _, shift = min(fits)
    # Next to where it settles, at 2.9 under reverse KL, the best mean is still 0.022 short of the mode.
    assert observe(shift=shift) == approx(answer(divergence, apart), abs=0.05)
