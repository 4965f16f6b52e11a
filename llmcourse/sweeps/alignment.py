r"""Every way of alignment on one task, from one model: true reward, distance from the reference, length, likelihoods.

The task is :class:`llmcourse.alignment.GroceryLists`. Pairs are two answers of the fine-tuned model each, compared by
people who judge with noise and with an eye to length; a seed draws its own prompts, answers, judgements and batches.
All runs of one seed learn from the same pairs.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from llmcourse.alignment import (
    AnswerPairs,
    RewardModel,
    constitutional_preference,
    constitutional_revision,
    dpo_step,
    grpo_step,
    judge_rollouts,
    orpo_step,
    pair_log_probs,
    ppo_step,
    reward_step,
    simpo_loss,
    simpo_step,
    take_step,
)
from llmcourse.architecture import Transformer
from llmcourse.sweeps.grocery_answers import (
    TASK,
    TEST_SEED,
    Texts,
    draw_answers,
    gains,
    human_pairs,
    join_pairs,
    measure,
)
from llmcourse.sweeps.grocery_models import CARE, fine_tune, load_grocery_model
from llmcourse.sweeps.sweep import Settings, Sweep

__all__ = ["ALIGNMENT", "train_reward_model", "unit_spread"]

_CONSTANTS = {
    "length_bias": TASK.length_bias,
    "sharpness": TASK.sharpness,
    "models": CARE,
    "lr": 1e-3,
    "pair_lr": 5e-4,  # of DPO and what is like it
    "batch_size": 32,
    "simpo_gamma": 0.5,  # times beta
    "test_prompts": 512,
    "test_seed": TEST_SEED,
    "version": 2,
}


def _batches(pairs: Texts, steps: int, seed: int, device: str) -> Iterator[AnswerPairs]:
    """Give batches, each pair once before any comes again."""
    size, generator = _CONSTANTS["batch_size"], torch.Generator().manual_seed(seed)
    times = steps * size // len(pairs) + 1
    order = torch.cat([torch.randperm(len(pairs), generator=generator) for _ in range(times)]).tolist()
    for step in range(steps):
        yield join_pairs([pairs[place] for place in order[step * size : (step + 1) * size]], device=device)


def _optimizer(*models: torch.nn.Module, lr: float) -> torch.optim.AdamW:
    parameters = [parameter for model in models for parameter in model.parameters()]
    return torch.optim.AdamW(parameters, lr=lr, weight_decay=0.0, betas=(0.9, 0.95))


def _from_pairs(settings: Settings, device: str, pairs: Texts, start: Transformer | None = None) -> Transformer:
    """Run DPO, ORPO, SimPO, or SimPO's loss of sums, which the paper calls "without length normalisation"."""
    method, strength = settings["method"], settings["strength"]
    policy = start or load_grocery_model("base" if method == "orpo" else "sft", device=device)
    reference = load_grocery_model("sft", device=device) if start is None else _copy(start)
    optimizer = _optimizer(policy, lr=_CONSTANTS["pair_lr"])
    margin = _CONSTANTS["simpo_gamma"] * strength
    for batch in _batches(pairs, settings["steps"], settings["seed"], device):
        if method in ("dpo", "rlaif"):
            dpo_step(policy, reference, optimizer, batch, beta=strength)
        elif method == "orpo":
            orpo_step(policy, optimizer, batch, weight=strength)
        elif method == "simpo":
            simpo_step(policy, optimizer, batch, beta=strength, gamma=margin)
        else:
            loss = simpo_loss(*pair_log_probs(policy, batch), beta=strength, gamma=margin)
            take_step(policy, optimizer, loss.mean())
    return policy


def _copy(model: Transformer) -> Transformer:
    twin = Transformer(model.config).to(model.embedding.weight.device)
    twin.load_state_dict(model.state_dict())
    return twin.eval()


