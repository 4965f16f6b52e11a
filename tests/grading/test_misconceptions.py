"""Messages of the same misconception are counted together, whatever values they name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.grading.misconceptions import misconceptions, without_values
from llmcourse.grading.report import Column, Report, Row


def row(student, *messages):
    beside = {"raw_score": 0.0, "penalty": 0.0, "late_s": 0.0, "state": "graded", "timestamp": None}
    names = dict.fromkeys(("last_name", "first_name", "email"), "")
    return Row(student=student, points=(0.0,) * len(messages), messages=messages, **beside, **names)


@pytest.mark.parametrize(
    ("message", "pattern"),
    [
        ("double(2) is 5, not 4: is it squared?", "double(…) is …, not …: is it squared?"),
        ("""the merges are [(b'a', b"b")], not []""", "the merges are …, not …"),
        ("isn't it the student's? 'x'", "isn't it the student's? …"),
        ("tensor([1., nan]) differs by 1e-05", "tensor(…) differs by …"),
        ("{'a': 1, 'b': [2, (3, 4)]} is wrong", "… is wrong"),
        ("<Cache object at 0x7f12ab> is None", "<Cache object at …> is …"),
        ("of 1,000,000 to 2.5, 3", "of … to …"),
        ("fp32 and utf8 and v2_x stay", "fp32 and utf8 and v2_x stay"),
        ("ValueError: it is none, in line 2, `return sum(v) / len(v)`", "ValueError: it is none"),
        ("ValueError: no, in line 3, `x = f(1)` (mean passes its own tests: look at what it is given)",
         "ValueError: no (mean passes its own tests: look at what it is given)"),
    ],
)  # fmt: skip
def test_values_and_places_are_left_out(message, pattern):
    assert without_values(message) == pattern


@given(st.integers(), st.floats(), st.lists(st.integers()), st.text(alphabet="ab c", max_size=5))
def test_any_values_give_the_same_pattern(number, real, several, text):
    assert without_values(f"f({number}) is {real}, {several!r} not {text!r}: why?") == "f(…) is … not …: why?"


def test_students_are_counted_by_function_and_message():
    columns = tuple(
        Column(notebook="steps", name=name, cells=(name,), max_points=1) for name in ("double", "mean")
    )  # fmt: skip
    rows = (
        row("carl", "double(2) is 5: squared?", ""),
        row("anna", "double(3) is 9: squared?", "not written yet"),
        row("ben", "not written yet", ""),
    )
    report = Report(assignment="01", due=None, max_score=2, columns=columns, rows=rows)
    found = [(item.column.name, item.pattern, item.students, item.graded) for item in misconceptions(report)]
    assert found == [
        ("double", "double(…) is …: squared?", ("anna", "carl"), 3),
        ("double", "not written yet", ("ben",), 3),
        ("mean", "not written yet", ("anna",), 3),
    ]
    assert misconceptions(report)[0].example == "double(2) is 5: squared?"
