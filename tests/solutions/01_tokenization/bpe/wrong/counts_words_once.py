"""Puts the pre-tokens into a set, so that each counts once instead of by its frequency."""

LOSES = {"learn-merges-training": 3}


def learn_merges(text, vocab_size, pattern=GPT2_PATTERN):
    words = {tuple(part.encode()): 1 for part in set(regex.findall(pattern, text))}
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
