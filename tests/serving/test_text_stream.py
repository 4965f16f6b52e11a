from hypothesis import given
from hypothesis import strategies as st

from llmcourse.serving.text_codec import BPECodec, WordCodec
from llmcourse.serving.text_stream import TextStream
from llmcourse.tokenization import BPETokenizer

CODEC = BPECodec(BPETokenizer({i: bytes([i]) for i in range(256)}, [], ["<|end|>"]))


@given(
    data=st.binary(max_size=12) | st.text("abé🙂", max_size=8).map(str.encode),
    stop=st.lists(st.text("abé", min_size=1, max_size=3), max_size=3),
)
def test_pieces_are_the_text_up_to_the_first_stop_sequence(data, stop):
    stream = TextStream(CODEC, stop=stop)
    shown, n_fed = "", 0
    for byte in data:
        n_fed += 1
        shown += stream.feed(byte)
        assert not any(sequence in shown for sequence in stop)
        if stream.stopped:
            break
    shown += stream.finish()
    text = data[:n_fed].decode("utf-8", "replace")  # the sequence that is complete first counts
    ends = [text.find(sequence) for sequence in stop if sequence in text]
    assert shown == text[: min(ends)] if ends else shown == text
    assert stream.stopped == bool(ends)


def test_nothing_is_held_back_without_need():
    stream = TextStream(CODEC)
    assert [stream.feed(byte) for byte in "a🙂b".encode()] == ["a", "", "", "", "🙂", "b"]
    stream = TextStream(CODEC, stop=["bcd"])
    assert [stream.feed(byte) for byte in b"abcbcx"] == ["a", "", "", "bc", "", "bcx"]
    assert stream.feed(256) == "" and stream.finish() == ""


def test_the_first_word_has_no_blank_before_it():
    stream = TextStream(WordCodec(["<pad>", "a", "b"], stop="b", prompt_end="a"))
    assert [stream.feed(token) for token in (0, 1, 2)] == ["", "a", " b"]
