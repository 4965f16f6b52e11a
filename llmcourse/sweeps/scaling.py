r"""The scaling laboratory: one language, many sizes of model, many lengths of text.

Every run has text of its own, each token of which it sees once, so that data never repeat, and the loss is measured on
one held-out text. What a model loses there beyond the *true* log-probabilities of that same text is its excess; the
loss that is reported is the entropy rate plus the excess, which takes out how surprising that text happens to be.
"""

from typing import Any

import torch

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.pretraining import SyntheticLanguage, evaluate, one_epoch, train
from llmcourse.sweeps.sweep import Settings, Sweep

__all__ = ["SCALING", "model_config"]

_CONSTANTS = {
    "language": {"openers": [16, 96, 16], "n_inner": 64, "n_values": 64, "n_likely": 4, "exponent": 1.5, "shift": 10.0},
    "batch_size": 16,
    "seq_len": 32,
    "n_layers": 2,
    "head_dim": 8,
    "lr_of_width": 0.09,  # the best rate falls with the root of the width; found by small pilots
    "init_of_width": 0.3,
    "betas": [0.9, 0.98],
    "warmup_steps": 50,
    "evaluation_tokens": 65_536,
    "evaluation_seed": 999_983,
    "version": 1,
}


def model_config(d_model: int) -> ModelConfig:
    r"""Return the model of a width: two layers, heads of eight features.

    Args:
        d_model: The width, a multiple of 8.

    Returns:
        A configuration whose embedding and output projection are two matrices.
    """
    return ModelConfig(
        vocab_size=SyntheticLanguage(**_CONSTANTS["language"]).vocab_size,
        d_model=d_model,
        n_layers=_CONSTANTS["n_layers"],
        n_heads=d_model // _CONSTANTS["head_dim"],
        max_seq_len=_CONSTANTS["seq_len"],
        init_std=_CONSTANTS["init_of_width"] * d_model**-0.5,
    )


def run(settings: Settings, device: str) -> dict[str, Any]:
    r"""Train one model on the synthetic language.

    Args:
        settings: ``d_model``; ``tokens``, how many labels it learns from; ``seed`` of its weights and its text.
        device: Where.

    Returns:
        ``parameters`` in all and ``non_embedding`` ones (without embedding and output projection); ``loss`` and
        ``excess`` over the entropy rate, in nats a token.
    """
    language = SyntheticLanguage(**_CONSTANTS["language"])
    torch.manual_seed(settings["seed"])
    config = model_config(settings["d_model"])
    model = Transformer(config).to(device)
    batch_size, seq_len = _CONSTANTS["batch_size"], _CONSTANTS["seq_len"]
    steps = settings["tokens"] // (batch_size * seq_len)
    text = language.sample(settings["tokens"] + 1, seed=settings["seed"])
    generator = torch.Generator().manual_seed(settings["seed"])
    train(
        model,
        one_epoch(text, batch_size, seq_len, device=device, generator=generator),
        total_steps=steps,
        max_lr=_CONSTANTS["lr_of_width"] * settings["d_model"] ** -0.5,
        warmup_steps=min(_CONSTANTS["warmup_steps"], steps // 10),
        betas=tuple(_CONSTANTS["betas"]),
        weight_decay=0.0,
    )
    excess = _excess(model, language, device)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return {
        "parameters": parameters,
        "non_embedding": parameters - 2 * config.vocab_size * config.d_model,
        "loss": language.entropy_rate + excess,
        "excess": excess,
    }


def _excess(model: Transformer, language: SyntheticLanguage, device: str) -> float:
    """Return what the model loses beyond the truth, where it sees all that the truth depends on."""
    text = language.sample(_CONSTANTS["evaluation_tokens"] + 1, seed=_CONSTANTS["evaluation_seed"])
    seq_len, skip = _CONSTANTS["seq_len"], language.order
    in_order = one_epoch(text, 64, seq_len, device=device, generator=torch.Generator().manual_seed(0))
    truth = language.log_probs(text)[1:].view(-1, seq_len)[:, skip:]
    return evaluate(model, in_order, skip=skip) + float(truth.mean())


def _grid(widths: tuple[int, ...], tokens: tuple[int, ...], seeds: tuple[int, ...] = (0,)) -> list[Settings]:
    return [
        {"d_model": width, "tokens": count, "seed": 1000 * seed + 100 * i + j}
        for seed in seeds
        for i, width in enumerate(widths)
        for j, count in enumerate(tokens)
    ]


_POWERS = tuple(2**power for power in range(16, 25))

SCALING = Sweep(
    name="scaling",
    sizes={
        "quick": _grid((8, 16), (4096, 8192)),
        "cpu": _grid((16, 24, 32, 48, 64, 96), _POWERS[:5]),
        "gpu": _grid((16, 24, 32, 48, 64, 96, 128, 192, 256), _POWERS),
    },
    run=run,
    cost=lambda settings: settings["tokens"] * (1 + settings["d_model"] / 64),
    constants=_CONSTANTS,
)
