"""What is particular to the exercise: its functions are the reference's, in the exercise's own record classes."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import pytest

from llmcourse import lineage
from llmcourse.architecture import LatentAttentionConfig

EXERCISE = "07_model_lineage/lineage.ipynb"
FUNCTIONS = ("parameter_count_of", "kv_bytes_per_token", "flops_of_token", "distillation_loss")


def as_reference(blueprint: Any) -> lineage.Blueprint:
    """Say with the package's classes what the exercise's say; widths that it leaves out change no number asked for."""
    fields = {name: getattr(blueprint, name) for name in asdict(blueprint)}
    if blueprint.experts is not None:
        fields["experts"] = lineage.Experts(**asdict(blueprint.experts))
    if blueprint.latent is not None:
        fields["latent"] = LatentAttentionConfig(**asdict(blueprint.latent), nope_head_dim=1, value_head_dim=1)
    return lineage.Blueprint(**fields)


def reference(setup: Mapping[str, Any]) -> Mapping[str, Callable[..., Any]]:
    def taking_blueprints(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda blueprint, *args, **options: function(as_reference(blueprint), *args, **options)

    wrapped = {name: taking_blueprints(getattr(lineage, name)) for name in FUNCTIONS[:3]}
    return wrapped | {"distillation_loss": lineage.distillation_loss}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_parameters_are_those_of_the_reference(solution, parameters_of, name: str) -> None:
    assert parameters_of(solution[name]) == parameters_of(getattr(lineage, name))


@pytest.mark.parametrize("seed", range(3))
def test_reference_passes_every_test(run_with, seed: int) -> None:
    run_with(reference, seed)


@pytest.mark.parametrize("name", ["Llama 2 70B", "Llama 3.2 1B", "Mixtral 8x7B", "Llama 3.1 405B"])
def test_the_solution_counts_models_of_the_catalogue(solution, name: str) -> None:
    blueprint = lineage.blueprint_of(name)
    names = ("vocab_size", "d_model", "n_layers", "n_heads", "n_kv_heads", "head_dim", "d_ff", "tie_embeddings")
    fields = {field: getattr(blueprint, field) for field in names}
    if blueprint.experts is not None:
        held = blueprint.experts
        fields["experts"] = solution["Experts"](n_experts=held.n_experts, top_k=held.top_k, d_expert=held.d_expert)
    own = solution["Blueprint"](**fields)
    for active in (False, True):
        counted = solution["parameter_count_of"](own, active=active)
        assert counted == lineage.parameter_count_of(name, active=active)
    assert solution["flops_of_token"](own, 100) == lineage.flops_of_token(blueprint, 100)
    assert solution["kv_bytes_per_token"](own) == lineage.kv_bytes_per_token(name)
