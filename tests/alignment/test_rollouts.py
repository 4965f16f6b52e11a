"""Rollouts: masks and ends, log-probabilities of the policy that drew, and frequencies."""

import pytest
import torch
from small_models import VOCAB_SIZE, small_model

from llmcourse.alignment import roll_out, sequence_log_probs

PROMPTS = [[1, 2, 3], [4], [5, 6, 7], [8, 9]]


def test_answers_belong_to_their_prompts_and_end_with_the_end() -> None:
    model = small_model()
    stops = {0, 3, 5, 11}
    found = roll_out(model, PROMPTS, 6, stop_tokens=stops, group_size=3, seed=0, pad_token=22)
    repeated = [prompt for prompt in PROMPTS for _ in range(3)]
    for row, (prompt, text) in enumerate(zip(repeated, found.texts(), strict=True)):
        tokens, mask = found.answers.tokens[row], found.answers.mask[row]
        assert tokens[: len(prompt)].tolist() == prompt and not mask[: len(prompt)].any()
        assert tokens[len(prompt) : len(prompt) + len(text)].tolist() == text
        assert (tokens[len(prompt) + len(text) :] == 22).all()
        assert not stops & set(text[:-1]), "an answer ends with the first end that it draws"
        assert bool(found.ended[row]) == (text[-1] in stops)
        assert found.ended[row] or len(text) == 6
        logits = model(torch.tensor([prompt + text]))[:, len(prompt) - 1 : -1]
        expected = sequence_log_probs(logits, torch.tensor([text]))
        torch.testing.assert_close(found.log_probs[row].sum()[None], expected.detach())
    assert found.ended.any() and not found.ended.all(), "both kinds of answers are tested"
    again = roll_out(model, PROMPTS, 6, stop_tokens=stops, group_size=3, seed=0, pad_token=22)
    assert torch.equal(again.answers.tokens, found.answers.tokens)


def test_tokens_are_drawn_as_predicted() -> None:
    table = torch.nn.Embedding(4, 4)
    found = roll_out(table, [[2]], 1, group_size=20_000, seed=1)
    drawn = torch.tensor(found.texts()).flatten().bincount(minlength=4) / 20_000
    torch.testing.assert_close(drawn, table.weight[2].softmax(-1).detach(), rtol=0, atol=0.015)  # four deviations


@pytest.mark.parametrize(
    ("prompts", "options"), [([], {}), ([[]], {}), ([[1]], {"group_size": 0}), ([[1]], {"max_new_tokens": 0})]
)
def test_what_cannot_be_drawn_is_refused(prompts, options) -> None:
    with pytest.raises(ValueError, match="give prompts of at least one token"):
        roll_out(small_model(), prompts, **{"max_new_tokens": 2} | options)
    assert VOCAB_SIZE
