"""Several answers to one prompt: the prompt is computed once, and each answer reads what was kept of it."""

from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from llmcourse.alignment.answers import Answers
from llmcourse.alignment.log_probs import token_log_probs
from llmcourse.architecture import Transformer

__all__ = ["SharedPrompts", "share_prompts", "shared_log_probs"]


class SharedPrompts(NamedTuple):
    """Prompts, and answers that belong to them, each filled up at the end.

    Attributes:
        prompts: N of them.
        prompt_lengths: How many tokens each has.
        answers: B of them, without their prompts.
        mask: True at the answers' tokens, False at padding.
        owner: Which prompt each answer follows.
    """

    prompts: Int[Tensor, "N P"]
    prompt_lengths: Int[Tensor, " N"]
    answers: Int[Tensor, "B A"]
    mask: Bool[Tensor, "B A"]
    owner: Int[Tensor, " B"]


def share_prompts(*sides: Answers, group_size: int = 1) -> SharedPrompts:
    r"""Take prompts that are the same together.

    Args:
        *sides: Rows of a prompt and its answer. Rows with the same number have the same prompt on all sides: the
            chosen answers and the rejected ones.
        group_size: How many rows that stand together have the same prompt: GRPO's groups.

    Returns:
        The answers of the first side, then those of the next, and each prompt once.

    Raises:
        ValueError: Two rows that should have one prompt do not.

    Cost: P + K A tokens for K answers, where as many rows have K (P + A).

    Example:
        >>> from llmcourse.alignment import join_answers
        >>> found = share_prompts(join_answers([[5, 6]], [[7, 8]]), join_answers([[5, 6]], [[9]]))
        >>> found.prompts.tolist(), found.answers.tolist(), found.owner.tolist()
        ([[5, 6]], [[7, 8], [9, 0]], [0, 0])
    """
    prompts: dict[int, Tensor] = {}
    answers, owners = [], []
    for tokens, mask in sides:
        for row, start in enumerate(mask.int().argmax(1).tolist()):
            owner, prompt = row // group_size, tokens[row, :start]
            first = prompts.setdefault(owner, prompt)
            if not start or not torch.equal(first, prompt):
                raise ValueError(f"prompts are {first.tolist()} and {prompt.tolist()}: answers to share one follow it")
            answers.append(tokens[row][mask[row]])
            owners.append(owner)
    device = answers[0].device
    n_tokens = torch.tensor([len(answer) for answer in answers], device=device)
    padded = pad_sequence(answers, batch_first=True)
    kept = torch.arange(padded.shape[1], device=device) < n_tokens[:, None]
    lengths = torch.tensor([len(prompt) for prompt in prompts.values()], device=device)
    return SharedPrompts(
        pad_sequence(list(prompts.values()), batch_first=True),
        lengths,
        padded,
        kept,
        torch.tensor(owners, device=device),
    )


class _Kept:
    """A cache that keeps the prompts' keys and values, with their graph, and gives each answer those of its prompt."""

    n_tokens = 0

    def __init__(self, shared: SharedPrompts) -> None:
        self.layers: dict[int, tuple[Tensor, Tensor]] = {}
        self.owner = shared.owner
        width = shared.prompts.shape[1]
        real = torch.arange(width, device=self.owner.device) < shared.prompt_lengths[:, None]
        new = shared.mask.new_ones(len(self.owner), shared.answers.shape[1] - 1)
        # Without padding there is nothing to hide but what comes later, for which attention has a faster way.
        self.allowed = None if bool(real.all()) else torch.cat([real[self.owner], new], 1)[:, None, None, :]
        self.reading = True

    def reset(self) -> None:
        self.layers = {}

    def update(self, layer: int, k: Tensor, v: Tensor, positions: Tensor) -> tuple[Tensor, Tensor]:
        if self.reading:
            self.layers[layer] = k, v
            return k, v
        before = self.layers[layer]
        # Of two ways to pick rows this has the faster backward pass.
        old_k, old_v = (kept.index_select(0, self.owner) for kept in before)
        return torch.cat([old_k, k], 2), torch.cat([old_v, v], 2)

    def mask(self, layer: int, positions: Tensor) -> Tensor | None:
        return None if self.reading else self.allowed


def shared_log_probs(model: Transformer, shared: SharedPrompts) -> Float[Tensor, "B A"]:
    r"""Return the log-probability of each token of the answers, number for number as from whole rows.

    Args:
        model: Its layers have no window, which counts places in a row.
        shared: From :func:`share_prompts`.

    Returns:
        In fp32 at least; 0 at padding.

    Raises:
        ValueError: A layer of the model has a window.
    """
    windows = [model.config.window_of(layer) for layer in range(model.config.n_layers)]
    if any(windows):
        raise ValueError(f"the model has windows of {windows} tokens: with shared prompts all layers have to see all")
    prompts, lengths, answers, mask, owner = shared
    kept = _Kept(shared)
    place = torch.arange(prompts.shape[1], device=prompts.device)
    of_prompts = model.hidden(prompts, cache=kept, positions=place)
    kept.reading = False
    # The last token of an answer predicts nothing; an answer's first is predicted from its prompt's last.
    positions = lengths[owner, None] + torch.arange(answers.shape[1] - 1, device=prompts.device)
    last = of_prompts[torch.arange(len(lengths), device=prompts.device), lengths - 1][owner, None]
    before = last
    if answers.shape[1] > 1:
        before = torch.cat([last, model.hidden(answers[:, :-1], cache=kept, positions=positions)], 1)
    found = token_log_probs(model.output(before[mask])[None], answers[mask][None])[0]
    return found.new_zeros(mask.shape).masked_scatter(mask, found)
