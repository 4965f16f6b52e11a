"""Counts each distinct word once, whatever its frequency."""

LOSES = {"count-pairs-frequencies": 2, "learn-merges-training": 3}


def count_pairs(words):
    counts = Counter()
    for word in words:
        counts.update(pairwise(word))
    return dict(counts)
