"""What is particular to the exercise: its functions are the reference's."""

import importlib
import inspect
import random
from collections.abc import Callable
from typing import Any

import pytest

EXERCISE = "01_tokenization/bpe.ipynb"
FUNCTIONS = ("count_pairs", "merge_pair", "learn_merges", "encode_word", "decode", "split_special")


def reference(name: str) -> Callable[..., Any]:
    return getattr(importlib.import_module("llmcourse.tokenization.steps"), name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_parameters_are_those_of_the_reference(solution: dict[str, Any], name: str) -> None:
    asked, given = (inspect.signature(function).parameters.values() for function in (solution[name], reference(name)))
    assert [(p.name, p.kind, p.default) for p in asked] == [(p.name, p.kind, p.default) for p in given]


@pytest.mark.parametrize("seed", range(5))
def test_solution_agrees_with_the_reference(solution: dict[str, Any], seed: int) -> None:
    rng = random.Random(seed)
    words = ["".join(rng.choices("abcdé日\u200d🙂", k=rng.randint(1, 6))) for _ in range(30)]
    text = " ".join(rng.choices(words, k=200))
    merges = solution["learn_merges"](text, 280)
    assert merges == reference("learn_merges")(text, 280) and len(merges) == 24
    for word in words:
        assert solution["encode_word"](word.encode(), merges) == reference("encode_word")(word.encode(), merges)
    vocab = {i: bytes([i]) for i in range(256)} | {256 + i: a + b for i, (a, b) in enumerate(merges)}
    ids = rng.choices(range(280), k=100)  # broken UTF-8 among them
    assert solution["decode"](ids, vocab) == reference("decode")(ids, vocab)
    special = ["ab", "abc", "é"]
    assert solution["split_special"](text, special) == reference("split_special")(text, special)
    counts = {tuple(word.encode()): n for n, word in enumerate(words, start=1)}
    assert solution["count_pairs"](counts) == reference("count_pairs")(counts)
    data = bytes(rng.choices(b"ab", k=50))
    assert solution["merge_pair"](data, (97, 97), 256) == reference("merge_pair")(data, (97, 97), 256)
