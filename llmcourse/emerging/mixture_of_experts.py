"""A feed-forward layer of many experts, of which each token uses few; ``feed_forward="moe"`` in a configuration."""

from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, fields, replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from llmcourse.architecture import ModelConfig, SwiGLU, register_feed_forward
from llmcourse.emerging.expert_dispatch import combine, expert_capacity, expert_swiglu, sort_by_expert
from llmcourse.emerging.routing import (
    expert_counts,
    load_balancing_loss,
    route_top_k,
    router_z_loss,
    update_selection_bias,
)

__all__ = ["MixtureOfExperts", "MoEConfig", "auxiliary_loss", "balance_experts", "moe_parameters"]


@dataclass(frozen=True)
class MoEConfig:
    r"""What ``feed_forward_options`` says for "moe"; ``d_ff`` is the width of *one* expert.

    Attributes:
        n_experts: Routed experts.
        top_k: How many of them each token uses.
        renormalize: See :func:`llmcourse.emerging.route_top_k`, as for the next four.
        score: "softmax" or "sigmoid".
        n_groups: Groups of experts.
        top_k_groups: Groups that a token may use.
        scale: Multiplies the routed experts' weights.
        selection_bias: Hold a bias for the choice, which :func:`balance_experts` moves.
        n_shared_experts: Experts that all tokens use (DeepSeekMoE, arXiv:2401.06066); one SwiGLU of their joint width.
        shared_gate: The shared experts' output is multiplied by a sigmoid of the token (Qwen1.5-MoE, Qwen2-MoE).
        capacity_factor: See :func:`llmcourse.emerging.expert_capacity`; None drops no token.

    Raises:
        ValueError: A number is out of range.
    """

    _: KW_ONLY
    n_experts: int
    top_k: int
    renormalize: bool = True
    score: str = "softmax"
    n_groups: int = 1
    top_k_groups: int = 1
    scale: float = 1.0
    selection_bias: bool = False
    n_shared_experts: int = 0
    shared_gate: bool = False
    capacity_factor: float | None = None

    def __post_init__(self) -> None:
        if self.n_shared_experts < 0 or (self.shared_gate and not self.n_shared_experts):
            raise ValueError(
                f"n_shared_experts is {self.n_shared_experts} and shared_gate {self.shared_gate}: "
                "a gate needs shared experts, of which there are 0 or more"
            )
        # The router's own checks, once at the start in place of at the first token.
        nothing = torch.zeros(1, max(self.n_experts, 0))
        route_top_k(nothing, self.top_k, score=self.score, n_groups=self.n_groups, top_k_groups=self.top_k_groups)
        if self.capacity_factor is not None:
            expert_capacity(1, self.top_k, self.n_experts, factor=self.capacity_factor)

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> "MoEConfig":
        """Make one from a configuration's options; refuse unknown or missing names."""
        names = {field.name for field in fields(cls)}
        wrong = sorted(set(options) - names) or sorted({"n_experts", "top_k"} - set(options))
        if wrong:
            raise ValueError(
                f"feed_forward_options is {dict(options)!r}: look at {wrong[0]!r}; 'moe' needs n_experts and top_k, "
                f"and may have {', '.join(sorted(names - {'n_experts', 'top_k'}))}"
            )
        return cls(**options)


class Experts(nn.Module):
    """The weights of all experts, stacked: one tensor for each of SwiGLU's three."""

    def __init__(self, n_experts: int, d_model: int, d_ff: int) -> None:
        super().__init__()
        self.w1 = nn.Parameter(torch.empty(n_experts, d_ff, d_model))
        self.w_gate = nn.Parameter(torch.empty(n_experts, d_ff, d_model))
        self.w2 = nn.Parameter(torch.empty(n_experts, d_model, d_ff))
        for weight in (self.w1, self.w_gate, self.w2):
            nn.init.normal_(weight, std=0.02)

    def forward(self, x: Float[Tensor, "slots D"], counts: Int[Tensor, "n_experts"]) -> Float[Tensor, "slots D"]:
        """Put rows sorted by expert through their experts."""
        return expert_swiglu(x, counts, self.w1, self.w_gate, self.w2)


