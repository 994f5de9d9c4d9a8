"""The blockwise attention, on cases whose value is known."""

import pytest
import torch
import torch.nn.functional as F

from fixtures.blockwise import causal_attention, flash_backward, flash_forward
from fixtures.meters import flops


@pytest.mark.parametrize("block", [1, 2, 3, 7, 9])
def test_any_block_gives_torchs_causal_attention(block):
    """Skipping what the mask hides changes no result."""
    q, k, v = torch.randn(3, 2, 3, 7, 4, dtype=torch.float64)

    expected = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    torch.testing.assert_close(causal_attention(q, k, v, block), expected)


@pytest.mark.parametrize(("block", "scores"), [(1, 10), (2, 2 * 2 + 2 * 4), (3, 3 * 3 + 4), (4, 16)])
def test_blocks_above_the_diagonal_cost_nothing(block, scores):
    """Four queries have 10 scores to compute, and 16 if all are computed at once."""
    q, k, v = torch.zeros(3, 1, 1, 4, 8)

    # Two products of width 8, and two FLOPs per multiply-add.
    assert flops(lambda: causal_attention(q, k, v, block)) == 2 * 2 * 8 * scores


@pytest.mark.parametrize("tile", [1, 3, 7, 9])
def test_flash_passes_give_torchs_output_and_gradients(tile):
    """Any tile of keys gives softmax attention, its log-sum-exps and its gradients."""
    q, k, v = (x.requires_grad_() for x in 3 * torch.randn(3, 7, 4, dtype=torch.float64))
    expected = F.scaled_dot_product_attention(q[None], k[None], v[None])[0]
    gradients = torch.autograd.grad(expected.square().sum() / 2, (q, k, v))

    with torch.no_grad():
        out, norm = flash_forward(q, k, v, tile)
        torch.testing.assert_close(out, expected)
        torch.testing.assert_close(norm, (q @ k.T / 2).logsumexp(1, keepdim=True))
        torch.testing.assert_close(flash_backward(q, k, v, out, norm, out, tile), gradients)
