r"""What each choice of architecture does, on real text: one small model, changed in one place at a time.

The text is numpy's docstrings, technical English that a pinned package makes the same everywhere, in tokens of a BPE
tokenizer trained on it. Of every twenty stretches the last is held out. Runs of one seed see the same batches in the
same order, so that variants may be compared seed by seed.
"""

import hashlib
import statistics
from functools import cache
from typing import Any

import torch
from torch import Tensor

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.pretraining import cross_entropy, docstrings, get_batch, train
from llmcourse.runtime.timing import ratio_of, take_turns
from llmcourse.sweeps.sweep import Settings, Sweep
from llmcourse.tokenization import train_bpe

__all__ = ["ARCHITECTURE", "VARIANTS", "model_config"]

# Each differs from "base" in what is named, and in nothing else. The GELU layer is 3/2 as wide, with two matrices in
# place of three: as many parameters exactly.
VARIANTS: dict[str, dict[str, Any]] = {
    "base": {},
    "layer_norm": {"norm": "layer"},
    "learned_positions": {"position_embedding": "learned"},
    "gqa": {"n_kv_heads": 2},
    "mqa": {"n_kv_heads": 1},
    "gelu": {"feed_forward": "gelu", "d_ff": 192},
}

_CONSTANTS = {
    "text": "docstrings of numpy",
    "vocab_size": 512,
    "stretch": 2048,  # tokens; every twentieth is held out
    "model": {"d_model": 48, "n_layers": 2, "n_heads": 6, "d_ff": 128, "tie_embeddings": True, "init_std": 0.05},
    "max_lr": 6e-3,  # from small pilots: half of it learns less in so few steps
    "warmup_steps": 40,
    "longer": 4,  # evaluated at so many times the trained length
    "evaluation_sequences": 128,
    "variants": VARIANTS,
    "version": 1,
}


def model_config(variant: str, *, seq_len: int = 64) -> ModelConfig:
    r"""Return the model of a variant.

    Args:
        variant: A key of ``VARIANTS``.
        seq_len: The trained length, in tokens. Learned positions have vectors for four times as many; those beyond
            the trained length stay as they were drawn.

    Returns:
        A configuration.
    """
    sizes = {"vocab_size": _CONSTANTS["vocab_size"], "max_seq_len": seq_len * _CONSTANTS["longer"]}
    return ModelConfig(**_CONSTANTS["model"] | sizes | VARIANTS[variant])


def start(variant: str, *, seed: int, seq_len: int) -> Transformer:
    r"""Return an untrained model, whose weights are the base's wherever both have a tensor of that name and shape.

    Two variants of one seed differ in what they have to differ in, and not in the luck of the draw.

    Args:
        variant: A key of ``VARIANTS``.
        seed: Of the weights.
        seq_len: The trained length, in tokens.

    Returns:
        A model on the CPU.
    """
    torch.manual_seed(seed)
    base = Transformer(model_config("base", seq_len=seq_len)).state_dict()
    model = Transformer(model_config(variant, seq_len=seq_len))
    own = model.state_dict()
    shared = {name: tensor for name, tensor in base.items() if name in own and own[name].shape == tensor.shape}
    model.load_state_dict(shared, strict=False)
    return model


def run(settings: Settings, device: str) -> dict[str, Any]:
    r"""Train one variant, or time one against the base.

    Args:
        settings: ``variant``, ``seed``, ``steps``, ``batch_size`` and ``seq_len``; with ``time`` true the variant's
            training step is timed against the base's, in turns.
        device: Where.

    Returns:
        ``loss`` at positions inside the trained length, ``loss_2x`` from there to twice of it, ``loss_4x`` from there
        to four times of it, in nats a token; ``parameters``; ``cache_bytes_per_token`` in bf16; and ``corpus``, a
        digest of the tokens. Or ``time_ratio``: how many times as long the variant's step takes, median, min and max.
    """
    if settings["time"]:
        return _time(settings, device)
    training, held_out, digest = held_out_split()
    model = start(settings["variant"], seed=settings["seed"], seq_len=settings["seq_len"]).to(device)
    config = model.config
    generator = torch.Generator().manual_seed(settings["seed"])
    batches = (
        get_batch(training, settings["batch_size"], settings["seq_len"], device=device, generator=generator)
        for _ in range(settings["steps"])
    )
    train(
        model,
        batches,
        total_steps=settings["steps"],
        max_lr=_CONSTANTS["max_lr"],
        min_lr=_CONSTANTS["max_lr"] / 10,
        warmup_steps=min(_CONSTANTS["warmup_steps"], settings["steps"]),
    )
    losses = _losses_by_length(model, held_out, settings["seq_len"], device)
    per_token = 2 * config.n_layers * config.n_kv_heads * config.head_dim * 2
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return losses | {"parameters": parameters, "cache_bytes_per_token": per_token, "corpus": digest}


