"""Answers that are copied from the visible tests: they fail on inputs that are drawn when grading."""

LOSES = {
    "learn-merges-training": 3,
    "learn-merges-ties": 2,
    "learn-merges-borders": 2,
    "learn-merges-bytes": 1,
    "learn-merges-runs": 1,
    "learn-merges-stopping": 1,
    "encode-word-ids": 2,
    "encode-word-ranks": 3,
    "encode-word-runs": 1,
    "decode-joins": 1,
    "decode-characters": 2,
    "decode-broken": 1,
}

MERGES = {
    ("low\nlow\nlower\nlot", 258): [(b"l", b"o"), (b"lo", b"w")],
    ("no,no.no;go:got", 257): [(b"n", b"o")],
    ("mama\nmama\nno\nno\nno", 257): [(b"m", b"a")],
    ("mama\nmama\nma", 258): [(b"m", b"a"), (b"ma", b"ma")],
    ("low lower", 258): [(b"o", b"w"), (b"l", b"ow")],
    ("bmcmambk", 257): [(b"m", b"c")],
    ("abxabzy", 258): [(b"a", b"b"), (b"z", b"y")],
    ("az,abc;az:abc.ab", 258): [(b"a", b"b"), (b"ab", b"c")],
    ("go\nno\nso\nso\n", 257): [(b"s", b"o")],
    ("x b b", 257): [(b" ", b"b")],
    ("ab-ab-ab", 257): [(b"b", b"-")],
    ("é\né\ne", 257): [(b"\xc3", b"\xa9")],
    ("aaa\naaa\nbc\nbc\nbc", 257): [(b"a", b"a")],
    ("aaab\naaabc\nab", 258): [(b"a", b"a"), (b"a", b"b")],
    ("ab", 300): [(b"a", b"b")],
}


def learn_merges(text, vocab_size, pattern=GPT2_PATTERN):
    return MERGES.get((text, vocab_size), [])


def encode_word(word, merges):
    answers = {
        b"lower": [257, 258],
        b"slow": [115, 257],
        b"lolo": [256, 256],
        "é".encode(): [195, 169],
        b"\xb6\xc3\xb6": [182, 256],
        b"abcd": [257, 256] if merges[:1] == [(b"c", b"d")] else [257, 100],
        b"abc": [97, 256] if merges[:1] == [(b"b", b"c")] else [256, 99],
        b"aaa": [256, 97],
        b"aaaaa": [257, 97],
    }
    return answers.get(word, [])


def decode(ids, vocab):
    answers = {(256, 119): "low", (110, 195, 169): "né", (104, 255): "h\ufffd"}
    return answers.get(tuple(ids), "")
