"""A decoder-only Transformer: embedding, blocks of attention and feed-forward, a norm, and logits."""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from llmcourse.architecture.attention import Attention
from llmcourse.architecture.cache import Cache
from llmcourse.architecture.config import ModelConfig
from llmcourse.architecture.feed_forward import make_feed_forward
from llmcourse.architecture.latent_attention import LatentAttention
from llmcourse.architecture.layer_norm import LayerNorm
from llmcourse.architecture.linear_cross_entropy import linear_cross_entropy
from llmcourse.architecture.rms_norm import RMSNorm
from llmcourse.architecture.rope import RotaryEmbedding

__all__ = ["Block", "Transformer"]


class Block(nn.Module):
    r"""Two residual steps: tokens exchange what they know, then each works on its own.

    The norm stands before each step, not after the sum (Xiong et al. 2020, arXiv:2002.04745), so that the residual
    stream runs from the embedding to the last norm without one.

    Args:
        config: Sizes and choices.
        layer: The block's number, from 0.
    """

    def __init__(self, config: ModelConfig, layer: int) -> None:
        super().__init__()
        self.attention_norm = make_norm(config)
        self.attention = LatentAttention(config, layer) if config.latent else Attention(config, layer)
        self.feed_forward_norm = make_norm(config)
        self.feed_forward = make_feed_forward(config)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        rotation: tuple[Tensor, Tensor] | None,
        *,
        mask: Bool[Tensor, "B 1 T T"] | None = None,
        cache: Cache | None = None,
        positions: Int[Tensor, "*B T"] | None = None,
    ) -> Float[Tensor, "B T D"]:
        """Take both steps; the arguments are those of :class:`llmcourse.architecture.Attention`."""
        x = x + self.attention(self.attention_norm(x), rotation, mask=mask, cache=cache, positions=positions)
        return x + self.feed_forward(self.feed_forward_norm(x))


