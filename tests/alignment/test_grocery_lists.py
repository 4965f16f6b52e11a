"""The task whose true reward is known."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.alignment import GroceryLists, constitutional_preference, constitutional_revision

TASK = GroceryLists()
ITEMS = TASK.words[4:16]
prompts = st.lists(st.sampled_from(ITEMS), min_size=2, max_size=5, unique=True).map(lambda x: f"buy {' '.join(x)} :")
answers = st.lists(st.sampled_from(TASK.words[4:]), max_size=15).map(lambda x: " ".join([*x, "."]))


@given(prompts, answers)
def test_reward_is_what_counting_word_by_word_gives(prompt: str, answer: str) -> None:
    left, total = prompt.split()[1:-1], 0.0
    n = len(left)
    for word in answer.split()[:-1]:
        if word in left:
            left.remove(word)
            total += 1 / n
        else:
            total -= 0.1
    assert TASK.true_reward(prompt, answer) == pytest.approx(total, abs=1e-5)
    n_words = len(answer.split()) - 1
    assert TASK.human_utility(prompt, answer) == pytest.approx(total + 0.05 * n_words, abs=1e-5)


@given(prompts, answers)
def test_an_answer_that_keeps_the_constitution_is_the_best_and_no_other_is(prompt: str, answer: str) -> None:
    principles = TASK.constitution()
    faults = [one.fault(prompt, answer) for one in principles if one.fault is not None]
    assert (faults == [None] * 3) == (TASK.true_reward(prompt, answer) == 1.0)
    revised = constitutional_revision(prompt, answer, principles=principles, rounds=2).revised
    assert TASK.true_reward(prompt, revised) == 1.0


def test_the_constitution_prefers_what_breaks_fewer_principles() -> None:
    label = constitutional_preference(
        "buy eggs figs :", "eggs eggs very .", "eggs figs very .", principles=TASK.constitution()
    )
    assert label is not None
    assert label.chosen == "eggs figs very ."


def test_words_and_tokens_go_both_ways_and_padding_is_left_out() -> None:
    text = "buy milk kale : kale milk ."
    assert TASK.decode([*TASK.encode(text), 0, 0]) == text
    assert TASK.encode(".") == [TASK.end]
    with pytest.raises(ValueError, match="there is no word 'beer'"):
        TASK.encode("buy beer :")


def test_people_choose_by_bradley_and_terrys_probability() -> None:
    n = 4000
    asked, better, worse = ["buy eggs milk :"] * n, ["eggs milk ."] * n, ["eggs very very very milk ."] * n
    chosen = sum(pair[1] == better[0] for pair in TASK.prefer(asked, better, worse, seed=0)) / n
    ahead = 0.3 - 0.05 * 3
    assert chosen == pytest.approx(1 / (1 + math.exp(-8 * ahead)), abs=0.02)  # 3 standard errors
    without_bias = GroceryLists(length_bias=0.0).prefer(asked, better, worse, seed=0)
    assert sum(pair[1] == better[0] for pair in without_bias) / n == pytest.approx(1 / (1 + math.exp(-2.4)), abs=0.02)


def test_equal_answers_make_no_pair() -> None:
    assert TASK.prefer(["buy eggs milk :"], ["eggs ."], ["eggs ."], seed=0) == []


def test_care_decides_what_is_named_and_answers_fit_the_room() -> None:
    asked = TASK.prompts(300, seed=1)
    assert asked == TASK.prompts(300, seed=1) != TASK.prompts(300, seed=2)
    assert {len(prompt.split()) - 2 for prompt in asked} == {2, 3, 4, 5}
    perfect = TASK.answers(asked, care=1.0, chatter=0.0, stray=0.0, seed=0)
    assert all(TASK.true_reward(*pair) == 1.0 for pair in zip(asked, perfect, strict=True))
    wordy = TASK.answers(asked, care=1.0, chatter=0.9, seed=0)
    assert max(len(answer.split()) for answer in wordy) == TASK.max_new_tokens
    assert all(answer.endswith(" .") for answer in wordy)
    assert TASK.answers(asked[:1], care=0.0, seed=0) == ["."]


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match=re.escape("sharpness is 0.0: it has to be above 0")):
        GroceryLists(sharpness=0.0)
