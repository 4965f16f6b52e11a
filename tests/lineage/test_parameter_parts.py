"""Counts from blueprints against what transformers builds from the same sizes."""

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.architecture import LatentAttentionConfig
from llmcourse.lineage import MODELS, Blueprint, Experts, Model, parameter_parts

SIZES = {"vocab_size": 96, "d_model": 32, "n_layers": 4, "n_heads": 4, "n_kv_heads": 2, "head_dim": 16, "d_ff": 80}


def sizes_for_transformers(blueprint: Blueprint) -> dict[str, object]:
    return {
        "vocab_size": blueprint.vocab_size,
        "hidden_size": blueprint.d_model,
        "intermediate_size": blueprint.d_ff,
        "num_hidden_layers": blueprint.n_layers,
        "num_attention_heads": blueprint.n_heads,
        "num_key_value_heads": blueprint.n_kv_heads,
        "head_dim": blueprint.head_dim,
        "tie_word_embeddings": blueprint.tie_embeddings,
        "pad_token_id": None,
    }


def deepseek(blueprint: Blueprint) -> transformers.PreTrainedConfig:
    latent, experts = blueprint.latent, blueprint.experts
    assert latent is not None and experts is not None
    sizes = sizes_for_transformers(blueprint)
    del sizes["head_dim"]
    return transformers.DeepseekV3Config(
        **sizes, moe_intermediate_size=experts.d_expert, n_routed_experts=experts.n_experts,
        n_shared_experts=experts.shared_width // experts.d_expert, num_experts_per_tok=experts.top_k, n_group=1,
        topk_group=1, first_k_dense_replace=experts.dense_first, kv_lora_rank=latent.kv_rank,
        q_lora_rank=latent.q_rank, qk_rope_head_dim=latent.rope_head_dim, qk_nope_head_dim=latent.nope_head_dim,
        v_head_dim=latent.value_head_dim, num_mtp_layers=0,
    )  # fmt: skip


def experts_for_transformers(blueprint: Blueprint) -> dict[str, object]:
    experts = blueprint.experts
    assert experts is not None
    sizes = sizes_for_transformers(blueprint)
    return sizes | {"num_local_experts": experts.n_experts, "num_experts_per_tok": experts.top_k}


def gpt_oss(blueprint: Blueprint) -> transformers.PreTrainedConfig:
    assert blueprint.experts is not None
    width = {"intermediate_size": blueprint.experts.d_expert, "sliding_window": blueprint.window}
    return transformers.GptOssConfig(**experts_for_transformers(blueprint) | width)


def qwen3_experts(blueprint: Blueprint) -> transformers.PreTrainedConfig:
    assert blueprint.experts is not None
    width = {"moe_intermediate_size": blueprint.experts.d_expert, "intermediate_size": 1}
    return transformers.Qwen3MoeConfig(**experts_for_transformers(blueprint) | width)


def llama4(blueprint: Blueprint) -> transformers.PreTrainedConfig:
    assert blueprint.experts is not None
    widths = {"intermediate_size": blueprint.experts.d_expert, "intermediate_size_mlp": blueprint.d_ff}
    step = {"interleave_moe_layer_step": blueprint.experts.every}
    return transformers.Llama4TextConfig(**experts_for_transformers(blueprint) | widths | step)


def gpt2(blueprint: Blueprint) -> transformers.PreTrainedConfig:
    return transformers.GPT2Config(
        n_embd=blueprint.d_model, n_layer=blueprint.n_layers, n_head=blueprint.n_heads, n_inner=blueprint.d_ff,
        n_positions=blueprint.learned_positions, vocab_size=blueprint.vocab_size,
    )  # fmt: skip


def mixtral(blueprint: Blueprint) -> transformers.PreTrainedConfig:
    assert blueprint.experts is not None
    width = {"intermediate_size": blueprint.experts.d_expert}
    return transformers.MixtralConfig(**experts_for_transformers(blueprint) | width)


WITH_EXPERTS = {"Mixtral": mixtral, "DeepSeek": deepseek, "gpt-oss": gpt_oss, "Qwen3": qwen3_experts, "Llama 4": llama4}
DENSE = {
    "Llama": transformers.LlamaConfig,
    "Mistral 7B": transformers.MistralConfig,
    "Qwen2.5": transformers.Qwen2Config,
    "Qwen3": transformers.Qwen3Config,
    "Gemma": transformers.GemmaConfig,
    "Gemma 2": transformers.Gemma2Config,
    "Gemma 3": transformers.Gemma3TextConfig,
    "OLMo 2": transformers.Olmo2Config,
}


def in_transformers(model: Model) -> transformers.PreTrainedConfig:
    """Say with the words of transformers what a model is built of, by the class that is named for its family."""
    blueprint = model.blueprint
    assert blueprint is not None
    if blueprint.experts is not None:
        return next(make for family, make in WITH_EXPERTS.items() if model.family.startswith(family))(blueprint)
    if model.family.startswith("GPT"):
        return gpt2(blueprint)
    sizes = sizes_for_transformers(blueprint)
    if model.family == "OLMo 2":
        del sizes["head_dim"]
    family = model.family if model.family in DENSE else model.family.split()[0]
    return DENSE[family](**sizes)


