"""Latent attention in two orders, on known cases."""

import torch
import torch.nn.functional as F

from fixtures.latent import absorbed, expanded


def _case():
    random = torch.Generator().manual_seed(0)
    shapes = (3, 2, 4), (7, 5), (3, 5, 4), (3, 5, 6)
    return [torch.randn(shape, dtype=torch.float64, generator=random) for shape in shapes]


def test_expanded_is_attention_over_projected_keys_and_values():
    """Torch's own attention over the same keys and values gives the same."""
    q, latents, up_keys, up_values = _case()
    reference = F.scaled_dot_product_attention(q, latents @ up_keys, latents @ up_values, scale=1.0)
    torch.testing.assert_close(expanded(q, latents, up_keys, up_values), reference)


def test_absorbed_gives_what_expanded_gives():
    """The order of multiplication changes no output, with further scores as without."""
    case = _case()
    rotary = torch.randn(3, 2, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    for more in (0, rotary):
        torch.testing.assert_close(absorbed(*case, more), expanded(*case, more))
    assert not torch.allclose(absorbed(*case), absorbed(*case, rotary))


def test_one_latent_is_returned_whole():
    """With a context of one token its value is the output, whatever the query."""
    q, latents, up_keys, up_values = _case()
    alone = latents[:1]
    torch.testing.assert_close(absorbed(q, alone, up_keys, up_values), (alone @ up_values).expand(3, 2, 6))
