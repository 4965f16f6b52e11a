"""Muon: momentum whose matrix is made orthogonal, so that a step moves all directions alike."""

# pyright: reportIncompatibleMethodOverride=false

from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Muon", "orthogonalize"]

# Of the odd polynomial a x + b x^3 + c x^5: chosen steep at 0, so that five rounds bring every singular value that is
# not tiny near 1, which the tests hold to 0.6 and 1.3. It does not converge to 1, which training does not need.
_A, _B, _C = 3.4445, -4.7750, 2.0315


@torch.no_grad()
def orthogonalize(
    matrix: Float[Tensor, "rows columns"], *, rounds: int = 5, eps: float = 1e-7, dtype: torch.dtype | None = None
) -> Float[Tensor, "rows columns"]:
    r"""Return a matrix with the same singular vectors, whose singular values are all near 1.

    Newton-Schulz iteration (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"): each round
    applies one polynomial to all singular values by matrix products alone, where an SVD would be slow on a GPU.

    Args:
        matrix: With singular values of any size.
        rounds: How often the polynomial is applied.
        eps: The least norm that is divided by.
        dtype: In which to multiply; the matrix's own by default. bf16 is enough.

    Returns:
        In ``dtype``.

    Raises:
        ValueError: It is no matrix; quotes the shape.

    Cost: about 4 r^2 c + 2 r^3 FLOP a round for r rows and c columns, the smaller of both being r.

    Example:
        >>> orthogonalize(torch.diag(torch.tensor([100.0, 1.0]))).diag().round(decimals=1)
        tensor([0.7000, 0.7000])
    """
    if matrix.ndim != 2:
        raise ValueError(f"matrix has shape {tuple(matrix.shape)}: give one with two axes")
    x = matrix.to(dtype or matrix.dtype)
    wide = x if x.shape[0] <= x.shape[1] else x.T
    wide = wide / wide.norm().clamp(min=eps)
    for _ in range(rounds):
        gram = wide @ wide.T
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=_B, alpha=_C), wide, beta=_A)
    return wide if x.shape[0] <= x.shape[1] else wide.T


class Muon(torch.optim.Optimizer):
    r"""Muon, for the matrices of hidden layers.

    Jordan et al. 2024; with decay and the scale of AdamW's updates as Liu et al. 2025 (Moonlight, arXiv:2502.16982,
    section 2.2) have it. Embeddings, the output projection, norms and biases are AdamW's.

    Args:
        params: Matrices, or groups of them as torch's optimizers take.
        lr: The learning rate.
        momentum: How much of the average stays at a step.
        weight_decay: Which part of the weights goes at a step, times ``lr``.
        like_adamw: Scale updates by 0.2 sqrt(max(rows, columns)), so that AdamW's learning rate and decay can be used;
            otherwise by sqrt(max(1, rows / columns)).

    Raises:
        ValueError: A number is out of its range, or a parameter is no matrix; quotes it.

    Cost: one tensor of the parameters' size is kept, half of AdamW's.

    Example:
        >>> weights = torch.nn.Parameter(torch.zeros(2, 2))
        >>> weights.grad = torch.diag(torch.tensor([100.0, 1.0]))
        >>> Muon([weights], lr=1.0).step()
        >>> weights.data.diag().round(decimals=1)  # both directions alike, though one gradient is 100 times larger
        tensor([-0.2000, -0.2000])
    """

    def __init__(
        self,
        params: Iterable[Any],
        *,
        lr: float = 1e-3,
        momentum: float = 0.95,
        weight_decay: float = 0.1,
        like_adamw: bool = True,
    ) -> None:
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum is {momentum}: it is at least 0 and less than 1")
        for name, value in (("lr", lr), ("weight_decay", weight_decay)):
            if not value >= 0:
                raise ValueError(f"{name} is {value}: it is at least 0")
        defaults = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay, "like_adamw": like_adamw}
        super().__init__(params, defaults)
        for parameter in (parameter for group in self.param_groups for parameter in group["params"]):
            if parameter.ndim != 2:
                raise ValueError(f"a parameter has shape {tuple(parameter.shape)}: Muon takes matrices, AdamW the rest")

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Update every matrix that has a gradient.

        Args:
            closure: Computes the loss again, with gradients; by default the gradients that are there are used.

        Returns:
            What the closure returned.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)
        return loss

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state, momentum, lr = self.state[parameter], group["momentum"], group["lr"]
        if not state:
            state["average"] = torch.zeros_like(gradient, memory_format=torch.preserve_format)
        average = state["average"].lerp_(gradient, 1 - momentum)
        looked_ahead = gradient.lerp(average, momentum)  # Nesterov's: the average after one more such gradient
        rows, columns = parameter.shape
        scale = 0.2 * max(rows, columns) ** 0.5 if group["like_adamw"] else max(1.0, rows / columns) ** 0.5
        parameter.mul_(1 - lr * group["weight_decay"])
        parameter.add_(orthogonalize(looked_ahead, dtype=torch.bfloat16), alpha=-lr * scale)