def numel(config: transformers.PreTrainedConfig) -> int:
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    return sum(parameter.numel() for parameter in {id(p): p for p in model.parameters()}.values())


# Each size but PaLM's, for which transformers has no class.
BUILT = [name for name, model in MODELS.items() if model.blueprint and model.family != "PaLM"]


@pytest.mark.parametrize("name", BUILT)
def test_a_released_model_has_as_many_as_transformers_builds(name: str) -> None:
    model = MODELS[name]
    assert model.blueprint is not None
    assert parameter_parts(model.blueprint).total == numel(in_transformers(model))


@given(
    heads=st.sampled_from([(4, 4), (4, 2), (4, 1)]),
    head_dim=st.sampled_from([4, 16]),
    tie=st.booleans(),
    bias=st.booleans(),
    n_layers=st.integers(1, 3),
)
def test_any_llama_has_as_many_as_transformers_builds(
    heads: tuple[int, int], head_dim: int, tie: bool, bias: bool, n_layers: int
) -> None:
    blueprint = Blueprint(
        **SIZES | {"n_heads": heads[0], "n_kv_heads": heads[1], "head_dim": head_dim, "n_layers": n_layers},
        tie_embeddings=tie, qkv_bias=bias, output_bias=bias, feed_forward_bias=bias,
    )  # fmt: skip
    config = transformers.LlamaConfig(**sizes_for_transformers(blueprint), attention_bias=bias, mlp_bias=bias)
    assert parameter_parts(blueprint).total == numel(config)


@given(q_rank=st.none() | st.integers(1, 9), dense_first=st.integers(0, 3), shared=st.integers(0, 2))
def test_any_deepseek_has_as_many_as_transformers_builds(q_rank: int | None, dense_first: int, shared: int) -> None:
    latent = LatentAttentionConfig(kv_rank=8, q_rank=q_rank, nope_head_dim=6, rope_head_dim=4, value_head_dim=10)
    experts = Experts(n_experts=4, top_k=2, d_expert=12, shared_width=12 * shared, dense_first=dense_first)
    blueprint = Blueprint(**SIZES | {"n_kv_heads": 4, "head_dim": 10}, latent=latent, experts=experts)
    config = deepseek(blueprint)
    if shared == 0:
        return  # transformers cannot build a layer without shared experts
    assert parameter_parts(blueprint).total == numel(config)


def test_gpt_2_by_hand() -> None:
    """Small GPT-2: tables, biases, two norms with biases in each block, and a tied head."""
    sizes = {"d_model": 768, "n_layers": 12, "n_heads": 12, "n_kv_heads": 12, "head_dim": 64, "d_ff": 3072}
    blueprint = Blueprint(
        vocab_size=50257, **sizes, feed_forward="gelu", norm="layer", norm_bias=True, tie_embeddings=True,
        position="learned", learned_positions=1024, qkv_bias=True, output_bias=True, feed_forward_bias=True,
    )  # fmt: skip
    assert parameter_parts(blueprint).total == 124_439_808 == numel(transformers.GPT2Config())


def test_experts_that_a_token_does_not_use_are_all_that_is_not_active() -> None:
    experts = Experts(n_experts=8, top_k=2, d_expert=12, dense_first=1, every=2)
    blueprint = Blueprint(**SIZES, experts=experts)
    parts = parameter_parts(blueprint)
    assert [blueprint.has_experts(layer) for layer in range(4)] == [False, False, True, False]
    assert parts.total - parts.active == 6 * 3 * 32 * 12
    assert parts.feed_forward == 3 * 3 * 32 * 80
    dense = parameter_parts(Blueprint(**SIZES))
    assert dense.total == dense.active


def test_a_tied_matrix_is_counted_once_and_multiplied_once() -> None:
    untied, tied = (parameter_parts(Blueprint(**SIZES, tie_embeddings=tie)) for tie in (False, True))
    assert untied.total - tied.total == 96 * 32
    assert untied.multiplied == tied.multiplied


def test_what_a_blueprint_refuses() -> None:
    for change, message in (
        ({"n_kv_heads": 3}, r"n_heads is 4 and n_kv_heads 3"),
        ({"position": "learned"}, r"learned_positions is 0"),
        ({"full_every": 2}, r"there is no window"),
        ({"d_ff": 0}, r"d_ff is 0: give 1"),
        ({"norm": "batch"}, r"norm is 'batch'"),
        ({"d_ff": 0, "experts": Experts(n_experts=2, top_k=1, d_expert=4, every=2)}, r"2 layers have no experts"),
    ):
        with pytest.raises(ValueError, match=message):
            Blueprint(**SIZES | change)
    with pytest.raises(ValueError, match=r"top_k is 9 and n_experts is 8"):
        Experts(n_experts=8, top_k=9, d_expert=4)
