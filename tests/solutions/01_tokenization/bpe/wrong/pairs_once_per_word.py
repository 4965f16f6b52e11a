"""Counts in how many words a pair occurs, like a document frequency, not at how many positions."""

LOSES = {
    "count-pairs-frequencies": 2,
    "count-pairs-overlaps": 1,
    "learn-merges-training": 3,
    "learn-merges-ties": 2,
    "learn-merges-runs": 1,
}


def count_pairs(words):
    counts = Counter()
    for word, frequency in words.items():
        for pair in set(pairwise(word)):
            counts[pair] += frequency
    return dict(counts)
