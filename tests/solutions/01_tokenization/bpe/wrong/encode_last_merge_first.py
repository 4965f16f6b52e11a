"""Applies the merge of the highest rank first, the one that was learnt last."""

LOSES = {"encode-word-ranks": 3}


def encode_word(word, merges):
    vocab = {bytes([i]): i for i in range(256)}
    ranks = {}
    for i, (left, right) in enumerate(merges):
        vocab[left + right] = 256 + i
        ranks[vocab[left], vocab[right]] = i
    ids = list(word)
    while True:
        known = [pair for pair in pairwise(ids) if pair in ranks]
        if not known:
            return ids
        best = max(known, key=ranks.get)
        ids = list(merge_pair(ids, best, 256 + ranks[best]))
