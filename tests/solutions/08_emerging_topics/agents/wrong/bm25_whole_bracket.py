"""Forgets 1 - b."""

LOSES = {"bm25-scores-frequency": 3, "bm25-scores-length": 2, "bm25-scores-query": 2}


def bm25_scores(query: list[str], documents: list[list[str]], k1: float = 1.2, b: float = 0.75) -> list[float]:
    mean_length = sum(map(len, documents)) / len(documents)
    n_with = Counter(word for document in documents for word in set(document))
    scores = []
    for document in documents:
        counts = Counter(document)
        damping = k1 * (b * len(document) / mean_length)
        score = 0.0
        for word in query:
            if counts[word]:
                idf = inverse_document_frequency(n_with[word], len(documents))
                score += idf * counts[word] * (k1 + 1) / (counts[word] + damping)
        scores.append(score)
    return scores
