"""A stage of a pipeline: some blocks of a Transformer, with its embedding at the start and its logits at the end."""

from itertools import accumulate, pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from llmcourse.architecture import Transformer
from llmcourse.architecture.transformer import separate_documents

__all__ = ["PipelineStage", "stage_layers"]


def stage_layers(n_layers: int, n_stages: int) -> list[range]:
    r"""Share layers out among stages, as evenly as can be.

    Args:
        n_layers: Of the model.
        n_stages: Of the pipeline; where they do not divide the layers, the first stages have one more.

    Returns:
        The numbers of each stage's layers.

    Raises:
        ValueError: There are fewer layers than stages; quotes both.

    Example:
        >>> stage_layers(5, 2)
        [range(0, 3), range(3, 5)]
    """
    if not 1 <= n_stages <= n_layers:
        raise ValueError(
            f"n_layers is {n_layers} and there are {n_stages} stages: each needs a layer, so take fewer processes"
        )
    size, rest = divmod(n_layers, n_stages)
    bounds = [0, *accumulate(size + (stage < rest) for stage in range(n_stages))]
    return [range(start, stop) for start, stop in pairwise(bounds)]


class PipelineStage(nn.Module):
    r"""What one process computes of a model; its parameters keep their names.

    Args:
        model: Whose modules it takes.
        stage: Which stage it is, from 0.
        n_stages: How many there are.

    Raises:
        ValueError: The model is none that is cut into stages, or too small.

    Example:
        >>> from llmcourse.architecture import ModelConfig
        >>> model = Transformer(ModelConfig(vocab_size=8, d_model=16, n_layers=2, n_heads=2))
        >>> first, last = (PipelineStage(model, stage, 2) for stage in (0, 1))
        >>> tokens = torch.tensor([[1, 2, 3]])
        >>> torch.equal(last(first(tokens)), model(tokens))
        True
    """

    def __init__(self, model: nn.Module, stage: int, n_stages: int) -> None:
        super().__init__()
        if not isinstance(model, Transformer):
            raise ValueError(f"the model is a {type(model).__name__}: a pipeline is cut from a Transformer")
        if model.config.tie_embeddings and n_stages > 1:
            raise ValueError(
                "tie_embeddings is True: the first and the last stage would have to keep one matrix equal; "
                "set it to False, or use another strategy"
            )
        layers = stage_layers(model.config.n_layers, n_stages)[stage]
        first, last = stage == 0, stage == n_stages - 1
        self.embedding = model.embedding if first else None
        self.position_embedding = model.position_embedding if first else None
        self.rotary = model.rotary
        self.blocks = nn.ModuleDict({str(layer): model.blocks[layer] for layer in layers})
        self.norm = model.norm if last else None
        self.output = model.output if last else None
        self.width, self.dtype = model.config.d_model, model.embedding.weight.dtype

    def forward(
        self, x: Int[Tensor, "B T"] | Float[Tensor, "B T D"], document_ids: Int[Tensor, "B T"] | None = None
    ) -> Float[Tensor, "B T width"]:
        """Go on with tokens, or with what the stage before gave, to what the next takes, or to logits."""
        mask, positions = None, torch.arange(x.shape[1], device=x.device)
        if document_ids is not None:
            mask, positions = separate_documents(document_ids)
        if self.embedding is not None:
            x = self.embedding(x)
        if self.position_embedding is not None:
            x = x + self.position_embedding(positions)
        rotation = self.rotary(positions) if self.rotary is not None else None
        for block in self.blocks.values():
            x = block(x, rotation, mask=mask, positions=positions)
        return x if self.norm is None or self.output is None else self.output(self.norm(x))
