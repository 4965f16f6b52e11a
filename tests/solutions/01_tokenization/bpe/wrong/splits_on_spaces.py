"""Cuts the text with str.split(), which loses the spaces and ignores the pattern."""

LOSES = {"learn-merges-borders": 2}


def learn_merges(text, vocab_size, pattern=GPT2_PATTERN):
    words = Counter(tuple(part.encode()) for part in text.split())
    vocab = {i: bytes([i]) for i in range(256)}
    merges = []
    while len(vocab) < vocab_size:
        counts = count_pairs(words)
        if not counts:
            break
        pair = max(counts, key=lambda pair: (counts[pair], vocab[pair[0]], vocab[pair[1]]))
        new_id = len(vocab)
        words = {merge_pair(word, pair, new_id): n for word, n in words.items()}
        merges.append((vocab[pair[0]], vocab[pair[1]]))
        vocab[new_id] = vocab[pair[0]] + vocab[pair[1]]
    return merges
