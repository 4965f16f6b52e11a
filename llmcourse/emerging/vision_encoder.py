"""Images for a language model: cut into patches, encoded by a small ViT, placed among the embeddings of a text."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

__all__ = ["VisionConfig", "VisionEncoder", "patchify", "place_image_tokens"]


def patchify(images: Float[Tensor, "B C H W"], patch_size: int) -> Float[Tensor, "B n_patches patch_dim"]:
    r"""Cut images into squares, row by row, and flatten each.

    A patch is flattened channels first, then rows, then columns, which is the order in which a convolution's kernel is
    stored: a linear layer on patches and a convolution of stride ``patch_size`` are the same (ViT, Dosovitskiy et al.
    2020, arXiv:2010.11929).

    Args:
        images: Height and width are multiples of the patch size.
        patch_size: Pixels along an edge.

    Returns:
        (H / p) * (W / p) patches of C * p * p numbers. The number of patches, and so of tokens, grows with the square
        of the resolution.

    Raises:
        ValueError: The images cannot be cut evenly.

    Example:
        >>> patchify(torch.arange(16.0).view(1, 1, 4, 4), 2)[0, 1]
        tensor([2., 3., 6., 7.])
        >>> patchify(torch.zeros(1, 3, 224, 224), 16).shape
        torch.Size([1, 196, 768])
    """
    if images.ndim != 4:
        raise ValueError(f"images have shape {tuple(images.shape)}: give (B, C, H, W)")
    batch, channels, height, width = images.shape
    if patch_size < 1 or height % patch_size or width % patch_size:
        raise ValueError(f"{height} x {width} pixels cannot be cut into patches of {patch_size}: crop or resize first")
    rows, columns = height // patch_size, width // patch_size
    cut = images.reshape(batch, channels, rows, patch_size, columns, patch_size)
    return cut.permute(0, 2, 4, 1, 3, 5).reshape(batch, rows * columns, channels * patch_size**2)


@dataclass(frozen=True, kw_only=True)
class VisionConfig:
    """Sizes of a :class:`VisionEncoder`; what is given by default reads drawings of 32 x 32 pixels.

    Attributes:
        image_size: Pixels along an edge; images are square.
        patch_size: Pixels along a patch's edge.
        channels: 3 for colour.
        d_model: Width.
        n_layers: Blocks.
        n_heads: Heads of attention.
        d_ff: Width within the feed-forward layer.
        norm_eps: Added to variances.
        class_token: Whether a learned token stands in front, as ViT has it; a language model needs the patches alone.
    """

    image_size: int = 32
    patch_size: int = 8
    channels: int = 3
    d_model: int = 64
    n_layers: int = 2
    n_heads: int = 4
    d_ff: int = 256
    norm_eps: float = 1e-6
    class_token: bool = False

    def __post_init__(self) -> None:
        sizes = (self.image_size, self.patch_size, self.channels, self.d_model, self.n_heads, self.d_ff)
        if min(sizes) < 1 or self.n_layers < 0:
            raise ValueError(f"{self}: sizes are 1 or more")
        if self.image_size % self.patch_size:
            raise ValueError(
                f"image_size is {self.image_size}, patch_size {self.patch_size}: the one divides the other"
            )
        if self.d_model % self.n_heads:
            raise ValueError(f"d_model is {self.d_model}, n_heads {self.n_heads}: heads share the width evenly")

    @property
    def n_patches(self) -> int:
        """Patches of an image, which are the tokens it costs."""
        return (self.image_size // self.patch_size) ** 2


class _Block(nn.Module):
    """Pre-norm attention, in which each patch sees all others, and a feed-forward layer with GELU."""

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.n_heads = config.n_heads
        self.attention_norm = nn.LayerNorm(config.d_model, eps=config.norm_eps)
        self.qkv = nn.Linear(config.d_model, 3 * config.d_model)
        self.output = nn.Linear(config.d_model, config.d_model)
        self.mlp_norm = nn.LayerNorm(config.d_model, eps=config.norm_eps)
        self.up = nn.Linear(config.d_model, config.d_ff)
        self.down = nn.Linear(config.d_ff, config.d_model)

    def forward(self, x: Float[Tensor, "B N D"]) -> Float[Tensor, "B N D"]:
        qkv = self.qkv(self.attention_norm(x)).unflatten(-1, (3, self.n_heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v)  # no causal mask: an image has no before and after
        x = x + self.output(attended.transpose(1, 2).flatten(-2))
        return x + self.down(F.gelu(self.up(self.mlp_norm(x))))


class VisionEncoder(nn.Module):
    """ViT: patches, projected, with a learned position each, through blocks of attention.

    For a language model of width D, ``nn.Linear(d_model, D)`` behind it makes its vectors fit among embeddings, which
    is how LLaVA does it (Liu et al. 2023, arXiv:2304.08485).

    Args:
        config: Sizes.

    Example:
        >>> encoder = VisionEncoder(VisionConfig())
        >>> encoder(torch.zeros(2, 3, 32, 32)).shape
        torch.Size([2, 16, 64])
    """

    def __init__(self, config: VisionConfig) -> None:
        super().__init__()
        self.config = config
        n_tokens = config.n_patches + config.class_token
        self.patch_projection = nn.Linear(config.channels * config.patch_size**2, config.d_model)
        self.positions = nn.Parameter(torch.empty(n_tokens, config.d_model).normal_(std=0.02))
        self.class_embedding = nn.Parameter(torch.zeros(config.d_model)) if config.class_token else None
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.n_layers))
        self.norm = nn.LayerNorm(config.d_model, eps=config.norm_eps)

    def embed(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B N D"]:
        """Project patches and add positions.

        Args:
            images: As large as the config says.

        Returns:
            One vector for each patch, the class token's in front if there is one.

        Raises:
            ValueError: The images have another size.
        """
        size, channels = self.config.image_size, self.config.channels
        if images.shape[1:] != (channels, size, size):
            raise ValueError(f"images are {tuple(images.shape)}: this encoder reads (B, {channels}, {size}, {size})")
        x = self.patch_projection(patchify(images, self.config.patch_size))
        if self.class_embedding is not None:
            x = torch.cat([self.class_embedding.expand(len(x), 1, -1), x], dim=1)
        return x + self.positions

    def forward(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B N D"]:
        """Encode images.

        Args:
            images: As large as the config says.

        Returns:
            One vector for each patch, the class token's in front if there is one.
        """
        x = self.embed(images)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


def place_image_tokens(
    embeddings: Float[Tensor, "B T D"],
    tokens: Int[Tensor, "B T"],
    image_embeddings: Float[Tensor, "B N D"],
    image_token: int,
) -> Float[Tensor, "B T D"]:
    """Put an image's vectors where the text has placeholders for it.

    Args:
        embeddings: The text's.
        tokens: The text's; each row holds ``image_token`` N times, usually in one run.
        image_embeddings: Projected to the text model's width.
        image_token: The placeholder.

    Returns:
        New embeddings; gradients reach the text's and the image's.

    Raises:
        ValueError: A row has another number of placeholders than its image has vectors.

    Example:
        >>> text, image = torch.zeros(1, 4, 2), torch.ones(1, 2, 2)
        >>> place_image_tokens(text, torch.tensor([[5, 9, 9, 6]]), image, image_token=9)[0, :, 0]
        tensor([0., 1., 1., 0.])
    """
    places = tokens == image_token
    counts = places.sum(dim=1)
    n_vectors = image_embeddings.shape[1]
    if not bool((counts == n_vectors).all()):
        raise ValueError(f"rows hold {counts.tolist()} placeholders, an image has {n_vectors} vectors: one place each")
    return embeddings.masked_scatter(places.unsqueeze(-1), image_embeddings.to(embeddings.dtype))
