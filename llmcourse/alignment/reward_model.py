"""A reward model: a Transformer that ends in one number, learnt from comparisons."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from llmcourse.alignment.bradley_terry import bradley_terry_loss, centering_loss, preference_accuracy
from llmcourse.alignment.operands import kept_mask
from llmcourse.alignment.preference_steps import AnswerPairs
from llmcourse.alignment.token_rewards import last_kept
from llmcourse.alignment.training_step import StepReport, take_step
from llmcourse.architecture import Transformer

__all__ = ["RewardModel", "reward_step"]


class RewardModel(nn.Module):
    r"""A scalar head on a Transformer.

    Ouyang et al. 2022 (arXiv:2203.02155), step 2: the fine-tuned model, whose output layer is replaced by one that
    gives a number. PPO's critic is built the same way and gives one for each token.

    Args:
        model: What the head is put on; its layers are trained, its output layer is not used.

    Example:
        >>> from llmcourse.architecture import ModelConfig
        >>> model = RewardModel(Transformer(ModelConfig(vocab_size=9, d_model=8, n_layers=1, n_heads=2)))
        >>> model(torch.tensor([[1, 2, 3], [4, 5, 6]])).shape
        torch.Size([2])
    """

    def __init__(self, model: Transformer) -> None:
        super().__init__()
        self.model = model
        like = model.embedding.weight
        self.head = nn.Linear(model.config.d_model, 1, bias=False, dtype=like.dtype, device=like.device)
        # As wide as keeps the first rewards small (Huang et al. 2024, arXiv:2403.17031, section 3).
        nn.init.normal_(self.head.weight, std=(model.config.d_model + 1) ** -0.5)

    def forward(self, tokens: Int[Tensor, "B T"], mask: Bool[Tensor, "B T"] | None = None) -> Float[Tensor, " B"]:
        r"""Return the reward of each row, read at its last real token.

        Under causal attention that is the only place that has seen all of the answer. At a padded place the number
        would depend on how long the *other* answers of the batch are.

        Args:
            tokens: Ids, filled up at the end.
            mask: True at real tokens, or at those of the answer; all are by default.

        Returns:
            Rewards in fp32 at least; 0 for a row of which nothing is real.

        Raises:
            ValueError: The mask does not fit; quotes its shape.
        """
        last = last_kept(kept_mask(mask, tokens))
        return self.scores(tokens).masked_fill(~last, 0.0).sum(-1)

    def scores(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T"]:
        """Return the number at every token."""
        found = self.head(self.model.hidden(tokens)).squeeze(-1)
        return found.to(torch.promote_types(found.dtype, torch.float32))

    def values(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T"]:
        r"""Return, as a critic, what is expected *before* each token: the number at the one before; 0 at the first."""
        return F.pad(self.scores(tokens[:, :-1]), (1, 0))


def reward_step(
    model: RewardModel,
    optimizer: torch.optim.Optimizer,
    pairs: AnswerPairs,
    *,
    margin: float | Float[Tensor, " B"] = 0.0,
    centering: float = 0.0,
    max_norm: float = 1.0,
) -> StepReport:
    r"""Make one step of training on comparisons.

    Args:
        model: Changed.
        optimizer: Of its parameters, or of its adapters' and its head's.
        pairs: Two answers to each prompt.
        margin: As for :func:`bradley_terry_loss`.
        centering: The weight of :func:`centering_loss`.
        max_norm: The greatest norm of the gradients.

    Returns:
        The mean loss, the ``accuracy``, and the mean ``reward`` of all answers, whose level is arbitrary.

    Raises:
        ValueError: Shapes do not fit, or the gradient is not finite.
    """
    chosen, rejected = (model(*side) for side in pairs)
    loss = bradley_terry_loss(chosen, rejected, margin=margin)
    if centering:
        loss = loss + centering_loss(chosen, rejected, weight=centering)
    accuracy, level = preference_accuracy(chosen, rejected), float((chosen + rejected).detach().mean()) / 2
    return take_step(model, optimizer, loss.mean(), max_norm=max_norm, accuracy=accuracy, reward=level)
