r"""What keeps training stable, on real text: warm-up, clipping, clean data, QK-norm, z-loss, the weights' precision.

The model and the text are those of the sweep "architecture". Runs of one seed start from the same weights and see the
same batches in the same order. In some of them one batch in forty is spoiled: one token repeated from end to end, as a
crawl of the web has pages of a single character; or tokens drawn evenly at random, as from a damaged file. In others
half of the text is copies of a fiftieth of it, as a crawl has the same licence on a thousand pages; beside these stand
runs on the other half alone, which tell the harm of the copies from that of the missing text.
"""

import math
from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from typing import Any

import torch
from torch import Tensor

from llmcourse.architecture import Transformer
from llmcourse.pretraining import AdamW, BatchStream, clip_grad_norm, cosine_schedule, cross_entropy, get_batch, z_loss
from llmcourse.sweeps import architecture
from llmcourse.sweeps.sweep import Settings, Sweep

__all__ = ["STABILITY"]

_CONSTANTS = {
    "architecture": architecture.ARCHITECTURE.constants,
    "betas": [0.9, 0.95],
    "weight_decay": 0.1,
    "spoiled_every": 40,
    "spoiled_token": 7,
    "copied_part": 50,
    "evaluation_sequences": 1024,
    "version": 3,
}
# What is changed, against a base with warm-up, clipping, clean text, weights in fp32, no QK-norm and no z-loss.
_CASES: list[dict[str, Any]] = [
    {"max_lr": 6e-3, "warmup_steps": 40},
    {"max_lr": 6e-3, "warmup_steps": 0},
    {"max_lr": 2e-2, "warmup_steps": 40},
    {"max_lr": 2e-2, "warmup_steps": 0},
    {"max_lr": 6e-3, "warmup_steps": 40, "max_norm": None},
    {"max_lr": 6e-3, "warmup_steps": 40, "spoiled": "repeated"},
    {"max_lr": 6e-3, "warmup_steps": 40, "spoiled": "repeated", "max_norm": None},
    {"max_lr": 6e-3, "warmup_steps": 40, "spoiled": "random"},
    {"max_lr": 6e-3, "warmup_steps": 40, "spoiled": "random", "max_norm": None},
    {"max_lr": 6e-3, "warmup_steps": 40, "copies": 0.5},
    {"max_lr": 6e-3, "warmup_steps": 40, "kept": 0.5},
    {"max_lr": 6e-3, "warmup_steps": 40, "weights": "bf16"},
    {"max_lr": 3e-4, "warmup_steps": 40},
    {"max_lr": 3e-4, "warmup_steps": 40, "weights": "bf16"},
    {"max_lr": 3e-4, "warmup_steps": 40, "weights": "fp32, bf16 compute"},
    {"max_lr": 6e-3, "warmup_steps": 40, "weights": "fp32, bf16 compute"},
    {"max_lr": 6e-3, "warmup_steps": 40, "qk_norm": True},
    {"max_lr": 6e-3, "warmup_steps": 40, "z_loss": 1e-4},
    {"max_lr": 2e-1, "warmup_steps": 40},
    {"max_lr": 2e-1, "warmup_steps": 40, "qk_norm": True},
    {"max_lr": 2e-1, "warmup_steps": 40, "z_loss": 1e-4},
]


def run(settings: Settings, device: str) -> dict[str, Any]:
    r"""Train once.

    Args:
        settings: ``seed``, ``steps``, ``batch_size``, ``seq_len``, ``max_lr``, ``warmup_steps``; ``max_norm``, None for
            no clipping; ``spoiled``, "no", "repeated" or "random"; ``kept``, which share of the text is read at all;
            ``copies``, which share of that is copies; ``weights``, "fp32", "bf16" (nothing in fp32) or "fp32, bf16
            compute"; ``qk_norm``, whether queries and keys are normalised; ``z_loss``, its weight, 0 for none.
        device: Where.

    Returns:
        ``loss`` on held-out text, in nats a token; ``largest_norm`` and ``median_norm`` of the gradients before
        clipping; ``clipped``, in what part of the steps the norm was over 1; and ``corpus``, a digest of the tokens.
    """
    training, held_out, digest = architecture.held_out_split()
    training = training[: round(len(training) * settings["kept"])]
    model = _start(settings).to(device)
    norms = _train(model, with_copies(training, settings["copies"]), settings, device)
    return {
        "loss": _evaluate(model, held_out, settings, device),
        "largest_norm": max(norms),
        "median_norm": median(norms),
        "clipped": sum(norm > 1 for norm in norms) / len(norms),
        "corpus": digest,
    }


