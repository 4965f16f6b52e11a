"""Counts that are kept up to date merge by merge, and a linked list with a heap for encoding."""

import heapq
from collections import defaultdict


def count_pairs(words):
    counts = defaultdict(int)
    for word, frequency in words.items():
        for pair, positions in Counter(pairwise(word)).items():
            counts[pair] += positions * frequency
    return dict(counts)


def merge_pair(ids, pair, new_id):
    merged = []
    rest = iter(ids)
    waiting = None
    for token in rest:
        if waiting is not None and (waiting, token) == tuple(pair):
            merged.append(new_id)
            waiting = None
            continue
        if waiting is not None:
            merged.append(waiting)
        waiting = token
    if waiting is not None:
        merged.append(waiting)
    return tuple(merged)


def learn_merges(text, vocab_size, pattern=GPT2_PATTERN):
    words = Counter(regex.findall(pattern, text))
    sequences = [list(word.encode()) for word in words]
    weights = list(words.values())
    vocab = [bytes([i]) for i in range(256)]
    counts, where = Counter(), defaultdict(set)

    def add(index, sign):
        for pair in pairwise(sequences[index]):
            counts[pair] += sign * weights[index]
            where[pair].add(index)

    for index in range(len(sequences)):
        add(index, 1)
    merges = []
    while len(vocab) < vocab_size:
        alive = [(n, vocab[a], vocab[b], (a, b)) for (a, b), n in counts.items() if n > 0]
        if not alive:
            break
        *_, pair = max(alive)
        for index in sorted(where.pop(pair)):
            add(index, -1)
            sequences[index] = list(merge_pair(sequences[index], pair, len(vocab)))
            add(index, 1)
        merges.append((vocab[pair[0]], vocab[pair[1]]))
        vocab.append(vocab[pair[0]] + vocab[pair[1]])
    return merges


def encode_word(word, merges):
    ranks = {pair: rank for rank, pair in enumerate(merges)}
    tokens = [bytes([byte]) for byte in word]
    before = list(range(-1, len(tokens) - 1))
    after = list(range(1, len(tokens) + 1))
    heap = []

    def push(i):
        if 0 <= i and after[i] < len(tokens) and (tokens[i], tokens[after[i]]) in ranks:
            heapq.heappush(heap, (ranks[tokens[i], tokens[after[i]]], i))

    for i in range(len(tokens)):
        push(i)
    while heap:
        rank, i = heapq.heappop(heap)
        j = after[i]
        if tokens[i] is None or j >= len(tokens) or (tokens[i], tokens[j]) != tuple(merges[rank]):
            continue  # one of the two was merged with another neighbour meanwhile
        tokens[i] += tokens[j]
        tokens[j] = None
        after[i] = after[j]
        if after[j] < len(tokens):
            before[after[j]] = i
        push(before[i])
        push(i)
    ids = {left + right: 256 + rank for rank, (left, right) in enumerate(merges)}
    return [ids.get(token, token[0]) for token in tokens if token is not None]


def decode(ids, vocab):
    data = b"".join(map(vocab.__getitem__, ids))
    text = ""
    while data:
        try:
            return text + data.decode()
        except UnicodeDecodeError as error:
            text += data[: error.start].decode() + "\ufffd"
            data = data[error.end :]
    return text


def split_special(text, special_tokens):
    for token in sorted(special_tokens, key=len, reverse=True):
        before, found, after = text.partition(token)
        if found:
            return [*split_special(before, special_tokens), token, *split_special(after, special_tokens)]
    return [text] if text else []
