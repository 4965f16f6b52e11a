"""What is particular to the exercise: its functions agree with the package's cache and attention."""

import pytest
import torch

from llmcourse import inference
from llmcourse.architecture import ModelConfig, apply_rope, scaled_dot_product_attention

EXERCISE = "06_inference_optimization/kv_cache.ipynb"
OWN = ("KVCache", "cached_attention", "attention_step")  # for one layer, and for the exercise alone


@pytest.mark.parametrize("name", ["kv_cache_bytes", "left_pad"])
def test_parameters_are_those_of_the_reference(solution, parameters_of, name: str) -> None:
    assert parameters_of(solution[name]) == parameters_of(getattr(inference, name))


def test_the_caches_methods_are_the_references_for_one_layer(solution, parameters_of) -> None:
    found, expected = (parameters_of(cache.update) for cache in (solution["KVCache"], inference.KVCache))
    assert [one for one in expected if "layer" not in str(one)] == list(found)
    assert parameters_of(solution["KVCache"].reset) == parameters_of(inference.KVCache.reset)


@pytest.mark.parametrize("seed", range(3))
def test_reference_passes_every_test_of_its_functions(run_with, solution, seed: int) -> None:
    references = {name: getattr(inference, name) for name in ("kv_cache_bytes", "left_pad")}
    run_with(lambda _: {name: solution[name] for name in OWN} | references, seed)


def test_the_cache_returns_what_the_references_does(solution) -> None:
    config = ModelConfig(vocab_size=9, d_model=16, n_layers=1, n_heads=4, n_kv_heads=2, max_seq_len=12)
    theirs = inference.KVCache(config, batch_size=3)
    ours = solution["KVCache"](batch_size=3, n_kv_heads=2, max_seq_len=12, head_dim=4)
    for start, end in ((0, 5), (5, 6), (6, 12)):
        k, v = torch.randn(2, 3, 2, end - start, 4)
        positions = torch.arange(start, end)
        for found, expected in zip(ours.update(k, v, positions), theirs.update(0, k, v, positions), strict=True):
            torch.testing.assert_close(found, expected)


def test_steps_agree_with_the_packages_attention_and_rope(solution) -> None:
    q, k, v = torch.randn(2, 4, 7, 8), torch.randn(2, 2, 7, 8), torch.randn(2, 2, 7, 8)
    positions = torch.arange(7)
    rotated = (apply_rope(x, positions) for x in (q, k))
    expected = scaled_dot_product_attention(*rotated, v, causal=True)
    past, outputs = (k[:, :, :0], v[:, :, :0]), []
    for start, end in ((0, 4), (4, 5), (5, 7)):
        piece = slice(start, end)
        output, *past = solution["attention_step"](q[:, :, piece], k[:, :, piece], v[:, :, piece], *past, start)
        outputs.append(output)
    torch.testing.assert_close(torch.cat(outputs, dim=2), expected, rtol=1e-5, atol=1e-5)
