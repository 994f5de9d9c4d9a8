"""Instruments prove themselves first: a known case for each way in which a page uses them."""

import ctypes
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from fixtures.child import in_a_child
from fixtures.clocks import Undecided
from fixtures.meters import (
    BlindSpot,
    ColdReads,
    Traffic,
    flops,
    heap_kib,
    kernels,
    nbytes,
    private_mib,
    saved_bytes,
)
from fixtures.nets import LM

DEVICES = ["cpu", "meta"]


def ones(*shape, device="cpu", dtype=torch.float32, grad=False):
    return torch.ones(*shape, device=device, dtype=dtype, requires_grad=grad)


@pytest.mark.parametrize("where", DEVICES)
def test_nbytes_counts_a_shared_storage_once(where):
    """A view adds nothing; a copy adds its own bytes."""
    base = ones(3, 5, device=where)

    assert nbytes(base, base[1:], base.T) == 60
    assert nbytes(base, base.clone()) == 120


def test_nbytes_counts_the_whole_storage_behind_a_slice():
    """A slice keeps all of its storage alive, so all of it counts."""
    assert nbytes(ones(100)[:1]) == 400


def test_nbytes_sees_the_width_of_the_dtype():
    """Two bytes a number in bf16, eight in float64."""
    assert nbytes(ones(7, dtype=torch.bfloat16), ones(7, dtype=torch.float64)) == 70


@pytest.mark.parametrize("where", DEVICES)
def test_flops_of_a_product(where):
    """(2×3) times (3×5) is 30 multiply-adds."""
    assert flops(lambda: ones(2, 3, device=where) @ ones(3, 5, device=where)) == 60


@pytest.mark.parametrize("where", DEVICES)
def test_flops_of_a_batched_product_and_of_einsum(where):
    """A batch multiplies the count, however it is written."""
    left, right = ones(4, 2, 3, device=where), ones(4, 3, 5, device=where)

    assert flops(lambda: left @ right) == 240
    assert flops(lambda: torch.einsum("bij,bjk->bik", left, right)) == 240


@pytest.mark.parametrize("where", DEVICES)
def test_flops_of_a_linear_layer_with_backward(where):
    """One product forward, two backward, and only one where the input needs no gradient."""
    x, w = ones(2, 3, device=where, grad=True), ones(5, 3, device=where, grad=True)

    assert flops(lambda: F.linear(x, w).sum().backward()) == 3 * 60
    assert flops(lambda: F.linear(x.detach(), w).sum().backward()) == 2 * 60


def test_flops_of_elementwise_operations_and_look_ups_are_nothing():
    """The counter counts products only, which is what the field means by FLOPs."""
    table = ones(7, 3)

    assert flops(lambda: F.embedding(torch.tensor([1, 2]), table).exp() * 2) == 0


def test_flops_agree_with_the_counter_of_torch():
    """On a training step of a language model the two counters agree to the last product."""
    model, ids = LM(vocab=40, d=16, layers=2), torch.zeros(2, 7, dtype=torch.long)

    with FlopCounterMode(display=False) as counter:
        model(ids).backward()

    assert flops(lambda: model(ids).backward()) == counter.get_total_flops() > 0


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_flops_are_counted_where_no_gradient_is_recorded(mode):
    """A linear layer costs the same forward, recorded or not."""
    layer = torch.nn.Linear(3, 5, bias=False)

    with mode():
        assert flops(lambda: layer(ones(2, 3))) == 60


def attention(device, causal=False):
    q = ones(1, 2, 8, 4, device=device)
    return lambda: F.scaled_dot_product_attention(q, q, q, is_causal=causal)


def test_flops_of_attention_through_the_math_backend():
    """Two products of 8×8×4 a head, two heads."""
    with sdpa_kernel(SDPBackend.MATH):
        assert flops(attention("cpu")) == 2 * 2 * 2 * 8 * 8 * 4


def test_flops_of_attention_on_meta_count_a_causal_mask_in_full():
    """Masking discounts nothing in torch's counter."""
    assert flops(attention("meta", causal=True)) == flops(attention("meta")) == 2 * 2 * 2 * 8 * 8 * 4


