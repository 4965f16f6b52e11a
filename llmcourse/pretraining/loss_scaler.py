"""Loss scaling: what keeps small gradients from vanishing in FP16."""

from collections.abc import Iterable

import torch
from torch import Tensor

__all__ = ["LossScaler"]


class LossScaler:
    r"""A factor on the loss, as large as gradients in FP16 bear, found while training.

    Micikevicius et al. 2017 (arXiv:1710.03740, section 3.2). FP16 knows no number between 0 and 6e-8: smaller gradients
    are lost. Times the factor they are kept, and are divided by it again in fp32 before clipping and the step. If one
    overflows, the step is skipped and the factor made smaller; after many good steps it is made larger. BF16 has the
    exponents of fp32, and needs none of this.

    Args:
        scale: The factor at the start.
        growth_factor: What it is multiplied by after ``growth_interval`` good steps.
        backoff_factor: What it is multiplied by after an overflow.
        growth_interval: How many good steps in a row.

    Raises:
        ValueError: A number is out of its range; quotes it.

    Example:
        >>> scaler, weight = LossScaler(scale=4.0), torch.nn.Parameter(torch.ones(1))
        >>> (weight.sum() * scaler.scale).backward()
        >>> scaler.unscale([weight]), weight.grad
        (True, tensor([1.]))
        >>> weight.grad.fill_(float("inf"))
        tensor([inf])
        >>> scaler.unscale([weight]), scaler.scale
        (False, 2.0)
    """

    def __init__(
        self,
        *,
        scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
    ) -> None:
        if not scale > 0:
            raise ValueError(f"scale is {scale}: it has to be greater than 0")
        if not growth_factor > 1 > backoff_factor > 0:
            raise ValueError(
                f"growth_factor is {growth_factor} and backoff_factor {backoff_factor}: "
                "the first is greater than 1, the second between 0 and 1"
            )
        if growth_interval < 1:
            raise ValueError(f"growth_interval is {growth_interval}: it is at least 1")
        self.scale, self.n_good = scale, 0
        self._growth_factor, self._backoff_factor, self._growth_interval = (
            growth_factor,
            backoff_factor,
            growth_interval,
        )

    @torch.no_grad()
    def unscale(self, parameters: Iterable[Tensor]) -> bool:
        """Divide gradients by the factor, once a step after they are synchronised and before they are clipped.

        Args:
            parameters: Whose gradients, in place. Their dtype should be fp32, or what was kept is lost here.

        Returns:
            Whether all are finite: only then may the optimizer step. The factor is set for the next step.

        Cost: one pass over the gradients, and one wait for the device.
        """
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        for gradient in gradients:
            gradient.div_(self.scale)
        finite = all(bool(gradient.isfinite().all()) for gradient in gradients)
        self._update(finite)
        return finite

    def _update(self, finite: bool) -> None:
        if not finite:
            self.scale, self.n_good = self.scale * self._backoff_factor, 0
            return
        self.n_good += 1
        if self.n_good == self._growth_interval:
            self.scale, self.n_good = self.scale * self._growth_factor, 0

    def state_dict(self) -> dict[str, float]:
        """Return what a resumed run needs to go on with the same factor."""
        return {"scale": self.scale, "n_good": self.n_good}

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Take in what ``state_dict`` returned."""
        self.scale, self.n_good = float(state["scale"]), int(state["n_good"])
