"""Counts the pairs once and merges the most frequent ones in that order, with no new count after a merge."""

LOSES = {"learn-merges-training": 3, "learn-merges-ties": 2, "learn-merges-stopping": 1}


def learn_merges(text, vocab_size, pattern=GPT2_PATTERN):
    words = Counter(tuple(part.encode()) for part in regex.findall(pattern, text))
    counts = count_pairs(words)
    best = sorted(counts, key=lambda pair: (counts[pair], pair), reverse=True)
    return [(bytes([left]), bytes([right])) for left, right in best[: vocab_size - 256]]
