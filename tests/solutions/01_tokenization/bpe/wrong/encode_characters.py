"""Decodes the word into characters first, so that bytes that are no ASCII go wrong."""

LOSES = {"encode-word-ids": 2}


def encode_word(word, merges):
    tokens = [character.encode() for character in word.decode()]
    ids = {bytes([i]): i for i in range(256)}
    for rank, (left, right) in enumerate(merges):
        i = 0
        while i < len(tokens) - 1:
            if (tokens[i], tokens[i + 1]) == (left, right):
                tokens[i : i + 2] = [left + right]
            i += 1
        ids[left + right] = 256 + rank
    return [ids[token] for token in tokens]
