"""Takes the longest token of the vocabulary at each place, as WordPiece does, instead of applying merges by rank."""

LOSES = {"encode-word-ranks": 3}


def encode_word(word, merges):
    vocab = {bytes([i]): i for i in range(256)}
    for i, (left, right) in enumerate(merges):
        vocab[left + right] = 256 + i
    ids = []
    while word:
        end = len(word)
        while word[:end] not in vocab:
            end -= 1
        ids.append(vocab[word[:end]])
        word = word[end:]
    return ids
