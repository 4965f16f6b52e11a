"""What is particular to the exercise: its functions are the reference's, and together they are a layer."""

import pytest
import torch

from llmcourse import emerging

EXERCISE = "08_emerging_topics/moe.ipynb"
LEFT_OUT = {
    "route_top_k": {"n_groups", "top_k_groups", "scale"},
    "sort_by_expert": {"capacity"},
    "combine": set(),
    "load_balancing_loss": {"score"},
    "moe_parameters": set(),
}
REFERENCE = {name: getattr(emerging, name) for name in LEFT_OUT}


@pytest.mark.parametrize("name", REFERENCE)
def test_parameters_are_those_of_the_reference(solution, parameters_of, name: str) -> None:
    assert parameters_of(solution[name]) == parameters_of(REFERENCE[name], LEFT_OUT[name])


@pytest.mark.parametrize("seed", range(3))
def test_reference_passes_every_test(run_with, seed: int) -> None:
    run_with(lambda _: REFERENCE, seed)


def test_functions_together_are_the_loop_over_experts(solution) -> None:
    generator = torch.Generator().manual_seed(0)
    x, matrices = torch.randn(20, 4, generator=generator), torch.randn(6, 4, 4, generator=generator)
    weights, experts = solution["route_top_k"](torch.randn(20, 6, generator=generator), 2)
    slots, counts = solution["sort_by_expert"](experts, 6)
    blocks = x[slots // 2].split(counts.tolist())
    outputs = torch.cat([block @ matrix for block, matrix in zip(blocks, matrices, strict=True)])
    expected = emerging.apply_experts(x, weights, experts, [lambda rows, m=m: rows @ m for m in matrices])
    torch.testing.assert_close(solution["combine"](outputs, slots, weights), expected)


def test_a_layer_of_them_is_that_of_transformers(solution) -> None:
    """Routing, dispatch, experts and combination with a Mixtral block's weights give the block's output."""
    transformers = pytest.importorskip("transformers")
    from transformers.models.mixtral.modeling_mixtral import MixtralSparseMoeBlock

    torch.manual_seed(0)
    sizes = {"hidden_size": 8, "intermediate_size": 12, "num_local_experts": 6, "num_experts_per_tok": 2}
    block = MixtralSparseMoeBlock(transformers.MixtralConfig(**sizes, router_jitter_noise=0.0)).eval()
    for weight in block.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    x = torch.randn(1, 20, 8)
    expected = block(x)
    expected = expected[0] if isinstance(expected, tuple) else expected
    tokens = x[0]
    weights, experts = solution["route_top_k"](tokens @ block.gate.weight.T, 2)
    slots, counts = solution["sort_by_expert"](experts, 6)
    rows = []
    for e, rows_in in enumerate(tokens[slots // 2].split(counts.tolist())):
        gate, up = (rows_in @ block.experts.gate_up_proj[e].T).chunk(2, dim=-1)
        rows.append((torch.nn.functional.silu(gate) * up) @ block.experts.down_proj[e].T)
    found = solution["combine"](torch.cat(rows), slots, weights)
    torch.testing.assert_close(found, expected[0], rtol=1e-5, atol=1e-5)


def test_loss_is_that_of_transformers_over_k(solution) -> None:
    mixtral = pytest.importorskip("transformers.models.mixtral.modeling_mixtral")
    logits = torch.randn(30, 6, generator=torch.Generator().manual_seed(1))
    experts = solution["route_top_k"](logits, 2)[1]
    expected = mixtral.load_balancing_loss_func((logits,), num_experts=6, top_k=2) / 2
    torch.testing.assert_close(solution["load_balancing_loss"](logits, experts), expected, rtol=1e-5, atol=1e-6)
