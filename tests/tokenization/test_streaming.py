"""Whatever the chunks, the parts of a stream have the pre-tokens of the whole."""

import itertools
import time
import tracemalloc

import hypothesis.strategies as st
import pytest
import regex
from hypothesis import given, settings

from llmcourse.pretraining import human_rights
from llmcourse.tokenization.patterns import GPT2_PATTERN, PATTERNS
from llmcourse.tokenization.special import find_special
from llmcourse.tokenization.streaming import split_stream

SPECIAL = ["<|e|>", "<|e|>!", "<|e|> <|e|>", "\n\n<"]
ODD = ["a", "B", "é", "s", "'", "'l", "'re", "ſ", " ", "  ", "\n", "\r\n", "\t", "\u3000", "7", "12", "½"]
ODD += [".", "!", "/", "中", "ไ้", "\u0301", "ʰ", "😀", "👩\u200d👩", "<|e|>", "<|e|", "<", "|>", "\n\n<"]


def pre_tokens(parts, pattern):
    return [
        (piece, is_special)
        for part, is_special in parts
        for piece in ([part] if is_special else [match.group() for match in regex.finditer(pattern, part)])
    ]


def whole(text, special, pattern):
    parts, start = [], 0
    for at, token in find_special(text, special):
        parts += [(text[start:at], False), (token, True)]
        start = at + len(token)
    return pre_tokens([*parts, (text[start:], False)], pattern)


@pytest.mark.parametrize("pattern", [*PATTERNS.values(), r"\w+|\W"], ids=[*PATTERNS, "own"])
@given(
    chunks=st.lists(st.lists(st.sampled_from(ODD), max_size=6).map("".join), max_size=12),
    cut_again=st.booleans(),
    special=st.lists(st.sampled_from(SPECIAL), unique=True),
    part_length=st.integers(1, 12),
)
@settings(deadline=None, max_examples=300)
def test_equals_the_whole(pattern, chunks, cut_again, special, part_length):
    text = "".join(chunks)
    chunks = list(text) if cut_again else chunks
    parts = list(split_stream(iter(chunks), special, pattern, part_length=part_length))
    assert all(part for part, _ in parts)
    assert pre_tokens(parts, pattern) == whole(text, special, pattern)


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_equals_the_whole_on_real_text(pattern, size):
    text = "<|e|>".join(human_rights().values())
    chunks = [text[i : i + size] for i in range(0, len(text), size)]
    parts = list(split_stream(chunks, SPECIAL, pattern, part_length=50))
    assert pre_tokens(parts, pattern) == whole(text, SPECIAL, pattern)
    assert len(parts) > 100  # 53 if it were cut at special tokens only


@pytest.mark.parametrize("part_length", range(1, 20))
def test_the_longer_special_token_wins_wherever_a_part_ends(part_length):
    text = "a<|e|>!<|e|> <|e|>! <|e|><|e|>!b <|e|>"
    for special in itertools.combinations(SPECIAL, 2):
        for chunks in (text, [text], [text[:part_length], text[part_length:]]):
            parts = list(split_stream(chunks, special, GPT2_PATTERN, part_length=part_length))
            assert pre_tokens(parts, GPT2_PATTERN) == whole(text, special, GPT2_PATTERN)


def test_memory_does_not_grow_with_the_stream():
    def peak(n_chunks):
        tracemalloc.start()
        for _ in split_stream(itertools.repeat("some words of text, and more\n", n_chunks), ["<|e|>"], GPT2_PATTERN):
            pass
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(100)
    assert peak(60_000) < 1.2 * peak(15_000) + 50_000


def test_parts_come_before_the_stream_ends():
    seen = []

    def chunks():
        for i in range(100):
            seen.append(i)
            yield "a word "

    next(split_stream(chunks(), (), GPT2_PATTERN, part_length=16))
    assert len(seen) < 10


@pytest.mark.parametrize("letter", ["a", " ", "!", "<|e|"])
def test_a_run_with_no_border_is_not_looked_at_again_and_again(letter):
    def seconds(n):
        begun = time.thread_time()  # of this thread's processor: what else the machine does is not counted
        parts = list(split_stream(itertools.repeat(letter * 10, n), ["<|e|>"], GPT2_PATTERN, part_length=256))
        assert sum(len(part) for part, _ in parts) == n * 10 * len(letter)
        return time.thread_time() - begun

    seconds(1000)
    # Four times the text takes about four times as long, and sixteen times if the work were quadratic.
    assert min(seconds(80_000) for _ in range(5)) < 9 * min(seconds(20_000) for _ in range(5))


def test_a_chunk_that_is_no_str_is_refused():
    with pytest.raises(ValueError, match="bytes"):
        list(split_stream(["a", b"b"], (), GPT2_PATTERN))  # pyright: ignore[reportArgumentType]