def train_reward_model(seed: int, n: int, *, steps: int = 120, device: str = "cpu") -> RewardModel:
    r"""Train a reward model on people's judgements.

    Args:
        seed: Of the pairs and of the batches.
        n: How many prompts the pairs are of.
        steps: How many.
        device: Where to compute.

    Returns:
        A frozen model.
    """
    torch.manual_seed(seed)
    model = RewardModel(load_grocery_model("sft", device=device)).to(device)
    optimizer = _optimizer(model, lr=_CONSTANTS["lr"])
    for batch in _batches(human_pairs(seed, n, device=device), steps, seed + 5, device):
        reward_step(model, optimizer, batch, centering=0.01)
    return model.eval().requires_grad_(False)


@torch.no_grad()
def unit_spread(judge: RewardModel, *, n: int = 512, device: str = "cpu") -> RewardModel:
    r"""Bring a reward model's scores of the fine-tuned model's answers to a standard deviation of 1.

    A comparison does not fix the scale of scores: a judge that has read few of them often is surer of itself, and the
    same price of the KL would be a lower one.

    Args:
        judge: Changed: its head is divided.
        n: Answers that it is measured on.
        device: Where the judge is.

    Returns:
        The same model.
    """
    drawn, _ = draw_answers(load_grocery_model("sft", device=device), TASK.prompts(n, seed=99), seed=0, device=device)
    judge.head.weight.div_(judge(*drawn.answers).std())
    return judge


def _ppo(settings: Settings, device: str) -> tuple[Transformer, dict[str, Any]]:
    """Run PPO against a reward model, and note what it saw and what was true on the way."""
    seed = settings["seed"]
    judge = unit_spread(train_reward_model(seed, settings["pairs"], device=device), device=device)
    policy, reference = (load_grocery_model("sft", device=device) for _ in range(2))
    critic = RewardModel(load_grocery_model("sft", device=device)).to(device)
    optimizer = _optimizer(policy, critic, lr=_CONSTANTS["lr"])
    seen: list[tuple[float, float, float]] = []
    for step in range(settings["steps"]):
        prompts = TASK.prompts(64, seed=10**6 * (seed + 1) + step)
        drawn, texts = draw_answers(policy, prompts, seed=1000 * seed + step, device=device)
        with torch.no_grad():
            scores = judge(*drawn.answers)
        batch = judge_rollouts(policy, reference, critic, drawn, scores, beta=settings["strength"])
        for _ in range(2):
            ppo_step(policy, critic, optimizer, batch)
        true = sum(TASK.true_reward(*pair) for pair in zip(prompts, texts, strict=True)) / len(prompts)
        seen.append((float(scores.mean()), true, batch.kl))
    means = torch.tensor(seen).unflatten(0, (-1, min(5, len(seen)))).mean(1)  # of five batches each
    names = ("proxy_path", "reward_path", "kl_path")
    return policy, {name: _rounded(column) for name, column in zip(names, means.T, strict=True)}


def _rounded(values: Tensor) -> list[float]:
    return [round(value, 4) for value in values.tolist()]


def _grpo(settings: Settings, device: str) -> Transformer:
    """Run GRPO on the true reward, as a program that verifies answers would give it, or on a reward model's."""
    judge = None
    if settings["method"] == "grpo_judge":
        judge = unit_spread(train_reward_model(settings["seed"], settings["pairs"], device=device), device=device)
    policy, reference = (load_grocery_model("sft", device=device) for _ in range(2))
    optimizer, seed, size = _optimizer(policy, lr=_CONSTANTS["lr"]), settings["seed"], 8
    for step in range(settings["steps"]):
        prompts = TASK.prompts(8, seed=10**6 * (seed + 1) + step)
        drawn, texts = draw_answers(policy, prompts, seed=1000 * seed + step, group_size=size, device=device)
        asked = [prompt for prompt in prompts for _ in range(size)]
        rewards = torch.tensor([TASK.true_reward(*pair) for pair in zip(asked, texts, strict=True)], device=device)
        if judge is not None:
            with torch.no_grad():
                rewards = judge(*drawn.answers)
        grpo_step(policy, reference, optimizer, drawn, rewards, group_size=size, beta=settings["strength"])
    return policy


