import pytest

from llmcourse.tokenization import BPETokenizer

BYTES = {byte: bytes([byte]) for byte in range(256)}
LOW = {**BYTES, 256: b"lo", 257: b"low"}


@pytest.mark.parametrize(
    ("vocab", "quoted"),
    [
        ({}, "0 tokens"),
        ({i: token for i, token in BYTES.items() if i != 0x41}, "b'A'"),
        ({**BYTES, 256: b"a"}, r"b'a' has two ids, 97 and 256"),
        ({**BYTES, 256: b""}, "empty"),
        ({**BYTES, 256: "text"}, "'text'"),
        ({**BYTES, -1: b"ab"}, "-1"),
        ({**BYTES, "256": b"ab"}, "'256'"),
        ({**BYTES, 2**31: b"ab"}, "2147483648"),
        ([b"a"], "list"),
    ],
)
def test_a_vocabulary_that_cannot_be_is_refused(vocab, quoted):
    with pytest.raises(ValueError, match=quoted):
        BPETokenizer(vocab, [])


@pytest.mark.parametrize(
    ("merges", "quoted"),
    [
        ([(b"l", b"o"), (b"lo", b"x")], r"merge 1.*b'lox'"),
        ([(b"x", b"yz")], r"b'yz'"),
        ([(b"l", b"o"), (b"l", b"o")], "merge 0 already"),
        ([(b"l", b"o", b"w")], "no pair"),
        ([("l", "o")], "no pair"),
        ([7], "no pair"),
    ],
)
def test_a_merge_that_is_not_in_the_vocabulary_is_quoted(merges, quoted):
    with pytest.raises(ValueError, match=quoted):
        BPETokenizer(LOW, merges)


@pytest.mark.parametrize(
    ("special", "quoted"),
    [
        (["low"], "'low' is also the ordinary token of id 257"),
        (["a"], "'a' is also the ordinary token of id 97"),
        ({"low": 257}, "'low'"),
        (["<s>", "<s>"], "'<s>' is there twice"),
        ([""], "empty"),
        ({"": 300}, "empty"),
        ([b"<s>"], "bytes"),
        ("<s>", "'<s>'"),
        (7, "7"),
        (["\ud800"], "surrogate"),
        ({"<s>": 97}, r"id 97 .* b'a'"),
        ({"<s>": "97"}, "'97'"),
        ({"<s>": -5}, "-5"),
        ({"<s>": 300, "<t>": 300}, "300"),
    ],
)
def test_a_special_token_that_cannot_be_is_quoted(special, quoted):
    with pytest.raises(ValueError, match=quoted):
        BPETokenizer(LOW, [(b"l", b"o"), (b"lo", b"w")], special)


def test_special_tokens_follow_the_vocabulary_or_keep_their_ids():
    assert BPETokenizer(BYTES, [], ["<s>", "<t>"]).special_tokens == {"<s>": 256, "<t>": 257}
    assert BPETokenizer({**BYTES, 700: b"<s>"}, [], ["<t>", "<s>"]).special_tokens == {"<t>": 701, "<s>": 700}
    assert BPETokenizer({**BYTES, 700: b"<s>"}, [], {"<s>": 700, "<t>": 300}).special_tokens == {"<s>": 700, "<t>": 300}


def test_the_tokenizer_keeps_no_hold_on_what_it_was_given():
    vocab, merges, special = dict(LOW), [(b"l", b"o")], {"<s>": 300}
    tokenizer = BPETokenizer(vocab, merges, special)
    vocab.clear()
    merges.clear()
    special.clear()
    assert tokenizer.encode("lo<s>", allowed_special="all") == [256, 300]
    assert tokenizer.decode([256, 300]) == "lo<s>"


def test_special_tokens_are_compared_about_as_often_as_there_are_of_them():
    compared = 0

    class Counted(str):
        __hash__ = str.__hash__

        def __eq__(self, other):
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

    special = [Counted(f"<|{number}|>") for number in range(2000)]
    tokenizer = BPETokenizer(BYTES, [], special)
    assert tokenizer.special_tokens[special[-1]] == 2255
    assert compared < 20 * len(special)