@pytest.mark.parametrize(
    "blind",
    [
        attention("cpu"),
        lambda: ones(3, 4) @ ones(4),
        lambda: ones(4) @ ones(4),
        lambda: torch.addmv(ones(3), ones(3, 4), ones(4)),
        lambda: torch.vdot(ones(4), ones(4)),
    ],
    ids=["sdpa", "mv", "dot", "addmv", "vdot"],
)
def test_flops_refuses_what_the_counter_books_as_nothing(blind):
    """A product that torch counts as 0 is an error, not a small number."""
    with pytest.raises(BlindSpot, match=r"counted as 0 FLOPs\. Use .* instead"):
        flops(blind)


def test_saved_bytes_of_a_product():
    """A product keeps both its operands."""
    x, w = ones(2, 3, grad=True), ones(3, 5, grad=True)

    assert saved_bytes(lambda: x @ w) == 24 + 60
    assert saved_bytes(lambda: x @ w, besides=[w]) == 24


def test_saved_bytes_of_an_exponential_are_its_result():
    """exp keeps what it returns, and a chain of two keeps two."""
    x = ones(2, 3, grad=True)

    assert saved_bytes(lambda: x.exp()) == 24
    assert saved_bytes(lambda: x.exp().exp()) == 48


def test_saved_bytes_count_a_shared_storage_once():
    """A square keeps its operand once, though it is both factors."""
    x = ones(2, 3, grad=True)

    assert saved_bytes(lambda: x * x) == 24


def test_saved_bytes_without_gradients_are_nothing():
    """Where nothing needs a gradient nothing is kept."""
    assert saved_bytes(lambda: ones(2, 3) @ ones(3, 5)) == 0


def reads(run, *persistent):
    with ColdReads(*persistent) as meter:
        run()
    return meter.bytes


@pytest.mark.parametrize("where", DEVICES)
def test_cold_reads_of_a_weight(where):
    """Each product reads its weight once, whatever stands beside it; the activations are free."""
    w, x = ones(3, 5, device=where), ones(2, 3, device=where)

    assert reads(lambda: x @ w, w) == 60
    assert reads(lambda: (x @ w, x @ w), w) == 120
    assert reads(lambda: x @ x.T, w) == 0


@pytest.mark.parametrize("where", DEVICES)
def test_cold_reads_see_through_views(where):
    """A view costs nothing itself, and what is read through it counts."""
    w, x = ones(4, 6, device=where), ones(2, 3, device=where)

    assert reads(lambda: w.T.view(6, 4)[:3], w) == 0
    assert reads(lambda: x @ w[:, :3].T, w) == 4 * 3 * 4


@pytest.mark.parametrize("where", DEVICES)
def test_cold_reads_take_a_broadcast_axis_once(where):
    """Three query heads that share one key read it once."""
    k, q = ones(1, 5, 2, device=where), ones(3, 1, 2, device=where)

    assert reads(lambda: q @ k.expand(3, 5, 2).transpose(1, 2), k) == 40


@pytest.mark.parametrize("where", DEVICES)
def test_cold_reads_of_a_look_up_are_the_rows_it_returns(where):
    """Two rows of a table are read, not the table."""
    table, rows = ones(100, 4, device=where), torch.zeros(2, dtype=torch.long, device=where)

    assert reads(lambda: F.embedding(rows, table), table) == 32
    assert reads(lambda: table[rows], table) == 32
    assert reads(lambda: table.index_select(0, rows), table) == 32


@pytest.mark.parametrize("where", DEVICES)
def test_cold_reads_of_a_cache_that_grows(where):
    """Overwriting a slot reads nothing; appending by concatenation reads all that was there."""
    cache, new = ones(8, 4, device=where), ones(1, 4, device=where)

    def overwrite():
        cache[3:4] = new

    assert reads(overwrite, cache) == 0
    assert reads(lambda: torch.cat([cache, new]), cache) == 128


