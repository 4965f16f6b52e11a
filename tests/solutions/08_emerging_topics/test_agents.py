"""What is particular to the exercise: its functions are the reference's, and together they search and answer."""

import pytest

from llmcourse import emerging
from llmcourse.emerging import BM25, course_passages, course_questions, split_words

EXERCISE = "08_emerging_topics/agents.ipynb"
NAMES = ("inverse_document_frequency", "bm25_scores", "reciprocal_rank_fusion", "check_arguments", "tool_loop")
REFERENCE = {name: getattr(emerging, name) for name in NAMES}
LEFT_OUT = {"check_arguments": {"at"}}


@pytest.mark.parametrize("name", REFERENCE)
def test_parameters_are_those_of_the_reference(solution, parameters_of, name: str) -> None:
    assert parameters_of(solution[name]) == parameters_of(REFERENCE[name], LEFT_OUT.get(name, set()))


@pytest.mark.parametrize("seed", range(3))
def test_reference_passes_every_test(run_with, seed: int) -> None:
    run_with(lambda _: REFERENCE, seed)


def test_scores_of_the_solution_rank_the_courses_passages_as_the_index_does(solution) -> None:
    texts = [str(passage) for passage in course_passages()]
    index, documents = BM25(texts), [split_words(text) for text in texts]
    for question in course_questions()[:5]:
        scores = solution["bm25_scores"](split_words(question.question), documents)
        assert scores == pytest.approx(index.scores(question.question).tolist(), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("tool", [emerging.Calculator(), emerging.PythonTool()])
def test_check_of_the_solution_takes_the_references_tools(solution, tool) -> None:
    (name,) = tool.parameters["required"]
    assert solution["check_arguments"]({name: "1 + 1"}, tool.parameters) == []
    assert len(solution["check_arguments"]({name: 2, "more": 1}, tool.parameters)) == 2
