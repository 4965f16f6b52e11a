"""A model whose forward pass gives its loss: what torch's engines wrap, since they act where a module is called."""

from jaxtyping import Float
from torch import Tensor, nn

from llmcourse.pretraining.micro_batch import MicroBatch
from llmcourse.pretraining.strategy import LossFunction

__all__ = ["LossModule"]


class LossModule(nn.Module):
    r"""Gives the loss where it is called; ``Transformer.loss`` by itself would pass an engine's hooks by.

    Args:
        model: Whose loss.

    Example:
        >>> import torch
        >>> from llmcourse.architecture import ModelConfig, Transformer
        >>> from llmcourse.pretraining import NextToken
        >>> module = LossModule(Transformer(ModelConfig(vocab_size=8, d_model=16, n_layers=1, n_heads=2)))
        >>> tokens = torch.arange(4).view(1, 4)
        >>> module(MicroBatch(tokens, tokens), NextToken()).shape
        torch.Size([])
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, batch: MicroBatch, loss_of: LossFunction) -> Float[Tensor, ""]:
        """Return the mean loss of a micro-batch."""
        return loss_of(self.model, batch)
