"""The two models that every run of the alignment sweep starts from: a base model, and one fine-tuned on answers."""

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import load, save_file

from llmcourse.alignment import GroceryLists, pad_conversations, sft_step
from llmcourse.architecture import ModelConfig, Transformer

__all__ = ["CARE", "fine_tune", "load_grocery_model", "make_grocery_models"]

# How those write from whom the base model has learnt, and those whose answers it was fine-tuned on. The second are
# better, and still far from what one would wish for: what imitates them cannot surpass them.
CARE: dict[str, dict[str, float]] = {
    "base": {"care": 0.5, "chatter": 0.25, "stray": 0.25},
    "sft": {"care": 0.75, "chatter": 0.15, "stray": 0.1},
}


def _model() -> Transformer:
    sizes: dict[str, Any] = {"d_model": 48, "n_layers": 2, "n_heads": 4, "max_seq_len": 32}
    config = ModelConfig(vocab_size=len(GroceryLists().words), **sizes, init_std=0.08, tie_embeddings=True)
    return Transformer(config)


def load_grocery_model(name: Literal["base", "sft"], *, device: str = "cpu") -> Transformer:
    r"""Return a model as it comes with the course.

    Args:
        name: ``"base"`` has read careless lists; ``"sft"`` is the same after fine-tuning on better ones.
        device: Where it is to be.

    Returns:
        A model of 56,496 parameters in evaluation mode, not frozen.

    Raises:
        ValueError: There is no such model.

    Example:
        >>> sum(parameter.numel() for parameter in load_grocery_model("sft").parameters())
        56496
    """
    if name not in CARE:
        raise ValueError(f"there is no model {name!r}: choose {' or '.join(CARE)}")
    model = _model()
    state = load(files("llmcourse.sweeps").joinpath(f"grocery_{name}.safetensors").read_bytes())
    model.load_state_dict(state | {"output.weight": state["embedding.weight"]})
    return model.to(device).eval()


def fine_tune(
    model: Transformer,
    prompts: Sequence[str],
    answers: Sequence[str],
    *,
    steps: int,
    lr: float,
    batch_size: int = 64,
    warmup_steps: int = 0,
) -> float:
    r"""Train a model on answers, from the first on and over again, with a rate that falls to 0.

    Args:
        model: Changed.
        prompts: What was asked.
        answers: An answer to each.
        steps: How many.
        lr: The rate at its highest.
        batch_size: Answers in a step.
        warmup_steps: In which the rate rises.

    Returns:
        The last step's loss, in nats a token.
    """
    task, report = GroceryLists(), None
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.01, betas=(0.9, 0.95))
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = lr * min(1.0, (step + 1) / (warmup_steps + 1)) * (1 - step / steps)
        places = [place % len(prompts) for place in range(step * batch_size, (step + 1) * batch_size)]
        texts = [(task.encode(prompts[place]), task.encode(answers[place])) for place in places]
        report = sft_step(
            model,
            optimizer,
            pad_conversations([([*asked, *said], [False] * len(asked) + [True] * len(said)) for asked, said in texts]),
        )
    return report.loss if report else float("nan")


def make_grocery_models(folder: Path) -> None:
    r"""Train both models anew: a minute on one core.

    Args:
        folder: Where ``grocery_base.safetensors`` and ``grocery_sft.safetensors`` are written.
    """
    task = GroceryLists()
    torch.manual_seed(0)
    model = _model()
    for seed, (name, steps, lr, warmup_steps) in enumerate((("base", 2400, 4e-3, 50), ("sft", 300, 1e-3, 0))):
        prompts = task.prompts(64 * steps, seed=10 + seed)
        answers = task.answers(prompts, **CARE[name], seed=20 + seed)
        fine_tune(model, prompts, answers, steps=steps, lr=lr, warmup_steps=warmup_steps)
        state = {key: tensor.detach().clone() for key, tensor in model.state_dict().items() if key != "output.weight"}
        save_file(state, folder / f"grocery_{name}.safetensors")
