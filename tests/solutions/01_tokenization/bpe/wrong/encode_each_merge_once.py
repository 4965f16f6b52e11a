"""Goes through the merges in order, but applies each at the first place only."""

LOSES = {"encode-word-ids": 2, "encode-word-ranks": 3, "encode-word-runs": 1}


def encode_word(word, merges):
    vocab = {bytes([i]): i for i in range(256)}
    tokens = [bytes([b]) for b in word]
    for rank, (left, right) in enumerate(merges):
        vocab[left + right] = 256 + rank
        for i in range(len(tokens) - 1):
            if (tokens[i], tokens[i + 1]) == (left, right):
                tokens[i : i + 2] = [left + right]
                break
    return [vocab[token] for token in tokens]
