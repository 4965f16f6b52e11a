"""A task small enough for every method: answer a topic with its letters, each once, and stop.

Each topic has four letters of its own. An answer's *true reward* is a formula, so that it can be measured what a method
has really gained; people's preferences are drawn from it, and a reward model learns from these alone.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

import torch

from llmcourse.alignment.answers import join_answers
from llmcourse.alignment.preference_steps import AnswerPairs

__all__ = ["LettersTask"]

_END, _START = 0, 1


@dataclass(frozen=True)
class LettersTask:
    r"""Prompts, answers of a mediocre writer, the true reward, and preferences that follow from it.

    Tokens are 0 for the end, 1 for the start, then the topics, then the letters. A prompt is the start and a topic. The
    true reward of an answer is the number of *different* letters of its topic, less ``off_topic`` for every letter that
    is not its topic's, less ``too_long`` for every letter beyond ``free_length``: nothing is gained by saying a letter
    twice. The best answer has the topic's four letters, and a reward of 4.

    Attributes:
        n_topics: At most 6, since topics share no letter.
        n_letters: Of all topics and of none.
        max_letters: The writer stops here at the latest.
        free_length: How many letters cost nothing by their number.
        off_topic: What a letter of no use costs.
        too_long: What a letter too many costs.

    Raises:
        ValueError: There are not four letters for each topic.

    Example:
        >>> task = LettersTask()
        >>> task.vocab_size, task.prompts()[0], task.topic_letters(0)
        (32, [1, 2], [8, 9, 10, 11])
        >>> task.true_reward([1, 2], [8, 9, 10, 11, 0]), task.true_reward([1, 2], [8, 8, 31, 0])
        (4.0, 0.75)
    """

    _: KW_ONLY
    n_topics: int = 6
    n_letters: int = 24
    max_letters: int = 16
    free_length: int = 8
    off_topic: float = 0.25
    too_long: float = 0.25

    def __post_init__(self) -> None:
        if not 1 <= self.n_topics <= self.n_letters // 4:
            raise ValueError(f"n_topics is {self.n_topics} and n_letters {self.n_letters}: each topic takes four")

    @property
    def vocab_size(self) -> int:
        """How many tokens there are."""
        return 2 + self.n_topics + self.n_letters

    @property
    def end_token(self) -> int:
        """What ends an answer."""
        return _END

    def prompts(self) -> list[list[int]]:
        """Return one prompt for each topic."""
        return [[_START, 2 + topic] for topic in range(self.n_topics)]

    def topic_letters(self, topic: int) -> list[int]:
        """Return the four letters of a topic."""
        first = 2 + self.n_topics + 4 * topic
        return list(range(first, first + 4))

    def true_reward(self, prompt: Sequence[int], answer: Sequence[int]) -> float:
        """Return what an answer is worth.

        Args:
            prompt: From ``prompts``.
            answer: Its tokens; what stands behind the end does not count, nor does the end.

        Returns:
            At most 4.
        """
        letters = list(answer)[: list(answer).index(_END)] if _END in answer else list(answer)
        good = set(self.topic_letters(prompt[1] - 2))
        wrong = sum(letter not in good for letter in letters)
        excess = max(0, len(letters) - self.free_length)
        return len(good & set(letters)) - self.off_topic * wrong - self.too_long * excess

    def write(
        self, prompts: Sequence[Sequence[int]], *, on_topic: float, stop: float, generator: torch.Generator
    ) -> list[list[int]]:
        """Write an answer to each prompt as a writer does who knows the topic only now and then.

        Args:
            prompts: From ``prompts``.
            on_topic: How likely a letter is drawn from the topic's four; otherwise from all.
            stop: How likely the answer ends after each letter.
            generator: Of the drawing.

        Returns:
            Answers, with the end where they were ended.
        """
        answers = []
        for prompt in prompts:
            good, answer = self.topic_letters(prompt[1] - 2), []
            while len(answer) < self.max_letters:
                chances = torch.rand(3, generator=generator).tolist()
                first, size = (good[0], 4) if chances[0] < on_topic else (2 + self.n_topics, self.n_letters)
                answer.append(first + int(chances[1] * size))
                if chances[2] < stop:
                    answer.append(_END)
                    break
            answers.append(answer)
        return answers

    def prefer(
        self,
        prompts: Sequence[Sequence[int]],
        first: Sequence[Sequence[int]],
        second: Sequence[Sequence[int]],
        *,
        sharpness: float = 2.0,
        generator: torch.Generator,
    ) -> AnswerPairs:
        """Let a person choose between two answers to each prompt.

        Bradley & Terry 1952: the first with probability sigmoid(``sharpness`` times the difference of rewards).

        Args:
            prompts: From ``prompts``.
            first: An answer to each.
            second: Another.
            sharpness: How sure the person is; infinity never errs.
            generator: Of the choices.

        Returns:
            Chosen and rejected answers.
        """
        chosen, rejected = [], []
        for prompt, a, b in zip(prompts, first, second, strict=True):
            gap = self.true_reward(prompt, a) - self.true_reward(prompt, b)
            likes_a = torch.rand((), generator=generator) < torch.sigmoid(torch.tensor(sharpness * gap))
            chosen.append(a if likes_a else b)
            rejected.append(b if likes_a else a)
        return AnswerPairs(join_answers(prompts, chosen), join_answers(prompts, rejected))
