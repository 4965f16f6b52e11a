"""Stops when the best pair occurs only once, as if it were not worth a token."""

LOSES = {"learn-merges-ties": 2, "learn-merges-stopping": 1}


def learn_merges(text, vocab_size, pattern=GPT2_PATTERN):
    words = Counter(tuple(part.encode()) for part in regex.findall(pattern, text))
    vocab = {i: bytes([i]) for i in range(256)}
    merges = []
    while len(vocab) < vocab_size:
        counts = count_pairs(words)
        if not counts or max(counts.values()) < 2:
            break
        pair = max(counts, key=lambda pair: (counts[pair], vocab[pair[0]], vocab[pair[1]]))
        new_id = len(vocab)
        words = {merge_pair(word, pair, new_id): n for word, n in words.items()}
        merges.append((vocab[pair[0]], vocab[pair[1]]))
        vocab[new_id] = vocab[pair[0]] + vocab[pair[1]]
    return merges
