"""The task's reward is its formula, its writer writes as told, and its people choose by the reward."""

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.alignment.letters_task import LettersTask

TASK = LettersTask()


@given(topic=st.integers(0, 5), letters=st.lists(st.integers(8, 31), max_size=16))
def test_the_reward_counts_different_letters_of_the_topic(topic, letters):
    mine = range(8 + 4 * topic, 12 + 4 * topic)
    expected = sum(letter in letters for letter in mine)
    expected -= 0.25 * len([letter for letter in letters if letter not in mine])
    expected -= 0.25 * max(0, len(letters) - 8)
    assert TASK.true_reward([1, 2 + topic], [*letters, 0]) == pytest.approx(expected)
    assert TASK.true_reward([1, 2 + topic], [*letters, 0, 9, 9]) == pytest.approx(expected)
    assert TASK.true_reward([1, 2 + topic], letters) == pytest.approx(expected)
    assert expected <= 4


def test_the_best_answers_are_the_topics_letters_once():
    best = {order for order in itertools.permutations([8, 9, 10, 11])}
    assert all(TASK.true_reward([1, 2], [*order, 0]) == 4 for order in best)
    assert TASK.true_reward([1, 2], [8, 9, 10, 11] * 2) == 4  # said twice is no gain, and free up to eight letters
    assert TASK.true_reward([1, 2], [8, 9, 10, 11] * 4) == 2


def test_the_writer_keeps_to_the_topic_and_stops_as_often_as_told():
    prompts, generator = TASK.prompts() * 500, torch.Generator().manual_seed(0)
    answers = TASK.write(prompts, on_topic=0.4, stop=0.2, generator=generator)
    letters = [(prompt[1] - 2, letter) for prompt, a in zip(prompts, answers, strict=True) for letter in a if letter]
    share = sum(letter in TASK.topic_letters(topic) for topic, letter in letters) / len(letters)
    assert share == pytest.approx(0.4 + 0.6 / 6, abs=0.02)
    lengths = torch.tensor([len([letter for letter in answer if letter]) for answer in answers]).float()
    expected = (1 - 0.8**16) / 0.2  # geometric, cut off at 16
    assert lengths.mean().item() == pytest.approx(expected, rel=0.03)
    assert all(answer[-1] == 0 or len(answer) == 16 for answer in answers)


def test_people_choose_by_bradley_terry():
    n, generator = 4000, torch.Generator().manual_seed(0)
    good, bad = [8, 9, 0], [8, 8, 0]  # rewards of 2 and 1
    pairs = TASK.prefer([[1, 2]] * n, [good] * n, [bad] * n, sharpness=1.0, generator=generator)
    share = (pairs.chosen.tokens[:, 3] == 9).float().mean().item()
    assert share == pytest.approx(torch.sigmoid(torch.tensor(1.0)).item(), abs=0.02)
    certain = TASK.prefer([[1, 2]] * 9, [bad] * 9, [good] * 9, sharpness=float("inf"), generator=generator)
    assert (certain.chosen.tokens[:, 3] == 9).all()
    assert (certain.rejected.tokens[:, 3] == 8).all()


def test_too_few_letters_are_refused():
    with pytest.raises(ValueError, match="n_topics is 7 and n_letters 24: each topic takes four"):
        LettersTask(n_topics=7)
