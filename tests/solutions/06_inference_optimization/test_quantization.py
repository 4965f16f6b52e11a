"""What is particular to the exercise: its functions are the reference's, and each undoes another."""

import pytest
import torch

from llmcourse import inference

EXERCISE = "06_inference_optimization/quantization.ipynb"
NAMES = ("quantize_int8", "pack_int4", "quantize_int4", "dequantize_int4", "normal_float_values", "quantize_nf4")
REFERENCE = {name: getattr(inference, name) for name in NAMES}
LEFT_OUT = {"dequantize_int4": {"zero_point"}}  # the exercise has the symmetric grid alone


@pytest.mark.parametrize("name", REFERENCE)
def test_parameters_are_those_of_the_reference(solution, parameters_of, name: str) -> None:
    assert parameters_of(solution[name]) == parameters_of(REFERENCE[name], LEFT_OUT.get(name, set()))


@pytest.mark.parametrize("seed", range(3))
def test_reference_passes_every_test(run_with, seed: int) -> None:
    run_with(lambda _: REFERENCE, seed)


def test_solution_agrees_with_the_reference_bit_for_bit(solution) -> None:
    x = torch.randn(3, 5, 64, generator=torch.Generator().manual_seed(0))
    x[1, 2, 16:32] = 0
    calls = {"quantize_int8": {"dim": -1}, "quantize_int4": {"group_size": 16}, "quantize_nf4": {"block_size": 16}}
    for name, options in calls.items():
        for found, expected in zip(solution[name](x, **options), REFERENCE[name](x, **options), strict=True):
            assert torch.equal(found, expected), name
    packed, scale = solution["quantize_int4"](x, group_size=16)
    assert torch.equal(solution["dequantize_int4"](packed, scale), REFERENCE["dequantize_int4"](packed, scale))
    for bits in range(2, 8):
        found, expected = (functions["normal_float_values"](bits) for functions in (solution, REFERENCE))
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
