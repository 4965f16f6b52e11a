"""Tables that a spreadsheet takes for text and numbers only."""

import csv

import pytest

from llmcourse.grading.spreadsheet import inert, write_table


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠A"])
def test_a_formula_is_made_inert(text):
    assert inert(text) == f"'{text}"


@pytest.mark.parametrize("value", ["a=1", " =1", 0, -1.5, True, ""])
def test_everything_else_is_left_alone(value):
    assert inert(value) == value


def test_a_table_is_read_back_as_it_was(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("x" * 1000)
    write_table(path, ["=a", "b"], [['quo"te', "com,ma"], ["two\nlines", None], ["é", -2]])
    with path.open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [
            ["'=a", "b"], ['quo"te', "com,ma"], ["two\nlines", ""], ["é", "-2"]
        ]  # fmt: skip
