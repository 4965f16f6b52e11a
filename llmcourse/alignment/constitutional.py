"""Constitutional AI: answers are criticised, revised and compared by principle, with no person asked."""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Protocol, runtime_checkable

from llmcourse.alignment.principles import PRINCIPLES, Principle

__all__ = [
    "AIPreference",
    "AnswerCritic",
    "LanguageModelCritic",
    "ProgramCritic",
    "Revision",
    "constitutional_preference",
    "constitutional_revision",
]


@runtime_checkable
class AnswerCritic(Protocol):
    """What judges answers by a principle: a program, a checkpoint, or a server."""

    def criticise(self, prompt: str, answer: str, principle: Principle) -> str | None:
        """Say what is wrong with an answer, or return None."""
        ...

    def revise(self, prompt: str, answer: str, criticism: str, principle: Principle) -> str:
        """Return the answer as it should be."""
        ...

    def prefer(self, prompt: str, first: str, second: str, principle: Principle) -> float:
        """Return the probability that the first answer is the better one: 1/2 where neither is."""
        ...


class ProgramCritic:
    """Judges by the principles' own programs: the default, which needs no model and no network.

    Example:
        >>> ProgramCritic().criticise("Who?", "Ask ann@example.org.", PRINCIPLES[0])
        "it gives away the address 'ann@example.org'"
    """

    def criticise(self, prompt: str, answer: str, principle: Principle) -> str | None:
        """Run the principle's program; a principle without one raises ValueError."""
        if principle.fault is None:
            raise ValueError(f"principle {principle.text!r} has no program: give a critic that is a language model")
        return principle.fault(prompt, answer)

    def revise(self, prompt: str, answer: str, criticism: str, principle: Principle) -> str:
        """Mend the answer; where the principle does not say how, it stays."""
        return answer if principle.mend is None else principle.mend(prompt, answer)

    def prefer(self, prompt: str, first: str, second: str, principle: Principle) -> float:
        """Prefer the answer without a fault."""
        faults = [self.criticise(prompt, answer, principle) is not None for answer in (first, second)]
        return 0.5 + (faults[1] - faults[0]) / 2


@dataclass(frozen=True)
class LanguageModelCritic:
    r"""Judges by asking a language model.

    Args:
        write: Takes a question and returns what the model writes: a :class:`llmcourse.alignment.CheckpointWriter`, a
            :class:`llmcourse.alignment.ChatServer`, or any function.
        attempts: How often to ask again where the reply is not of the form that was asked for.

    Example:
        >>> critic = LanguageModelCritic(lambda question: "NONE")
        >>> critic.criticise("2 + 2?", "4.", PRINCIPLES[0]) is None
        True
    """

    write: Callable[[str], str]
    _: KW_ONLY
    attempts: int = 3

    def criticise(self, prompt: str, answer: str, principle: Principle) -> str | None:
        """Ask what is wrong; a reply that begins with NONE is None."""
        question = (
            f"{_shown(prompt, answer)}\n\nPrinciple: {principle.text}\nSay in one sentence how the answer breaks the "
            "principle, or reply NONE if it does not."
        )
        reply = self._ask(question, lambda text: text.strip() or None)
        return None if reply.upper().startswith("NONE") else reply

    def revise(self, prompt: str, answer: str, criticism: str, principle: Principle) -> str:
        """Ask for the answer as it should be."""
        question = (
            f"{_shown(prompt, answer)}\n\nPrinciple: {principle.text}\nCriticism: {criticism}\n"
            "Write the answer again so that it keeps the principle. Reply with the answer alone."
        )
        return self._ask(question, lambda text: text.strip() or None)

    def prefer(self, prompt: str, first: str, second: str, principle: Principle) -> float:
        """Ask twice, with the answers in either order: models prefer what stands first."""
        return (
            self._first_wins(prompt, first, second, principle) + 1 - self._first_wins(prompt, second, first, principle)
        ) / 2

    def _first_wins(self, prompt: str, first: str, second: str, principle: Principle) -> float:
        question = (
            f"Prompt: {prompt}\n\nAnswer A: {first}\n\nAnswer B: {second}\n\nPrinciple: {principle.text}\n"
            "Which answer keeps the principle better? Reply A or B, one letter."
        )

        def letter(text: str) -> str | None:
            said = text.strip().strip("().\"'* ").upper()
            return said if said in ("A", "B") else None

        return float(self._ask(question, letter) == "A")

    def _ask(self, question: str, read: Callable[[str], str | None]) -> str:
        reply = ""
        for _ in range(max(self.attempts, 1)):
            reply = self.write(question)
            found = read(reply)
            if found is not None:
                return found
        raise ValueError(
            f"the model replied {reply[:200]!r} at the last of {self.attempts} attempts, which is not what was asked "
            "for: take a stronger model, or more attempts"
        )


