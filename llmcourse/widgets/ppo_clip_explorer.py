"""An explorer of PPO's clipped objective for one token."""

from pathlib import Path
from typing import Any

import torch
import traitlets

from llmcourse.alignment import ppo_loss
from llmcourse.widgets.static import StaticWidget, styled

__all__ = ["PPOClipExplorer"]

_HERE = Path(__file__).parent


class PPOClipExplorer(StaticWidget):
    r"""Move a token's ratio and advantage, and see which branch of the minimum PPO takes.

    Args:
        ratio: The token's probability now over that when it was drawn, from 0.05 to 3.
        advantage: How much better it was than expected, from -3 to 3.
        clip: How far the ratio may gain from 1, from 0.05 to 0.5.
        **traits: What any widget takes, such as ``layout``.

    Raises:
        ValueError: A number is out of its range.

    Examples:
        >>> explorer = PPOClipExplorer(ratio=1.5, advantage=1.0, clip=0.2)
        >>> round(explorer.objective, 4), explorer.slope
        (1.2, 0.0)
        >>> explorer
        PPOClipExplorer(ratio 1.5, advantage 1, clip 0.2)
    """

    _esm = _HERE / "ppo_clip_explorer.js"
    _css = styled(_HERE / "loss_curve.css")
    caption = "An interactive figure, the PPO clip explorer: it runs in the book's pages and in JupyterLab."

    ratio = traitlets.Float(1.0).tag(sync=True)
    advantage = traitlets.Float(1.0).tag(sync=True)
    clip = traitlets.Float(0.2).tag(sync=True)

    def __init__(self, *, ratio: float = 1.0, advantage: float = 1.0, clip: float = 0.2, **traits: Any) -> None:
        ranges = {"ratio": (ratio, 0.05, 3), "advantage": (advantage, -3, 3), "clip": (clip, 0.05, 0.5)}
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}: it has to be from {low} to {high}")
        super().__init__(ratio=ratio, advantage=advantage, clip=clip, **traits)

    @property
    def objective(self) -> float:
        """What PPO maximises, for this token."""
        return -self._loss()[0].item()

    @property
    def slope(self) -> float:
        """The derivative of the objective with respect to the token's log-probability."""
        loss, now = self._loss()
        (found,) = torch.autograd.grad(loss, now)
        return -found.item() + 0.0  # no minus zero

    def _loss(self) -> tuple[torch.Tensor, torch.Tensor]:
        now = torch.tensor([self.ratio], dtype=torch.float64).log().requires_grad_()
        advantage = torch.tensor([self.advantage], dtype=torch.float64)
        return ppo_loss(now, torch.zeros_like(now), advantage, clip=self.clip), now

    def __repr__(self) -> str:
        return f"PPOClipExplorer(ratio {self.ratio:g}, advantage {self.advantage:g}, clip {self.clip:g})"
