"""Raises UnicodeDecodeError on broken UTF-8."""

LOSES = {"decode-broken": 1}


def decode(ids, vocab):
    return b"".join(vocab[i] for i in ids).decode("utf-8")
