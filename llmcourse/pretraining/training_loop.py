"""The loop itself: forward, backward, clip, step. What a run needs beyond it is the trainer's."""

from collections.abc import Iterable

import torch
from jaxtyping import Int
from torch import Tensor, nn

from llmcourse.pretraining.clipping import clip_grad_norm
from llmcourse.pretraining.objective import cross_entropy
from llmcourse.pretraining.schedule import cosine_schedule

__all__ = ["evaluate", "train"]

Batches = Iterable[tuple[Int[Tensor, "B T"], Int[Tensor, "B T"]]]


def train(
    model: nn.Module,
    batches: Batches,
    *,
    total_steps: int,
    max_lr: float,
    min_lr: float = 0.0,
    warmup_steps: int = 0,
    betas: tuple[float, float] = (0.9, 0.95),
    weight_decay: float = 0.1,
    max_norm: float = 1.0,
) -> list[float]:
    r"""Train a model in place by AdamW (Loshchilov & Hutter 2017, arXiv:1711.05101) with a cosine schedule.

    It draws nothing at random: with a seeded model and seeded batches, two runs on one machine are equal.

    Args:
        model: Gives logits for tokens.
        batches: Inputs and labels on the model's device; the first ``total_steps`` are used.
        total_steps: How many steps, over which the schedule is laid.
        max_lr: The learning rate after the warm-up.
        min_lr: The rate at the end.
        warmup_steps: Steps in which the rate rises; the first of them is already above 0.
        betas: AdamW's.
        weight_decay: Of the matrices; vectors (norms, biases) are not decayed.
        max_norm: The greatest norm of the gradients.

    Returns:
        The loss of each step before that step, in nats a token.

    Raises:
        ValueError: There are fewer batches than steps, or a loss is not finite.

    Example:
        >>> _ = torch.manual_seed(0)
        >>> bigram = nn.Embedding(4, 4)
        >>> tokens = torch.arange(64).reshape(4, 16) % 4
        >>> losses = train(bigram, [(tokens, (tokens + 1) % 4)] * 50, total_steps=50, max_lr=0.2)
        >>> losses[-1] < 0.1 < 1.0 < losses[0]
        True
    """
    optimizer = _adamw(model, betas, weight_decay)
    model.train()
    losses: list[Tensor] = []
    for step, (inputs, labels) in enumerate(_first(batches, total_steps)):
        rate = cosine_schedule(
            step + 1, max_lr=max_lr, min_lr=min_lr, warmup_steps=warmup_steps, total_steps=total_steps
        )
        for group in optimizer.param_groups:
            group["lr"] = rate
        loss = cross_entropy(model(inputs), labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        clip_grad_norm(model.parameters(), max_norm)
        optimizer.step()
        losses.append(loss.detach())
    return _finite(torch.stack(losses))


def evaluate(model: nn.Module, batches: Batches, *, skip: int = 0) -> float:
    r"""Return a model's mean loss, in nats a token.

    Args:
        model: Gives logits for tokens.
        batches: Inputs and labels.
        skip: Leave out so many labels at the start of each sequence, where the model has not seen its context yet.

    Returns:
        The mean over all labels that are left.

    Raises:
        ValueError: No label is left.
    """
    was_training = model.training
    model.eval()
    total, count = 0.0, 0
    with torch.inference_mode():
        for inputs, labels in batches:
            kept = labels[:, skip:]
            total += float(cross_entropy(model(inputs)[:, skip:], kept)) * kept.numel()
            count += kept.numel()
    model.train(was_training)
    if not count:
        raise ValueError(f"no label is left to evaluate after {skip} in each sequence: give batches of longer ones")
    return total / count


def _first(batches: Batches, n: int) -> Batches:
    iterator = iter(batches)
    for step in range(n):
        batch = next(iterator, None)
        if batch is None:
            raise ValueError(f"batches end after {step} of {n} steps: give more of them, or set total_steps to {step}")
        yield batch


def _adamw(model: nn.Module, betas: tuple[float, float], weight_decay: float) -> torch.optim.AdamW:
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trainable if p.ndim >= 2], "weight_decay": weight_decay},
        {"params": [p for p in trainable if p.ndim < 2], "weight_decay": 0.0},
    ]
    # One kernel for all parameters: on small models the step would else cost as much as the backward pass.
    return torch.optim.AdamW([group for group in groups if group["params"]], betas=betas, fused=True)


def _finite(losses: Tensor) -> list[float]:
    found = losses.tolist()
    if not bool(losses.isfinite().all()):
        step = int((~losses.isfinite()).nonzero()[0])
        raise ValueError(f"the loss is {found[step]} at step {step}: lower max_lr, or look at that batch")
    return found
