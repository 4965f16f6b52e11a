import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.architecture import LayerNorm, ModelConfig, RMSNorm, Transformer

VARIANTS = {
    "grouped": {},
    "window": {"window": (3, None)},
    "bias_and_norm": {"qkv_bias": True, "output_bias": True, "qk_norm": True},
    "learned": {"position_embedding": "learned", "norm": "layer", "feed_forward": "gelu"},
    "none": {"position_embedding": "none"},
    "tied": {"tie_embeddings": True, "rope_pairing": "interleaved"},
}


@pytest.fixture(params=VARIANTS)
def variant(request, config, make_model):
    return make_model(replace(config, **VARIANTS[request.param]))


@pytest.fixture(scope="module")
def variants():
    sizes = {"vocab_size": 61, "d_model": 32, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "d_ff": 48}
    models = {name: Transformer(ModelConfig(**sizes, **options)) for name, options in VARIANTS.items()}
    for model in models.values():
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
    return models


@settings(max_examples=25)
@given(data=st.data())
def test_a_later_token_changes_no_earlier_logit(variants, data):
    place, token, seed = (data.draw(st.integers(0, limit)) for limit in (9, 60, 999))
    model = variants[data.draw(st.sampled_from(list(VARIANTS)))]
    tokens = torch.randint(61, (2, 10), generator=torch.Generator().manual_seed(seed))
    changed = tokens.clone()
    changed[:, place] = (changed[:, place] + 1 + token) % 61
    with torch.no_grad():
        before, after = model(tokens), model(changed)
    torch.testing.assert_close(before[:, :place], after[:, :place], rtol=1e-5, atol=1e-5)
    different = (tokens[:, place] != changed[:, place]).tolist()
    assert [not torch.allclose(before[row, place], after[row, place]) for row in range(2)] == different


def test_documents_in_one_row_are_as_each_alone(variant):
    rows = torch.randint(61, (2, 12))
    ids = torch.tensor([[0] * 5 + [1] * 4 + [0] * 3, [3] * 12])
    packed = variant(rows, document_ids=ids)
    for row, start, stop in ((0, 0, 5), (0, 5, 9), (0, 9, 12), (1, 0, 12)):
        alone = variant(rows[row : row + 1, start:stop])
        torch.testing.assert_close(packed[row : row + 1, start:stop], alone, rtol=1e-5, atol=1e-5)


def test_a_cache_gives_what_the_whole_gives(variant, cache):
    tokens = torch.randint(61, (2, 9))
    parts = [variant(tokens[:, start:stop], cache=cache) for start, stop in ((0, 4), (4, 5), (5, 9))]
    torch.testing.assert_close(torch.cat(parts, 1), variant(tokens), rtol=1e-5, atol=1e-5)


def test_positions_can_be_given(variant):
    tokens = torch.randint(61, (2, 5))
    whole = variant(tokens)
    torch.testing.assert_close(variant(tokens, positions=torch.arange(5)), whole)
    torch.testing.assert_close(variant(tokens, positions=torch.arange(5).expand(2, 5)), whole, rtol=1e-5, atol=1e-6)
    shifted = variant(tokens, positions=torch.arange(7, 12))
    absolute = variant.config.position_embedding == "learned"
    assert torch.allclose(shifted, whole, atol=1e-4) != absolute  # RoPE sees distances alone


def test_norms_and_positions_are_those_of_the_configuration(config):
    model = Transformer(replace(config, norm="layer", position_embedding="learned"))
    assert isinstance(model.blocks[0].attention_norm, LayerNorm) and model.rotary is None
    assert model.position_embedding.weight.shape == (64, 32)
    assert isinstance(Transformer(config).norm, RMSNorm)


def test_tied_embeddings_are_one_parameter(config):
    tied, untied = Transformer(replace(config, tie_embeddings=True)), Transformer(config)
    assert tied.output.weight is tied.embedding.weight
    count = [sum(p.numel() for p in m.parameters()) for m in (tied, untied)]
    assert count[1] - count[0] == 61 * 32


def test_initialisation():
    torch.manual_seed(0)
    model = Transformer(ModelConfig(vocab_size=256, d_model=128, n_layers=8, n_heads=4, qkv_bias=True, init_std=0.05))
    narrow = 0.05 / math.sqrt(16)
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            assert parameter.eq(0).all()
        elif parameter.ndim == 1:
            assert parameter.eq(1).all()
        else:
            std = narrow if ".out." in name or ".w2." in name else 0.05
            assert parameter.std().item() == pytest.approx(std, rel=0.05), name
    uniform = math.log(256)
    small = Transformer(replace(model.config, init_std=0.02))
    tokens = torch.randint(256, (4, 32))
    assert small.loss(tokens[:, :-1], tokens[:, 1:]).item() == pytest.approx(uniform, rel=0.02)


def test_loss_is_that_of_the_logits(variant):
    tokens, labels = torch.randint(61, (2, 2, 7)).unbind()
    mask = torch.rand(2, 7) < 0.6
    mask[0, 0] = True
    expected = torch.nn.functional.cross_entropy(variant(tokens)[mask], labels[mask])
    torch.testing.assert_close(variant.loss(tokens, labels, mask), expected, rtol=1e-5, atol=1e-5)


def test_it_learns(config):
    torch.manual_seed(0)
    model = Transformer(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    tokens = torch.arange(61).repeat(2)[None, :64] % 7
    for _ in range(30):
        loss = model.loss(tokens[:, :-1], tokens[:, 1:])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert loss.item() < 0.1


def test_bf16(model):
    # Weights, and each of some ten results on the way, are rounded to 8 bits: errors add up to some 2^-6 of the logits.
    tokens = torch.randint(61, (2, 20))
    exact = model(tokens).detach()
    low = model.to(torch.bfloat16)(tokens)
    assert low.dtype == torch.bfloat16
    error = (low.float() - exact).square().mean().sqrt() / exact.square().mean().sqrt()
    assert error < 2**-6


def test_compiled_is_eager(model):
    pytest.importorskip("torch._dynamo")
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    tokens = torch.randint(61, (2, 8))
    torch.testing.assert_close(compiled(tokens), model(tokens), rtol=1e-5, atol=1e-5)
    gradients = [torch.autograd.grad(m(tokens).sin().sum(), list(model.parameters())) for m in (compiled, model)]
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-4)


class Silent:
    """A cache that does not say how many tokens it holds."""

    def update(self, layer, k, v, positions):
        return k, v

    def reset(self):
        pass


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tokens": torch.zeros(5, dtype=torch.long)}, r"tokens have shape \(5,\)"),
        ({"tokens": torch.zeros(1, 5)}, "dtype torch.float32"),
        ({"positions": torch.arange(4)}, r"positions have shape \(4,\)"),
        ({"document_ids": torch.zeros(2, 4)}, r"document_ids have shape \(2, 4\)"),
        ({"document_ids": torch.zeros(2, 5), "cache": Silent()}, "packed rows are read whole"),
        ({"cache": Silent()}, "Silent does not say n_tokens"),
    ],
)
def test_refusals(model, options, message):
    tokens = options.pop("tokens", torch.zeros(2, 5, dtype=torch.long))
    with pytest.raises(ValueError, match=message):
        model(tokens, **options)


def test_learned_positions_end(config):
    model = Transformer(replace(config, position_embedding="learned", max_seq_len=4))
    with pytest.raises(ValueError, match="5 tokens are more than the 4 positions"):
        model(torch.zeros(1, 5, dtype=torch.long))
