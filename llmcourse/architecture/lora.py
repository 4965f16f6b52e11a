"""Low-rank adaptation: a layer is left as it is, and a narrow detour beside it is trained."""

import itertools
from collections.abc import Collection, Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["LoRA", "add_lora", "lora_layers", "remove_lora"]


class LoRA(nn.Module):
    r"""A linear layer with a trainable update of low rank.

    Hu et al. 2021 (arXiv:2106.09685), section 4.1: h = W x + (alpha / r) B A x. Notation: ``down`` is the paper's A,
    drawn at random, and ``up`` its B, which starts at 0, so that the layer first computes what it did before.

    Args:
        layer: Any module with ``in_features`` and ``out_features``, a quantized one too; its parameters are frozen.
        rank: Width of the detour.
        alpha: The update is multiplied by ``alpha / rank``.

    Raises:
        ValueError: ``layer`` is no such module, or ``rank`` is below 1.

    Cost: rank * (in_features + out_features) parameters, and twice as many FLOP for each vector until it is merged.

    Example:
        >>> layer = nn.Linear(6, 4)
        >>> adapted = LoRA(layer, rank=2)
        >>> x = torch.ones(1, 6)
        >>> bool((adapted(x) == layer(x)).all()), sum(p.numel() for p in adapted.parameters() if p.requires_grad)
        (True, 20)
    """

    def __init__(self, layer: nn.Module, *, rank: int, alpha: float = 16.0) -> None:
        super().__init__()
        n_in, n_out = getattr(layer, "in_features", None), getattr(layer, "out_features", None)
        if not isinstance(n_in, int) or not isinstance(n_out, int):
            raise ValueError(
                f"{type(layer).__name__} has in_features {n_in} and out_features {n_out}: wrap a linear layer"
            )
        if rank < 1:
            raise ValueError(f"rank is {rank}: a detour has a width of at least 1")
        self.layer = layer.requires_grad_(False)
        self.in_features, self.out_features = n_in, n_out
        self.scale = alpha / rank
        stored = itertools.chain(layer.parameters(), layer.buffers())  # a quantized layer has scales, and no parameter
        like = next((tensor for tensor in stored if tensor.is_floating_point()), torch.empty(0))
        self.down = nn.Parameter(torch.empty(rank, self.in_features, dtype=like.dtype, device=like.device))
        self.up = nn.Parameter(torch.zeros(self.out_features, rank, dtype=like.dtype, device=like.device))
        nn.init.kaiming_uniform_(self.down, a=5**0.5)
        self._unmerged: Tensor | None = None

    @property
    def merged(self) -> bool:
        """Whether the update is in the layer's own weight now."""
        return self._unmerged is not None

    def forward(self, x: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        """Apply the layer, and the update beside it unless that is merged."""
        if self.merged:
            return self.layer(x)
        update = nn.functional.linear(nn.functional.linear(x.to(self.down.dtype), self.down), self.up)
        return torch.add(self.layer(x), update.to(x.dtype), alpha=self.scale)

    @torch.no_grad()
    def merge(self) -> None:
        r"""Add the update to the layer's weight; computed in fp32 and rounded once.

        The weight as it was is kept, since floating-point addition cannot be undone: :meth:`unmerge` gives back each
        bit. Merging twice is merging once.

        Raises:
            ValueError: The layer has no floating-point ``weight`` of the right shape: a quantized one, for instance.
        """
        if self.merged:
            return
        weight = getattr(self.layer, "weight", None)
        shape = (self.out_features, self.in_features)
        if not isinstance(weight, Tensor) or not weight.is_floating_point() or weight.shape != shape:
            raise ValueError(
                f"{type(self.layer).__name__} has no floating-point weight {shape}: dequantize it to merge"
            )
        self._unmerged = weight.detach().clone()
        wide = torch.promote_types(weight.dtype, torch.float32)
        weight.copy_(weight.to(wide) + self.scale * (self.up.to(wide) @ self.down.to(wide)))

    @torch.no_grad()
    def unmerge(self) -> None:
        """Put the weight back as it was before :meth:`merge`, bit for bit."""
        if self._unmerged is not None:
            self.layer.get_parameter("weight").copy_(self._unmerged)
            self._unmerged = None

    def extra_repr(self) -> str:
        """Return what torch prints between the brackets."""
        return f"rank={self.down.shape[0]}, scale={self.scale:g}, merged={self.merged}"


def add_lora(model: nn.Module, *, rank: int, alpha: float = 16.0, targets: Collection[str] = ("q", "v")) -> nn.Module:
    r"""Freeze a model, and wrap each linear layer of certain names in :class:`LoRA`.

    Args:
        model: Changed in place.
        rank: Width of each detour.
        alpha: Updates are multiplied by ``alpha / rank``.
        targets: Attribute names of layers, at whatever depth.

    Returns:
        The same model.

    Raises:
        ValueError: No layer has one of the names, or one that has is wrapped already.

    Example:
        >>> model = add_lora(nn.ModuleDict({"q": nn.Linear(4, 4), "k": nn.Linear(4, 4)}), rank=1)
        >>> [name for name, parameter in model.named_parameters() if parameter.requires_grad]
        ['q.down', 'q.up']
    """
    found = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if name in targets and hasattr(child, "in_features")
    ]
    if not found:
        raise ValueError(f"no linear layer is named one of {sorted(targets)}: look at model.named_modules()")
    if any(isinstance(child, LoRA) for _, _, child in found):
        raise ValueError("the model has LoRA layers already: remove_lora(model) merges them first")
    model.requires_grad_(False)
    for parent, name, child in found:
        setattr(parent, name, LoRA(child, rank=rank, alpha=alpha))
    return model


def lora_layers(model: nn.Module) -> Iterator[LoRA]:
    """Yield every LoRA layer of a model, to merge them or to save what was trained."""
    return (module for module in model.modules() if isinstance(module, LoRA))


def remove_lora(model: nn.Module) -> nn.Module:
    r"""Merge every update for good and put the plain layers back, so that the model can be saved as any other.

    Args:
        model: Changed in place. Parameters stay frozen.

    Returns:
        The same model.

    Example:
        >>> remove_lora(add_lora(nn.ModuleDict({"q": nn.Linear(4, 4)}), rank=1))
        ModuleDict(
          (q): Linear(in_features=4, out_features=4, bias=True)
        )
    """
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, LoRA):
                child.merge()
                setattr(parent, name, child.layer)
    return model
