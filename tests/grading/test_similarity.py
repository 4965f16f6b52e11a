"""Copies are found in spite of disguise, honest answers are not, and a large class takes seconds."""

import random
import time

import pytest

from llmcourse.grading.similarity import similar_pairs
from llmcourse.grading.similarity_tokens import shingles

ORIGINAL = '''
def merge(ids, pair, index):
    """Replace each pair."""
    result = []
    position = 0
    while position < len(ids):
        # two at a time
        if position < len(ids) - 1 and ids[position] == pair[0] and ids[position + 1] == pair[1]:
            result.append(index)
            position += 2
        else:
            result.append(ids[position])
            position += 1
    return result
'''
DISGUISED = """
def merge(tokens, which, new):

    out = []   # my own idea
    i = 0
    while i < len(tokens):

        if (i < len(tokens) - 1 and tokens[i] == which[0]
                and tokens[i + 1] == which[1]):
            out.append(new)
            i += 2
        else:
            out.append(tokens[i])
            i += 1
    print("done")
    return out
"""
DIFFERENT = """
def merge(ids, pair, index):
    out, skip = [], False
    for left, right in zip(ids, [*ids[1:], None]):
        if skip:
            skip = False
            continue
        skip = (left, right) == tuple(pair)
        out += [index if skip else left]
    return out
"""
SHORT = "def merge(ids, pair, index):\n    return list(ids)\n"
STUB = 'def merge(ids, pair, index):\n    """Replace each pair."""\n    raise NotImplementedError\n'


def pairs(codes, stub=STUB):
    return similar_pairs({"bpe/merge": codes}, {"bpe/merge": stub})


def test_a_disguised_copy_is_found_and_honest_answers_are_not():
    found = pairs({"zoe": ORIGINAL, "anna": DISGUISED, "ben": DIFFERENT, "carl": SHORT, "dora": SHORT})
    assert [(pair.first, pair.second) for pair in found] == [("anna", "zoe")]
    assert found[0].functions[0].name == "bpe/merge"
    assert 0.6 < found[0].functions[0].similarity < 1


def test_names_comments_text_numbers_and_layout_are_no_difference():
    renamed = ORIGINAL.replace("ids", "x").replace("position", "p").replace("result", "r").replace("# two", "# 2")
    assert shingles(renamed.replace("    ", " ").replace("+= 2", "+= 3")) == shingles(ORIGINAL)


def test_own_attributes_and_methods_can_be_renamed_but_a_library_cannot():
    code = (
        "class A:\n    def go(self, x):\n        self.kept = x.view(1, 2)\n        return self.kept.sum() + A.go(x)\n"
    )
    renamed = code.replace("kept", "k").replace("go", "run").replace("A", "Bcd")
    assert shingles(renamed) == shingles(code)
    assert shingles(code.replace("view", "reshape")) != shingles(code)


@pytest.mark.parametrize("code", ["def f(:\n  x = '", "\x00", "\ud800", "  a\n b\n", "%%bash\nls", "", "((((" * 100])
def test_code_that_is_none_is_read_as_far_as_it_goes(code):
    assert isinstance(shingles(code), frozenset)


def test_what_was_given_counts_for_nothing():
    assert pairs({"anna": ORIGINAL, "ben": ORIGINAL}, stub=ORIGINAL) == ()


def test_what_many_write_counts_for_nothing():
    codes = {f"s{number:02}": ORIGINAL for number in range(11)}
    assert pairs(codes) == ()
    assert len(pairs(dict(list(codes.items())[:10]))) == 45


def test_pairs_that_share_more_come_first():
    both = similar_pairs(
        {"a": {"x": ORIGINAL, "y": ORIGINAL, "z": ORIGINAL}, "b": {"x": DIFFERENT, "y": SHORT, "z": DIFFERENT}}, {}
    )
    assert (both[0].first, both[0].second, len(both[0].functions)) == ("x", "z", 2)
    assert both[0].weight > both[1].weight > 0


def written(seed):
    """Return an answer of some hundred tokens such as one writes alone."""
    chance = random.Random(seed)
    names, operators = ["len", "sum", "max", "min", "sorted", "list"], ["+", "-", "*", "//", "%"]
    lines = ["def answer(values):"]
    for _ in range(15):
        form = chance.choice(["    v = {f}(v) {o} {g}(v)", "    if v {o} w > {f}(w): v = {g}(w)",
                              "    for v in {f}(w): w = w {o} v", "    while v: v {o}= {f}({g}(v))"])  # fmt: skip
        lines.append(form.format(f=chance.choice(names), g=chance.choice(names), o=chance.choice(operators)))
    return "\n".join([*lines, "    return v"])


def test_a_class_of_a_thousand_takes_seconds_and_each_copy_is_found():
    answers = {f"s{number:04}": written(number) for number in range(1_000)}
    copied = {f"copy{number}": written(number).replace("v", "value") for number in range(0, 1_000, 50)}
    began = time.process_time()
    found = similar_pairs({"a/answer": answers | copied}, {})
    took_s = time.process_time() - began
    assert {(pair.first, pair.second) for pair in found} == {
        (f"copy{number}", f"s{number:04}") for number in range(0, 1_000, 50)
    }
    assert took_s < 20
