import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.emerging import VisionConfig, VisionEncoder, patchify, place_image_tokens

THEIR_NAMES = {
    "output": "attention.o_proj",
    "attention_norm": "layernorm_before",
    "mlp_norm": "layernorm_after",
    "up": "mlp.fc1",
    "down": "mlp.fc2",
}


def from_transformers(their: dict) -> dict:
    """The weights of transformers' ViT under our names."""
    ours = {
        "patch_projection.weight": their["embeddings.patch_embeddings.projection.weight"].flatten(1),
        "patch_projection.bias": their["embeddings.patch_embeddings.projection.bias"],
        "positions": their["embeddings.position_embeddings"][0],
        "class_embedding": their["embeddings.cls_token"][0, 0],
    }
    for kind in ("weight", "bias"):
        ours[f"norm.{kind}"] = their[f"layernorm.{kind}"]
        for number in range(2):
            layer = f"layers.{number}."
            qkv = [their[f"{layer}attention.{part}_proj.{kind}"] for part in "qkv"]
            ours[f"blocks.{number}.qkv.{kind}"] = torch.cat(qkv)
            for name, theirs in THEIR_NAMES.items():
                ours[f"blocks.{number}.{name}.{kind}"] = their[f"{layer}{theirs}.{kind}"]
    return ours


@pytest.fixture(scope="module")
def pair():
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.ViTConfig(
        image_size=24, patch_size=8, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=48, layer_norm_eps=1e-6,
    )  # fmt: skip
    theirs = transformers.ViTModel(config, add_pooling_layer=False).eval()
    for weight in theirs.parameters():  # also biases, gains and positions, which start as zeros and ones
        torch.nn.init.normal_(weight, std=0.3)
    sizes = {"image_size": 24, "patch_size": 8, "d_model": 32, "n_layers": 2, "n_heads": 4, "d_ff": 48}
    ours = VisionEncoder(VisionConfig(**sizes, class_token=True))
    ours.load_state_dict(from_transformers(theirs.state_dict()))
    return ours, theirs


def test_embeddings_as_transformers(pair):
    ours, theirs = pair
    images = torch.randn(2, 3, 24, 24)
    torch.testing.assert_close(ours.embed(images), theirs.embeddings(images), rtol=1e-5, atol=1e-5)


def test_encoder_as_transformers(pair):
    ours, theirs = pair
    images = torch.randn(2, 3, 24, 24)
    torch.testing.assert_close(ours(images), theirs(images).last_hidden_state, rtol=1e-5, atol=1e-5)


@given(rows=st.integers(1, 3), columns=st.integers(1, 3), size=st.integers(1, 4), channels=st.integers(1, 3))
def test_patches_as_a_convolution_and_as_unfold(rows, columns, size, channels):
    images = torch.randn(2, channels, rows * size, columns * size)
    found = patchify(images, size)
    assert torch.equal(found, F.unfold(images, size, stride=size).transpose(1, 2))
    kernel = torch.randn(5, channels, size, size)
    convolved = F.conv2d(images, kernel, stride=size).flatten(2).transpose(1, 2)
    torch.testing.assert_close(found @ kernel.flatten(1).T, convolved, rtol=1e-4, atol=1e-5)


def test_patches_know_their_place():
    """Without positions an encoder of patches would not tell a drawing from its pieces in another order."""
    torch.manual_seed(0)
    encoder = VisionEncoder(VisionConfig())
    image = torch.randn(1, 3, 32, 32)
    turned = image.roll(8, dims=-1)  # the same patches, in other places
    assert not torch.allclose(encoder(image).mean(1), encoder(turned).mean(1), atol=1e-4)
    torch.nn.init.zeros_(encoder.positions)
    torch.testing.assert_close(encoder(image).mean(1), encoder(turned).mean(1), rtol=1e-4, atol=1e-5)


def test_image_vectors_stand_where_the_placeholders_are():
    text, image = torch.randn(2, 6, 4, requires_grad=True), torch.randn(2, 3, 4, requires_grad=True)
    tokens = torch.tensor([[1, 9, 9, 9, 2, 3], [9, 1, 9, 2, 9, 3]])
    found = place_image_tokens(text, tokens, image, image_token=9)
    for row, places in enumerate([[1, 2, 3], [0, 2, 4]]):
        assert torch.equal(found[row, places], image[row])
        others = [place for place in range(6) if place not in places]
        assert torch.equal(found[row, others], text[row, others])
    found.sum().backward()
    assert torch.equal(image.grad, torch.ones_like(image))
    assert torch.equal(text.grad[..., 0] == 0, tokens == 9)


def test_refuses():
    with pytest.raises(ValueError, match="30 x 32 pixels"):
        patchify(torch.zeros(1, 3, 30, 32), 8)
    with pytest.raises(ValueError, match=r"shape \(3, 32, 32\)"):
        patchify(torch.zeros(3, 32, 32), 8)
    with pytest.raises(ValueError, match=r"this encoder reads \(B, 3, 32, 32\)"):
        VisionEncoder(VisionConfig())(torch.zeros(1, 1, 32, 32))
    with pytest.raises(ValueError, match=r"rows hold \[2\] placeholders, an image has 3"):
        place_image_tokens(torch.zeros(1, 4, 2), torch.tensor([[9, 9, 1, 1]]), torch.zeros(1, 3, 2), 9)
    with pytest.raises(ValueError, match="image_size is 30"):
        VisionConfig(image_size=30)
    with pytest.raises(ValueError, match="heads share"):
        VisionConfig(n_heads=5)
    with pytest.raises(ValueError, match="sizes are 1 or more"):
        VisionConfig(patch_size=0)
