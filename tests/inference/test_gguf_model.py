"""A model survives its file; what llama.cpp computes from it is tested where llama-cpp-python is installed."""

import numpy as np
import pytest
import torch

from llmcourse.architecture import LatentAttentionConfig, ModelConfig, Transformer, generate
from llmcourse.inference import (
    GGUF,
    model_from_gguf,
    model_to_gguf,
    read_gguf,
    tokenizer_from_gguf,
    write_gguf,
)
from llmcourse.tokenization import BPETokenizer, train_bpe

TEXT = "The quick brown fox jumps over the lazy dog. It isn't  one of 12345 números:\n\n\tüber! " * 8
SIZES = {"vocab_size": 320, "d_model": 256, "n_layers": 2, "n_heads": 8, "n_kv_heads": 4, "d_ff": 512}
CHOICES = {
    "llama": {},
    "interleaved": {"rope_pairing": "interleaved", "rope_theta": 5e5},
    "tied": {"tie_embeddings": True, "head_dim": 16},
    "qwen2": {"qkv_bias": True},
    "qwen3": {"qk_norm": True},
}


def make_model(**changes):
    torch.manual_seed(0)
    model = Transformer(ModelConfig(**SIZES | {"max_seq_len": 256, "init_std": 0.15} | changes)).eval()
    for parameter in model.parameters():
        if parameter.ndim == 1:
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    return model.requires_grad_(False)


@pytest.fixture(scope="module")
def tokenizer():
    return train_bpe(TEXT, 300, special_tokens=["<|end|>"])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.gguf"


@pytest.mark.parametrize("choice", CHOICES)
def test_a_model_is_read_as_it_was_written(choice, path, tokenizer):
    model = make_model(**CHOICES[choice])
    write_gguf(path, *model_to_gguf(model, tokenizer, eos_token="<|end|>"), type="F32")
    held = read_gguf(path)
    loaded, tokens = model_from_gguf(held), torch.arange(30)[None] * 7
    torch.testing.assert_close(loaded(tokens), model(tokens), rtol=1e-4, atol=1e-4)
    assert held.metadata["general.architecture"] == (choice if choice.startswith("qwen") else "llama")
    assert (
        (loaded.output.weight is loaded.embedding.weight) == (choice == "tied") == ("output.weight" not in held.tensors)
    )
    assert loaded.config.rope_theta == model.config.rope_theta


@pytest.mark.parametrize("type", ["F16", "Q8_0", "Q4_0", "Q4_K"])
def test_a_quantized_file_is_small_and_near(type, path):
    model, tokens = make_model(), torch.arange(30)[None] * 7
    write_gguf(path, *model_to_gguf(model), type=type)
    n_parameters = sum(parameter.numel() for parameter in model.parameters())
    bits = {"F16": 16, "Q8_0": 8.5, "Q4_0": 4.5, "Q4_K": 4.5}[type]
    assert 8 * path.stat().st_size / n_parameters == pytest.approx(bits, abs=0.1)
    error = (model_from_gguf(read_gguf(path))(tokens) - model(tokens)).norm() / model(tokens).norm()
    assert error < {"F16": 0.01, "Q8_0": 0.08}.get(type, 0.7)


@pytest.mark.parametrize("pattern", ["gpt2", "o200k"])
def test_a_tokenizer_is_read_as_it_was_written(pattern, path):
    tokenizer = train_bpe(TEXT, 310, special_tokens=["<|end|>", "<|begin|>"], pattern=pattern)
    write_gguf(path, *model_to_gguf(make_model(), tokenizer, bos_token="<|begin|>", eos_token="<|end|>"))
    held = read_gguf(path)
    back = tokenizer_from_gguf(held)
    assert (back.vocab, back.merges, back.special_tokens) == (
        tokenizer.vocab,
        tokenizer.merges,
        tokenizer.special_tokens,
    )
    assert back.encode(TEXT) == tokenizer.encode(TEXT)
    assert held.metadata["tokenizer.ggml.eos_token_id"] == tokenizer.special_tokens["<|end|>"]
    assert len(held.metadata["tokenizer.ggml.tokens"]) == 320
    assert held.metadata["tokenizer.ggml.token_type"][-1] == 5


def test_what_llama_cpp_lacks_is_refused(tokenizer):
    for changes, message in [
        ({"window": 8}, "window is 8: a file for llama.cpp can hold None alone"),
        ({"rope_scaling": {"type": "linear", "factor": 2.0}}, "rope_scaling is"),
        ({"norm": "layer"}, "norm is 'layer'"),
        ({"qkv_bias": True, "qk_norm": True}, "qkv_bias is True and qk_norm True"),
    ]:
        with pytest.raises(ValueError, match=message):
            model_to_gguf(make_model(**changes))
    latent = LatentAttentionConfig(kv_rank=8, nope_head_dim=8, rope_head_dim=4, value_head_dim=8)
    with pytest.raises(ValueError, match="latent is LatentAttentionConfig"):
        model_to_gguf(make_model(latent=latent, n_kv_heads=8))
    with pytest.raises(ValueError, match=r"eos_token is '</s>': the tokenizer's special tokens are \['<|end|>'\]"):
        model_to_gguf(make_model(), tokenizer, eos_token="</s>")
    with pytest.raises(ValueError, match=r"pattern is .* of no more ids than the model's 257"):
        model_to_gguf(make_model(vocab_size=257), tokenizer)
    bytes_alone = BPETokenizer({byte: bytes([byte]) for byte in range(256)}, [], pattern=r"\p{L}+|.")
    with pytest.raises(ValueError, match=r"pattern is .*a file can hold those of gpt2, o200k"):
        model_to_gguf(make_model(), bytes_alone)


