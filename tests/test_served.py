"""A layer with a KV cache, on known cases."""

import torch
import torch.nn.functional as F
from torch.testing import assert_close

from fixtures.meters import ColdReads
from fixtures.served import D, ServedLayer


def test_a_text_that_enters_in_pieces_gives_what_the_whole_gives():
    """Prefill, and then a token at a time, ends with the rows of one pass over the whole text."""
    whole, served = ServedLayer(3, 6), ServedLayer(3, 6)
    pieces = [served(0, 4), served(4, 5), served(5, 6)]
    assert_close(torch.cat(pieces, 1), whole(0, 6))
    assert_close(served.cache, whole.cache)


def test_its_attention_is_that_of_torch():
    """With an MLP of zeros the layer adds causal attention and nothing else."""
    layer = ServedLayer(2, 5)
    layer.weights[-1].zero_()
    q, k, v, o = layer.weights[:4]
    x = layer.text
    mixed = F.scaled_dot_product_attention(x @ q, x @ k, x @ v, is_causal=True)
    assert_close(layer(0, 5), x + mixed @ o)


def test_a_step_forgets_what_its_cache_has_lost():
    """A decode step reads the cache: another prompt in it is another output."""
    layer = ServedLayer(1, 4)
    layer(0, 3)
    before = layer(3, 4)
    layer.cache[:, :, :3] = 0
    assert not torch.allclose(layer(3, 4), before)


def test_a_pass_reads_each_weight_once_and_the_cache_up_to_its_last_token():
    """Four bytes per weight, and a key and a value per cached token and request."""
    layer = ServedLayer(2, 5)
    layer(0, 3)
    with ColdReads(*layer.weights, layer.cache) as cold:
        layer(3, 4)
    assert cold.of(*layer.weights) == 4 * 12 * D**2
    assert cold.of(layer.cache) == 2 * 2 * 4 * 4 * D
