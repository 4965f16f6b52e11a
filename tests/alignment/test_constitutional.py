"""Constitutional AI: revisions until nothing is wrong, preferences in either order, and models that reply badly."""

import pytest

from llmcourse.alignment import (
    PRINCIPLES,
    AnswerCritic,
    LanguageModelCritic,
    Principle,
    ProgramCritic,
    at_most_words,
    constitutional_preference,
    constitutional_revision,
)

BAD = "Ask ann@example.org. Ask ann@example.org. And th"


def test_every_fault_is_criticised_and_mended_in_order() -> None:
    found = constitutional_revision("Who?", BAD)
    assert found.revised == "Ask [address removed]."
    assert len(found.answers) == len(found.criticisms) + 1 == 4
    assert found.answers[0] == BAD and "ann@example.org" in found.criticisms[0]
    again = constitutional_revision("Who?", found.revised)
    assert again.answers == (found.revised,) and again.criticisms == ()


def test_mending_one_fault_may_make_another_and_rounds_mend_that() -> None:
    principles = (PRINCIPLES[2], at_most_words(3))
    answer = "One two three four. Five."
    once = constitutional_revision("", answer, principles=principles)
    assert once.revised == "One two three", "shortening broke a sentence off"
    assert constitutional_revision("", answer, principles=principles, rounds=3).revised == "One two three."


def test_the_answer_without_a_fault_is_preferred_whichever_stands_first() -> None:
    for first, second in (("Ask Ann.", BAD), (BAD, "Ask Ann.")):
        found = constitutional_preference("Who?", first, second)
        assert (found.chosen, found.rejected, found.probability) == ("Ask Ann.", BAD, 1.0)
    assert constitutional_preference("Who?", "Ask Ann.", "Ask Bob.") is None
    mixed = constitutional_preference("Who?", "Ask ann@example.org.", "Ask. Ask. And")
    assert mixed.chosen == "Ask ann@example.org." and mixed.probability == pytest.approx(2 / 3)


class Scripted:
    """A model that says what it was told to, and keeps what it was asked."""

    def __init__(self, *replies: str) -> None:
        self.replies, self.asked = list(replies), []

    def __call__(self, question: str) -> str:
        self.asked.append(question)
        return self.replies.pop(0)


def test_a_language_model_criticises_and_revises() -> None:
    model = Scripted("It is rude.", "Please.", "None.")
    critic = LanguageModelCritic(model)
    assert isinstance(critic, AnswerCritic) and isinstance(ProgramCritic(), AnswerCritic)
    kind = Principle(text="Be kind.")
    found = constitutional_revision("Open!", "No!", principles=[kind], critic=critic, rounds=2)
    assert found.answers == ("No!", "Please.") and found.criticisms == ("It is rude.",)
    assert all("Be kind." in question for question in model.asked)
    assert "It is rude." in model.asked[1] and "Please." in model.asked[2]


def test_a_model_that_always_takes_the_first_has_no_preference() -> None:
    kind = [Principle(text="Be kind.")]
    biased = LanguageModelCritic(lambda question: "A")
    assert constitutional_preference("", "x", "y", principles=kind, critic=biased) is None
    honest = LanguageModelCritic(lambda question: "(B)." if "Answer B: y" in question else " a")
    assert constitutional_preference("", "x", "y", principles=kind, critic=honest).chosen == "y"


def test_replies_of_another_form_are_asked_again_and_then_told() -> None:
    kind = Principle(text="Be kind.")
    model = Scripted("Both are fine", "", "A", "B")
    assert LanguageModelCritic(model).prefer("", "x", "y", kind) == 1.0
    assert len(model.asked) == 4
    with pytest.raises(ValueError, match=r"the model replied 'Both' at the last of 2 attempts"):
        LanguageModelCritic(lambda question: "Both", attempts=2).prefer("", "x", "y", kind)


def test_what_cannot_be_judged_is_refused() -> None:
    with pytest.raises(ValueError, match="there are 0 principles and 1 rounds"):
        constitutional_revision("", "x", principles=[])
    with pytest.raises(ValueError, match=r"'Be kind\.' has no program"):
        constitutional_revision("", "x", principles=[Principle(text="Be kind.")])
