"""Principles that a program checks: each mends its own faults, for good, and leaves what is right."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmcourse.alignment import PRINCIPLES, at_most_words

TEXTS = st.lists(
    st.sampled_from(["Yes. ", "Ask ann@x.org! ", "yes. ", "and so ", "3.5 is it? ", "No", "\n"]), max_size=8
)


@given(parts=TEXTS)
@pytest.mark.parametrize("principle", [*PRINCIPLES, at_most_words(4)], ids=lambda p: p.text)
def test_what_is_mended_has_no_fault_and_stays(principle, parts: list[str]) -> None:
    answer = "".join(parts)
    if principle.fault("", answer) is not None:
        mended = principle.mend("", answer)
        assert principle.fault("", mended) is None
        assert mended != answer


@pytest.mark.parametrize(
    ("number", "answer", "fault", "mended"),
    [
        (0, "Write to a.b+c@mail.example.org.", "a.b+c@mail.example.org", "Write to [address removed]."),
        (1, "Yes. No. yes. Right!", "'yes.'", "Yes. No. Right!"),
        (2, "It is so. And th", "breaks off", "It is so."),
        (2, "And th", "breaks off", "And th."),
    ],
)
def test_faults_are_named_and_mended(number: int, answer: str, fault: str, mended: str) -> None:
    principle = PRINCIPLES[number]
    assert fault in principle.fault("", answer)
    assert principle.mend("", answer) == mended


@pytest.mark.parametrize("answer", ["", "It is so.", "At 5 @ home. Fine!"])
def test_what_is_right_has_no_fault(answer: str) -> None:
    assert [principle.fault("", answer) for principle in PRINCIPLES] == [None] * 3


def test_a_limit_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="limit is 0"):
        at_most_words(0)
