import numpy as np
import pytest
import regex

from llmcourse.tokenization import character_classes as classes

EVERYTHING = np.arange(0x110000, dtype=np.uint32)


@pytest.mark.parametrize(
    ("expression", "flag"),
    [
        (r"\p{L}", classes.LETTER),
        (r"\p{N}", classes.NUMBER),
        (r"\s", classes.SPACE),
        (r"\p{M}", classes.MARK),
        (r"[\p{Lu}\p{Lt}]", classes.UPPER),
        (r"\p{Ll}", classes.LOWER),
    ],
)
def test_every_code_point_has_the_class_that_the_expression_gives_it(expression: str, flag: int) -> None:
    flags = classes.classes_of(EVERYTHING)
    having = {ord(character) for character in regex.findall(expression, "".join(map(chr, range(0x110000))))}
    assert set(np.flatnonzero(flags & flag).tolist()) == having


def test_bytes_code_points_and_both_tables_agree() -> None:
    ascii_text = bytes(range(128))
    first = np.arange(0x20000, dtype=np.uint32)
    assert classes.classes_of(ascii_text).tolist() == classes.classes_of(first)[:128].tolist()
    assert (classes.classes_of(first) == classes.classes_of(EVERYTHING)[: first.size]).all()


def test_blank_and_newlines_are_single_characters() -> None:
    flags = classes.classes_of(EVERYTHING)
    assert np.flatnonzero(flags & classes.BLANK).tolist() == [0x20]
    assert np.flatnonzero(flags & classes.NEWLINE).tolist() == [0x0A, 0x0D]
