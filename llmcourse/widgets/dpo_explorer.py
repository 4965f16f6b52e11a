"""An explorer of DPO's loss of one pair: four log-probabilities and beta."""

from pathlib import Path
from typing import Any

import torch
import traitlets

from llmcourse.alignment import dpo_loss, implicit_rewards
from llmcourse.widgets.static import StaticWidget, styled

__all__ = ["DPOExplorer"]

_HERE = Path(__file__).parent
_LOWEST = -60.0


class DPOExplorer(StaticWidget):
    r"""Move the log-probabilities of two answers under the policy and under the reference, and see DPO's loss.

    Args:
        beta: From 0.01 to 2.
        policy_chosen: Log-probability of the chosen answer under the policy, from -60 to 0 nats.
        policy_rejected: Of the rejected one.
        reference_chosen: Of the chosen one under the reference.
        reference_rejected: Of the rejected one.
        **traits: What any widget takes, such as ``layout``.

    Raises:
        ValueError: A number is out of its range.

    Examples:
        >>> explorer = DPOExplorer(beta=0.5, policy_chosen=-12, policy_rejected=-16)
        >>> round(explorer.loss, 4), explorer.rewards
        (0.1269, (0.0, -2.0))
        >>> explorer
        DPOExplorer(beta 0.5, policy -12 and -16, reference -12 and -12)
    """

    _esm = _HERE / "dpo_explorer.js"
    _css = styled(_HERE / "loss_curve.css")
    caption = "An interactive figure, the DPO explorer: it runs in the book's pages and in JupyterLab."

    beta = traitlets.Float(0.1).tag(sync=True)
    policy_chosen = traitlets.Float(-12.0).tag(sync=True)
    policy_rejected = traitlets.Float(-12.0).tag(sync=True)
    reference_chosen = traitlets.Float(-12.0).tag(sync=True)
    reference_rejected = traitlets.Float(-12.0).tag(sync=True)

    def __init__(
        self,
        *,
        beta: float = 0.1,
        policy_chosen: float = -12.0,
        policy_rejected: float = -12.0,
        reference_chosen: float = -12.0,
        reference_rejected: float = -12.0,
        **traits: Any,
    ) -> None:
        if not 0.01 <= beta <= 2:
            raise ValueError(f"beta is {beta}: it has to be from 0.01 to 2")
        four = {
            "policy_chosen": policy_chosen,
            "policy_rejected": policy_rejected,
            "reference_chosen": reference_chosen,
            "reference_rejected": reference_rejected,
        }
        for name, value in four.items():
            if not _LOWEST <= value <= 0:
                raise ValueError(f"{name} is {value}: a log-probability here is from {_LOWEST:g} to 0")
        super().__init__(beta=beta, **four, **traits)

    @property
    def rewards(self) -> tuple[float, float]:
        """The implicit rewards of the chosen and of the rejected answer."""
        policy = torch.tensor([self.policy_chosen, self.policy_rejected], dtype=torch.float64)
        reference = torch.tensor([self.reference_chosen, self.reference_rejected], dtype=torch.float64)
        chosen, rejected = implicit_rewards(policy, reference, beta=self.beta).tolist()
        return chosen, rejected

    @property
    def loss(self) -> float:
        """The loss of the pair, in nats."""
        return dpo_loss(*self._four(), beta=self.beta).item()

    @property
    def slope(self) -> float:
        """The derivative of the loss with respect to the chosen answer's log-probability under the policy."""
        four = self._four()
        four[0].requires_grad_()
        (found,) = torch.autograd.grad(dpo_loss(*four, beta=self.beta).sum(), four[0])
        return found.item()

    def _four(self) -> list[torch.Tensor]:
        values = (self.policy_chosen, self.policy_rejected, self.reference_chosen, self.reference_rejected)
        return [torch.tensor([value], dtype=torch.float64) for value in values]

    def __repr__(self) -> str:
        policy = f"policy {self.policy_chosen:g} and {self.policy_rejected:g}"
        return (
            f"DPOExplorer(beta {self.beta:g}, {policy}, "
            f"reference {self.reference_chosen:g} and {self.reference_rejected:g})"
        )