def test_a_file_that_is_no_model_is_refused_by_name(path, tokenizer):
    write_gguf(path, *model_to_gguf(make_model(), tokenizer))
    held = read_gguf(path)

    def changed(**metadata):
        merged = held.metadata | {key.replace("__", "."): value for key, value in metadata.items()}
        return GGUF({key: value for key, value in merged.items() if value is not None}, held.tensors)

    for file, message in [
        (
            changed(general__architecture="mamba"),
            "'general.architecture': is 'mamba', and llama, qwen2, qwen3 are known",
        ),
        (changed(llama__block_count=None), "'llama.block_count': is missing"),
        (changed(llama__block_count=3), "tensor 'blk.2.attn_norm.weight': is missing"),
        (changed(llama__block_count=1), "tensor 'blk.1.attn_k.weight': has no place in this model"),
        (changed(llama__feed_forward_length=8), r"'blk.0.ffn_up.weight': is \(512, 256\), and \(8, 256\) is"),
        (changed(llama__rope__scaling__type="yarn"), "'llama.rope.scaling.type': is 'yarn'"),
    ]:
        with pytest.raises(ValueError, match=message):
            model_from_gguf(file)
    with pytest.raises(ValueError, match=r"'tokenizer.ggml.model': is 'llama', and gpt2 are known"):
        tokenizer_from_gguf(changed(tokenizer__ggml__model="llama"))
    with pytest.raises(ValueError, match=r"'tokenizer.ggml.pre': is missing"):
        tokenizer_from_gguf(changed(tokenizer__ggml__pre=None))
    with pytest.raises(ValueError, match=r"'tokenizer.ggml.token_type': has 1 elements for 320 tokens"):
        tokenizer_from_gguf(GGUF(held.metadata | {"tokenizer.ggml.token_type": [1]}, {}))
    with pytest.raises(ValueError, match=r"'tokenizer.ggml.merges': an element is no pair"):
        tokenizer_from_gguf(GGUF(held.metadata | {"tokenizer.ggml.merges": ["a b c"]}, {}))


@pytest.fixture(scope="module")
def llama_cpp():
    return pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed: pip install llama-cpp-python")


def open_in_llama_cpp(llama_cpp, path):
    f32 = 0  # of keys and values, as ours
    return llama_cpp.Llama(
        str(path), n_ctx=256, n_threads=1, verbose=False, type_k=f32, type_v=f32, logits_all=True, no_perf=True
    )


def greedy(llama, tokens, n):
    stream = llama.generate(tokens, temp=0.0, top_k=1)
    return [next(stream) for _ in range(n)]


@pytest.mark.parametrize("choice", CHOICES)
def test_llama_cpp_computes_the_same_logits_and_text(llama_cpp, choice, path, tokenizer):
    model, tokens = make_model(**CHOICES[choice]), tokenizer.encode("The lazy dog isn't 12345 números\n")
    write_gguf(path, *model_to_gguf(model, tokenizer, eos_token="<|end|>"), type="F32")
    llama = open_in_llama_cpp(llama_cpp, path)
    assert llama.tokenize("The lazy dog isn't 12345 números\n".encode(), add_bos=False) == tokens
    llama.eval(tokens)
    found = torch.from_numpy(np.array(llama.scores[: len(tokens)]))
    expected = model(torch.tensor([tokens]))[0]
    assert (found - expected).norm() < 1e-4 * expected.norm()
    llama.reset()
    ours = generate(model, torch.tensor([tokens]), 24, temperature=0.0)[0, len(tokens) :].tolist()
    assert greedy(llama, tokens, 24) == ours


@pytest.fixture(scope="module")
def fluent(tokenizer):
    """A model that knows one text by heart, so that no rounding of its weights or inputs changes what it says."""
    model = make_model(n_layers=1, init_std=0.05).requires_grad_()
    tokens = torch.tensor([tokenizer.encode(TEXT)[:120]])
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    for _ in range(40):
        loss = model.loss(tokens[:, :-1], tokens[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.requires_grad_(False)


@pytest.mark.parametrize("type", ["F32", "F16", "Q8_0", "Q4_0", "Q4_K"])
def test_llama_cpp_says_the_same_of_every_type(llama_cpp, type, path, tokenizer, fluent):
    write_gguf(path, *model_to_gguf(fluent, tokenizer, eos_token="<|end|>"), type=type)
    tokens = tokenizer.encode(TEXT)[:10]
    ours = generate(model_from_gguf(read_gguf(path)), torch.tensor([tokens]), 60, temperature=0.0)[0, 10:].tolist()
    assert ours == tokenizer.encode(TEXT)[10:70]
    assert greedy(open_in_llama_cpp(llama_cpp, path), tokens, 60) == ours
