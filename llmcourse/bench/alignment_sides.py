"""The sides of the alignment benchmark: one step each of DPO and of GRPO, on the same weights and the same answers."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Literal

import torch
from torch import Tensor

from llmcourse.alignment import (
    AnswerPairs,
    Answers,
    Rollouts,
    answer_log_probs,
    dpo_loss,
    dpo_step,
    grpo_step,
    join_answers,
    share_prompts,
)
from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.bench.trl_contenders import trl_dpo_loss, trl_grpo_loss
from llmcourse.runtime import best_device

__all__ = ["SIZES", "Setting", "dpo_sides", "grpo_sides", "new_transformer"]

BETA = 0.1
SIZES: dict[str, dict[str, int]] = {
    "tiny": {"d_model": 32, "d_ff": 88, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2},
    "6M": {"d_model": 256, "d_ff": 688, "n_layers": 5, "n_heads": 4, "n_kv_heads": 2},
    "350M": {"d_model": 1024, "d_ff": 2816, "n_layers": 24, "n_heads": 16, "n_kv_heads": 8},
}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is measured.

    Args:
        size: Of the model.
        prompt_len: Tokens of a prompt.
        answer_len: Tokens of the longest answer; others are down to half as long.
        method: What is stepped.
        batch_size: Pairs in a step, or prompts with a group of answers each.
        group_size: Answers to each prompt, for GRPO.
        vocab_size: Rows of the embedding.
        repeats: Rounds.
    """

    size: str
    prompt_len: int
    answer_len: int
    method: Literal["dpo", "grpo"] = "dpo"
    batch_size: int = 8
    group_size: int = 8
    vocab_size: int = 4096
    repeats: int = 7


def dpo_sides(
    setting: Setting, policy: Transformer, reference: Transformer, theirs: list[Any]
) -> dict[str, Callable[[], float]]:
    """Return a step of DPO for each side.

    Args:
        setting: What is measured.
        policy: Ours, which the sides copy.
        reference: The frozen model.
        theirs: transformers' policy and reference with the same weights, where TRL is there.

    Returns:
        By name; each returns its loss.
    """
    pairs = _pairs(setting, best_device())
    rows = share_prompts(*pairs)
    twin, optimizer = copy.deepcopy(policy), _optimizer(policy)
    steps: dict[str, Callable[[], float]] = {
        "ours": lambda: dpo_step(policy, reference, optimizer, rows, beta=BETA).loss,
        "rows": _concatenated(twin, reference, pairs),
    }
    if theirs:
        steps[_trl_name()] = _step(theirs[0], trl_dpo_loss(theirs[0], theirs[1], pairs, beta=BETA))
    return steps


def grpo_sides(
    setting: Setting, policy: Transformer, reference: Transformer, theirs: list[Any]
) -> dict[str, Callable[[], float]]:
    """Return a step of GRPO for each side.

    Args:
        setting: What is measured.
        policy: Ours, which the sides copy.
        reference: Not needed with beta = 0, which is measured.
        theirs: transformers' policy and reference with the same weights, where TRL is there.

    Returns:
        By name; each returns its loss.
    """
    del reference
    drawn, rewards = _rollouts(setting, policy)
    size = setting.group_size

    def ours(model: Transformer, *, share: bool) -> Callable[[], float]:
        optimizer = _optimizer(model)
        return lambda: grpo_step(model, None, optimizer, drawn, rewards, group_size=size, share=share).loss

    steps = {"ours": ours(policy, share=True), "rows": ours(copy.deepcopy(policy), share=False)}
    if theirs:
        steps[_trl_name()] = _step(theirs[0], trl_grpo_loss(theirs[0], drawn, rewards, group_size=size))
    return steps


def _trl_name() -> str:
    return f"trl {version('trl')}"


def new_transformer(setting: Setting, seed: int) -> Transformer:
    """Return a model of the size that is measured.

    Args:
        setting: Names the size.
        seed: Of the weights.

    Returns:
        On the CPU.
    """
    torch.manual_seed(seed)  # policy and reference differ, or every loss were ln 2
    sizes: dict[str, Any] = dict(SIZES[setting.size])
    return Transformer(ModelConfig(vocab_size=setting.vocab_size, **sizes))


def _texts(setting: Setting, n: int, shortest: int, longest: int, generator: torch.Generator) -> list[list[int]]:
    lengths = torch.randint(shortest, longest + 1, (n,), generator=generator).tolist()
    return [torch.randint(1, setting.vocab_size, (k,), generator=generator).tolist() for k in lengths]


def _pairs(setting: Setting, device: torch.device) -> AnswerPairs:
    generator, n = torch.Generator().manual_seed(0), setting.batch_size
    prompts = _texts(setting, n, setting.prompt_len, setting.prompt_len, generator)
    sides = [
        join_answers(prompts, _texts(setting, n, setting.answer_len // 2, setting.answer_len, generator))
        for _ in range(2)
    ]
    chosen, rejected = (Answers(side.tokens.to(device), side.mask.to(device)) for side in sides)
    return AnswerPairs(chosen, rejected)


@torch.no_grad()
def _rollouts(setting: Setting, policy: Transformer) -> tuple[Rollouts, Tensor]:
    """Return answers, with log-probabilities near the policy's as if a step had been made since, and rewards."""
    generator, device = torch.Generator().manual_seed(0), policy.embedding.weight.device
    prompts = _texts(setting, setting.batch_size, setting.prompt_len, setting.prompt_len, generator)
    repeated = [prompt for prompt in prompts for _ in range(setting.group_size)]
    shortest = setting.answer_len // 2
    answers = join_answers(repeated, _texts(setting, len(repeated), shortest, setting.answer_len, generator))
    answers = Answers(answers.tokens.to(device), answers.mask.to(device))
    noise = 0.1 * torch.randn(answers.mask.shape, generator=generator).to(device)
    old = (answer_log_probs(policy, answers) + noise).where(answers.mask, 0.0)
    rewards = torch.rand(len(repeated), generator=generator).to(device)
    return Rollouts(answers, old, torch.ones(len(repeated), dtype=torch.bool, device=device)), rewards


def _optimizer(model: torch.nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)


def _step(model: torch.nn.Module, loss: Callable[[], Tensor]) -> Callable[[], float]:
    optimizer = _optimizer(model)
    return lambda: _finish(model, optimizer, loss())


def _finish(model: torch.nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> float:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()  # waits for a GPU


def _concatenated(policy: Transformer, reference: Transformer, pairs: AnswerPairs) -> Callable[[], float]:
    optimizer = _optimizer(policy)
    width = max(side.tokens.shape[1] for side in pairs)
    tokens, mask = (
        torch.cat([torch.nn.functional.pad(side[part], (0, width - side.tokens.shape[1])) for side in pairs])
        for part in (0, 1)
    )
    start = int(mask.int().argmax(1).min()) - 1

    def log_probs(model: Transformer) -> tuple[Tensor, ...]:
        logits = model.output(model.hidden(tokens[:, :-1])[:, start:])
        picked = -torch.nn.functional.cross_entropy(
            logits.flatten(0, 1).float(), tokens[:, start + 1 :].flatten(), reduction="none"
        )
        return picked.view(len(tokens), -1).where(mask[:, start + 1 :], 0.0).sum(1).chunk(2)

    def step() -> float:
        with torch.no_grad():
            before = log_probs(reference)
        return _finish(policy, optimizer, dpo_loss(*log_probs(policy), *before, beta=BETA).mean())

    return step