class MixtureOfExperts(nn.Module):
    r"""A router, experts, and perhaps shared experts (Shazeer et al. 2017, arXiv:1701.06538).

    While it trains, the last batch's ``router_logits`` and ``experts`` stay for :func:`auxiliary_loss`, and
    ``counts`` sum up how often each expert was chosen until :func:`balance_experts` is called.

    Args:
        config: Gives ``d_model``, ``d_ff`` (of one expert) and, in ``feed_forward_options``, what :class:`MoEConfig`
            has.

    Example:
        >>> options = {"n_experts": 8, "top_k": 2}
        >>> sizes = {"vocab_size": 9, "d_model": 16, "n_layers": 1, "n_heads": 2, "d_ff": 32}
        >>> config = ModelConfig(**sizes, feed_forward="moe", feed_forward_options=options)
        >>> MixtureOfExperts(config)(torch.ones(2, 3, 16)).shape
        torch.Size([2, 3, 16])
    """

    counts: Tensor
    selection_bias: Tensor | None

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.options = options = MoEConfig.read(config.feed_forward_options)
        self.router = nn.Linear(config.d_model, options.n_experts, bias=False)
        self.experts = Experts(options.n_experts, config.d_model, config.d_ff)
        shared = replace(config, d_ff=config.d_ff * max(options.n_shared_experts, 1))
        self.shared = SwiGLU(shared) if options.n_shared_experts else None
        self.shared_gate = nn.Linear(config.d_model, 1, bias=False) if options.shared_gate else None
        bias = torch.zeros(options.n_experts) if options.selection_bias else None
        self.register_buffer("selection_bias", bias)
        self.register_buffer("counts", torch.zeros(options.n_experts, dtype=torch.long), persistent=False)
        self.router_logits: Tensor | None = None
        self.chosen: Tensor | None = None

    def forward(self, x: Float[Tensor, "*batch D"]) -> Float[Tensor, "*batch D"]:
        """Transform each vector by its experts."""
        tokens = x.reshape(-1, x.shape[-1])
        weights, experts = self.route(tokens)
        capacity = None
        if self.options.capacity_factor is not None:
            n_tokens, top_k = experts.shape
            capacity = expert_capacity(n_tokens, top_k, self.options.n_experts, factor=self.options.capacity_factor)
        slots, counts = sort_by_expert(experts, self.options.n_experts, capacity=capacity)
        y = combine(self.experts(tokens[slots // experts.shape[1]], counts), slots, weights)
        if self.shared is not None:
            common = self.shared(tokens)
            y = y + (common if self.shared_gate is None else self.shared_gate(tokens).sigmoid() * common)
        return y.view_as(x)

    def route(self, tokens: Float[Tensor, "T D"]) -> tuple[Float[Tensor, "T k"], Int[Tensor, "T k"]]:
        """Return weights in fp32 and experts: bf16 logits would tie, and the choice would fall to chance."""
        own = self.options
        logits = functional.linear(tokens.float(), self.router.weight.float())
        weights, experts = route_top_k(
            logits, own.top_k, renormalize=own.renormalize, score=own.score, selection_bias=self.selection_bias,
            n_groups=own.n_groups, top_k_groups=own.top_k_groups, scale=own.scale,
        )  # fmt: skip
        if self.training:
            self.router_logits, self.chosen = logits, experts
            self.counts += expert_counts(experts, own.n_experts)
        return weights, experts


register_feed_forward("moe")(MixtureOfExperts)


def _layers(model: nn.Module) -> Iterator[MixtureOfExperts]:
    found = [module for module in model.modules() if isinstance(module, MixtureOfExperts)]
    if not found:
        raise ValueError(f"{type(model).__name__} has no mixture of experts: give feed_forward='moe'")
    yield from found


def auxiliary_loss(model: nn.Module, *, balance_weight: float = 0.01, z_weight: float = 0.0) -> Float[Tensor, ""]:
    r"""Return what to add to the loss after a forward pass in training mode: balance and z-loss, mean over layers.

    Args:
        model: Holds at least one :class:`MixtureOfExperts`.
        balance_weight: The papers' alpha, for :func:`llmcourse.emerging.load_balancing_loss`.
        z_weight: For :func:`llmcourse.emerging.router_z_loss`; ST-MoE takes 0.001.

    Returns:
        A scalar with a gradient to the routers.

    Raises:
        ValueError: There is no such layer, or none has seen a batch in training mode.
    """
    losses = []
    for layer in _layers(model):
        if layer.router_logits is None or layer.chosen is None:
            raise ValueError("a mixture of experts has seen no batch: call the model in training mode first")
        balance = load_balancing_loss(layer.router_logits, layer.chosen, score=layer.options.score)
        losses.append(balance_weight * balance + z_weight * router_z_loss(layer.router_logits))
    return torch.stack(losses).mean()


def balance_experts(model: nn.Module, *, rate: float = 0.001) -> None:
    r"""Move each layer's selection bias by the counts since the last call, and begin to count anew.

    Args:
        model: Holds layers made with ``selection_bias=True``; others are left as they are.
        rate: See :func:`llmcourse.emerging.update_selection_bias`.
    """
    for layer in _layers(model):
        if layer.selection_bias is not None:
            layer.selection_bias.copy_(update_selection_bias(layer.selection_bias, layer.counts, rate=rate))
        layer.counts.zero_()


def moe_parameters(d_model: int, d_ff: int, n_experts: int, top_k: int, n_shared_experts: int = 0) -> tuple[int, int]:
    r"""Return how many parameters a layer of SwiGLU experts holds, and how many of them work on each token.

    Args:
        d_model: Width of a token.
        d_ff: Width inside one expert.
        n_experts: Routed experts.
        top_k: Those that a token uses.
        n_shared_experts: Experts that all tokens use.

    Returns:
        Total and active, the router in both.

    Example:
        >>> total, active = moe_parameters(4096, 14_336, 8, 2)  # Mixtral 8x7B, one layer of 32
        >>> f"{32 * total / 1e9:.1f}B, {32 * active / 1e9:.1f}B active"
        '45.1B, 11.3B active'
    """
    expert, router = 3 * d_model * d_ff, d_model * n_experts
    return (n_experts + n_shared_experts) * expert + router, (top_k + n_shared_experts) * expert + router
