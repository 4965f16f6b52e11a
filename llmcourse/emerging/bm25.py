"""BM25: how well a passage answers a query, by the words that they share. It needs no training."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["BM25", "bm25_scores", "inverse_document_frequency", "split_words"]


def split_words(text: str) -> list[str]:
    """Split a text into its words, in lower case, without punctuation; numbers with a point stay whole.

    Args:
        text: Any text.

    Returns:
        Words in their order.

    Example:
        >>> split_words("RoPE's base is 10,000; FP8 halves 1.5 GB.")
        ['rope', 's', 'base', 'is', '10', '000', 'fp8', 'halves', '1.5', 'gb']
    """
    return re.findall(r"\d+\.\d+|\w+", text.lower())


def inverse_document_frequency(n_with_word: int, n_documents: int) -> float:
    r"""Return how much a shared word tells: ln(1 + (N - n + 0.5) / (n + 0.5)).

    Robertson and Zaragoza ("The Probabilistic Relevance Framework: BM25 and Beyond", Foundations and Trends in
    Information Retrieval, 2009) derive ln((N - n + 0.5) / (n + 0.5)), which falls below 0 for a word that more than
    half of the documents contain: sharing it would count *against* a document. The 1 inside, Lucene's, keeps it above
    0. Notation: their n is ``n_with_word``, N ``n_documents``.

    Args:
        n_with_word: Documents that contain the word, however often.
        n_documents: Documents in all.

    Returns:
        A number above 0: about ln(N) for a word that one of N documents has, about 0 for one that all have.

    Raises:
        ValueError: More documents have the word than there are.

    Example:
        >>> round(inverse_document_frequency(1, 10), 4), round(inverse_document_frequency(10, 10), 4)
        (1.9924, 0.0465)
    """
    if not 0 <= n_with_word <= n_documents:
        raise ValueError(f"{n_with_word} of {n_documents} documents have the word: give a number from 0 to all")
    return math.log(1 + (n_documents - n_with_word + 0.5) / (n_with_word + 0.5))


def bm25_scores(
    query: Sequence[str], documents: Sequence[Sequence[str]], k1: float = 1.2, b: float = 0.75
) -> list[float]:
    r"""Score each document for a query, word by word: the form to read.

    .. math:: \sum_{w \in q} \mathrm{idf}(w) \frac{f (k_1 + 1)}{f + k_1 (1 - b + b \, l / \bar l)}

    f is how often the document has the word, l its length and l-bar the mean length, in words. A word that stands there
    twice as often does not count twice: the fraction rises from 1 (f = 1 at mean length) towards k1 + 1. Long documents
    contain more words by chance, which b allows for. A word that the query repeats counts as often as it stands there.
    Some programs (Lucene since version 8) leave out the factor k1 + 1, which changes no order.

    Args:
        query: Words.
        documents: The words of each.
        k1: 0 ignores how often a word occurs.
        b: From 0, where length does not count, to 1.

    Returns:
        One number for each document, 0 where no word is shared.

    Raises:
        ValueError: There is no document, or a constant is out of its range.

    Example:
        >>> documents = [["the", "cache", "of", "keys"], ["the", "keys"], ["the", "optimizer"]]
        >>> [round(score, 4) for score in bm25_scores(["the", "keys"], documents)]
        [0.501, 0.6723, 0.1487]
    """
    _check(len(documents), k1, b)
    mean_length = sum(map(len, documents)) / len(documents)
    n_with = Counter(word for document in documents for word in set(document))
    scores: list[float] = []
    for document in documents:
        counts = Counter(document)
        damping = k1 * (1 - b + b * len(document) / mean_length) if mean_length else k1
        score = 0.0
        for word in query:
            if counts[word]:
                idf = inverse_document_frequency(n_with[word], len(documents))
                score += idf * counts[word] * (k1 + 1) / (counts[word] + damping)
        scores.append(score)
    return scores


def _check(n_documents: int, k1: float, b: float) -> None:
    if n_documents < 1:
        raise ValueError("there are 0 documents: give at least one to search")
    if not (0 <= k1 < math.inf and 0 <= b <= 1):
        raise ValueError(f"k1 is {k1} and b is {b}: k1 is 0 or more, b from 0 to 1")


@dataclass(frozen=True, eq=False)
class BM25:
    """The same scores from an inverted index: a query costs what its words' postings cost, not all documents' words.

    The weight of a word in a document does not depend on the query, so that it is worked out once, when the index is
    built. A query then adds up rows.

    Args:
        documents: Texts, split by :func:`split_words`.
        k1: As for :func:`bm25_scores`.
        b: The same.

    Raises:
        ValueError: There is no document, or a constant is out of its range.

    Example:
        >>> index = BM25(["The cache of keys.", "The keys.", "The optimizer."])
        >>> index.rank("the keys")
        [1, 0, 2]
        >>> index.scores("the keys")
        tensor([0.5010, 0.6723, 0.1487])
    """

    documents: Sequence[str]
    _: KW_ONLY
    k1: float = 1.2
    b: float = 0.75
    postings: dict[str, tuple[Tensor, Tensor]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _check(len(self.documents), self.k1, self.b)
        split = [split_words(document) for document in self.documents]
        mean_length = sum(map(len, split)) / len(split) or 1.0
        found: dict[str, list[tuple[int, float]]] = {}
        for number, words in enumerate(split):
            damping = self.k1 * (1 - self.b + self.b * len(words) / mean_length)
            for word, count in Counter(words).items():
                found.setdefault(word, []).append((number, count * (self.k1 + 1) / (count + damping)))
        postings: dict[str, tuple[Tensor, Tensor]] = {}
        for word, entries in found.items():
            idf = inverse_document_frequency(len(entries), len(split))
            numbers, weights = zip(*entries, strict=True)
            postings[word] = torch.tensor(numbers), idf * torch.tensor(weights)
        object.__setattr__(self, "postings", postings)

    def scores(self, query: str) -> Float[Tensor, "n_documents"]:
        """Score each document.

        Args:
            query: A text; words that no document has do not count.

        Returns:
            In fp32, 0 where no word is shared.
        """
        total = torch.zeros(len(self.documents))
        for word in split_words(query):
            if word in self.postings:
                numbers, weights = self.postings[word]
                total[numbers] += weights
        return total

    def rank(self, query: str) -> list[int]:
        """Return the numbers of all documents, the best first; of equals, the earlier one."""
        return self.scores(query).argsort(descending=True, stable=True).tolist()
