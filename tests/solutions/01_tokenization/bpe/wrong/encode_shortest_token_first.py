"""Applies the merges in the order of their token's length, so that a short one goes before an earlier long one."""

LOSES = {"encode-word-ranks": 3}


def encode_word(word, merges):
    vocab = {bytes([i]): i for i in range(256)}
    vocab |= {left + right: 256 + i for i, (left, right) in enumerate(merges)}
    ids = list(word)
    for left, right in sorted(merges, key=lambda pair: len(pair[0] + pair[1])):
        ids = list(merge_pair(ids, (vocab[left], vocab[right]), vocab[left + right]))
    return ids
