"""Counts overlapping pairs once: after a pair is counted, both of its tokens are skipped ('aaa' holds one pair)."""

LOSES = {"count-pairs-overlaps": 1, "learn-merges-runs": 1}


def count_pairs(words):
    counts = {}
    for word, frequency in words.items():
        last = None
        for i in range(len(word) - 1):
            pair = (word[i], word[i + 1])
            # don't count the same pair twice when it overlaps itself
            if last == i - 1 and pair == (word[i - 1], word[i]):
                continue
            counts[pair] = counts.get(pair, 0) + frequency
            last = i
    return counts
