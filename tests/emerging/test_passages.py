from llmcourse.emerging import course_passages, course_questions, split_words


def test_each_question_has_its_passage_and_no_passage_two_names():
    ids = [passage.id for passage in course_passages()]
    assert len(set(ids)) == len(ids) == 62
    answers = [question.answer for question in course_questions()]
    assert set(answers) <= set(ids)
    assert len(set(answers)) == len(answers) == 40


def test_passages_are_short_and_questions_are_not_copies():
    for passage in course_passages():
        assert 15 <= len(split_words(passage.text)) <= 60, passage.id
    texts = {passage.id: passage.text for passage in course_passages()}
    for question in course_questions():
        assert question.question.endswith("?")
        assert question.question[:-1].lower() not in texts[question.answer].lower()
