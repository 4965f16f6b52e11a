"""What every run of the alignment sweep shares: answers, people's comparisons of them, and the measuring."""

from functools import cache

import torch

from llmcourse.alignment import (
    AnswerPairs,
    Answers,
    GroceryLists,
    Rollouts,
    answer_logits,
    join_answers,
    pair_log_probs,
    roll_out,
)
from llmcourse.architecture import Transformer
from llmcourse.sweeps.grocery_models import load_grocery_model

__all__ = ["TASK", "TEST_SEED", "Texts", "draw_answers", "gains", "human_pairs", "join_pairs", "measure"]

TASK = GroceryLists()
TEST_SEED = 777  # no run's prompts are drawn from it

Texts = list[tuple[str, str, str]]  # prompt, chosen, rejected


def draw_answers(
    model: Transformer, prompts: list[str], *, seed: int, group_size: int = 1, device: str = "cpu"
) -> tuple[Rollouts, list[str]]:
    r"""Let a model answer prompts.

    Args:
        model: Answers.
        prompts: What is asked.
        seed: Of the drawing.
        group_size: Answers to each prompt.
        device: Where the model is.

    Returns:
        The rollouts, and their texts.
    """
    encoded = [TASK.encode(prompt) for prompt in prompts]
    drawn = roll_out(
        model,
        encoded,
        TASK.max_new_tokens,
        stop_tokens=[TASK.end],
        group_size=group_size,
        device=device,
        seed=seed,
    )
    return drawn, [TASK.decode(tokens) for tokens in drawn.texts()]


@cache
def human_pairs(seed: int, n: int, *, device: str = "cpu") -> Texts:
    r"""Draw two answers of the fine-tuned model to each prompt, and let people choose.

    Args:
        seed: Of prompts, answers and people.
        n: How many prompts; pairs of equal answers are left out.
        device: Where to compute.

    Returns:
        Prompt, chosen and rejected answer of each pair.
    """
    model = load_grocery_model("sft", device=device)
    prompts = TASK.prompts(n, seed=1000 * seed + 11)
    first, second = (draw_answers(model, prompts, seed=1000 * seed + k, device=device)[1] for k in (1, 2))
    return TASK.prefer(prompts, first, second, seed=seed)


def join_pairs(pairs: Texts, *, device: str = "cpu") -> AnswerPairs:
    """Turn texts into rows of tokens.

    Args:
        pairs: Prompt, chosen and rejected answer of each.
        device: Where the rows are to be.

    Returns:
        Rows for the steps.
    """
    prompts, *sides = ([TASK.encode(text) for text in column] for column in zip(*pairs, strict=True))
    chosen, rejected = (Answers(*(t.to(device) for t in join_answers(prompts, side))) for side in sides)
    return AnswerPairs(chosen, rejected)


@torch.no_grad()
def measure(model: Transformer, *, n: int = 512, device: str = "cpu") -> dict[str, float]:
    r"""Measure a model on prompts that no run has learnt from.

    Args:
        model: Answers each once.
        n: How many prompts, always the same.
        device: Where the model is.

    Returns:
        ``reward``, the mean true one; ``utility``, what people see in the answers; ``kl`` from the fine-tuned model in
        nats an answer, exact at each token of answers that the policy has drawn; ``length`` in tokens; and ``ended``,
        the share of answers that came to their end.
    """
    prompts = TASK.prompts(n, seed=TEST_SEED)
    drawn, texts = draw_answers(model, prompts, seed=0, device=device)
    pairs = list(zip(prompts, texts, strict=True))
    policy, reference = (
        answer_logits(one, drawn.answers).log_softmax(-1) for one in (model, load_grocery_model("sft", device=device))
    )
    return {
        "reward": sum(TASK.true_reward(*pair) for pair in pairs) / n,
        "utility": sum(TASK.human_utility(*pair) for pair in pairs) / n,
        "kl": float((policy.exp() * (policy - reference)).sum()) / n,
        "length": float(drawn.answers.lengths.float().mean()),
        "ended": float(drawn.ended.float().mean()),
    }


@torch.no_grad()
def gains(model: Transformer, *, seed: int, n: int, device: str = "cpu") -> dict[str, float]:
    r"""Compare how likely a model finds answers that people have compared with how likely they were.

    Args:
        model: Gives logits.
        seed: Of the pairs; the first 256 are looked at.
        n: How many prompts they are of.
        device: Where the model is.

    Returns:
        ``chosen_gain`` and ``rejected_gain``: nats an answer over the fine-tuned model.
    """
    pairs = join_pairs(human_pairs(seed, n, device=device)[:256], device=device)
    now, before = (pair_log_probs(one, pairs) for one in (model, load_grocery_model("sft", device=device)))
    names = ("chosen_gain", "rejected_gain")
    return {name: float((a - b).mean()) for name, a, b in zip(names, now, before, strict=True)}