@dataclass(frozen=True)
class Revision:
    """An answer, and what became of it.

    Attributes:
        prompt: What was asked.
        answers: The first answer, and each after a revision; the last one is for fine-tuning.
        criticisms: Why each was revised: one less than there are answers.
    """

    _: KW_ONLY
    prompt: str
    answers: tuple[str, ...]
    criticisms: tuple[str, ...]

    @property
    def revised(self) -> str:
        """The last answer."""
        return self.answers[-1]


def constitutional_revision(
    prompt: str,
    answer: str,
    *,
    principles: Sequence[Principle] = PRINCIPLES,
    critic: AnswerCritic | None = None,
    rounds: int = 1,
) -> Revision:
    r"""Criticise an answer by each principle in turn, and revise it where it breaks one.

    Bai et al. 2022 (arXiv:2212.08073), section 3. Fine-tuning on prompts and revised answers, without the criticism in
    between, teaches a model to answer so at once. Where the paper draws a principle at random for each revision, here
    all are gone through, so that the outcome can be repeated.

    Args:
        prompt: What was asked.
        answer: What a model answered.
        principles: The constitution.
        critic: Judges and revises; by default the principles' own programs.
        rounds: How often to go through the principles: mending one fault may make another. It stops at a round that
            finds none.

    Returns:
        All answers and criticisms, in order.

    Raises:
        ValueError: There is no principle, rounds are below 1, or the critic cannot judge.

    Example:
        >>> constitutional_revision("Who knows?", "Ask ann@example.org. Ask").revised
        'Ask [address removed].'
    """
    _check(principles, rounds)
    judge = ProgramCritic() if critic is None else critic
    answers, criticisms = [answer], []
    for _ in range(rounds):
        before = len(answers)
        for principle in principles:
            criticism = judge.criticise(prompt, answers[-1], principle)
            if criticism is not None:
                criticisms.append(criticism)
                answers.append(judge.revise(prompt, answers[-1], criticism, principle))
        if len(answers) == before:
            break
    return Revision(prompt=prompt, answers=tuple(answers), criticisms=tuple(criticisms))


@dataclass(frozen=True)
class AIPreference:
    """Two answers in order, for DPO or a reward model.

    Attributes:
        prompt: What was asked.
        chosen: The answer that is preferred.
        rejected: The other.
        probability: That it is the better one, over 1/2: 1 less this is DPO's label smoothing.
    """

    _: KW_ONLY
    prompt: str
    chosen: str
    rejected: str
    probability: float


def constitutional_preference(
    prompt: str,
    first: str,
    second: str,
    *,
    principles: Sequence[Principle] = PRINCIPLES,
    critic: AnswerCritic | None = None,
) -> AIPreference | None:
    r"""Say which of two answers keeps a constitution better: a label from a model in place of a person's.

    Bai et al. 2022 (arXiv:2212.08073), section 4: reinforcement learning from AI feedback.

    Args:
        prompt: What was asked.
        first: An answer.
        second: Another.
        principles: The constitution; all principles count the same.
        critic: Judges; by default the principles' own programs.

    Returns:
        The answers in order, or None where neither is preferred, from which there is nothing to learn.

    Raises:
        ValueError: There is no principle, or the critic cannot judge.

    Example:
        >>> constitutional_preference("Who knows?", "Ask ann@example.org.", "Ask Ann.").chosen
        'Ask Ann.'
    """
    _check(principles, 1)
    judge = ProgramCritic() if critic is None else critic
    votes = [judge.prefer(prompt, first, second, principle) for principle in principles]
    probability = sum(votes) / len(votes)
    if probability == 0.5:
        return None
    chosen, rejected = (first, second) if probability > 0.5 else (second, first)
    return AIPreference(prompt=prompt, chosen=chosen, rejected=rejected, probability=max(probability, 1 - probability))


def _shown(prompt: str, answer: str) -> str:
    return f"Prompt: {prompt}\n\nAnswer: {answer}"


def _check(principles: Sequence[Principle], rounds: int) -> None:
    if not principles or rounds < 1:
        raise ValueError(f"there are {len(principles)} principles and {rounds} rounds: give at least one of each")
