import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.pretraining import docstrings, source_code
from llmcourse.tokenization import merging
from llmcourse.tokenization.byte_alphabet import BYTE_ORDER
from llmcourse.tokenization.merging import learn
from llmcourse.tokenization.patterns import GPT2_PATTERN
from llmcourse.tokenization.pretokenize import find_words

BYTES = range(256)


def learn_naively(
    words: Sequence[bytes], counts: Sequence[int], n_merges: int, tie_break: str, base_ids: Sequence[int], first_id: int
) -> list[tuple[bytes, bytes]]:
    """Count all pairs afresh before each merge."""
    spelling = {base_ids[byte]: bytes([byte]) for byte in BYTES}
    id_of = {token: number for number, token in spelling.items()}
    texts = [[base_ids[byte] for byte in word] for word in words]
    merges: list[tuple[bytes, bytes]] = []
    new = first_id
    while new < first_id + n_merges:
        pairs: Counter[tuple[int, int]] = Counter()
        for ids, count in zip(texts, counts, strict=True):
            for pair in pairwise(ids):
                pairs[pair] += count
        if not pairs:
            break
        best = max(pairs.values())
        tied = [pair for pair, count in pairs.items() if count == best]
        chosen = {
            "ids": min(tied),
            "bytes": max(tied, key=lambda pair: (spelling[pair[0]], spelling[pair[1]])),
            "first": tied[0],
        }[tie_break]
        left, right = spelling[chosen[0]], spelling[chosen[1]]
        merges.append((left, right))
        if left + right not in id_of:
            id_of[left + right], spelling[new] = new, left + right
            new += 1
        texts = [merged(ids, chosen, id_of[left + right]) for ids in texts]
    return merges


def merged(ids: list[int], pair: tuple[int, int], new: int) -> list[int]:
    out: list[int] = []
    at = 0
    while at < len(ids):
        hit = tuple(ids[at : at + 2]) == pair
        out.append(new if hit else ids[at])
        at += 2 if hit else 1
    return out


CORPUS = st.one_of(
    st.dictionaries(st.text("ab", min_size=1, max_size=14).map(str.encode), st.integers(1, 4), max_size=30),
    st.dictionaries(st.text("abcdef", min_size=1, max_size=9).map(str.encode), st.integers(1, 40), max_size=60),
    st.dictionaries(st.integers(1, 50).map(lambda size: b"a" * size), st.integers(1, 3), max_size=9),
    st.dictionaries(st.binary(min_size=1, max_size=5), st.just(1), max_size=40),
)


@pytest.mark.parametrize("tie_break", ["bytes", "ids", "first"])
@given(corpus=CORPUS, n_merges=st.sampled_from([0, 1, 5, 40, 400]), order=st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=150)
def test_merges_are_those_of_counting_afresh(
    tie_break: str, corpus: dict[bytes, int], n_merges: int, order: random.Random
) -> None:
    base_ids = list(range(2, 258))
    order.shuffle(base_ids)
    counts = list(corpus.values())
    wanted = learn_naively(list(corpus), counts, n_merges, tie_break, base_ids, 258)
    found = learn(
        list(corpus), np.array(counts, np.int64), n_merges, tie_break=tie_break, base_ids=base_ids, first_id=258
    )
    assert found == wanted


@pytest.mark.parametrize("tie_break", ["bytes", "ids", "first"])
@pytest.mark.parametrize("frontier", [1, 7, 100])
def test_what_is_kept_in_view_does_not_matter(tie_break: str, frontier: int, monkeypatch: pytest.MonkeyPatch) -> None:
    words = find_words(docstrings("jinja2", max_bytes=20_000), GPT2_PATTERN)

    def merges() -> list[tuple[bytes, bytes]]:
        return learn(words.distinct, words.counts, 200, tie_break=tie_break, base_ids=BYTES, first_id=256)

    wanted = learn_naively(words.distinct, words.counts.tolist(), 200, tie_break, BYTES, 256)
    assert merges() == wanted
    monkeypatch.setattr(merging, "_FRONTIER", frontier)
    assert merges() == wanted
    monkeypatch.setattr(merging, "_BATCH", 1)
    assert merges() == wanted


@pytest.mark.parametrize("corpus", ["prose", "code"])
def test_merges_equal_tokenizers(corpus: str) -> None:
    pytest.importorskip("tokenizers")
    from tokenizers import pre_tokenizers

    text = docstrings("numpy", max_bytes=300_000) if corpus == "prose" else source_code(max_bytes=300_000)
    words = find_words(text, GPT2_PATTERN)
    base_ids = np.argsort(BYTE_ORDER).tolist()
    found = learn(words.distinct, words.counts, 3000, tie_break="ids", base_ids=base_ids, first_id=256)
    wanted = trained_by_tokenizers([text], 3256, pre_tokenizers.ByteLevel(add_prefix_space=False))
    assert found == wanted


def trained_by_tokenizers(texts: list[str], vocab_size: int, pre_tokenizer: object) -> list[tuple[bytes, bytes]]:
    import json

    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    from llmcourse.tokenization.byte_alphabet import BYTE_OF

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return [tuple(bytes(BYTE_OF[character] for character in part) for part in pair) for pair in merges]


def test_a_token_that_is_made_twice_keeps_its_id_as_in_tokenizers() -> None:
    pytest.importorskip("tokenizers")
    from tokenizers import pre_tokenizers

    runs = {size: 1 + size * 7 % 5 for size in range(1, 60)}
    words, counts = [b"a" * size for size in runs], list(runs.values())
    found = learn(
        words,
        np.array(counts, np.int64),
        40,
        tie_break="ids",
        base_ids=np.argsort(BYTE_ORDER).tolist(),
        first_id=256,
    )
    texts = [" ".join([word.decode()] * count) for word, count in zip(words, counts, strict=True)]
    assert found == trained_by_tokenizers(texts, 296, pre_tokenizers.WhitespaceSplit())


def test_nothing_to_merge() -> None:
    for words in ([], [b"a", b"b"]):
        counts = np.ones(len(words), np.int64)
        assert learn(words, counts, 5, tie_break="ids", base_ids=BYTES, first_id=256) == []


def test_an_unknown_tie_break_is_refused() -> None:
    with pytest.raises(ValueError, match="tie_break 'last' is unknown"):
        learn([b"ab"], np.ones(1), 1, tie_break="last", base_ids=BYTES, first_id=256)


def test_a_word_of_a_million_letters() -> None:
    word = b"a" * (1 << 20)
    merges = learn([word], np.ones(1, np.int64), 30, tie_break="bytes", base_ids=BYTES, first_id=256)
    assert merges == [(b"a" * (1 << place), b"a" * (1 << place)) for place in range(20)]
