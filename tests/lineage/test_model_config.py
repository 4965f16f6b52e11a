"""A configuration builds a Transformer on the meta device whose parameters are as many as were derived."""

from dataclasses import replace

import pytest
import torch

from llmcourse.architecture import Transformer
from llmcourse.lineage import MODELS, Blueprint, Experts, blueprint_of, model_config, parameter_count_of
from llmcourse.lineage.model_config import unsupported_choices

OPEN = [name for name, model in MODELS.items() if model.blueprint]
BUILT = [name for name in OPEN if not unsupported_choices(name)]


@pytest.mark.parametrize("name", BUILT)
def test_the_transformer_has_as_many_parameters_as_were_derived(name: str) -> None:
    with torch.device("meta"):
        model = Transformer(model_config(name))
    assert sum(parameter.numel() for parameter in model.parameters()) == parameter_count_of(name)


def test_most_open_models_can_be_built() -> None:
    families = {MODELS[name].family for name in BUILT}
    assert {"Llama", "Llama 2", "Llama 3", "Llama 3.1", "Mistral 7B", "Mixtral", "Qwen2.5", "Qwen3"} <= families
    assert len(BUILT) > len(OPEN) / 2


@pytest.mark.parametrize("name", [name for name in OPEN if name not in BUILT])
def test_what_is_lacking_is_said(name: str) -> None:
    with pytest.raises(ValueError, match=r"our Transformer lacks .*: count with parameter_count_of"):
        model_config(name)


def test_windows_and_context_are_carried_over() -> None:
    assert model_config(MODELS["Llama 3 8B"]).max_seq_len == 8192
    assert model_config("Mistral 7B", max_seq_len=99).max_seq_len == 99
    assert {model_config("Mistral 7B").window_of(layer) for layer in range(32)} == {4096}
    alternating = replace(blueprint_of("Llama 3 8B"), window=16, full_every=2)
    assert [model_config(alternating).window_of(layer) for layer in range(4)] == [16, None, 16, None]


def test_shared_experts_are_built() -> None:
    experts = Experts(n_experts=4, top_k=2, d_expert=8, shared_width=16, shared_gate=True)
    sizes = {"vocab_size": 50, "d_model": 16, "n_layers": 2, "n_heads": 2, "n_kv_heads": 2, "head_dim": 8, "d_ff": 0}
    blueprint = Blueprint(**sizes, experts=experts)
    built = sum(parameter.numel() for parameter in Transformer(model_config(blueprint)).parameters())
    assert built == parameter_count_of(blueprint)
