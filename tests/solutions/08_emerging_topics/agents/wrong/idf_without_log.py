"""Forgets the logarithm."""

LOSES = {
    "inverse-document-frequency-values": 2,
    "inverse-document-frequency-edges": 1,
    "bm25-scores-frequency": 3,
    "bm25-scores-length": 2,
    "bm25-scores-query": 2,
}


def inverse_document_frequency(n_with_word: int, n_documents: int) -> float:
    return 1 + (n_documents - n_with_word + 0.5) / (n_with_word + 0.5)
