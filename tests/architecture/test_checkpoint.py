import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from llmcourse.architecture import (
    CHECKPOINT_FAMILIES,
    ModelConfig,
    Transformer,
    add_lora,
    load_huggingface,
    register_checkpoint_family,
    save_huggingface,
)

TOKENS = torch.randint(97, (2, 40), generator=torch.Generator().manual_seed(5))


def logits_of(model):
    with torch.no_grad():
        result = model(TOKENS)
    return getattr(result, "logits", result)


def test_logits_as_transformers_and_a_round_trip_that_it_loads_again(huggingface, tmp_path):
    expected = logits_of(huggingface)
    assert expected.abs().max() > 0.5
    huggingface.save_pretrained(tmp_path / "theirs")
    model = load_huggingface(tmp_path / "theirs")
    torch.testing.assert_close(logits_of(model), expected, rtol=0, atol=1e-5)
    torch.testing.assert_close(model(TOKENS), expected, rtol=0, atol=1e-5)
    save_huggingface(model, tmp_path / "ours")
    again = type(huggingface).from_pretrained(tmp_path / "ours").eval()
    torch.testing.assert_close(logits_of(again), expected, rtol=0, atol=1e-5)
    assert load_huggingface(tmp_path / "ours").config == model.config
    for name, tensor in huggingface.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor), name


def test_a_model_in_memory_is_copied(make_huggingface):
    theirs = make_huggingface("llama3.2")
    model = load_huggingface(theirs)
    expected = logits_of(theirs)
    torch.testing.assert_close(logits_of(model), expected, rtol=0, atol=1e-5)
    with torch.no_grad():
        model.embedding.weight.zero_()
    assert torch.equal(logits_of(theirs), expected)
    assert model.output.weight is model.embedding.weight and all(p.requires_grad for p in model.parameters())


def test_shards(make_huggingface, tmp_path):
    theirs = make_huggingface("qwen3")
    theirs.save_pretrained(tmp_path / "theirs", max_shard_size="20KB")
    assert (tmp_path / "theirs" / "model.safetensors.index.json").is_file()
    model = load_huggingface(tmp_path / "theirs")
    save_huggingface(model, tmp_path / "ours", max_shard_bytes=20_000)
    shards = sorted((tmp_path / "ours").glob("*.safetensors"))
    assert len(shards) > 2 and shards[0].name == f"model-00001-of-{len(shards):05}.safetensors"
    again = type(theirs).from_pretrained(tmp_path / "ours").eval()
    torch.testing.assert_close(logits_of(again), logits_of(theirs), rtol=0, atol=1e-5)
    assert torch.equal(logits_of(load_huggingface(tmp_path / "ours")), logits_of(model))


def test_config_of_transformers_4(make_huggingface, tmp_path):
    theirs = make_huggingface("llama3")
    theirs.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    rope = config.pop("rope_parameters")
    config |= {"rope_theta": rope.pop("rope_theta"), "rope_scaling": rope, "torch_dtype": config.pop("dtype")}
    (tmp_path / "config.json").write_text(json.dumps(config))
    torch.testing.assert_close(logits_of(load_huggingface(tmp_path)), logits_of(theirs), rtol=0, atol=1e-5)


def test_bf16(make_huggingface, tmp_path):
    # Both round each result to 8 bits, not always in the same order: each is some 2^-7 of the logits away from fp32,
    # and ours may be no further away than theirs, but for chance.
    theirs = make_huggingface("llama2")
    exact = logits_of(theirs)
    theirs.to(torch.bfloat16).save_pretrained(tmp_path)
    model = load_huggingface(tmp_path)
    assert model.embedding.weight.dtype == torch.bfloat16
    ours_off, theirs_off = ((logits_of(m).float() - exact).square().mean().sqrt() for m in (model, theirs))
    assert ours_off < 1.2 * theirs_off and ours_off < 2**-6 * exact.square().mean().sqrt()
    assert load_huggingface(tmp_path, dtype=torch.float32).embedding.weight.dtype == torch.float32


def test_interleaved_pairs_are_reordered_when_saved(config, make_model, tmp_path):
    model = make_model(replace(config, rope_pairing="interleaved", qk_norm=True, qkv_bias=True, output_bias=True))
    save_huggingface(model, tmp_path / "a")
    back = load_huggingface(tmp_path / "a")
    assert back.config == replace(model.config, rope_pairing="half")
    tokens = TOKENS % 61
    torch.testing.assert_close(back(tokens), model(tokens), rtol=1e-5, atol=1e-5)


@pytest.fixture
def folder(make_huggingface, tmp_path):
    make_huggingface("qwen2").save_pretrained(tmp_path / "checkpoint")
    return tmp_path / "checkpoint"


