"""What is particular to the exercise: its functions are the reference's, and a checkpoint fits its block."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import pytest
import torch

from llmcourse import architecture

EXERCISE = "02_architecture/attention.ipynb"
FUNCTIONS = ("rms_norm", "expand_kv_heads", "attention_weights", "swiglu", "Block")
LEFT_OUT = {"attention_weights": {"mask", "window"}}


def full_config(config: Any) -> architecture.ModelConfig:
    """Return the package's configuration of a block of these sizes."""
    return architecture.ModelConfig(vocab_size=2, n_layers=1, **asdict(config))


def reference(_: Mapping[str, Any]) -> Mapping[str, Callable[..., Any]]:
    """Return the package's functions, and its block, which takes the exercise's configuration."""

    class Block(architecture.Block):
        def __init__(self, config: Any, layer: int) -> None:
            super().__init__(full_config(config), layer)

    return {name: getattr(architecture, name) for name in FUNCTIONS} | {"Block": Block}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_parameters_are_those_of_the_reference(solution, parameters_of, name: str) -> None:
    expected = parameters_of(getattr(architecture, name), LEFT_OUT.get(name, set()))
    assert parameters_of(solution[name]) == expected


def test_a_call_of_the_block_has_the_parameters_of_the_reference(solution, parameters_of) -> None:
    expected = parameters_of(architecture.Block.forward, {"mask", "cache", "positions"})
    assert parameters_of(solution["Block"].forward) == expected


@pytest.mark.parametrize("seed", range(3))
def test_reference_passes_every_test(run_with, seed: int) -> None:
    run_with(reference, seed)


def test_block_has_the_weights_of_the_reference_and_gives_the_same(solution) -> None:
    config = solution["ModelConfig"](d_model=12, n_heads=4, n_kv_heads=2, head_dim=6, d_ff=20)
    torch.manual_seed(0)
    expected, found = architecture.Block(full_config(config), 0), solution["Block"](config, 0)
    found.load_state_dict(expected.state_dict(), strict=True)
    x, rotation = torch.randn(2, 7, 12), solution["rotation_at"](torch.arange(7), 6)
    torch.testing.assert_close(found(x, rotation), expected(x, rotation), rtol=1e-5, atol=1e-5)
