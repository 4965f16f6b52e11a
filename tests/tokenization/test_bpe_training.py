"""Training, beside Hugging Face's trainer and a naive one, and from every kind of source."""

import itertools
import json
import tracemalloc
from collections import Counter
from pathlib import Path

import hypothesis.strategies as st
import pytest
import regex
from hypothesis import given, settings
from tokenizers import Regex, Tokenizer, models, pre_tokenizers, trainers

from llmcourse.pretraining import docstrings, language_names, source_code
from llmcourse.tokenization import PATTERNS, train_bpe
from llmcourse.tokenization.byte_alphabet import to_printable
from llmcourse.tokenization.patterns import GPT2_PATTERN

END = "<|endoftext|>"
LOCALES = (
    "am ar bn bo de el en fi gu he hi hu hy is ja ka km kn ko lo ml mr my or pa ru si ta te th tr ur vi zh".split()
)


@pytest.fixture(scope="module")
def corpora():
    return {
        "english": docstrings("numpy", max_bytes=300_000),
        "python": source_code("numpy", max_bytes=300_000),
        "languages": "\n".join(name for locale in LOCALES for name in language_names(locale)),
    }


def train_huggingface(text: str, vocab_size: int, pattern: str, special_tokens: list[str]) -> dict:
    tokenizer = Tokenizer(models.BPE())
    # Oniguruma, which Hugging Face uses, takes {1,3}+ for a repetition.
    split = pre_tokenizers.Split(Regex(PATTERNS[pattern].replace("{1,3}+", "{1,3}")), "isolated")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=pattern == "gpt2")
    tokenizer.pre_tokenizer = (
        byte_level if pattern == "gpt2" else pre_tokenizers.Sequence([split, byte_level])  # pyright: ignore
    )
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=special_tokens,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text], trainer)
    return json.loads(tokenizer.to_str())["model"]


@pytest.mark.parametrize("corpus", ["english", "python", "languages"])
@pytest.mark.parametrize(("pattern", "special"), [("gpt2", [END, "<pad>"]), ("cl100k", []), ("o200k", [END])])
def test_merges_and_vocabulary_equal_huggingface(corpora, corpus, pattern, special):
    text = corpora[corpus]
    ours = train_bpe(text, 1500, special_tokens=special, pattern=pattern, tie_break="ids")
    theirs = train_huggingface(text, 1500, pattern, special)
    assert [[to_printable(left), to_printable(right)] for left, right in ours.merges] == theirs["merges"]
    names = {i: token for token, i in ours.special_tokens.items()}
    assert {names.get(i) or to_printable(token): i for i, token in ours.vocab.items()} == theirs["vocab"]
    assert len(ours.vocab) == 1500


@given(st.text(alphabet="aab '\n", min_size=1, max_size=80))
@settings(deadline=None, max_examples=100)
def test_small_corpora_full_of_ties_equal_huggingface(text):
    ours = train_bpe(text, 300, tie_break="ids")
    theirs = train_huggingface(text, 300, "gpt2", [])
    assert [[to_printable(left), to_printable(right)] for left, right in ours.merges] == theirs["merges"]


def train_naively(text: str, n_merges: int) -> list[tuple[bytes, bytes]]:
    """minbpe's rule, on the whole text at every step: of the most frequent pairs the one that stands first."""
    chunks = [[bytes([byte]) for byte in match.group().encode()] for match in regex.finditer(GPT2_PATTERN, text)]
    merges = []
    for _ in range(n_merges):
        counts = Counter(pair for chunk in chunks for pair in itertools.pairwise(chunk))
        if not counts:
            break
        best = max(counts, key=counts.__getitem__)
        merges.append(best)
        for chunk in chunks:
            i = 0
            while i < len(chunk) - 1:
                if (chunk[i], chunk[i + 1]) == best:
                    chunk[i : i + 2] = [best[0] + best[1]]
                i += 1
    return merges


@given(st.text(alphabet="aabcd '\n", min_size=1, max_size=80))
@settings(deadline=None, max_examples=100)
def test_first_seen_wins_on_request(text):
    assert train_bpe(text, 280, tie_break="first").merges == train_naively(text, 24)


def test_first_seen_on_real_text(corpora):
    text = corpora["english"][:30_000]
    assert train_bpe(text, 376, tie_break="first").merges == train_naively(text, 120)


def test_the_three_rules_differ():
    text = "ab zy mn"
    assert train_bpe(text, 257).merges == [(b"z", b"y")]
    assert train_bpe(text, 257, tie_break="first").merges == [(b"a", b"b")]
    assert train_bpe("zy mn ab", 257, tie_break="first").merges == [(b"z", b"y")]
    assert train_bpe("!\n! \x01!", 257, tie_break="ids", pattern=r"\S+|\s+|.").merges  # bytes that print come first
    assert train_bpe("\x01\x02 ab", 257, tie_break="ids").merges == [(b"a", b"b")]


