"""Merges the leftmost pair that is in the list at all, whatever its rank."""

LOSES = {"encode-word-ranks": 3}


def encode_word(word, merges):
    vocab = {bytes([i]): i for i in range(256)}
    for i, (left, right) in enumerate(merges):
        vocab[left + right] = 256 + i
    tokens = [bytes([b]) for b in word]
    i = 0
    while i < len(tokens) - 1:
        if (tokens[i], tokens[i + 1]) in merges:
            tokens[i : i + 2] = [tokens[i] + tokens[i + 1]]
            i = 0  # start again from the left
        else:
            i += 1
    return [vocab[token] for token in tokens]
