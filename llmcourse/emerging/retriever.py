"""Search over passages: by words, by vectors, or by both with their rankings fused."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Final

import torch
from torch import Tensor

from llmcourse.emerging.bm25 import BM25
from llmcourse.emerging.dense_retriever import BiEncoder
from llmcourse.emerging.passages import Passage
from llmcourse.emerging.rank_fusion import reciprocal_rank_fusion

__all__ = ["Retriever"]

METHODS: Final = ("words", "vectors", "fused")


@dataclass(frozen=True, eq=False)
class Retriever:
    """Passages, indexed once and searched often.

    Passages' vectors are worked out when it is built: train the encoder before.

    Args:
        passages: What is searched.
        encoder: For "vectors" and "fused"; without one only "words" can be had.
        k1: BM25's.
        b: BM25's.

    Raises:
        ValueError: There is no passage, or two have one id.

    Example:
        >>> from llmcourse.emerging import course_passages
        >>> retriever = Retriever(course_passages())
        >>> [passage.title for passage in retriever.search("What is the bubble of a pipeline?", k=1)]
        ['Pipeline parallelism']
    """

    passages: Sequence[Passage]
    encoder: BiEncoder | None = None
    _: KW_ONLY
    k1: float = 1.2
    b: float = 0.75
    index: BM25 = field(init=False, repr=False)
    vectors: Tensor | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        ids = [passage.id for passage in self.passages]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"passages share the id {twice[0]!r}: give each its own")
        texts = [str(passage) for passage in self.passages]
        object.__setattr__(self, "index", BM25(texts, k1=self.k1, b=self.b))
        with torch.no_grad():
            object.__setattr__(self, "vectors", None if self.encoder is None else self.encoder(texts))

    def rank(self, query: str, method: str | None = None) -> list[str]:
        """Return the ids of all passages, the best first.

        Args:
            query: A question, or a few words.
            method: "words" (BM25), "vectors" (cosine) or "fused" (both rankings, joined by their places); "fused"
                where there is an encoder, if nothing is said.

        Returns:
            Ids.

        Raises:
            ValueError: The method is unknown, or needs an encoder and there is none.
        """
        method = method or ("words" if self.encoder is None else "fused")
        if method not in METHODS:
            raise ValueError(f"method is {method!r}: choose 'words', 'vectors' or 'fused'")
        if method == "words":
            order = self.index.rank(query)
        else:
            order = self._rank_by_vectors(query)
            if method == "fused":
                order = reciprocal_rank_fusion([self.index.rank(query), order])
        return [self.passages[number].id for number in order]

    def _rank_by_vectors(self, query: str) -> list[int]:
        if self.encoder is None or self.vectors is None:
            raise ValueError("there is no encoder: give Retriever a trained BiEncoder, or search by 'words'")
        with torch.no_grad():
            cosines = self.vectors @ self.encoder([query])[0]
        return cosines.argsort(descending=True, stable=True).tolist()

    def search(self, query: str, k: int = 3, method: str | None = None) -> list[Passage]:
        """Return the best passages.

        Args:
            query: A question, or a few words.
            k: How many, 1 or more.
            method: As for :meth:`rank`.

        Returns:
            At most k, the best first.

        Raises:
            ValueError: k is below 1, or the method cannot be had.
        """
        if k < 1:
            raise ValueError(f"k is {k}: give 1 or more")
        by_id = {passage.id: passage for passage in self.passages}
        return [by_id[name] for name in self.rank(query, method)[:k]]