def test_ids_of_the_two_layouts():
    ours = train_bpe("ab ab", 258, special_tokens=[END])
    assert (ours.vocab[0], ours.vocab[255], ours.vocab[256], ours.special_tokens) == (b"\0", b"\xff", b"ab", {END: 257})
    theirs = train_bpe("ab ab", 258, special_tokens=[END], tie_break="ids")
    assert (theirs.vocab[0], theirs.vocab[1], theirs.vocab[257]) == (END.encode(), b"!", b"ab")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_text_file_and_any_chunks_give_the_same(corpora, pattern, tmp_path):
    text = (corpora["english"][:60_000] + END + corpora["languages"][:40_000]).replace("\n\n", "\r\n \n")
    path = tmp_path / "corpus.txt"
    path.write_bytes(text.encode())
    options = {"special_tokens": [END], "pattern": pattern, "tie_break": "first"}
    whole = train_bpe(text, 500, **options)
    for size in (1, 13, 5000):
        chunks = (text[i : i + size] for i in range(0, len(text), size))
        assert train_bpe(chunks, 500, **options).merges == whole.merges
    for source in (path, [path], text.splitlines(keepends=True)):
        assert train_bpe(source, 500, **options).merges == whole.merges


def test_files_are_texts_of_their_own(tmp_path):
    for name, text in (("a", "ab"), ("b", "cd")):
        (tmp_path / name).write_text(text)
    # As one text it would hold the pair b, c as often as the others, and pair c, d is the greatest.
    merges = train_bpe([tmp_path / "a", tmp_path / "b"], 300).merges
    assert merges == [(b"c", b"d"), (b"a", b"b")]
    assert len(train_bpe(iter(["ab", "cd"]), 300).merges) == 3


def test_characters_across_blocks_of_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr("llmcourse.tokenization.bpe_training._BLOCK_BYTES", 5)
    path = tmp_path / "corpus.txt"
    path.write_text("äöü 中文字 😀😀 " * 20)
    assert train_bpe(path, 300).merges == train_bpe(path.read_text(), 300).merges


def test_special_tokens_are_never_merged_and_keep_documents_apart():
    tokenizer = train_bpe(f"ab{END}cd" * 50, 400, special_tokens=[END])
    assert sorted(left + right for left, right in tokenizer.merges) == [b"ab", b"cd", b"cdab"]
    tokenizer = train_bpe(f"ab{END}{END}" * 50, 400, special_tokens=[END])
    assert tokenizer.merges == [(b"a", b"b")]


def test_a_small_corpus_gives_fewer_tokens():
    tokenizer = train_bpe("ab", 10_000, special_tokens=[END])
    assert len(tokenizer.vocab) == 258
    assert tokenizer.special_tokens == {END: 257}


def test_memory_does_not_grow_with_the_corpus():
    line = "the same words come again and again, and only their counts grow\n"

    def peak(n_lines):
        tracemalloc.start()
        train_bpe(itertools.repeat(line, n_lines), 300)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(1000)
    assert peak(150_000) < 1.5 * peak(75_000)


def test_progress_is_told_on_standard_error_and_only_there(capsys):
    train_bpe("ab", 300, progress=True)
    told = capsys.readouterr()
    assert "1 merges" in told.err
    assert told.out == ""
    train_bpe("ab", 300)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("corpus", "vocab_size", "options", "quoted"),
    [
        ("ab", 255, {}, "255"),
        ("ab", 257, {"special_tokens": ["<a>", "<b>"]}, "257.*258"),
        ("ab", 300.0, {}, "300.0"),
        ("ab", "300", {}, "'300'"),
        ("ab", True, {}, "True"),
        ("", 300, {}, "''"),
        (END, 300, {"special_tokens": [END]}, "empty"),
        (iter([]), 300, {}, "empty"),
        ([], 300, {}, "empty"),
        (iter([b"ab"]), 300, {}, "b'ab'"),
        (b"ab", 300, {}, "bytes"),
        (7, 300, {}, "int"),
        ("a\ud800", 300, {}, "surrogate"),
        ("ab", 300, {"pattern": "gpt5"}, "gpt5"),
        ("ab", 300, {"pattern": "("}, r"'\('"),
        ("ab", 300, {"tie_break": "random"}, "random"),
        ("ab", 300, {"special_tokens": "<s>"}, "<s>"),
        ("ab", 300, {"special_tokens": [""]}, "empty"),
        ("ab", 300, {"special_tokens": ["a"]}, "'a'"),
        ("ab", 300, {"special_tokens": ["<s>", "<s>"]}, "twice"),
        ("ab", 300, {"special_tokens": {"<s>": 300}}, "300"),
        ("a b", 300, {"pattern": r"\w+"}, "' '"),
    ],
)
def test_bad_input_is_quoted(corpus, vocab_size, options, quoted):
    with pytest.raises(ValueError, match=quoted):
        train_bpe(corpus, vocab_size, **options)


def test_an_undecodable_file_is_named_with_the_byte(tmp_path, monkeypatch):
    monkeypatch.setattr("llmcourse.tokenization.bpe_training._BLOCK_BYTES", 7)
    path = tmp_path / "latin1.txt"
    for text, offset in [("abc é".encode("latin-1"), 4), ("é€😀".encode() + b"\xff", 9), ("aaaaa€".encode()[:-1], 5)]:
        path.write_bytes(text)
        with pytest.raises(ValueError, match=rf"latin1\.txt.* byte {offset} "):
            train_bpe(path, 300)


def test_the_name_of_a_file_is_not_taken_for_text(tmp_path, monkeypatch):
    (tmp_path / "corpus.txt").write_text("abc")
    monkeypatch.chdir(tmp_path)
    for corpus in ("corpus.txt", ["corpus.txt"]):
        with pytest.raises(ValueError, match=r"Path\('corpus.txt'\)"):
            train_bpe(corpus, 300)
    with pytest.raises(ValueError, match="both"):
        train_bpe([Path("corpus.txt"), "abc"], 300)
    assert train_bpe(Path("corpus.txt"), 257).merges == [(b"b", b"c")]
