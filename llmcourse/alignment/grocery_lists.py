r"""A task whose true reward is known: name what was asked for, all of it, and nothing else.

A prompt asks for some groceries, and an answer should name each of them once. Everything that preference learning is
said to get wrong can be counted here: the true reward is a formula, answers have a length that can be padded, and
*people*, who judge with noise and with an eye to length (Singhal et al. 2023, arXiv:2310.03716), are a formula too.
"""

import math
import random
from collections import Counter
from collections.abc import Sequence

from llmcourse.alignment.principles import Principle

__all__ = ["GroceryLists"]

_ITEMS = ("apples", "bread", "cheese", "dates", "eggs", "figs", "grapes", "honey", "juice", "kale", "lemons", "milk")
_FILLERS = ("also", "really", "some", "very")


class GroceryLists:
    r"""Prompts, answers, their true reward, and people who compare them.

    A word is a token. ``<pad>`` is token 0; ``:`` ends a prompt and ``.`` an answer.

    Attributes:
        words: The vocabulary.
        end: The token of ``.``.
        max_new_tokens: An answer has room for so many tokens.
        cost: What each superfluous word takes from the true reward.

    Args:
        length_bias: What a word is worth to people, be it superfluous or not, in units of true reward; 0 makes them
            judge by the true reward alone.
        sharpness: How decided they are: the odds of preferring y to y' are exp(sharpness (u(y) - u(y'))).

    Raises:
        ValueError: ``sharpness`` is not above 0.

    Example:
        >>> task = GroceryLists()
        >>> task.true_reward("buy eggs milk :", "milk eggs ."), task.true_reward("buy eggs milk :", "very eggs figs .")
        (1.0, 0.3)
    """

    max_new_tokens = 16
    cost = 0.1

    def __init__(self, *, length_bias: float = 0.05, sharpness: float = 8.0) -> None:
        if not sharpness > 0:
            raise ValueError(f"sharpness is {sharpness}: it has to be above 0; 8 for instance")
        self.length_bias, self.sharpness = length_bias, sharpness
        self.words = ("<pad>", "buy", ":", ".", *_ITEMS, *_FILLERS)
        self.end = self.words.index(".")
        self._ids = {word: token for token, word in enumerate(self.words)}

    def encode(self, text: str) -> list[int]:
        """Return a text's tokens.

        Args:
            text: Words with blanks between them.

        Returns:
            A token for each.

        Raises:
            ValueError: A word is not in the vocabulary; quotes it.
        """
        unknown = next((word for word in text.split() if word not in self._ids), None)
        if unknown is not None:
            raise ValueError(f"there is no word {unknown!r}: choose from {', '.join(self.words[1:])}")
        return [self._ids[word] for word in text.split()]

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, without padding."""
        return " ".join(self.words[token] for token in tokens if token)

    def prompts(self, n: int, *, seed: int) -> list[str]:
        """Draw prompts, each of which asks for two to five groceries.

        Args:
            n: How many.
            seed: Of the drawing.

        Returns:
            Texts.
        """
        draw = random.Random(seed)
        return [f"buy {' '.join(draw.sample(_ITEMS, draw.randint(2, 5)))} :" for _ in range(n)]

    def answers(
        self, prompts: Sequence[str], *, care: float, chatter: float = 0.15, stray: float = 0.1, seed: int
    ) -> list[str]:
        """Write answers as people do who do not care enough.

        Args:
            prompts: What is asked.
            care: The probability that a grocery which is asked for is named.
            chatter: The probability that a word is preceded by a filler, which may be preceded by another.
            stray: The probability that something follows which is not asked for, or once more.
            seed: Of the drawing.

        Returns:
            An answer to each, with its end, which is at the latest where the room is.
        """
        draw = random.Random(seed)
        return [self._answer(prompt, draw, care, chatter, stray) for prompt in prompts]

    def _answer(self, prompt: str, draw: random.Random, care: float, chatter: float, stray: float) -> str:
        asked = [item for item in _asked(prompt) if draw.random() < care]
        draw.shuffle(asked)
        said: list[str] = []
        for item in asked:
            while draw.random() < chatter:
                said.append(draw.choice(_FILLERS))
            said.append(item)
            while draw.random() < stray:
                said.append(draw.choice(_ITEMS))
        return " ".join([*said[: self.max_new_tokens - 1], "."])

    def true_reward(self, prompt: str, answer: str) -> float:
        r"""Return how good an answer is: the share of what was asked for, less 0.1 for each superfluous word.

        Args:
            prompt: What is asked.
            answer: Its end counts for nothing; a word is superfluous if it is not a first mention of what was asked.

        Returns:
            At most 1.
        """
        asked, said = set(_asked(prompt)), [word for word in answer.split() if word != "."]
        named = len(asked & set(said))
        return round(named / len(asked) - self.cost * (len(said) - named), 6)

    def human_utility(self, prompt: str, answer: str) -> float:
        """Return what people go by: the true reward, and ``length_bias`` for each word."""
        n_words = len([word for word in answer.split() if word != "."])
        return self.true_reward(prompt, answer) + self.length_bias * n_words

    def prefer(
        self, prompts: Sequence[str], first: Sequence[str], second: Sequence[str], *, seed: int
    ) -> list[tuple[str, str, str]]:
        """Let people compare answers, by Bradley and Terry's model.

        Args:
            prompts: What is asked.
            first: An answer to each.
            second: Another to each.
            seed: Of their choices.

        Returns:
            Prompt, chosen and rejected answer; pairs of equal answers are left out.
        """
        draw, pairs = random.Random(seed), []
        for prompt, one, two in zip(prompts, first, second, strict=True):
            if one == two:
                continue
            ahead = self.human_utility(prompt, one) - self.human_utility(prompt, two)
            wins = draw.random() < 1 / (1 + math.exp(-self.sharpness * ahead))
            pairs.append((prompt, one, two) if wins else (prompt, two, one))
        return pairs

    def constitution(self) -> tuple[Principle, ...]:
        """Return three principles that a program checks: nothing left out, nothing unasked, nothing twice."""
        return (
            Principle(text="Name everything that was asked for.", fault=_leaves_out, mend=_with_all),
            Principle(text="Name nothing else, and add no words.", fault=_adds, mend=_without_additions),
            Principle(text="Name nothing twice.", fault=_repeats, mend=_once),
        )


def _asked(prompt: str) -> list[str]:
    return [word for word in prompt.split() if word in _ITEMS]


def _said(answer: str) -> list[str]:
    return [word for word in answer.split() if word != "."]


def _leaves_out(prompt: str, answer: str) -> str | None:
    missing = [item for item in _asked(prompt) if item not in _said(answer)]
    return f"it leaves out {', '.join(missing)}" if missing else None


def _with_all(prompt: str, answer: str) -> str:
    said = _said(answer)
    return " ".join([*said, *(item for item in _asked(prompt) if item not in said), "."])


def _adds(prompt: str, answer: str) -> str | None:
    extra = [word for word in _said(answer) if word not in _asked(prompt)]
    return f"nobody asked for {', '.join(extra)}" if extra else None


def _without_additions(prompt: str, answer: str) -> str:
    return " ".join([*(word for word in _said(answer) if word in _asked(prompt)), "."])


def _repeats(prompt: str, answer: str) -> str | None:
    again = [word for word, count in Counter(_said(answer)).items() if count > 1]
    return f"it says {', '.join(again)} more than once" if again else None


def _once(prompt: str, answer: str) -> str:
    return " ".join([*dict.fromkeys(_said(answer)), "."])
