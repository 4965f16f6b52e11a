"""The loop: that it learns, that it repeats, and that it refuses what would train wrong."""

import math
from itertools import repeat

import pytest
import torch
from torch import nn

from llmcourse.pretraining import SyntheticLanguage, evaluate, one_epoch, train


class Bigram(nn.Module):
    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.table = nn.Embedding(vocab_size, vocab_size)
        self.bias = nn.Parameter(torch.zeros(vocab_size))
        nn.init.zeros_(self.table.weight)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return self.table(tokens) + self.bias


def batches(seed: int, n_tokens: int = 16_385):
    language = SyntheticLanguage(openers=(4, 4, 0), n_inner=4, n_values=4, n_likely=2)
    tokens = language.sample(n_tokens, seed=seed)
    return language, one_epoch(tokens, 8, 16, generator=torch.Generator().manual_seed(seed))


def test_a_bigram_model_reaches_the_bigram_entropy_and_not_the_languages() -> None:
    language, source = batches(0)
    model = Bigram(language.vocab_size)
    losses = train(model, source, total_steps=128, max_lr=0.3, warmup_steps=5, weight_decay=0.0)
    assert losses[0] == pytest.approx(math.log(language.vocab_size), rel=1e-6)
    text = language.sample(16_385, seed=9)
    pairs = torch.zeros(language.vocab_size, language.vocab_size).index_put_(
        (text[:-1], text[1:]), torch.ones(()), accumulate=True
    )
    conditional = pairs / pairs.sum(1, keepdim=True).clamp(min=1)
    bigram_entropy = -float((pairs * conditional.clamp(min=1e-9).log()).sum() / pairs.sum())
    found = evaluate(model, one_epoch(text, 8, 16))
    assert bigram_entropy < found < bigram_entropy + 0.05
    assert found > language.entropy_rate + 0.05


def test_a_run_repeats_itself() -> None:
    runs = []
    for _ in range(2):
        language, source = batches(3, 2049)
        runs.append(train(Bigram(language.vocab_size), source, total_steps=16, max_lr=0.1, warmup_steps=4))
    assert runs[0] == runs[1]


def test_one_step_is_adamws_at_the_scheduled_rate_after_clipping() -> None:
    inputs, labels = torch.tensor([[0, 1]]), torch.tensor([[1, 2]])
    ours, theirs = Bigram(3), Bigram(3)
    train(ours, [(inputs, labels)], total_steps=1, max_lr=0.1, min_lr=0.02, max_norm=0.1)
    optimizer = torch.optim.AdamW(
        [
            {"params": [theirs.table.weight], "weight_decay": 0.1},
            {"params": [theirs.bias], "weight_decay": 0.0},
        ],
        lr=0.02,
        betas=(0.9, 0.95),
    )
    nn.functional.cross_entropy(theirs(inputs)[0], labels[0]).backward()
    nn.utils.clip_grad_norm_(theirs.parameters(), 0.1)
    optimizer.step()
    torch.testing.assert_close(ours.table.weight, theirs.table.weight, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(ours.bias, theirs.bias, rtol=1e-5, atol=1e-7)


def test_evaluation_leaves_out_what_it_is_told_to_and_changes_nothing() -> None:
    model = Bigram(3).train()
    with torch.no_grad():
        model.table.weight[0, 1] = 5.0
    sequence = (torch.tensor([[0, 1, 2]]), torch.tensor([[1, 2, 0]]))
    assert evaluate(model, [sequence], skip=1) == pytest.approx(math.log(3))
    assert evaluate(model, [sequence]) < math.log(3)
    assert model.training
    with pytest.raises(ValueError, match="no label is left"):
        evaluate(model, [sequence], skip=3)


def test_too_few_batches_and_losses_that_diverge_are_errors() -> None:
    sequence = (torch.tensor([[0, 1]]), torch.tensor([[1, 2]]))
    with pytest.raises(ValueError, match="end after 3 of 4 steps"):
        train(Bigram(3), [sequence] * 3, total_steps=4, max_lr=0.1)
    broken = Bigram(3)
    with torch.no_grad():
        broken.bias[0] = torch.nan
    with pytest.raises(ValueError, match="the loss is nan at step 0"):
        train(broken, repeat(sequence), total_steps=2, max_lr=0.1)