class Transformer(nn.Module):
    r"""A decoder-only Transformer (Vaswani et al. 2017, arXiv:1706.03762, as Llama has it, arXiv:2302.13971).

    Args:
        config: Sizes and choices.

    Example:
        >>> model = Transformer(ModelConfig(vocab_size=50, d_model=32, n_layers=2, n_heads=4, n_kv_heads=2))
        >>> model(torch.tensor([[1, 2, 3]])).shape
        torch.Size([1, 3, 50])
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocab_size, config.d_model)
        learned, rope = config.position_embedding == "learned", config.position_embedding == "rope"
        self.position_embedding = nn.Embedding(config.max_seq_len, config.d_model) if learned else None
        self.rotary = RotaryEmbedding(config) if rope else None
        self.blocks = nn.ModuleList(Block(config, layer) for layer in range(config.n_layers))
        self.norm = make_norm(config)
        self.output = nn.Linear(config.d_model, config.vocab_size, bias=False)
        self.initialize()
        if config.tie_embeddings:
            self.output.weight = self.embedding.weight

    @torch.no_grad()
    def initialize(self) -> None:
        r"""Draw all matrices anew from a normal distribution; biases become 0 and gains 1.

        What writes to the residual stream is drawn 1 / sqrt(2 n_layers) as wide, so that the sum over all blocks does
        not grow with their number (Radford et al. 2019, GPT-2, section 2.3).
        """
        narrow = self.config.init_std / math.sqrt(2 * self.config.n_layers)
        for name, parameter in self.named_parameters():
            if parameter.ndim >= 2:
                writes = name.removesuffix(".weight").endswith((".out", ".w2"))
                nn.init.normal_(parameter, std=narrow if writes else self.config.init_std)
            else:
                nn.init.constant_(parameter, 0.0 if name.endswith("bias") else 1.0)

    def forward(
        self,
        tokens: Int[Tensor, "B T"],
        *,
        cache: Cache | None = None,
        positions: Int[Tensor, "*B T"] | None = None,
        document_ids: Int[Tensor, "B T"] | None = None,
    ) -> Float[Tensor, "B T V"]:
        r"""Return the logits of the token that follows each token.

        Args:
            tokens: Ids.
            cache: Keys and values of earlier tokens; the new ones are added to it.
            positions: Where each token stands, from 0. By default they count on from the cache's tokens, or from 0 in
                each document.
            document_ids: Several documents packed in one row: a run of equal ids is a document, and no token sees
                another document.

        Returns:
            Logits, in the dtype of the parameters.

        Raises:
            ValueError: Shapes do not fit, or positions cannot be worked out.
        """
        return self.output(self.hidden(tokens, cache=cache, positions=positions, document_ids=document_ids))

    def loss(
        self,
        tokens: Int[Tensor, "B T"],
        labels: Int[Tensor, "B T"],
        mask: Bool[Tensor, "B T"] | None = None,
        *,
        positions: Int[Tensor, "*B T"] | None = None,
        document_ids: Int[Tensor, "B T"] | None = None,
    ) -> Float[Tensor, ""]:
        r"""Return the mean loss of the labels, without ever holding all logits: faster, and far less memory.

        Args:
            tokens: Ids.
            labels: The token that follows each.
            mask: True where a label counts.
            positions: As for a call.
            document_ids: As for a call.

        Returns:
            Nats per token that counts.
        """
        hidden = self.hidden(tokens, positions=positions, document_ids=document_ids)
        return linear_cross_entropy(hidden, self.output.weight, labels, mask)

    def hidden(
        self,
        tokens: Int[Tensor, "B T"],
        *,
        cache: Cache | None = None,
        positions: Int[Tensor, "*B T"] | None = None,
        document_ids: Int[Tensor, "B T"] | None = None,
    ) -> Float[Tensor, "B T D"]:
        r"""Return the normalised vectors from which the logits are made; the arguments are those of a call."""
        _check(tokens, cache, positions, document_ids)
        mask = None
        if document_ids is not None:
            mask, counted = separate_documents(document_ids)
            positions = counted if positions is None else positions
        if positions is None:
            start = _count_on(cache)
            self._check_length(start + tokens.shape[1])
            positions = torch.arange(start, start + tokens.shape[1], device=tokens.device)
        x = self.embedding(tokens)
        if self.position_embedding is not None:
            # Padding before a row's text has negative positions; what it looks up is seen by nobody.
            x = x + self.position_embedding(positions if cache is None else positions.clamp(min=0))
        rotation = self.rotary(positions) if self.rotary is not None else None
        for block in self.blocks:
            x = block(x, rotation, mask=mask, cache=cache, positions=positions)
        return self.norm(x)

    def _check_length(self, seq_len: int) -> None:
        limit = self.config.max_seq_len
        if self.position_embedding is not None and seq_len > limit:
            raise ValueError(
                f"{seq_len} tokens are more than the {limit} positions that were learned: shorten the text"
            )


def make_norm(config: ModelConfig) -> nn.Module:
    """Return the norm that a configuration asks for."""
    return (RMSNorm if config.norm == "rms" else LayerNorm)(config.d_model, eps=config.norm_eps)


def separate_documents(document_ids: Int[Tensor, "B T"]) -> tuple[Bool[Tensor, "B 1 T T"], Int[Tensor, "B T"]]:
    r"""Return the mask that keeps documents apart, and each token's position in its own document.

    Args:
        document_ids: A run of equal ids is a document; an id that comes again later is another one.

    Returns:
        A mask, True where two tokens are of one document, and positions from 0.

    Example:
        >>> separate_documents(torch.tensor([[7, 7, 8, 8, 8]]))[1]
        tensor([[0, 1, 0, 1, 2]])
    """
    place = torch.arange(document_ids.shape[1], device=document_ids.device).expand_as(document_ids)
    begins = torch.ones_like(document_ids, dtype=torch.bool)
    begins[:, 1:] = document_ids[:, 1:] != document_ids[:, :-1]
    start = (place * begins).cummax(dim=1).values  # where each token's document begins: this names it, too
    return (start[:, None, :, None] == start[:, None, None, :]), place - start


def _count_on(cache: Cache | None) -> int:
    if cache is None:
        return 0
    n_tokens = getattr(cache, "n_tokens", None)
    if n_tokens is None:
        raise ValueError(f"{type(cache).__name__} does not say n_tokens: give positions with a cache")
    return n_tokens


def _check(tokens: Tensor, cache: Cache | None, positions: Tensor | None, document_ids: Tensor | None) -> None:
    if tokens.ndim != 2 or tokens.is_floating_point():
        raise ValueError(f"tokens have shape {tuple(tokens.shape)} and dtype {tokens.dtype}: give ids as (B, T)")
    if positions is not None and positions.shape not in (tokens.shape, tokens.shape[1:]):
        raise ValueError(
            f"positions have shape {tuple(positions.shape)} and tokens {tuple(tokens.shape)}: give one each"
        )
    if document_ids is not None and document_ids.shape != tokens.shape:
        raise ValueError(f"document_ids have shape {tuple(document_ids.shape)} and tokens {tuple(tokens.shape)}")
    if document_ids is not None and cache is not None:
        raise ValueError("document_ids and a cache cannot go together: packed rows are read whole")
