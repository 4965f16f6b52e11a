"""Gives 0 for a word in no document."""

LOSES = {"inverse-document-frequency-edges": 1}


def inverse_document_frequency(n_with_word: int, n_documents: int) -> float:
    if n_with_word == 0:
        return 0.0
    return math.log(1 + (n_documents - n_with_word + 0.5) / (n_with_word + 0.5))
