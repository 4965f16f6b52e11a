import pytest
import torch

from llmcourse.emerging import (
    BiEncoder,
    Passage,
    Retriever,
    course_passages,
    course_questions,
    inverse_cloze_pairs,
    mean_reciprocal_rank,
    recall_at_k,
    reciprocal_rank_fusion,
    train_bi_encoder,
)


@pytest.fixture(scope="module")
def trained() -> Retriever:
    torch.manual_seed(0)
    encoder, passages = BiEncoder(), course_passages()
    pairs = inverse_cloze_pairs([passage.text for passage in passages])
    train_bi_encoder(encoder, pairs + [(passage.title, passage.text) for passage in passages])
    return Retriever(passages, encoder)


def test_search_over_the_courses_passages(trained):
    questions = course_questions()
    answers = [question.answer for question in questions]
    for method in ("words", "vectors", "fused"):
        rankings = [trained.rank(question.question, method) for question in questions]
        assert recall_at_k(rankings, answers, k=3) > 0.7, method  # chance finds 3 of 62
        assert mean_reciprocal_rank(rankings, answers) > 0.6, method


def test_fused_joins_the_other_two(trained):
    query = "How are weights split over devices?"
    expected = reciprocal_rank_fusion([trained.rank(query, "words"), trained.rank(query, "vectors")])
    assert trained.rank(query, "fused") == trained.rank(query) == expected
    assert [passage.id for passage in trained.search(query, k=4)] == expected[:4]


def test_ranks_by_cosine(trained):
    texts = [str(passage) for passage in trained.passages]
    cosines = torch.nn.functional.cosine_similarity(trained.encoder(["cache"]), trained.encoder(texts))
    best = trained.passages[int(cosines.argmax())].id
    assert trained.rank("cache", "vectors")[0] == best


def test_refuses():
    one = Passage(id="a", title="A", text="Words.")
    with pytest.raises(ValueError, match="share the id 'a'"):
        Retriever([one, one])
    with pytest.raises(ValueError, match="there are 0 documents"):
        Retriever([])
    with pytest.raises(ValueError, match="there is no encoder"):
        Retriever([one]).rank("words", "vectors")
    with pytest.raises(ValueError, match="method is 'magic'"):
        Retriever([one]).rank("words", "magic")
    with pytest.raises(ValueError, match="k is 0"):
        Retriever([one]).search("words", 0)