def test_cold_reads_of_grouped_attention_through_einsum():
    """Both caches are read once, though every group of query heads uses them."""
    k, v = ones(2, 7, 4, device="meta"), ones(2, 7, 4, device="meta")
    q = ones(2, 3, 4, device="meta")

    def attend():
        scores = (q @ k.transpose(1, 2)).softmax(-1)
        return scores @ v

    assert reads(attend, k, v) == 2 * 2 * 7 * 4 * 4


@pytest.mark.parametrize("where", DEVICES)
def test_cold_reads_of_a_shape_are_nothing(where):
    """Making another tensor of the same shape reads no number of the first."""
    w = ones(4, 6, device=where)

    assert reads(lambda: (torch.zeros_like(w), torch.empty_like(w), w.new_empty(3), w.new_zeros(3)), w) == 0


@pytest.mark.parametrize("where", DEVICES)
def test_cold_reads_of_some_of_the_tensors(where):
    """What was read is known of each; two views of one storage are one tensor."""
    w, cache, x = ones(3, 5, device=where), ones(5, 2, device=where), ones(2, 3, device=where)

    with ColdReads(w, cache) as meter:
        _ = x @ w @ cache

    assert (meter.of(w), meter.of(cache), meter.of(w, w.T)) == (60, 40, 60)
    assert meter.bytes == meter.of(w, cache) == 100


def test_cold_reads_of_a_look_up_include_its_indices():
    """Two rows of a table, and the whole list that names them."""
    table, rows = ones(100, 4), torch.zeros(2, dtype=torch.long)

    assert reads(lambda: F.embedding(rows, table), table, rows) == 32 + 16


def test_cold_reads_of_an_empty_tensor_are_nothing():
    """Nothing is read of nothing."""
    empty = ones(0, 4)

    assert reads(lambda: empty + 1, empty) == 0


def moved(run):
    with Traffic() as meter:
        run()
    return meter.bytes


@pytest.mark.parametrize("where", DEVICES)
def test_traffic_of_a_product(where):
    """Both factors are read and the product is written: 6, 15 and 10 numbers."""
    x, w = ones(2, 3, device=where), ones(3, 5, device=where)

    assert moved(lambda: x @ w) == 4 * (6 + 15 + 10)


@pytest.mark.parametrize("where", DEVICES)
@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_traffic_of_a_linear_layer_over_a_batch(where, mode):
    """The views on the way in and on the way out are free, recorded for a gradient or not."""
    with mode():
        x, w = ones(2, 4, 3, device=where), ones(5, 3, device=where)

        assert moved(lambda: F.linear(x, w)) == 4 * (24 + 15 + 40)


@pytest.mark.parametrize("where", DEVICES)
def test_traffic_takes_each_operation_as_issued(where):
    """What one operation writes the next one reads again; in place or not, it is the same."""
    x = ones(2, 3, device=where)

    assert moved(lambda: x.exp().neg()) == 4 * 24
    assert moved(lambda: x.add_(x)) == 24 + 48
    assert moved(lambda: torch.exp(x, out=x)) == 48


@pytest.mark.parametrize("where", DEVICES)
def test_traffic_of_views_and_of_memory_that_is_only_taken_is_nothing(where):
    """Neither a view nor an allocation moves a byte; filling does."""
    x = ones(4, 6, device=where)

    assert moved(lambda: x.T[:3].unflatten(1, (2, 2)).expand(3, 2, 2)) == 0
    assert moved(lambda: (torch.empty_like(x), x.new_empty(3, 5))) == 0
    assert moved(lambda: torch.zeros(3, 5, device=where)) == 60
    assert moved(lambda: torch.zeros_like(x)) == moved(lambda: x.new_ones(4, 6)) == 96


@pytest.mark.parametrize("where", DEVICES)
def test_traffic_takes_a_broadcast_axis_once(where):
    """A key that three query heads share is read once; their six scores of two bytes are written."""
    q = ones(3, 1, 4, device=where, dtype=torch.bfloat16)
    k = ones(1, 4, 2, device=where, dtype=torch.bfloat16).expand(3, 4, 2)

    assert moved(lambda: torch.bmm(q, k)) == 2 * (12 + 8 + 6)


