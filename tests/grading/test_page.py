"""The report as a page: whole, escaped, and with nothing from outside."""

import csv
import html
import re
from datetime import UTC, datetime

import pytest

from llmcourse.grading.page import duration, render, write_html
from llmcourse.grading.report import Column, Report, Row
from llmcourse.grading.report_csv import write_csv, write_tables
from llmcourse.grading.similarity import Pair, SimilarFunction

HOSTILE = "<script>alert(1)</script>\"'&"
PATTERN = "<script>alert(…)</script>\"'&"


def row(student, points, *, messages=("", ""), state="graded", reason="", late_s=0.0, penalty=0.0, **names):
    score = sum(value or 0.0 for value in points)
    names = {"last_name": "", "first_name": "", "email": ""} | names
    values = {"points": points, "messages": messages, "raw_score": score, "penalty": penalty, "late_s": late_s}
    return Row(student=student, state=state, reason=reason, timestamp=None, **values, **names)


@pytest.fixture
def report():
    columns = (
        Column(notebook="steps", name="double", cells=("a",), max_points=2),
        Column(notebook="steps", name=HOSTILE, cells=("b",), max_points=3),
    )
    rows = (
        row("anna", (2.0, 1.5), messages=("", f"{HOSTILE} is 4"), late_s=90_000.0, penalty=1.0),
        row(HOSTILE, (None, None), state="failed", reason=f"{HOSTILE} failed", last_name=HOSTILE),
        row("=SUM(A1)", (0.0, 0.0), messages=("=1+1 is 3", f"{HOSTILE} is 5")),
    )
    alike = Pair(first=HOSTILE, second="=B", functions=(SimilarFunction(name=HOSTILE, similarity=0.826),), weight=31.46)
    return Report(
        assignment=HOSTILE, due=datetime(2027, 2, 1), max_score=5, columns=columns, rows=rows, similar=(alike,)
    )


@pytest.fixture
def page(report):
    return render([report], made=datetime(2027, 2, 2, 12, tzinfo=UTC))


def test_nothing_that_a_student_wrote_becomes_markup(page):
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == page.count("alert(1)") > 12
    assert "\"'&" not in page


def test_the_page_needs_nothing_from_outside(page):
    assert not re.findall(r"\s(?:src|href)=|url\(|@import|https?:", page)
    assert "default-src 'none'" in page


def test_the_page_says_what_the_rows_say(page):
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    assert "2 graded, 1 failed, 0 need a person, 1 late. Mean 1.25 of 5. Due 2027-02-01 00:00 UTC." in text
    assert "anna 2 1.5 <script>alert(1)</script>\"'& is 4 2.5 1.0 days, −1 graded" in html.unescape(text)


def test_the_page_says_what_the_class_did(page):
    text = html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))
    assert "double steps, 2 50% 1 of 2 1 1 " in text
    assert f"2 of 2 {HOSTILE} {PATTERN} is … {HOSTILE} is 4 =SUM(A1), anna" in text
    assert f"{HOSTILE} =B {HOSTILE} 83%" in text


def test_cells_are_coloured_by_their_share(page):
    assert page.count('class="number all"') == 1
    assert page.count('class="number some"') == 1
    assert page.count('class="number zero"') == 2
    assert page.count('class="number none"') == 2


def test_the_file_is_the_page(report, tmp_path):
    write_html([report], tmp_path / "marks.html")
    assert (tmp_path / "marks.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_no_cell_of_the_table_is_a_formula(report, tmp_path):
    write_csv([report], tmp_path / "marks.csv")
    with (tmp_path / "marks.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[2]["student_id"] == "'=SUM(A1)"
    assert rows[1]["reason"] == f"{HOSTILE} failed"
    assert rows[0][f"{HOSTILE}/steps/double"] == "2.0"
    assert rows[0][f"{HOSTILE}/steps/{HOSTILE}: why"] == f"{HOSTILE} is 4"
    assert rows[2][f"{HOSTILE}/steps/double: why"] == "'=1+1 is 3"
    assert (rows[0]["raw_score"], rows[0]["late_submission_penalty"], rows[0]["score"]) == ("3.5", "1.0", "2.5")


def test_the_class_has_tables_beside_the_marks(report, tmp_path):
    written = write_tables([report], tmp_path / "marks.csv")
    assert [path.name for path in written] == [
        "marks.csv", "marks-functions.csv", "marks-misconceptions.csv", "marks-similar.csv"
    ]  # fmt: skip
    functions, wrong, similar = ([*csv.DictReader(path.read_text().splitlines())] for path in written[1:])
    assert list(functions[0].values()) == [HOSTILE, "steps/double", "2", "2", "1", "1", "1.0"]
    assert list(wrong[0].values()) == [
        HOSTILE, f"steps/{HOSTILE}", "2", "2", f"{PATTERN} is …", f"{HOSTILE} is 4", "'=SUM(A1) anna"
    ]  # fmt: skip
    assert list(wrong[1].values())[2:] == ["1", "2", "'=…+… is …", "'=1+1 is 3", "'=SUM(A1)"]
    assert list(similar[0].values()) == [HOSTILE, HOSTILE, "'=B", HOSTILE, "0.826", "31.5"]


@pytest.mark.parametrize(("seconds", "words"), [(1, "1 min"), (3599, "60 min"), (3600, "1.0 h"), (86_400, "1.0 days")])
def test_durations_have_one_unit(seconds, words):
    assert duration(seconds) == words
