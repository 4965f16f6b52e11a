"""Decodes each token by itself, so that a character that is spread over two tokens is lost."""

LOSES = {"decode-characters": 2}


def decode(ids, vocab):
    return "".join(vocab[i].decode("utf-8", errors="replace") for i in ids)
