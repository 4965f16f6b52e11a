"""Short passages on the course's subjects, and questions with the passage that answers each, to try searches on.

They are data of the package and do not change with the book, so that no edit of a page changes an output.
"""

import json
from dataclasses import dataclass
from importlib.resources import files

__all__ = ["Passage", "Question", "course_passages", "course_questions"]


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A text that can be found.

    Attributes:
        id: A short name, no two alike.
        title: Of a few words.
        text: Two or three sentences.
    """

    id: str
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.title}. {self.text}"


@dataclass(frozen=True, kw_only=True)
class Question:
    """A question, and the ``id`` of the passage that answers it."""

    question: str
    answer: str


def _stored(part: str) -> list[dict[str, str]]:
    return json.loads(files("llmcourse.emerging").joinpath("passages.json").read_text(encoding="utf-8"))[part]


def course_passages() -> list[Passage]:
    """Return the passages, in the order of the course.

    Returns:
        62 of them.

    Example:
        >>> passages = course_passages()
        >>> len(passages), str(passages[6])[:60]
        (62, 'RMSNorm. RMSNorm divides a vector by the root of its mean sq')
    """
    return [Passage(**passage) for passage in _stored("passages")]


def course_questions() -> list[Question]:
    """Return the questions. Some share no telling word with their answer: those are what meaning is needed for.

    Returns:
        40 of them, each with another answer.

    Example:
        >>> questions = course_questions()
        >>> len(questions), questions[4]
        (40, Question(question='Why is it dearer to use a model in some languages?', answer='fertility'))
    """
    return [Question(**question) for question in _stored("questions")]