def with_copies(text: Tensor, share: float) -> Tensor:
    r"""Return a text as long as the one given, of which a share is copies of one small part of it.

    Args:
        text: Tokens.
        share: From 0 to 1.

    Returns:
        Its beginning, and then copies of its first fiftieth.
    """
    n_copied = round(len(text) * share)
    part = text[: len(text) // _CONSTANTS["copied_part"]]
    copies = part.repeat(-(-n_copied // len(part)))[:n_copied]
    return torch.cat([text[: len(text) - n_copied], copies])


def _start(settings: Settings) -> Transformer:
    """Return the untrained model: the base's weights, whatever is changed."""
    model = architecture.start("base", seed=settings["seed"], seq_len=settings["seq_len"])
    if settings["qk_norm"]:
        weights = model.state_dict()
        model = Transformer(replace(model.config, qk_norm=True))
        model.load_state_dict(weights, strict=False)  # the gains of the new norms stay 1
    return model.bfloat16() if settings["weights"] == "bf16" else model


def _train(model: Transformer, text: Tensor, settings: Settings, device: str) -> list[float]:
    """Train, and return the norm of the gradients at each step."""
    optimizer = AdamW(model.parameters(), betas=_CONSTANTS["betas"], weight_decay=_CONSTANTS["weight_decay"])
    max_norm, max_lr, norms = settings["max_norm"] or math.inf, settings["max_lr"], []
    for step, (inputs, labels) in enumerate(_batches(text, settings, device), start=1):
        optimizer.zero_grad()
        _loss(model, inputs, labels, settings).backward()
        norms.append(clip_grad_norm(model.parameters(), max_norm).item())
        lengths = {"warmup_steps": settings["warmup_steps"], "total_steps": settings["steps"]}
        for group in optimizer.param_groups:
            group["lr"] = cosine_schedule(step, max_lr=max_lr, min_lr=max_lr / 10, **lengths)
        optimizer.step()
    return norms


def _batches(text: Tensor, settings: Settings, device: str) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield inputs and labels; some are spoiled, in the same steps for each seed."""
    shape = (settings["batch_size"], settings["seq_len"])
    stream = BatchStream(text, batch_size=shape[0], seq_len=shape[1], seed=settings["seed"])
    generator = torch.Generator().manual_seed(settings["seed"])
    for step in range(1, settings["steps"] + 1):
        batch = next(stream)
        inputs, labels = batch.inputs, batch.labels
        if settings["spoiled"] != "no" and step % _CONSTANTS["spoiled_every"] == 0:
            token, n_ids = _CONSTANTS["spoiled_token"], architecture.model_config("base").vocab_size
            whole = torch.randint(n_ids, (shape[0], shape[1] + 1), generator=generator)
            whole = whole if settings["spoiled"] == "random" else torch.full_like(whole, token)
            inputs, labels = whole[:, :-1], whole[:, 1:]
        yield inputs.to(device), labels.to(device)


def _loss(model: Transformer, inputs: Tensor, labels: Tensor, settings: Settings) -> Tensor:
    with torch.autocast(inputs.device.type, torch.bfloat16, enabled=settings["weights"] == "fp32, bf16 compute"):
        logits = model(inputs)
    loss = cross_entropy(logits, labels)
    return loss + z_loss(logits, weight=settings["z_loss"]) if settings["z_loss"] else loss


@torch.no_grad()
def _evaluate(model: Transformer, held_out: Tensor, settings: Settings, device: str) -> float:
    """Return the loss with the weights as they are and everything computed in fp32."""
    model = model.float().eval()
    generator = torch.Generator().manual_seed(0)
    sequences = _CONSTANTS["evaluation_sequences"]
    inputs, labels = get_batch(held_out, sequences, settings["seq_len"], device=device, generator=generator)
    losses = [cross_entropy(model(x), y) for x, y in zip(inputs.split(128), labels.split(128), strict=True)]
    return torch.stack(losses).mean().item()


def _grid(steps: int, batch_size: int, seq_len: int, seeds: int) -> list[Settings]:
    base = {"steps": steps, "batch_size": batch_size, "seq_len": seq_len}
    base |= {"max_norm": 1.0, "spoiled": "no", "kept": 1.0, "copies": 0.0, "weights": "fp32"}
    base |= {"qk_norm": False, "z_loss": 0.0}
    return [base | case | {"seed": seed} for case in _CASES for seed in range(seeds)]


STABILITY = Sweep(
    name="stability",
    sizes={
        "quick": [settings | {"warmup_steps": 1} for settings in _grid(2, 2, 16, 1)[7:11]],
        "cpu": _grid(240, 16, 32, 5),
        "gpu": _grid(4000, 64, 128, 5),
    },
    run=run,
    cost=lambda settings: settings["steps"],
    constants=_CONSTANTS,
)
