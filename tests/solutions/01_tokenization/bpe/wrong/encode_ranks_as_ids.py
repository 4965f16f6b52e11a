"""Numbers merged tokens by their rank, and forgets that ids 0 to 255 are taken by the bytes."""

LOSES = {"encode-word-ids": 2, "encode-word-ranks": 3, "encode-word-runs": 1}


def encode_word(word, merges):
    tokens = [bytes([b]) for b in word]
    ids = {bytes([i]): i for i in range(256)}
    for rank, (left, right) in enumerate(merges):
        i = 0
        while i < len(tokens) - 1:
            if (tokens[i], tokens[i + 1]) == (left, right):
                tokens[i : i + 2] = [left + right]
            i += 1
        ids[left + right] = rank
    return [ids[token] for token in tokens]
