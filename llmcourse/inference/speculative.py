"""Speculative decoding: a cheap draft writes ahead, and the target checks all of it in one step."""

from collections.abc import Collection
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from llmcourse.architecture import Transformer, filter_logits
from llmcourse.inference.kv_cache import KVCache
from llmcourse.inference.speculative_sampling import accept_draft

__all__ = ["Draft", "ModelDraft", "PromptLookup", "Sampling", "Speculation", "speculative_decode"]


class Sampling(NamedTuple):
    """How tokens are drawn; draft and target have to draw alike, or fewer tokens are accepted.

    Attributes:
        temperature: 0 takes the likeliest token.
        top_k: See :func:`llmcourse.architecture.filter_logits`.
        top_p: Likewise.
        min_p: Likewise.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None

    def distribution(self, logits: Float[Tensor, "B V"]) -> Float[Tensor, "B V"]:
        """Return the probabilities that tokens are drawn with; with temperature 0 all is on one token."""
        if self.temperature == 0:
            return F.one_hot(logits.argmax(-1), logits.shape[-1]).float()
        return filter_logits(logits, **self._asdict()).softmax(-1)


class Draft(Protocol):
    """What writes ahead."""

    def propose(
        self, tokens: list[int], n: int, *, generator: torch.Generator
    ) -> tuple[Int[Tensor, " K"], Float[Tensor, "K V"]]:
        """Return at most n tokens, and the distributions that they were drawn from."""
        ...


class ModelDraft:
    """A smaller model of the same vocabulary.

    Args:
        model: In evaluation mode.
        sampling: The target's.
        max_seq_len: Tokens that its cache has room for.
    """

    def __init__(self, model: Transformer, sampling: Sampling, *, max_seq_len: int) -> None:
        self.model, self.sampling = model, sampling
        self.cache = KVCache.of(model, max_seq_len=max_seq_len)

    def propose(
        self, tokens: list[int], n: int, *, generator: torch.Generator
    ) -> tuple[Int[Tensor, " K"], Float[Tensor, "K V"]]:
        """Return n tokens; what was written since the last call, and what was refused of it, is caught up with.

        Args:
            tokens: The text so far.
            n: How many.
            generator: Draws.

        Returns:
            Tokens and their distributions.
        """
        self.cache.truncate(min(self.cache.layers[0].n, len(tokens) - 1))
        unread, drafted, distributions = tokens[self.cache.layers[0].n :], [], []
        for _ in range(n):
            logits = _read(self.model, self.cache, unread)[-1:]
            distributions.append(self.sampling.distribution(logits)[0])
            unread = torch.multinomial(distributions[-1], 1, generator=generator).tolist()
            drafted += unread
        return torch.tensor(drafted, device=distributions[0].device), torch.stack(distributions)


class PromptLookup:
    """No model at all: what followed the last few tokens when they stood in the text before.

    Saxena 2023, "Prompt Lookup Decoding". It is good where an answer repeats its prompt, as in editing, summaries
    and code, and costs nothing where it is not.

    Args:
        vocab_size: Of the target.
        ngram_size: The longest run of tokens that is looked for; shorter ones are tried after it.
        device: Where the target is.

    Example:
        >>> lookup = PromptLookup(10, ngram_size=2)
        >>> lookup.propose([1, 2, 3, 4, 1, 2], 3, generator=torch.Generator())[0]
        tensor([3, 4, 1])
    """

    def __init__(self, vocab_size: int, *, ngram_size: int = 3, device: torch.device | str = "cpu") -> None:
        if ngram_size < 1:
            raise ValueError(f"ngram_size is {ngram_size}: look for at least 1 token")
        self.vocab_size, self.ngram_size, self.device = vocab_size, ngram_size, device

    def propose(
        self, tokens: list[int], n: int, *, generator: torch.Generator
    ) -> tuple[Int[Tensor, " K"], Float[Tensor, "K V"]]:
        """Return at most n tokens that followed the text's end where it stood last; none where it never did.

        Args:
            tokens: The text so far.
            n: How many.
            generator: Not used: nothing is drawn.

        Returns:
            Tokens, and distributions that are certain of them.
        """
        del generator
        found = torch.tensor(self._following(tokens)[:n], dtype=torch.long, device=self.device)
        return found, F.one_hot(found, self.vocab_size).float()

    def _following(self, tokens: list[int]) -> list[int]:
        for size in range(min(self.ngram_size, len(tokens) - 1), 0, -1):
            end = tokens[-size:]
            for start in range(len(tokens) - size - 1, -1, -1):
                if tokens[start : start + size] == end:
                    return tokens[start + size :]
        return []


class Speculation(NamedTuple):
    """What came of it.

    Attributes:
        tokens: The text with what was added.
        n_rounds: Steps of the target, the first of which also reads the prompt.
        n_drafted: Tokens that the draft proposed.
        n_accepted: Those of them that were taken.
    """

    tokens: Int[Tensor, "1 T_new"]
    n_rounds: int
    n_drafted: int
    n_accepted: int


@torch.no_grad()
def speculative_decode(
    model: Transformer,
    tokens: Int[Tensor, "1 T"],
    max_new_tokens: int,
    *,
    draft: Transformer | Draft,
    draft_length: int = 4,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    min_p: float | None = None,
    stop_tokens: Collection[int] = (),
    seed: int | None = None,
) -> Speculation:
    r"""Append tokens that are distributed as :func:`llmcourse.architecture.generate` has them, in fewer steps.

    Leviathan et al. 2022 (arXiv:2211.17192); Chen et al. 2023 (arXiv:2302.01318). Each round the draft proposes
    ``draft_length`` tokens, the model reads them in one step, and :func:`accept_draft` keeps a part and adds one.
    With temperature 0 the text is that of plain decoding, token for token.

    Args:
        model: The target, in evaluation mode.
        tokens: One row of at least one token.
        max_new_tokens: Stop after this many.
        draft: A smaller model with the same vocabulary, a :class:`PromptLookup`, or another :class:`Draft`.
        draft_length: Tokens that are proposed in a round.
        temperature: Of both, as for ``generate``.
        top_k: Likewise.
        top_p: Likewise.
        min_p: Likewise.
        stop_tokens: The text ends with the first of these.
        seed: Makes the drawing repeatable.

    Returns:
        The text, and how many rounds, drafted and accepted tokens it took.

    Raises:
        ValueError: There is not one row of tokens, a number is below 1, or vocabularies differ.

    Example:
        >>> from llmcourse.architecture import ModelConfig
        >>> model = Transformer(ModelConfig(vocab_size=20, d_model=32, n_layers=2, n_heads=4)).eval()
        >>> found = speculative_decode(model, torch.tensor([[1, 2]]), 10, draft=model, temperature=0.0)
        >>> found.n_rounds, found.n_drafted == found.n_accepted  # its own draft: five tokens a round
        (2, True)
    """
    _check(model, tokens, max_new_tokens, draft, draft_length)
    text, start = tokens[0].tolist(), tokens.shape[1]
    room = start + max_new_tokens + draft_length
    sampling = Sampling(temperature, top_k, top_p, min_p)
    if isinstance(draft, Transformer):
        draft = ModelDraft(draft, sampling, max_seq_len=room)
    cache = KVCache.of(model, max_seq_len=room)
    generator = torch.Generator(tokens.device)
    _ = generator.seed() if seed is None else generator.manual_seed(seed)
    n_rounds = n_drafted = n_accepted = 0
    while len(text) < start + max_new_tokens and not (len(text) > start and text[-1] in stop_tokens):
        left = start + max_new_tokens - len(text)
        proposed, distributions = draft.propose(text, min(draft_length, left), generator=generator)
        logits = _read(model, cache, [*text[cache.layers[0].n :], *proposed.tolist()])[-len(proposed) - 1 :]
        new = accept_draft(proposed, distributions, sampling.distribution(logits), generator=generator).tolist()
        n_rounds, n_drafted, n_accepted = n_rounds + 1, n_drafted + len(proposed), n_accepted + len(new) - 1
        cache.truncate(len(text) + len(new) - 1)  # the last token is not read yet, and what was refused is forgotten
        text += _until(new[:left], stop_tokens)
    return Speculation(tokens.new_tensor([text]), n_rounds, n_drafted, n_accepted)


def _read(model: Transformer, cache: KVCache, tokens: list[int]) -> Float[Tensor, "T V"]:
    """Return the logits after each of the tokens, which the cache does not hold yet."""
    device, start = model.embedding.weight.device, cache.layers[0].n
    positions = torch.arange(start, start + len(tokens), device=device)
    return model(torch.tensor([tokens], device=device), cache=cache, positions=positions)[0]


def _until(tokens: list[int], stop_tokens: Collection[int]) -> list[int]:
    end = next((place for place, token in enumerate(tokens) if token in stop_tokens), len(tokens) - 1)
    return tokens[: end + 1]


def _check(model: Transformer, tokens: Tensor, max_new_tokens: int, draft: object, draft_length: int) -> None:
    if tokens.ndim != 2 or len(tokens) != 1 or tokens.shape[1] < 1:
        raise ValueError(f"tokens have shape {tuple(tokens.shape)}: give one row, (1, T), of at least one token")
    if max_new_tokens < 1 or draft_length < 1:
        raise ValueError(f"max_new_tokens is {max_new_tokens} and draft_length {draft_length}: give 1 or more of each")
    if isinstance(draft, Transformer) and draft.config.vocab_size != model.config.vocab_size:
        raise ValueError(
            f"the draft has {draft.config.vocab_size} tokens and the model {model.config.vocab_size}: "
            "both need one vocabulary"
        )
