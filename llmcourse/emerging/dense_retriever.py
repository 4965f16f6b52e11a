"""A bi-encoder: queries and passages become vectors, and near ones answer each other; trained with InfoNCE."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from llmcourse.emerging.bm25 import split_words

__all__ = ["BiEncoder", "BiEncoderConfig", "info_nce", "inverse_cloze_pairs", "train_bi_encoder"]


def info_nce(
    queries: Float[Tensor, "B D"], passages: Float[Tensor, "B D"], temperature: float = 0.05
) -> Float[Tensor, ""]:
    r"""Return the cross-entropy of finding each query's passage among those of the whole batch.

    InfoNCE (van den Oord et al. 2018, arXiv:1807.03748) with the batch's other passages as negatives, as in DPR
    (Karpukhin et al. 2020, arXiv:2004.04906): row i of the inner products over ``temperature`` are logits, i is the
    right class. ln(B) is the loss of one that tells nothing apart; ln(B) less the loss is a lower bound of the mutual
    information of query and passage. Two equal passages in a batch would make one of them a false negative.

    Args:
        queries: Vectors, of length 1 for a cosine.
        passages: The one that belongs to each.
        temperature: Small ones let the hardest negatives count most.

    Returns:
        A scalar, in nats.

    Raises:
        ValueError: Shapes differ, or the temperature is not above 0.

    Example:
        >>> info_nce(torch.eye(4), torch.eye(4), temperature=1.0)  # -ln(e / (e + 3))
        tensor(0.7437)
        >>> info_nce(torch.ones(4, 2), torch.ones(4, 2))  # ln 4
        tensor(1.3863)
    """
    if queries.ndim != 2 or queries.shape != passages.shape:
        raise ValueError(f"queries are {tuple(queries.shape)}, passages {tuple(passages.shape)}: give (B, D) twice")
    if not temperature > 0:
        raise ValueError(f"temperature is {temperature}: give a number above 0, 0.05 for instance")
    logits = queries @ passages.T / temperature
    return F.cross_entropy(logits, torch.arange(len(queries), device=logits.device))


def inverse_cloze_pairs(texts: Sequence[str]) -> list[tuple[str, str]]:
    """Make training pairs out of passages alone: each sentence is a query for what is left of its passage.

    The inverse cloze task (Lee et al. 2019, arXiv:1906.00300). No question is needed, so that a question set stays
    unseen.

    Args:
        texts: Passages; one of a single sentence gives no pair.

    Returns:
        Pairs of a sentence and the others.

    Example:
        >>> inverse_cloze_pairs(["Keys are cached. So are values.", "One."])
        [('Keys are cached.', 'So are values.'), ('So are values.', 'Keys are cached.')]
    """
    pairs: list[tuple[str, str]] = []
    for text in texts:
        sentences = re.split(r"(?<=[.!?])\s+", text.strip())
        for number, sentence in enumerate(sentences):
            rest = " ".join(sentences[:number] + sentences[number + 1 :])
            if rest:
                pairs.append((sentence, rest))
    return pairs


@dataclass(frozen=True, kw_only=True)
class BiEncoderConfig:
    """Sizes of a bi-encoder.

    Attributes:
        buckets: Rows of the table of features; features that meet in a row share it.
        dim: Length of a vector.
        shortest: Letters of the shortest pieces of words.
        longest: Letters of the longest.
    """

    buckets: int = 8192
    dim: int = 64
    shortest: int = 3
    longest: int = 5

    def __post_init__(self) -> None:
        if min(self.buckets, self.dim, self.shortest) < 1 or self.longest < self.shortest:
            raise ValueError(f"{self}: sizes are 1 or more, and longest is at least shortest")


class BiEncoder(nn.Module):
    """One encoder for queries and passages: the mean of its words' and their pieces' vectors, brought to length 1.

    Pieces of words (fastText, Bojanowski et al. 2016, arXiv:1607.04606) let "normalisation" and "normalises" be near,
    which for BM25 are two words. Features are numbered by a checksum, so that no vocabulary has to be stored.

    Args:
        config: Sizes.

    Example:
        >>> encoder = BiEncoder(BiEncoderConfig(dim=16))
        >>> encoder(["keys and values", "values and keys"]).shape
        torch.Size([2, 16])
    """

    def __init__(self, config: BiEncoderConfig | None = None) -> None:
        super().__init__()
        self.config = config or BiEncoderConfig()
        self.table = nn.EmbeddingBag(self.config.buckets, self.config.dim, mode="mean")
        nn.init.normal_(self.table.weight, std=self.config.dim**-0.5)

    def features(self, text: str) -> list[int]:
        """Return the rows of the text's words and pieces of words; a text without words has row 0."""
        pieces: list[str] = []
        for word in split_words(text):
            marked = f"<{word}>"
            pieces.append(marked)
            for size in range(self.config.shortest, self.config.longest + 1):
                pieces.extend(marked[at : at + size] for at in range(len(marked) - size + 1))
        return [zlib.crc32(piece.encode()) % self.config.buckets for piece in pieces] or [0]

    def forward(self, texts: Sequence[str]) -> Float[Tensor, "B dim"]:
        """Encode texts.

        Args:
            texts: Queries or passages.

        Returns:
            Vectors of length 1.
        """
        rows = [self.features(text) for text in texts]
        starts = torch.tensor([0, *map(len, rows[:-1])]).cumsum(0)
        flat = torch.tensor([row for features in rows for row in features])
        device = self.table.weight.device
        return F.normalize(self.table(flat.to(device), starts.to(device)), dim=-1)


def train_bi_encoder(
    encoder: BiEncoder,
    pairs: Sequence[tuple[str, str]],
    *,
    steps: int = 150,
    batch_size: int = 32,
    learning_rate: float = 0.01,
    temperature: float = 0.05,
    seed: int = 0,
) -> list[float]:
    """Train with InfoNCE over batches of pairs.

    Args:
        encoder: Changed in place.
        pairs: A query and what answers it; at least two.
        steps: Batches.
        batch_size: Pairs in each, at most all.
        learning_rate: Adam's.
        temperature: As for :func:`info_nce`.
        seed: For the choice of batches.

    Returns:
        The loss of each batch.

    Raises:
        ValueError: There are fewer than two pairs, and so no negatives.

    Example:
        >>> torch.manual_seed(0) and None
        >>> pairs = [("cache of keys", "stores keys"), ("rate of learning", "warm-up")]
        >>> losses = train_bi_encoder(BiEncoder(), pairs, steps=20)
        >>> losses[-1] < losses[0] / 10
        True
    """
    if len(pairs) < 2:
        raise ValueError(f"there are {len(pairs)} pairs: give at least two, since each is the others' negative")
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(encoder.parameters(), lr=learning_rate)
    losses: list[float] = []
    for _ in range(steps):
        chosen = torch.randperm(len(pairs), generator=generator)[:batch_size].tolist()
        queries, passages = zip(*(pairs[number] for number in chosen), strict=True)
        loss = info_nce(encoder(queries), encoder(passages), temperature)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
