"""The tiny models compute what their names say."""

import torch
import torch.nn.functional as F

from fixtures.nets import LM, Block, attention, residual_stack, rotate, tanh_net


def test_attention_is_torchs_causal_attention():
    """Two plain products and a mask give what torch's own kernel gives."""
    q, k, v = torch.randn(3, 2, 4, 5, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    assert torch.allclose(attention(q, k, v), F.scaled_dot_product_attention(q, k, v, is_causal=True))


def test_rotation_keeps_lengths_and_adds_up():
    """A rotation changes no length, and turning by 3 and then by 4 is turning by 7."""
    x = torch.randn(1, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    turned = rotate(rotate(x, torch.tensor([3])), torch.tensor([4]))

    assert torch.allclose(turned, rotate(x, torch.tensor([7])))
    assert torch.allclose(turned.norm(), x.norm())


def test_first_pair_turns_by_a_radian_a_position():
    """The fastest pair turns by one radian, the slowest of n by 10000^(-(n-1)/n)."""
    x = torch.tensor([[1.0, 0.0, 1.0, 0.0]], dtype=torch.float64)
    angles = torch.view_as_complex(rotate(x, torch.tensor([1])).unflatten(-1, (-1, 2))).angle()

    assert torch.allclose(angles, torch.tensor([[1.0, 0.01]], dtype=torch.float64))


def test_every_parameter_of_a_block_is_the_weight_of_a_product():
    """Four projections of d² and two of 4d²."""
    assert sum(p.numel() for p in Block(16, heads=2).parameters()) == 12 * 16**2


def test_tied_head_reads_the_table():
    """A tied model has one table less."""
    free, tied = (sum(p.numel() for p in LM(40, 16, 1, tie=tie).parameters()) for tie in (False, True))

    assert free - tied == 40 * 16


def test_logits_see_the_past_only():
    """Changing the last token changes no earlier logits."""
    model, ids = LM(vocab=9, d=8, layers=2), torch.tensor([[1, 2, 3, 4]])
    other = torch.tensor([[1, 2, 3, 5]])

    assert torch.equal(model.logits(ids)[:, :3], model.logits(other)[:, :3])
    assert not torch.equal(model.logits(ids)[:, 3], model.logits(other)[:, 3])


def test_norms_stand_before_the_branch_or_after_the_sum():
    """What leaves a post-norm stack is normalised; a pre-norm stack adds to what entered."""
    x = torch.tensor([[3.0, 5.0, 1.0]], dtype=torch.float64)
    branches = [lambda h: 2 * h] * 3

    after, before = (residual_stack(x, branches, pre_norm=pre_norm) for pre_norm in (False, True))

    assert torch.allclose(after, F.layer_norm(after, [3]), atol=1e-4)
    assert torch.allclose(before - x, 2 * 3 * F.layer_norm(x, [3]), atol=1e-4)


def test_skip_scales_the_stream_of_a_post_norm_stack():
    """With nine times the stream beside it a branch weighs a tenth."""
    x, added = torch.tensor([[1.0, -1.0]]), torch.tensor([[-1.0, 1.0]])

    stream = residual_stack(x, [lambda _: 9 * added], pre_norm=False, skip=9.5)

    assert torch.allclose(stream, F.layer_norm(0.5 * x, [2]))


def test_tanh_nets_of_many_nets_at_once():
    """Nets side by side answer as each alone."""
    random = torch.Generator().manual_seed(0)
    weights = [torch.randn(4, *shape, generator=random) for shape in ((2, 3), (1, 3), (3, 1))]
    x = torch.randn(5, 2, generator=random)

    together = tanh_net(weights, x)

    assert together.shape == (4, 5, 1)
    assert torch.allclose(together[2], tanh_net([w[2] for w in weights], x))
