"""Machines, models and a layer of nothing keep to the cases that are known."""

import pytest
import torch

from fixtures.machines import (
    A100,
    H100,
    H200,
    LLAMA_2_7B,
    LLAMA_3_8B,
    LLAMA_3_70B,
    Layer,
    Pass,
    counted_pass,
)
from fixtures.meters import ColdReads, flops, nbytes


def test_ridges_of_the_machines():
    """An H100 needs twice the FLOPs a byte of an A100; the faster memory of an H200 takes a third back."""
    assert [round(machine.ridge) for machine in (A100, H100, H200)] == [153, 295, 206]


@pytest.mark.parametrize(
    ("model", "billions"), [(LLAMA_3_8B, 6.98), (LLAMA_3_70B, 68.45), (LLAMA_2_7B, 6.48)], ids=str
)
def test_layers_hold_the_weights_of_their_models(model, billions):
    """All layers have the parameters of the model's card, less embedding, head and norms."""
    assert model.layers * nbytes(*Layer(model).weights) / 2 == pytest.approx(billions * 1e9, rel=0.001)


@pytest.mark.parametrize(
    ("model", "bytes_a_token"),
    [(LLAMA_3_8B, 131_072), (LLAMA_3_70B, 327_680), (LLAMA_2_7B, 524_288)],
    ids=str,
)
def test_layers_hold_the_cache_of_their_models(model, bytes_a_token):
    """A token takes a key and a value per layer and key/value head."""
    assert model.layers * nbytes(Layer(model).cache(1, 1)) == bytes_a_token


def test_a_layer_multiplies_each_token_with_each_weight_and_each_key():
    """2 FLOPs a weight and token, and 4·dim a query head, token and cached token."""
    layer = Layer(LLAMA_3_8B)
    products = 2 * sum(w.numel() for w in layer.weights) * 3 * 5 + 4 * 128 * 32 * 3 * 5 * 7

    assert flops(lambda: layer(layer.tokens(3, 5), layer.cache(3, 7))) == products


def test_a_layer_reads_its_weights_and_its_cache_once():
    """Neither the batch nor the query heads of a group repeat a read."""
    layer = Layer(LLAMA_3_70B)
    cache = layer.cache(3, 7)

    with ColdReads(*layer.weights) as weights, ColdReads(cache) as caches:
        layer(layer.tokens(3, 5), cache)

    assert weights.bytes == nbytes(*layer.weights)
    assert caches.bytes == nbytes(cache)


def test_a_layer_returns_as_many_tokens_as_enter():
    """What leaves a layer can enter the next."""
    layer = Layer(LLAMA_2_7B, torch.float32)
    x = layer.tokens(2, 3)

    assert layer(x, layer.cache(2, 9)).shape == x.shape


def test_a_counted_pass_is_that_of_all_layers():
    """Its FLOPs, weights and caches are those of one layer, as many times as there are layers."""
    layer = Layer(LLAMA_3_8B)
    kv = layer.cache(3, 7)
    one = flops(lambda: layer(layer.tokens(3, 5), kv)), nbytes(*layer.weights), nbytes(kv)

    assert counted_pass(LLAMA_3_8B, batch=3, new=5, context=7) == tuple(32 * cost for cost in one)


def test_a_pass_reads_weights_and_caches():
    """Both share the bandwidth."""
    cost = Pass(flops=10**12, weights=2 * 10**9, cache=10**9)

    assert cost.bytes == 3 * 10**9


def test_machines_and_models_print_as_their_names():
    """A counterexample names the machine and the model."""
    assert f"{LLAMA_3_8B} on {H100}" == "Llama-3-8B on H100-SXM"
