"""Takes each byte for a character, as Latin-1 does."""

LOSES = {"decode-characters": 2, "decode-broken": 1}


def decode(ids, vocab):
    return "".join(chr(byte) for i in ids for byte in vocab[i])
