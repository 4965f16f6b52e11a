"""Puts a space between tokens, as if they were words."""

LOSES = {"decode-joins": 1, "decode-characters": 2, "decode-broken": 1}


def decode(ids, vocab):
    return b" ".join(vocab[i] for i in ids).decode("utf-8", errors="replace")
