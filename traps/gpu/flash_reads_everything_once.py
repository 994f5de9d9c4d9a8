"""What FlashAttention moves through HBM

FlashAttention is said to trade O(N²) slow accesses for O(N²) fast compute. Are its accesses to HBM then
linear, and does a tile of any size pay?

Answer: No, not if nothing but SRAM keeps them. Keys and values are read once more for each tile of r
    query rows, so what crosses stays quadratic, divided by about 2r/d. At 1,024 tokens and width 64 tiles
    of 128 rows move a quarter of what plain attention moves, 1,179,648 numbers of 4,456,448, and tiles of
    32 rows as much as it does.
Says: FlashAttention trades O(N²) slow memory accesses for O(N²) fast compute in SRAM.
Verdict: imprecise: in the paper's model of HBM and SRAM accesses to HBM stay quadratic, divided by a
    factor that the size of SRAM sets
Asked: Top 25 LLM System Design Interview Questions (Hoang 2025), chapter 9
Source: Dao et al. 2022, "FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness",
    theorem 2, https://arxiv.org/abs/2205.14135
Terms: HBM accesses, IO complexity, IO-aware, SRAM size, tile size, block size, FlashAttention,
    FlashAttention-2, memory traffic, tiling
Right when: All query rows fit on the chip at once: then everything crosses once. Nearly so if the keys
    and values of a head stay in the GPU's L2 cache while the tiles of queries pass.
Limits: Numbers that cross between slow and fast memory, in a model without caches; queries stay and keys
    pass by, as in FlashAttention-2. Each of the plain form's three operations reads and writes once. For
    a chip that holds M numbers r is about M/(4d), which gives the paper's N²d²/M.
"""

from math import ceil

import torch
import torch.nn.functional as F
from hypothesis import example, given, strategies as st

from fixtures import claim, observe
from fixtures.blockwise import absorb, begin


def everything_once(n, dim, rows):
    """Queries, keys and values are read once and the output is written once: 4·n·d."""
    return 4 * n * dim


def as_plain(n, dim, rows):
    """All n² scores are computed, so they are written and read, and so are the n² weights."""
    return 4 * n * dim + 4 * n * n


def keys_once_per_tile(n, dim, rows):
    """2·n·d, and 2·n·d more for every tile of query rows.

    A tile of queries must meet all keys and values, and by the next tile they have left the chip.
    """
    return 2 * n * dim + 2 * n * dim * ceil(n / rows)


def every_tile_pays(dim):
    """A tile of one row is enough: its scores never leave the chip."""
    return 1


def as_many_rows_as_columns(dim):
    """A square tile pays: as many rows as the head is wide."""
    return dim


def half_as_many_rows(dim):
    """Tiles pay from half as many rows on as the head is wide.

    Reading all keys and values again costs 2·n·d per tile, and the plain form moves 4·n numbers per row.
    """
    return dim / 2


class SlowMemory:
    """Matrices by name; every number that is loaded or stored is counted."""

    def __init__(self, **matrices):
        self.matrices = matrices
        self.moved = 0

    def load(self, name, rows=slice(None)):
        """Some rows of a matrix."""
        self.moved += self.matrices[name][rows].numel()
        return self.matrices[name][rows]

    def store(self, name, part):
        """Rows below those that the matrix has."""
        self.moved += part.numel()
        self.matrices[name] = torch.cat([self.matrices[name], part]) if name in self.matrices else part


def plain(memory):
    """Attention in three operations."""
    q = memory.load("q")
    memory.store("scores", q @ memory.load("k").T / q.shape[1] ** 0.5)
    memory.store("weights", memory.load("scores").softmax(1))
    memory.store("out", memory.load("weights") @ memory.load("v"))


def tiled(memory, n, rows, columns):
    """Attention by tiles: a tile of queries stays on the chip while the keys and values pass by."""
    for top in range(0, n, rows):
        q = memory.load("q", slice(top, top + rows))
        out, norm = begin(q)
        for left in range(0, n, columns):
            keys, values = (memory.load(name, slice(left, left + columns)) for name in "kv")
            out, norm = absorb(q, keys, values, out, norm)
        memory.store("out", out)


def moved(algorithm, n, dim, *tile):
    """Numbers that an algorithm moves, and the largest error of its output."""
    random = torch.Generator().manual_seed(n)
    q, k, v = torch.randn(3, n, dim, generator=random, dtype=torch.float64)
    memory = SlowMemory(q=q, k=k, v=v)
    algorithm(memory, *tile)
    exact = F.scaled_dot_product_attention(q[None], k[None], v[None])[0]
    return memory.moved, (memory.matrices["out"] - exact).abs().max().item()


def first_tile_that_pays(n, dim):
    """The fewest query rows with which tiles move less than the plain form."""
    limit, _ = moved(plain, n, dim)
    return next(rows for rows in range(1, n + 1) if moved(tiled, n, dim, n, rows, n)[0] < limit)


tile_sizes = st.integers(1, 16)


@claim(wrong=(everything_once, as_plain), right=keys_once_per_tile, evidence="simulated", examples=40)
@example(n=1024, dim=64, rows=128, columns=128)
@example(n=1024, dim=64, rows=32, columns=128)
@example(n=1024, dim=64, rows=1024, columns=128)
@given(n=st.integers(2, 32), dim=st.sampled_from([2, 4, 8]), rows=tile_sizes, columns=tile_sizes)
def test_flash_moves(answer, n, dim, rows, columns):
    """FlashAttention reads the keys and values once more for every tile of query rows.

    n: tokens
    rows: query rows of a tile
    columns: keys of a tile
    """
    numbers, error = moved(tiled, n, dim, n, rows, columns)

    # Float64 rounds at 1e-16, and an output averages 32 numbers of order one.
    assert observe(error=error) < 1e-12
    assert observe(numbers=numbers) == answer(n, dim, rows)


@claim(
    wrong=(every_tile_pays, as_many_rows_as_columns),
    right=half_as_many_rows,
    evidence="simulated",
)
@given(dim=st.sampled_from([4, 5, 8, 9, 16, 33]), widths=st.integers(1, 4))
def test_flash_moves_less_from_half_a_width(answer, dim, widths):
    """Tiles move less than the plain form from half as many query rows on as the head is wide.

    widths: length of the sequence, in widths of a head
    """
    crossing = answer(dim)
    # For lengths of whole widths, where no part of a tile blurs the boundary. Rows are whole.
    assert crossing <= observe(rows=first_tile_that_pays(widths * dim, dim)) < crossing + 1
