"""Each rule at both sides of its limit, on a text that breaks no other."""

import random

import pytest

from llmcourse.pretraining import c4_lines, documentation, quality_filter


def prose(n_words=200, seed=0):
    """Return different words, 20 to a line, with stop words: what no rule is against."""
    rng = random.Random(seed)
    words = ["".join(rng.choice("abcdefghijklmnop") for _ in range(rng.randint(3, 7))) for _ in range(n_words - 2)]
    words = ["the", "of", *words]
    return "\n".join(" ".join(words[start : start + 20]) for start in range(0, len(words), 20))


def replaced(share, new, n=200):
    """Return prose in which some words, evenly spread, are others."""
    words = [line.split() for line in prose(n).split("\n")]
    flat = [word for line in words for word in line]
    chosen = random.Random(1).sample(range(2, n), round(share * n))
    for place, index in enumerate(chosen):
        flat[index] = new(place)
    return "\n".join(" ".join(flat[start : start + 20]) for start in range(0, n, 20))


def rules_of(text):
    return [reason.split(":")[0] for reason in quality_filter(text)]


def test_prose_passes_and_so_does_most_of_pythons_documentation():
    assert quality_filter(prose()) == []
    sections = [part for part in documentation().split("\n\n\n") if len(part.split()) >= 50 and "{" not in part]
    assert sum(not quality_filter(part) for part in sections) > 0.5 * len(sections)


@pytest.mark.parametrize(
    ("passes", "breaks", "rule"),
    [
        (prose(50), prose(49), "words"),
        (replaced(0.10, lambda n: f"#{n}tag"), replaced(0.11, lambda n: f"#{n}tag"), "symbols"),
        (replaced(0.10, lambda n: f"wo{n}d..."), replaced(0.11, lambda n: f"wo{n}d..."), "symbols"),
        (replaced(0.20, lambda n: f"{n}000"), replaced(0.21, lambda n: f"{n}000"), "words with a letter"),
        (prose(), prose().replace("of ", "off ", 1), "stop words"),
        (prose() + "\nno bracket", prose() + "\n{ bracket", "page"),
        (prose(), prose() + "\nLorem ipsum", "page"),
    ],
)
def test_a_rule_has_two_sides(passes, breaks, rule):
    assert rules_of(passes) == []
    assert rules_of(breaks) == [rule]


def scaled(length):
    rng = random.Random(0)
    words = ["".join(rng.choice("abcdefgh") for _ in range(length)) for _ in range(58)]
    return " ".join([*words, "the", "of"])


def test_words_are_neither_too_short_nor_too_long():
    assert "mean word" in rules_of(" ".join(["the of"] + [chr(97 + n % 26) + chr(97 + n // 26) for n in range(200)]))
    assert "mean word" not in rules_of(scaled(9))
    assert rules_of(scaled(11)) == ["mean word"]


def lines_with(mark_first="", mark_last="", share=0.0, n=100):
    lines = prose(20 * n).split("\n")
    marked = round(share * n)
    return "\n".join(f"{mark_first}{line}{mark_last}" if index < marked else line for index, line in enumerate(lines))


def test_lists_and_teasers():
    assert rules_of(lines_with(mark_first="- ", share=0.90)) == []
    assert rules_of(lines_with(mark_first="- ", share=0.91)) == ["lines that begin with a bullet"]
    assert rules_of(lines_with(mark_last="...", share=0.30)) == []
    assert rules_of(lines_with(mark_last="…", share=0.31)) == ["lines that end with an ellipsis"]


def test_repeated_lines_and_paragraphs():
    lines = prose(2000).split("\n")
    few = [*lines, *["a menu"] * 44]  # 43 of 144 came before: 0.299
    many = [*lines, *["a menu"] * 45]
    assert rules_of("\n".join(few)) == []
    assert rules_of("\n".join(many)) == ["repeated lines"]
    paragraphs = "\n\n".join([*lines, *lines[:30]])
    assert "characters in repeated paragraphs" in rules_of(paragraphs)
    assert "repeated paragraphs" not in rules_of(paragraphs)  # 30 of 130


def test_repeated_runs():
    words = prose(400).split()
    assert rules_of(" ".join([*words, *words[:30]])) == []
    found = rules_of(" ".join([*words, *words[:60]]))
    assert found == [f"characters in repeated runs of {n} words" for n in (8, 9, 10)]
    found = rules_of(" ".join(["spam egg"] * 80 + words))
    assert {f"characters in the most frequent run of {n} words" for n in (2, 3, 4)} <= set(found)


def test_an_empty_text_is_refused():
    assert quality_filter(" \n ") == ["words: 0, at least 50"]


def test_lines_of_c4():
    text = "Menu\nThis line has five words.\nIt has only four.\nThis one trails off at the end...\n"
    text += "Javascript must be on, dear reader."
    assert c4_lines(text) == "This line has five words."
    assert c4_lines("") == ""
