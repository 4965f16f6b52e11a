"""Exact deduplication: documents, and lines over all documents, that came before are dropped."""

import hashlib
from collections.abc import Iterable, Iterator

__all__ = ["exact_dedup", "line_dedup"]


def exact_dedup(documents: Iterable[str]) -> Iterator[str]:
    r"""Give each document once, the first time that it comes.

    Args:
        documents: Texts; two that differ in white space alone are the same.

    Yields:
        Documents as they came.

    Cost: 16 bytes of memory for each different document, whatever its length.

    Example:
        >>> list(exact_dedup(["a b", "c", "a  b\n"]))
        ['a b', 'c']
    """
    seen: set[bytes] = set()
    for document in documents:
        digest = _digest(" ".join(document.split()))
        if digest not in seen:
            seen.add(digest)
            yield document


def line_dedup(documents: Iterable[str], *, min_words: int = 3) -> Iterator[str]:
    r"""Drop lines that stood in the corpus before: menus, licences and footers.

    As CCNet (Wenzek et al. 2019, arXiv:1911.00359, section 3.1) drops paragraphs.

    Args:
        documents: Texts.
        min_words: Shorter lines stay: blank ones and closing brackets are no boiler-plate.

    Yields:
        Each document's lines that are left; a document of which none is left is dropped.

    Raises:
        ValueError: ``min_words`` is less than 1.

    Example:
        >>> list(line_dedup(["Accept all our cookies\nFirst page", "Accept all our cookies\nSecond page"]))
        ['Accept all our cookies\nFirst page', 'Second page']
    """
    if min_words < 1:
        raise ValueError(f"min_words is {min_words}: it is at least 1")
    seen: set[bytes] = set()
    for document in documents:
        kept = []
        for line in document.split("\n"):
            words = line.split()
            digest = _digest(" ".join(words)) if len(words) >= min_words else None
            if digest is None or digest not in seen:
                kept.append(line)
            if digest is not None:
                seen.add(digest)
        text = "\n".join(kept)
        if text.strip() or not document.strip():
            yield text


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
