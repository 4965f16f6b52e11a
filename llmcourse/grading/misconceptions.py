"""What a class gets wrong: the messages of failing tests, counted over students.

A test's message names the misconception that a wrong result resembles, with the values that it met. Messages are taken
for the same when they differ in values only: numbers, quoted text, and brackets that hold nothing else.
"""

import re
from collections import defaultdict
from dataclasses import dataclass

from llmcourse.grading.report import Column, Report

__all__ = ["Misconception", "misconceptions", "without_values"]

_VALUE = "…"
# Where in the student's code it happened, which llmcourse.grading.failures adds.
_PLACE = re.compile(r",? in line \d+, `.*?`(?=$|[\s:;,.()])")
_QUOTED = re.compile(r"""(?<!\w)b?'(?:[^'\\]|\\.)*'(?!\w)|(?<!\w)b?"(?:[^"\\]|\\.)*\"""")
_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:0x[0-9a-f]+|\d+(?:[_,]\d{3})*(?:\.\d*(?=\D|$))?(?:e[-+]?\d+)?)(?!\w)", re.I)
_WORD_VALUE = re.compile(r"(?<!\w)[-+]?(?:nan|inf|True|False|None)\b")
_SEVERAL = re.compile(rf"{_VALUE}(?:\s*[,:]\s*{_VALUE})+")
_BRACKETED = re.compile(rf"(?<![\w])[\[({{]\s*(?:{_VALUE})?\s*,?\s*[\])}}]")


@dataclass(frozen=True, kw_only=True)
class Misconception:
    """A message that failing tests of a function gave, and whose submissions they gave it for.

    Attributes:
        column: The function.
        pattern: The message without its values.
        example: One of the messages.
        students: Names, sorted.
        graded: How many submissions were graded for the function.
    """

    column: Column
    pattern: str
    example: str
    students: tuple[str, ...]
    graded: int


def misconceptions(report: Report) -> tuple[Misconception, ...]:
    """Count the first messages of failing tests.

    Args:
        report: The marks of an assignment.

    Returns:
        Misconceptions, those of most students first; within as many, in the order of the columns.
    """
    found = []
    for index, column in enumerate(report.columns):
        said = defaultdict(list)
        for row in report.rows:
            if message := row.messages[index]:
                said[without_values(message)].append((row.student, message))
        graded = sum(row.points[index] is not None for row in report.rows)
        for pattern, cases in sorted(said.items()):
            students = tuple(sorted(student for student, _ in cases))
            example = min(message for _, message in cases)
            found.append(
                Misconception(column=column, pattern=pattern, example=example, students=students, graded=graded)
            )
    return tuple(sorted(found, key=lambda item: -len(item.students)))


def without_values(message: str) -> str:
    """Return a message with three dots for each value in it.

    Args:
        message: One line.

    Returns:
        What messages of the same misconception share.

    Example:
        >>> without_values("double(2) is [4, 'a'], not 4.5e-3: isn't it squared?")
        "double(…) is …, not …: isn't it squared?"
    """
    message = _PLACE.sub("", message)
    for pattern in (_QUOTED, _NUMBER, _WORD_VALUE):
        message = pattern.sub(_VALUE, message)
    before = None
    while before != message:
        before, message = message, _BRACKETED.sub(_VALUE, _SEVERAL.sub(_VALUE, message))
    return message
