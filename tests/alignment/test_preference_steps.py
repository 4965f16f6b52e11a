"""Steps on pairs: the shared prompt against two rows, closed first losses, LoRA, and the right way."""

import copy
import math

import pytest
import torch
from small_models import random_pairs, small_model

from llmcourse.alignment import (
    AnswerPairs,
    dpo_loss,
    dpo_step,
    join_answers,
    orpo_step,
    pair_log_probs,
    share_prompts,
    simpo_step,
)
from llmcourse.architecture import LatentAttentionConfig, add_lora

LATENT = LatentAttentionConfig(kv_rank=6, nope_head_dim=4, rope_head_dim=2, value_head_dim=4)
MODELS = [
    {},
    {"position_embedding": "learned", "norm": "layer"},
    {"qk_norm": True, "rope_pairing": "interleaved", "tie_embeddings": True},
    {"latent": LATENT, "n_kv_heads": 4},
]


@pytest.mark.parametrize("options", MODELS, ids=["plain", "learned", "norms", "latent"])
@pytest.mark.parametrize("average", [False, True])
def test_a_shared_prompt_gives_the_same_values_and_gradients(options, average: bool) -> None:
    model, pairs = small_model(**options), random_pairs(4, n=4)
    rows = share_prompts(*pairs)
    assert len(set(rows.prompt_lengths.tolist())) > 1, "prompts of different lengths"
    results = []
    for form in (pairs, rows):
        model.zero_grad()
        chosen, rejected = pair_log_probs(model, form, average=average)
        (2 * chosen - rejected).sum().backward()
        results.append((chosen.detach(), rejected.detach(), *(p.grad.clone() for p in model.parameters())))
    for clear, fast in zip(*results, strict=True):
        torch.testing.assert_close(fast, clear, rtol=1e-4, atol=1e-5)


def test_prompts_of_one_length_and_answers_of_one_token() -> None:
    model = small_model()
    for answers in ([[3], [4]], [[3, 5, 6], [4]]):
        pairs = AnswerPairs(join_answers([[1, 2], [7, 8]], answers), join_answers([[1, 2], [7, 8]], [[9], [9]]))
        for clear, fast in zip(pair_log_probs(model, pairs), pair_log_probs(model, share_prompts(*pairs)), strict=True):
            torch.testing.assert_close(fast, clear)


def test_neither_answer_sees_the_other() -> None:
    model, pairs = small_model(), random_pairs(1)
    rows = share_prompts(*pairs)
    changed = rows.answers.clone()
    changed[: len(changed) // 2] = (changed[: len(changed) // 2] + 1) % 23
    spoiled = rows._replace(answers=changed)
    assert torch.equal(pair_log_probs(model, rows)[1], pair_log_probs(model, spoiled)[1])
    assert not torch.equal(pair_log_probs(model, rows)[0], pair_log_probs(model, spoiled)[0])


def test_pairs_that_share_no_prompt_and_windows_are_refused() -> None:
    with pytest.raises(ValueError, match="answers to share one follow it"):
        share_prompts(random_pairs(0).chosen, random_pairs(1).rejected)
    with pytest.raises(ValueError, match=r"windows of \[3, 3\]"):
        pair_log_probs(small_model(window=3), share_prompts(*random_pairs()))


@pytest.mark.parametrize("form", [lambda pairs: pairs, lambda pairs: share_prompts(*pairs)], ids=["rows", "shared"])
@pytest.mark.parametrize("variant", ["sigmoid", "ipo"])
def test_dpo_goes_the_right_way_and_leaves_the_reference(form, variant: str) -> None:
    policy, pairs = small_model(), random_pairs()
    reference = copy.deepcopy(policy)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=3e-3)
    beta = 0.5
    reports = [dpo_step(policy, reference, optimizer, form(pairs), beta=beta, variant=variant) for _ in range(20)]
    first = math.log(2) if variant == "sigmoid" else (1 / (2 * beta)) ** 2
    assert reports[0].loss == pytest.approx(first, rel=1e-5)
    assert reports[0].metrics["accuracy"] == 0 and reports[-1].metrics["accuracy"] == 1
    assert reports[-1].loss < reports[0].loss / 2
    assert all(torch.equal(p, q) for p, q in zip(reference.parameters(), small_model().parameters(), strict=True))
    with torch.no_grad():
        average = variant == "ipo"
        now, before = (pair_log_probs(model, pairs, average=average) for model in (policy, reference))
        loss = dpo_loss(*now, *before, beta=beta, variant=variant).mean()
    report = dpo_step(policy, reference, optimizer, form(pairs), beta=beta, variant=variant)
    assert report.loss == pytest.approx(float(loss), rel=1e-4)
    gain = float((now[0] - before[0]).mean())
    assert report.metrics["chosen_gain"] == pytest.approx(gain, rel=1e-3, abs=1e-4)


def test_a_greater_beta_stays_nearer_to_the_reference() -> None:
    pairs, distances = random_pairs(), []
    for beta in (0.05, 1.0):
        policy, reference = small_model(), small_model()
        optimizer = torch.optim.SGD(policy.parameters(), lr=0.3 / beta)  # the gradient is proportional to beta
        for _ in range(60):
            dpo_step(policy, reference, optimizer, pairs, beta=beta, label_smoothing=0.2, max_norm=1e9)
        moved = pair_log_probs(policy, pairs)[0] - pair_log_probs(reference, pairs)[0]
        distances.append(abs(moved.sum().item()))
    assert distances[0] > 2 * distances[1]


STEPS = {
    "dpo": lambda model, optimizer, pairs: dpo_step(model, None, optimizer, pairs, beta=0.5),
    "orpo": lambda model, optimizer, pairs: orpo_step(model, optimizer, pairs, weight=1.0),
    "simpo": lambda model, optimizer, pairs: simpo_step(model, optimizer, pairs),
}


@pytest.mark.parametrize("name", STEPS)
def test_every_step_trains_adapters_alone(name: str) -> None:
    policy = add_lora(small_model(), rank=2, targets=("q", "v", "w1", "w2"))
    frozen = {key: p.clone() for key, p in policy.named_parameters() if not p.requires_grad}
    optimizer = torch.optim.AdamW([p for p in policy.parameters() if p.requires_grad], lr=0.03)
    pairs = share_prompts(*random_pairs())
    reports = [STEPS[name](policy, optimizer, pairs) for _ in range(25)]
    assert reports[-1].loss < reports[0].loss
    assert reports[-1].metrics["accuracy"] == 1
    assert all(torch.equal(p, frozen[key]) for key, p in policy.named_parameters() if key in frozen)
