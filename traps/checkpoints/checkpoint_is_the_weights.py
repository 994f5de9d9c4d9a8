"""What a checkpoint must hold for a bitwise resume

A training run with AdamW is to repeat to the last bit after a crash. Are the weights enough, and is a
file exact?

Answer: The weights are not enough: resumed from them alone, all 8 weights of a model differ 3 steps
    later. With the optimizer's state_dict() in the file, which holds both moments and the step counter,
    none differs by a bit: a file is exact. Save the learning-rate schedule, the position in the data, the
    states of the random generators and, for fp16, of the gradient scaler with it.
Verdict: not judged: this page counts the weights that differ, and not what becomes of the loss
Asked: AI Interview Prep newsletter, LLM System Design #32
Source: The PyTorch authors 2026, "Saving and Loading Models", on what a general checkpoint holds,
    https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html
Source: Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1,
    https://arxiv.org/abs/1412.6980
Terms: checkpoint, resume, state_dict, optimizer.state_dict, AdamW, exp_avg, exp_avg_sq, step counter,
    bitwise reproducible, torch.save, crash recovery, fault tolerance
Right when: The optimizer is plain SGD without momentum: then the weights are enough.
Limits: One process on one device, and gradients that are given. The stored abstract of #32 stops within
    its diagnosis. Whether state_dict() holds still is the page checkpoint_in_memory_is_a_snapshot.
"""

import torch
from hypothesis import example, given, strategies as st

from fixtures import claim, observe
from fixtures.adam import PATHS, adamw, through_a_file, train, trained


def none_differs(saved, weights):
    """The weights are the model: anyone who has them can repeat the run."""
    return 0


def all_differ(saved, weights):
    """A run that went through a file never repeats, for the file rounds."""
    return weights


def state_belongs_to_the_run(saved, weights):
    """With moments and step counter no bit differs, without them every weight.

    A step depends on gradients that are long gone. Moments and counter are all that is left of them.
    """
    return 0 if "optimizer" in saved else weights


steps = st.sampled_from([2, 3, 6])


@claim(wrong=(none_differs, all_differ), right=state_belongs_to_the_run, examples=40)
@example(saved="weights", path="fused", weights=8, before=2, after=3, seed=0)
@example(saved="weights, optimizer", path="fused", weights=8, before=2, after=3, seed=0)
@given(
    saved=st.sampled_from(["weights", "weights, optimizer"]),
    path=st.sampled_from(list(PATHS)),
    weights=st.sampled_from([8, 1, 100]),
    before=steps,
    after=steps,
    seed=st.integers(0, 9999),
)
def test_checkpoint_repeats_every_bit(answer, device, saved, path, weights, before, after, seed):
    """A run resumed with its optimizer state repeats every weight; from weights alone it repeats none.

    saved: what the file holds
    weights: how many there are
    path: the code path of torch's AdamW
    before: steps before the crash
    after: steps after it
    """
    random = torch.Generator().manual_seed(seed)
    noise = torch.randn(1 + before + after, weights, generator=random, dtype=torch.float64).to(device)
    start, *gradients = noise
    whole = adamw(start, path, lr=0.01)
    train(whole, *gradients[:before])
    checkpoint = through_a_file({"weights": trained(whole).detach(), "optimizer": whole.state_dict()})
    ends = train(whole, *gradients[before:])

    resumed = adamw(checkpoint["weights"], path, lr=0.01)
    if "optimizer" in saved:
        resumed.load_state_dict(checkpoint["optimizer"])
    repeated = train(resumed, *gradients[before:])

    assert observe(differing_weights=(repeated != ends).sum().item()) == answer(saved, weights)
