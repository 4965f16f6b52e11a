"""Supervised fine-tuning: packing gives the loss of each conversation by itself, and only answers are learnt."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_models import VOCAB_SIZE, small_model

from llmcourse.alignment import pack_conversations, pad_conversations, sft_step
from llmcourse.architecture import add_lora


def conversations(seed: int, n: int = 5):
    generator = torch.Generator().manual_seed(seed)
    found = []
    for length in torch.randint(2, 9, (n,), generator=generator).tolist():
        tokens = torch.randint(VOCAB_SIZE, (length,), generator=generator).tolist()
        found.append((tokens, (torch.rand(length, generator=generator) < 0.6).tolist()))
    return found


@given(seed=st.integers(0, 200), seq_len=st.integers(8, 20))
def test_packing_keeps_every_conversation_once_and_apart(seed: int, seq_len: int) -> None:
    given_in = conversations(seed)
    batch = pack_conversations(given_in, seq_len)
    seen = []
    for row in range(len(batch.inputs)):
        ids = batch.document_ids[row]
        for document in ids.unique().tolist():
            here = ids == document
            tokens = [*batch.inputs[row, here].tolist(), batch.labels[row, here][-1].item()]
            seen.append((tokens, batch.mask[row, here].tolist()))
    for tokens, learnt in given_in:
        assert (tokens, learnt[1:]) in seen
    assert batch.n_kept == sum(sum(learnt[1:]) for _, learnt in given_in)


@pytest.mark.parametrize("make", [pad_conversations, lambda c: pack_conversations(c, 17)])
def test_the_loss_is_that_of_each_by_itself(make) -> None:
    model, talks = small_model(), conversations(3)
    total, count = 0.0, 0
    for tokens, learnt in talks:
        logits = model(torch.tensor([tokens[:-1]]))[0].log_softmax(-1)
        kept = torch.tensor(learnt[1:])
        labels = torch.tensor(tokens[1:])
        total -= float(logits.gather(1, labels[:, None])[kept].sum().detach())
        count += int(kept.sum())
    report = sft_step(model, torch.optim.SGD(model.parameters(), lr=0.0), make(talks))
    assert report.loss == pytest.approx(total / count, rel=1e-5)
    assert report.metrics["n_tokens"] == count


def test_prompts_are_not_learnt_and_nothing_learnt_moves_nothing() -> None:
    model = small_model()
    before = [p.clone() for p in model.parameters()]
    silent = [([1, 2, 3], [False, False, False])]
    report = sft_step(model, torch.optim.SGD(model.parameters(), lr=1.0), pad_conversations(silent))
    assert report.loss == 0 and report.grad_norm == 0
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))


def test_steps_learn_the_answer_with_adapters_alone() -> None:
    model = add_lora(small_model(), rank=2, targets=("q", "v", "w1", "w2"))
    frozen = {name: p.clone() for name, p in model.named_parameters() if not p.requires_grad}
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=0.05)
    batch = pack_conversations([([1, 2, 3, 4], [False, False, True, True]), ([5, 6, 7], [False, True, True])], 5)
    losses = [sft_step(model, optimizer, batch).loss for _ in range(30)]
    assert losses[-1] < losses[0] / 3
    assert all(torch.equal(p, frozen[name]) for name, p in model.named_parameters() if name in frozen)


def test_a_gradient_that_is_not_finite_changes_nothing() -> None:
    model = small_model()
    with torch.no_grad():
        model.norm.weight[0] = torch.inf
    before = model.output.weight.clone()
    batch = pad_conversations([([1, 2], [False, True])])
    with pytest.raises(ValueError, match="no step made"):
        sft_step(model, torch.optim.SGD(model.parameters(), lr=1.0), batch)
    assert torch.equal(model.output.weight, before)


@pytest.mark.parametrize(
    ("given_in", "message"),
    [
        ([], "there are 0 conversations"),
        ([([1], [True])], "a conversation has 1 tokens"),
        ([([1, 2], [True])], "a mask of 1"),
        ([([1] * 9, [True] * 9)], "9 tokens and seq_len is 4"),
    ],
)
def test_what_cannot_be_packed_is_refused(given_in, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pack_conversations(given_in, 4)
