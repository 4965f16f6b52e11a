"""Which experts a token goes to, with which weights, and what keeps the experts evenly used."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["expert_counts", "load_balancing_loss", "route_top_k", "router_z_loss", "update_selection_bias"]

SCORES = ("softmax", "sigmoid")


def route_top_k(
    router_logits: Float[Tensor, "T n_experts"],
    top_k: int,
    *,
    renormalize: bool = True,
    score: str = "softmax",
    selection_bias: Float[Tensor, "n_experts"] | None = None,
    n_groups: int = 1,
    top_k_groups: int = 1,
    scale: float = 1.0,
) -> tuple[Float[Tensor, "T k"], Int[Tensor, "T k"]]:
    r"""Choose the ``top_k`` experts of each token, and the weights of their outputs.

    Scores are taken over all experts, then the best are chosen, then, if asked, the chosen scores are made to sum to 1.
    With "softmax" that equals a softmax over the chosen logits alone (Mixtral, Jiang et al. 2024, arXiv:2401.04088,
    section 2.1). Without renormalising (OLMoE, arXiv:2409.02060; Qwen1.5-MoE) the weights sum to less than 1.
    DeepSeek-V3 (arXiv:2412.19437, equations 13 to 16) takes a sigmoid of each logit, and adds a bias that counts for
    the *choice* alone; its experts stand in groups, of which a token uses the best few. Notation: the paper's s_i,t is
    the score, g_i,t the weight, b_i ``selection_bias``, K_r ``top_k``.

    Args:
        router_logits: One number for each expert.
        top_k: Experts for each token.
        renormalize: Divide the weights by their sum.
        score: "softmax" or "sigmoid".
        selection_bias: Added to the scores where experts and groups are chosen, not to the weights.
        n_groups: Groups of neighbouring experts.
        top_k_groups: Groups that a token may use. A group is worth its best two experts with "sigmoid" (DeepSeek-V3),
            and its best one with "softmax" (DeepSeek-V2, arXiv:2405.04434, section 2.2.2).
        scale: Multiplies the weights at the end.

    Returns:
        Weights in the dtype of ``router_logits``, worked out in fp32, and the experts' numbers, the best first.

    Raises:
        ValueError: The score is unknown, or there are not ``top_k`` experts to choose among.

    Example:
        >>> logits = torch.tensor([[2.0, 1.0, 0.0]])
        >>> route_top_k(logits, 2)
        (tensor([[0.7311, 0.2689]]), tensor([[0, 1]]))
        >>> route_top_k(logits, 2, renormalize=False)[0]
        tensor([[0.6652, 0.2447]])
    """
    _check(router_logits, top_k, n_groups, top_k_groups, selection_bias)
    scores = _scores(router_logits, score)
    choice = scores if selection_bias is None else scores + selection_bias.float()
    if n_groups > 1:
        choice = _within_best_groups(choice, n_groups, top_k_groups, best=2 if score == "sigmoid" else 1)
    experts = choice.topk(top_k, dim=-1).indices
    weights = scores.gather(-1, experts)
    if renormalize:
        weights = weights / (weights.sum(dim=-1, keepdim=True) + 1e-20)  # sigmoids may all be 0
    return (weights * scale).to(router_logits.dtype), experts


def _scores(router_logits: Tensor, score: str) -> Tensor:
    if score not in SCORES:
        raise ValueError(f"score is {score!r}: choose 'softmax' or 'sigmoid'")
    logits = router_logits.float()
    return logits.softmax(dim=-1) if score == "softmax" else logits.sigmoid()


def _within_best_groups(choice: Tensor, n_groups: int, top_k_groups: int, *, best: int) -> Tensor:
    """Put the experts of all but the best groups out of reach."""
    grouped = choice.unflatten(-1, (n_groups, -1))
    worth = grouped.topk(min(best, grouped.shape[-1]), dim=-1).values.sum(dim=-1)
    closed = torch.ones_like(worth, dtype=torch.bool).scatter_(-1, worth.topk(top_k_groups, dim=-1).indices, False)
    return grouped.masked_fill(closed.unsqueeze(-1), -torch.inf).flatten(-2)


def _check(router_logits: Tensor, top_k: int, n_groups: int, top_k_groups: int, bias: Tensor | None) -> None:
    if router_logits.ndim != 2:
        raise ValueError(f"router_logits have shape {tuple(router_logits.shape)}: flatten tokens to (T, n_experts)")
    n_experts = router_logits.shape[-1]
    if n_groups < 1 or n_experts % n_groups or not 1 <= top_k_groups <= n_groups:
        raise ValueError(
            f"n_experts is {n_experts}, n_groups {n_groups} and top_k_groups {top_k_groups}: "
            "groups are equally large, and a token uses at least one and at most all"
        )
    reachable = n_experts // n_groups * top_k_groups
    if not 1 <= top_k <= reachable:
        raise ValueError(f"top_k is {top_k}: choose from 1 to {reachable}, the experts that a token can reach")
    if bias is not None and bias.shape != (n_experts,):
        raise ValueError(f"selection_bias has shape {tuple(bias.shape)}: {n_experts} experts need one number each")


def expert_counts(experts: Int[Tensor, "T k"], n_experts: int) -> Int[Tensor, "n_experts"]:
    r"""Count how often each expert was chosen.

    Args:
        experts: Numbers from 0 to ``n_experts - 1``.
        n_experts: How many there are.

    Returns:
        Counts that sum to T * k.

    Example:
        >>> expert_counts(torch.tensor([[0, 2], [2, 1]]), 4)
        tensor([1, 1, 2, 0])
    """
    return torch.bincount(experts.flatten(), minlength=n_experts)


def load_balancing_loss(
    router_logits: Float[Tensor, "T n_experts"],
    experts: Int[Tensor, "T k"],
    mask: Bool[Tensor, "T"] | None = None,
    *,
    score: str = "softmax",
) -> Float[Tensor, ""]:
    r"""Return n_experts times the sum over experts of (share of the load) x (mean score): 1 where both are even.

    Switch Transformer (Fedus et al. 2021, arXiv:2101.03961, equations 4 to 6, for k = 1), DeepSeekMoE (Dai et al. 2024,
    arXiv:2401.06066, equations 12 to 14). Notation: the papers' f_i is n_experts / (k T) times the count of expert i,
    P_i its mean score; their factor alpha is left to the caller. Counts have no gradient: it comes through the scores,
    which fall most where the load is largest. transformers does not divide by k, so that its value is k times this.

    Args:
        router_logits: One layer's.
        experts: What was chosen.
        mask: True where a token counts; padding should not.
        score: As for :func:`route_top_k`; sigmoids are divided by their sum (arXiv:2412.19437, equation 19).

    Returns:
        A scalar in fp32, at most n_experts; 0 where no token counts.

    Example:
        >>> logits = torch.tensor([[9.0, 0.0], [9.0, 0.0]])
        >>> load_balancing_loss(logits, torch.tensor([[0], [0]]))  # everything goes to one of two
        tensor(1.9998)
    """
    n_experts = router_logits.shape[-1]
    scores = _scores(router_logits, score)
    scores = scores / (scores.sum(dim=-1, keepdim=True) + 1e-20)
    if mask is not None:
        scores, experts = scores[mask], experts[mask]
    if not len(scores):
        return scores.sum()
    share = expert_counts(experts, n_experts) / experts.numel()
    return n_experts * (share * scores.mean(dim=0)).sum()


def router_z_loss(
    router_logits: Float[Tensor, "T n_experts"], mask: Bool[Tensor, "T"] | None = None
) -> Float[Tensor, ""]:
    r"""Return the mean square of the log of the softmax's denominator, which keeps logits small.

    ST-MoE (Zoph et al. 2022, arXiv:2202.08906, equation 5).

    Args:
        router_logits: One layer's.
        mask: True where a token counts.

    Returns:
        A scalar in fp32; 0 where no token counts.

    Example:
        >>> router_z_loss(torch.zeros(3, 4))  # (ln 4) ** 2
        tensor(1.9218)
    """
    squares = router_logits.float().logsumexp(dim=-1).square()
    squares = squares if mask is None else squares[mask]
    return squares.mean() if len(squares) else squares.sum()


@torch.no_grad()
def update_selection_bias(
    selection_bias: Float[Tensor, "n_experts"], counts: Int[Tensor, "n_experts"], *, rate: float = 0.001
) -> Float[Tensor, "n_experts"]:
    r"""Return the bias for the next step: ``rate`` lower for experts with more than the mean load, higher for others.

    Auxiliary-loss-free balancing (Wang et al. 2024, arXiv:2408.15664, algorithm 1; DeepSeek-V3, arXiv:2412.19437,
    section 2.1.2, where ``rate`` is gamma = 0.001). No gradient passes, so the language model's loss is not disturbed.

    Args:
        selection_bias: What :func:`route_top_k` was given.
        counts: Of a whole batch, summed over processes, from :func:`expert_counts`.
        rate: The size of a step.

    Returns:
        A new tensor.

    Example:
        >>> update_selection_bias(torch.zeros(3), torch.tensor([5, 3, 1]), rate=0.5)
        tensor([-0.5000,  0.0000,  0.5000])
    """
    load = counts.to(selection_bias.dtype)
    return selection_bias + rate * torch.sign(load.mean() - load)
