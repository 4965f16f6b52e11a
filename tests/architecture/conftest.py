"""What the tests of the architecture share: a small model, a cache that keeps everything, and transformers' models."""

import pytest
import torch

from llmcourse.architecture import ModelConfig, Transformer


@pytest.fixture
def config():
    return ModelConfig(vocab_size=61, d_model=32, n_layers=2, n_heads=4, n_kv_heads=2, d_ff=48, max_seq_len=64)


@pytest.fixture
def model(config):
    return random_model(config)


def random_model(config, seed=0):
    """A model with weights large enough that a mistake shows."""
    generator = torch.Generator().manual_seed(seed)
    model = Transformer(config)
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.15, generator=generator)
        else:
            torch.nn.init.uniform_(parameter, 0.5, 1.5, generator=generator)
    return model


class GrowingCache:
    """Keeps all keys and values, as the protocol asks, and nothing more."""

    def __init__(self):
        self.reset()

    def reset(self):
        self.layers, self.n_tokens = {}, 0

    def update(self, layer, k, v, positions):
        if layer in self.layers:
            old_k, old_v = self.layers[layer]
            k, v = torch.cat([old_k, k], dim=2), torch.cat([old_v, v], dim=2)
        self.layers[layer] = k, v
        self.n_tokens = k.shape[2]
        return k, v


@pytest.fixture
def cache():
    return GrowingCache()


@pytest.fixture
def make_model():
    return random_model


@pytest.fixture
def make_cache():
    return GrowingCache


LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 32,
    "rope_theta": 500000.0,
}
# Name of the class, and what its configuration has beside the sizes that all have.
FAMILIES = {
    "llama2": ("Llama", {"num_key_value_heads": 4}),
    "llama3": ("Llama", {"rope_parameters": LLAMA3}),
    "llama3.2": ("Llama", {"rope_parameters": LLAMA3, "tie_word_embeddings": True}),
    "llama_linear": ("Llama", {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}}),
    "llama_bias": ("Llama", {"attention_bias": True}),
    "mistral": ("Mistral", {"head_dim": 16, "sliding_window": None}),
    "mistral_window": ("Mistral", {"sliding_window": 7}),
    "qwen2": ("Qwen2", {"tie_word_embeddings": True}),
    "qwen2_window": ("Qwen2", {"use_sliding_window": True, "sliding_window": 5, "max_window_layers": 1}),
    "qwen3": ("Qwen3", {"head_dim": 16, "rms_norm_eps": 1e-5}),
}


def huggingface_model(name):
    """A small model of transformers with random weights, biases and gains."""
    transformers = pytest.importorskip("transformers")
    kind, options = FAMILIES[name]
    sizes = {
        "vocab_size": 97,
        "hidden_size": 32,
        "intermediate_size": 56,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 128,
        "bos_token_id": None,
        "eos_token_id": None,
    }
    torch.manual_seed(1)
    model = getattr(transformers, f"{kind}ForCausalLM")(getattr(transformers, f"{kind}Config")(**sizes | options))
    for parameter in model.parameters():
        if parameter.ndim > 1:
            torch.nn.init.normal_(parameter, std=0.1)
        else:
            torch.nn.init.uniform_(parameter, 0.5, 1.5)
    return model.eval()


@pytest.fixture(params=FAMILIES)
def huggingface(request):
    return huggingface_model(request.param)


@pytest.fixture
def make_huggingface():
    return huggingface_model
