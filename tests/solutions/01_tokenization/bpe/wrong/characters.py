"""Starts from characters instead of bytes; ASCII text hides it."""

LOSES = {"learn-merges-bytes": 1}


def learn_merges(text, vocab_size, pattern=GPT2_PATTERN):
    words = Counter(tuple(map(ord, part)) for part in regex.findall(pattern, text))
    vocab = {ord(character): character for character in text}
    merges = []
    while 256 + len(merges) < vocab_size:
        counts = count_pairs(words)
        if not counts:
            break
        left, right = pair = max(counts, key=lambda pair: (counts[pair], vocab[pair[0]], vocab[pair[1]]))
        new_id = 1_000_000 + len(merges)  # larger than any character
        words = {merge_pair(word, pair, new_id): n for word, n in words.items()}
        vocab[new_id] = vocab[left] + vocab[right]
        merges.append((vocab[left].encode(), vocab[right].encode()))
    return merges
