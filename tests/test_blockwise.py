"""The blockwise attention, on cases whose value is known."""

import pytest
import torch
import torch.nn.functional as F

from fixtures.blockwise import causal_attention
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