def change_config(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    config |= changes
    (folder / "config.json").write_text(json.dumps({k: v for k, v in config.items() if v is not ...}))


def change_tensors(folder, change):
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors")


def put(name, tensor):
    return lambda tensors: tensors.update({name: tensor})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t: t.pop("model.layers.1.mlp.up_proj.weight"),
            r"lacks tensor 'model.layers.1.mlp.up_proj.weight'.*\(56, 32\)",
        ),
        (
            put("model.norm.weight", torch.ones(31)),
            r"'model.norm.weight' has shape \(31,\), and config.json asks for \(32,\)",
        ),
        (put("model.layers.3.mlp.up_proj.weight", torch.ones(2)), "'model.layers.3.mlp.up_proj.weight' of shape"),
        (put("model.norm.weight", torch.ones(32, dtype=torch.int8)), "dtype torch.int8"),
    ],
)
def test_tensors_that_do_not_match_are_refused_by_name(folder, change, message):
    change_tensors(folder, change)
    with pytest.raises(ValueError, match=message):
        load_huggingface(folder)


def test_tensors_that_follow_from_others_are_let_pass(folder):
    expected = logits_of(load_huggingface(folder))
    change_tensors(folder, put("model.layers.0.self_attn.rotary_emb.inv_freq", torch.ones(4)))
    change_tensors(folder, put("lm_head.weight", torch.ones(97, 32)))  # tied: transformers ignores it, too
    assert torch.equal(logits_of(load_huggingface(folder)), expected)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_act": "gelu"}, "hidden_act is 'gelu', and only 'silu' or 'swish'"),
        ({"final_logit_softcapping": 30.0}, r"'final_logit_softcapping' \(30.0\) is not supported"),
        ({"quantization_config": {"bits": 4}}, "'quantization_config'"),
        ({"model_type": "gemma"}, "model_type is 'gemma', not one of 'llama'"),
        ({"model_type": ...}, "model_type is None"),
        ({"hidden_size": ...}, "'hidden_size' is missing"),
        (
            {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0}},
            "rope_parameters has rope_type 'dynamic'.*llmcourse.emerging",
        ),
        ({"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.5}}, "partial_rotary_factor"),
        ({"layer_types": ["chunked"] * 3, "use_sliding_window": True, "sliding_window": 4}, "layer_types is"),
    ],
)
def test_configurations_that_are_not_supported_are_refused_by_name(folder, changes, message):
    change_config(folder, **changes)
    with pytest.raises(ValueError, match=message):
        load_huggingface(folder)


def test_keys_that_are_switched_off_are_let_pass(folder):
    change_config(folder, use_mrope=False, some_new_feature=None, another=False)
    load_huggingface(folder)


def test_a_name_of_the_hub_is_no_folder():
    with pytest.raises(ValueError, match="hf download"):
        load_huggingface("meta-llama/Llama-3.2-1B")


def test_what_no_family_can_hold_is_not_saved(config, tmp_path):
    for options, message in (
        ({"norm": "layer"}, "norm='layer'"),
        ({"feed_forward": "gelu"}, "feed_forward='gelu'"),
        ({"window": (3, 5)}, "windows of 2 widths"),
        ({"position_embedding": "learned"}, "position_embedding='learned'"),
    ):
        with pytest.raises(ValueError, match=message):
            save_huggingface(Transformer(replace(config, **options)), tmp_path / "x")
    assert not list(tmp_path.iterdir())


def test_lora_has_to_be_merged_first(model, tmp_path):
    add_lora(model, rank=1)
    with pytest.raises(ValueError, match="remove_lora"):
        save_huggingface(model, tmp_path / "x")


def test_max_shard_bytes(model, tmp_path):
    with pytest.raises(ValueError, match="max_shard_bytes is 0"):
        save_huggingface(model, tmp_path / "x", max_shard_bytes=0)


def test_a_family_can_be_registered_whose_tensors_are_stacked(model, tmp_path):
    llama = CHECKPOINT_FAMILIES["llama"]

    def halves(ours):
        return ("first", "second") if ours == "norm.weight" else llama.tensor_name(ours)

    config = replace(model.config, d_model=2, n_heads=2, n_kv_heads=1, head_dim=4)
    small = Transformer(config)
    torch.nn.init.normal_(small.norm.weight)
    register_checkpoint_family(replace(llama, model_type="test_halves", tensor_name=halves))
    others = {name: CHECKPOINT_FAMILIES.pop(name) for name in list(CHECKPOINT_FAMILIES) if name != "test_halves"}
    try:
        save_huggingface(small, tmp_path / "x")
        assert load_file(tmp_path / "x" / "model.safetensors")["second"].shape == ()
        assert torch.equal(load_huggingface(tmp_path / "x").norm.weight, small.norm.weight)
    finally:
        CHECKPOINT_FAMILIES.clear()
        CHECKPOINT_FAMILIES.update(others)


def test_configurations_survive(tmp_path):
    sizes = {"vocab_size": 17, "d_model": 8, "n_layers": 2, "n_heads": 2, "norm_eps": 1e-4, "init_std": 0.01}
    for options in ({}, {"window": 4}, {"window": (None, 4), "qkv_bias": True}, {"qk_norm": True, "head_dim": 6}):
        config = ModelConfig(**sizes, **options)
        save_huggingface(Transformer(config), tmp_path / "x", overwrite=True)
        assert load_huggingface(tmp_path / "x").config == config
