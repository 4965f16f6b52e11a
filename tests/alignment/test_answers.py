"""Answers as rows: what counts, padding, and a Transformer's short way against all of its logits."""

import pytest
import torch
from small_models import random_pairs, small_model

from llmcourse.alignment import Answers, answer_log_probs, join_answers, reference_of, sequence_log_probs
from llmcourse.architecture import add_lora, lora_layers


def test_logits_for_answers_alone_give_the_same() -> None:
    model, answers = small_model(), random_pairs().chosen
    clear = answer_log_probs(lambda tokens: model(tokens), answers)
    found = answer_log_probs(model, answers)
    torch.testing.assert_close(found, clear)
    labels, mask = answers.tokens[:, 1:], answers.mask[:, 1:]
    expected = sequence_log_probs(model(answers.tokens[:, :-1]), labels, mask)
    torch.testing.assert_close(found.sum(1), expected)
    assert not found[~answers.mask].any()


def test_padding_does_not_change_an_answer() -> None:
    model = small_model()
    prompts, answers = [[1, 2, 3], [4]], [[5, 6, 7], [8, 9]]
    together = answer_log_probs(model, join_answers(prompts, answers, pad_token=11)).sum(1)
    alone = [answer_log_probs(model, join_answers([p], [a])).sum() for p, a in zip(prompts, answers, strict=True)]
    torch.testing.assert_close(together, torch.stack(alone))


def test_what_has_nothing_before_it_is_refused() -> None:
    with pytest.raises(ValueError, match="1 answers that begin a row"):
        answer_log_probs(small_model(), Answers(torch.zeros(1, 2, dtype=torch.int64), torch.ones(1, 2) > 0))
    with pytest.raises(ValueError, match="2 prompts, the shortest of 0 tokens, and 2 answers"):
        join_answers([[1], []], [[2], [3]])


def test_adapters_off_are_the_model_as_it_was_and_come_back() -> None:
    answers = random_pairs().chosen
    plain = small_model()
    expected = answer_log_probs(plain, answers)
    policy = add_lora(small_model(), rank=2)
    for adapter in lora_layers(policy):
        torch.nn.init.normal_(adapter.up)
    moved = answer_log_probs(policy, answers)
    with pytest.raises(RuntimeError), reference_of(policy) as frozen:
        found = answer_log_probs(frozen, answers)
        raise RuntimeError
    torch.testing.assert_close(found, expected.detach())
    assert not found.requires_grad
    assert torch.equal(answer_log_probs(policy, answers), moved)
    with pytest.raises(ValueError, match="the policy has 0 adapters"), reference_of(plain):
        pass
    next(lora_layers(policy)).merge()
    with pytest.raises(ValueError, match="1 of them merged"), reference_of(policy):
        pass
