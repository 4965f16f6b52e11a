"""Six functions that do not call each other; text and bytes are joined, searched and replaced as strings."""


def count_pairs(words):
    counts = {}
    for word, frequency in words.items():
        for i in range(1, len(word)):
            pair = word[i - 1], word[i]
            counts[pair] = counts.get(pair, 0) + frequency
    return counts


def merge_pair(ids, pair, new_id):
    # one character per id, and str.replace goes from left to right without overlap
    text = "".join(map(chr, ids))
    return tuple(map(ord, text.replace("".join(map(chr, pair)), chr(new_id))))


def learn_merges(text, vocab_size, pattern=GPT2_PATTERN):
    words = Counter(match.group() for match in regex.finditer(pattern, text))
    # every token is a hexadecimal string between bars: |6c|6f|77|
    words = {"|" + "".join(f"{byte:02x}|" for byte in word.encode()): n for word, n in words.items()}
    merges = []
    for _ in range(vocab_size - 256):
        counts = Counter()
        for word, n in words.items():
            tokens = word.strip("|").split("|")
            for left, right in pairwise(tokens):
                counts[bytes.fromhex(left), bytes.fromhex(right)] += n
        if not counts:
            return merges
        left, right = max(pair for pair in counts if counts[pair] == max(counts.values()))
        merges.append((left, right))
        old = f"|{left.hex()}|{right.hex()}|"
        new = f"|{left.hex()}{right.hex()}|"
        for word in list(words):
            merged = word
            while old in merged:  # neighbours share a bar, so replace() alone would miss every second one
                merged = merged.replace(old, new, 1)
            words[merged] = words.pop(word)
    return merges


def encode_word(word, merges):
    tokens = [word[i : i + 1] for i in range(len(word))]
    for left, right in merges:
        i = 0
        while i + 1 < len(tokens):
            if tokens[i] == left and tokens[i + 1] == right:
                tokens[i] += tokens.pop(i + 1)
            i += 1
    ids = {left + right: 256 + rank for rank, (left, right) in enumerate(merges)}
    return [ids[token] if len(token) > 1 else token[0] for token in tokens]


def decode(ids, vocab):
    data = bytearray()
    for token in ids:
        data += vocab[token]
    return str(data, "utf-8", "replace")


def split_special(text, special_tokens):
    parts = [""]
    i = 0
    while i < len(text):
        found = max((token for token in special_tokens if text.startswith(token, i)), key=len, default="")
        if found:
            parts += [found, ""]
            i += len(found)
        else:
            parts[-1] += text[i]
            i += 1
    return [part for part in parts if part]