@pytest.mark.parametrize("where", DEVICES)
def test_traffic_of_a_look_up_is_its_rows_and_their_numbers(where):
    """Two rows of four are read and written, and two indices of eight bytes are read."""
    table, rows = ones(100, 4, device=where), torch.zeros(2, dtype=torch.long, device=where)

    for look_up in (
        lambda: F.embedding(rows, table), lambda: table[rows], lambda: table.index_select(0, rows)
    ):  # fmt: skip
        assert moved(look_up) == 32 + 32 + 16


@pytest.mark.parametrize("where", DEVICES)
def test_traffic_of_an_overwritten_slot_and_of_a_cache_that_grows(where):
    """An overwritten slot is not read; a concatenation reads and writes all that was there."""
    cache, new = ones(8, 4, device=where), ones(1, 4, device=where)

    def overwrite():
        cache[3:4] = new

    assert moved(overwrite) == 16 + 16
    assert moved(lambda: torch.cat([cache, new])) == 2 * (128 + 16)


def test_traffic_refuses_writes_through_indices():
    """How much such a write moves, its arguments do not say."""
    table, rows = ones(8, 4), torch.tensor([1, 2])

    def scatter():
        table[rows] = 0.0

    with pytest.raises(BlindSpot, match=r"index_put_ does not say how much it writes\. Write to a slice"):
        moved(scatter)


@pytest.mark.parametrize("where", DEVICES)
@pytest.mark.parametrize("mode", [torch.enable_grad, torch.inference_mode])
def test_kernels_of_a_run_are_its_operations_with_their_costs(where, mode):
    """A view is no kernel; a batched linear layer is one product, whatever mode shows of its parts."""
    x, w = ones(2, 3, 5, device=where), ones(7, 5, device=where)

    with mode():
        product, relu = kernels(lambda: F.linear(x, w).relu())

    assert product.flops == 2 * 6 * 5 * 7
    assert product.bytes == nbytes(x, w) + 6 * 7 * 4
    assert relu == ("relu", 0, 2 * 6 * 7 * 4)


def test_kernels_take_flash_attention_as_one():
    """Its scores move nothing: queries, keys, values and result do, and a number per row."""
    q, k, v = torch.empty(3, 1, 4, 256, 64, dtype=torch.bfloat16, device="meta")

    (attention,) = kernels(lambda: torch.ops.aten._scaled_dot_product_flash_attention(q, k, v))

    assert attention.flops == 4 * 256**2 * 64 * 4
    assert attention.bytes == pytest.approx(4 * nbytes(q) / 3 + 4 * 256 * 4, abs=64)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="Linux tells it in /proc")
def test_private_memory_grows_by_what_is_written():
    """A tensor of 64 MiB takes as much once it is filled, and gives it back."""
    before = private_mib()
    filled = torch.ones(2**24)
    assert private_mib() - before == pytest.approx(64, abs=2)
    del filled
    assert private_mib() - before == pytest.approx(0, abs=2)


def test_private_memory_says_where_it_is_blind(monkeypatch):
    """On a system without /proc nothing is verified, and nothing fails."""
    monkeypatch.setattr(Path, "is_file", lambda self: False)
    with pytest.raises(Undecided, match="does not tell"):
        private_mib()


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallinfo2"), reason="glibc tells it since 2.33")
def test_the_heap_grows_by_what_has_no_room_in_it():
    """Many blocks of 64 KiB, which no allocator maps by themselves, make it as much larger."""

    def grown():
        before = heap_kib()
        blocks = [torch.empty(2**16, dtype=torch.uint8) for _ in range(4000)]
        return heap_kib() - before if blocks else 0

    # 250 MiB, less what was free; the holes of this process are smaller than half of it.
    assert 125 * 1024 < in_a_child(grown) < 260 * 1024


def test_the_heap_says_where_it_is_blind(monkeypatch):
    """With another C library nothing is verified, and nothing fails."""
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    with pytest.raises(Undecided, match="does not tell"):
        heap_kib()