def _rlaif(settings: Settings, device: str) -> Transformer:
    """Run the constitutional loop: fine-tuning on revised answers, then DPO on the constitution's own comparisons."""
    seed, principles = settings["seed"], TASK.constitution()
    model = load_grocery_model("sft", device=device)
    prompts = TASK.prompts(512, seed=1000 * seed + 11)
    _, answers = draw_answers(model, prompts, seed=1000 * seed + 1, device=device)
    # One principle an answer, in turn: the paper draws it at random.
    revised = [
        constitutional_revision(prompt, answer, principles=[principles[place % len(principles)]]).revised
        for place, (prompt, answer) in enumerate(zip(prompts, answers, strict=True))
    ]
    fine_tune(model, prompts, revised, steps=32, lr=_CONSTANTS["pair_lr"], batch_size=_CONSTANTS["batch_size"])
    first, second = (draw_answers(model, prompts, seed=1000 * seed + k, device=device)[1] for k in (2, 3))
    labels = [
        constitutional_preference(*texts, principles=principles) for texts in zip(prompts, first, second, strict=True)
    ]
    pairs = [(label.prompt, label.chosen, label.rejected) for label in labels if label is not None]
    return _from_pairs(settings, device, pairs, start=model)


def run(settings: Settings, device: str) -> dict[str, Any]:
    r"""Align one model, and measure it.

    Args:
        settings: ``method``; ``strength``, which is beta, or ORPO's weight; ``pairs``, the prompts that people judged;
            ``steps``; ``seed``.
        device: Where.

    Returns:
        What :func:`measure` does; ``chosen_gain`` and ``rejected_gain``, by how many nats the pairs' answers have
        become likelier than under the fine-tuned model; and for PPO, as means of five batches each, the reward
        model's score, the true reward and the KL on the way.
    """
    method, path = settings["method"], dict[str, Any]()
    torch.manual_seed(settings["seed"])
    if method in ("base", "sft"):
        model = load_grocery_model(method, device=device)
    elif method == "ppo":
        model, path = _ppo(settings, device)
    elif method in ("grpo", "grpo_judge"):
        model = _grpo(settings, device)
    elif method == "rlaif":
        model = _rlaif(settings, device)
    else:
        model = _from_pairs(settings, device, human_pairs(settings["seed"], settings["pairs"], device=device))
    return (
        measure(model, device=device) | gains(model, seed=settings["seed"], n=settings["pairs"], device=device) | path
    )


_STRENGTHS: dict[str, tuple[float, ...]] = {
    "base": (0.0,),
    "sft": (0.0,),
    "dpo": (0.1, 0.5, 2.0, 5.0),
    "orpo": (0.1, 1.0, 5.0),
    "simpo": (0.5, 1.0, 2.0),
    "simpo_sum": (0.1, 0.2, 0.4),  # a fifth of SimPO's: an answer has about five tokens
    "rlaif": (0.1, 0.5, 2.0, 5.0, 10.0),
    "grpo": (0.0, 0.1, 1.0),
    "grpo_judge": (0.0, 0.3),
    "ppo": (0.0, 0.1, 0.2, 0.5),
}


def _grid(seeds: int, steps: int, turns: int, pairs: int, sizes: tuple[int, ...] = ()) -> list[Settings]:
    lengths = {"base": 0, "sft": 0, "ppo": turns, "grpo": turns, "grpo_judge": turns}
    grid = [
        {"method": method, "strength": strength, "pairs": pairs, "steps": lengths.get(method, steps), "seed": seed}
        for method, strengths in _STRENGTHS.items()
        for strength in strengths
        for seed in range(1 if method in ("base", "sft") else seeds)
    ]
    ppo = {"method": "ppo", "strength": 0.1, "steps": turns}
    return [*grid, *(ppo | {"pairs": size, "seed": seed} for size in sizes for seed in range(seeds))]


ALIGNMENT = Sweep(
    name="alignment",
    sizes={
        "quick": _grid(1, 2, 2, 32)[-4:],
        "cpu": _grid(4, 120, 60, 1024, (128, 4096)),
        "gpu": _grid(10, 120, 60, 1024, (64, 128, 4096)),
    },
    run=run,
    cost=lambda settings: (
        {"ppo": 12.0, "grpo": 8.0, "grpo_judge": 9.0, "rlaif": 4.0}.get(settings["method"], 3.0) * settings["steps"] + 1
    ),
    constants=_CONSTANTS,
)
