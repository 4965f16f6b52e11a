"""One line of ordinary characters, whatever a student's exception says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.grading.messages import one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("two\nlines\r\n and\ttabs ", "two lines and tabs"),
        ("\x1b[2J\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("a\u202eb\u200bc\x00d\x9be", "abcde"),
        ("\ud800x", "x"),
        ("naïve €", "naïve €"),
    ],
)
def test_a_message_is_one_printable_line(text, line):
    assert one_line(text) == line


@given(st.text(max_size=500))
def test_nothing_that_moves_a_cursor_is_left(text):
    line = one_line(text)
    assert line.isprintable() or all(c.isprintable() or c == " " or ord(c) > 0x9F for c in line)
    assert "\n" not in line and "\x1b" not in line


def test_a_long_message_is_cut():
    assert one_line("x" * 10_000_000) == "x" * 297 + "..."
    assert one_line("abcdef", 5) == "ab..."