@torch.inference_mode()
def _losses_by_length(model: Transformer, held_out: Tensor, seq_len: int, device: str) -> dict[str, float]:
    """Measure the same sequences, four times as long as those in training, stretch by stretch."""
    model.eval()
    generator = torch.Generator().manual_seed(0)
    longer = seq_len * _CONSTANTS["longer"]
    inputs, labels = get_batch(held_out, _CONSTANTS["evaluation_sequences"], longer, device=device, generator=generator)
    logits = torch.cat([model(part) for part in inputs.split(16)])
    ends = {"loss": (0, seq_len), "loss_2x": (seq_len, 2 * seq_len), "loss_4x": (2 * seq_len, longer)}
    return {name: cross_entropy(logits[:, a:b], labels[:, a:b]).item() for name, (a, b) in ends.items()}


def _time(settings: Settings, device: str) -> dict[str, Any]:
    """Time training steps of the variant and of the base in turns, so that other work on the machine hits both."""
    training, _, _ = held_out_split()
    inputs, labels = get_batch(training, settings["batch_size"], settings["seq_len"], device=device)
    models = {}
    for name in ("base", settings["variant"]):
        torch.manual_seed(settings["seed"])
        models[name] = Transformer(model_config(name, seq_len=settings["seq_len"])).to(device)

    def step(model: Transformer) -> None:
        cross_entropy(model(inputs), labels).backward()
        if device != "cpu":
            torch.cuda.synchronize()

    contenders = {name: (lambda model=model: step(model)) for name, model in models.items()}
    times = take_turns(contenders, repeats=settings["steps"], warm_up=3)
    ratio = ratio_of(times[settings["variant"]], times["base"])
    return {"time_ratio": ratio, "base_step_s": statistics.median(times["base"])}


@cache
def held_out_split() -> tuple[Tensor, Tensor, str]:
    """Return tokens to train on, tokens held out, and a digest of both."""
    text = docstrings("numpy")
    tokenizer = train_bpe(text, _CONSTANTS["vocab_size"])
    tokens = torch.from_numpy(tokenizer.encode_to_numpy(text)).long()
    digest = hashlib.sha256(tokens.numpy().tobytes()).hexdigest()[:16]
    stretches = tokens.split(_CONSTANTS["stretch"])[:-1]
    held_out = torch.cat([stretch for number, stretch in enumerate(stretches) if number % 20 == 19])
    training = torch.cat([stretch for number, stretch in enumerate(stretches) if number % 20 != 19])
    return training, held_out, digest


def _grid(steps: int, batch_size: int, seq_len: int, seeds: int, timed: int) -> list[Settings]:
    sizes = {"batch_size": batch_size, "seq_len": seq_len}
    trained = [
        {"variant": variant, "seed": seed, "steps": steps, "time": False} | sizes
        for variant in VARIANTS
        for seed in range(seeds)
    ]
    return [*trained, {"variant": "layer_norm", "seed": 0, "steps": timed, "time": True} | sizes]


ARCHITECTURE = Sweep(
    name="architecture",
    sizes={
        "quick": _grid(2, 2, 16, 1, 2)[-3:],
        "cpu": _grid(240, 16, 32, 5, 40),
        "gpu": _grid(4000, 64, 128, 5, 300),
    },
    run=run,
    cost=lambda settings: settings["steps"] * (0.7 if settings["time"] else 1.0),
    constants=_CONSTANTS,
)
