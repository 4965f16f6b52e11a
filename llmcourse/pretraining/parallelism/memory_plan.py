"""How much memory a GPU needs for its part of a training run, by what it is for."""

from dataclasses import KW_ONLY, astuple, dataclass

from llmcourse.architecture import ModelConfig
from llmcourse.pretraining.parallelism.layout import Layout
from llmcourse.pretraining.parallelism.pipeline_stage import stage_layers
from llmcourse.scaling import parameter_count
from llmcourse.scaling.counts import attention_matrices, feed_forward_matrices

__all__ = ["MemoryPlan", "StageParameters", "plan_memory", "stage_parameters"]

_WIDE = 4  # bytes of fp32: weights, gradients, each of AdamW's averages, and the residual stream
_BYTES = {"fp32": 4, "bf16": 2}


@dataclass(frozen=True)
class MemoryPlan:
    r"""Bytes of one GPU at the busiest moment of a step.

    Attributes:
        parameters: The weights that it keeps, in fp32.
        gathered: Copies that come and go: weights that ZeRO's third stage gathers, weights in bf16.
        gradients: In fp32.
        optimizer: AdamW's two averages, in fp32.
        activations: What the backward pass needs, of all micro-batches in flight.
    """

    _: KW_ONLY
    parameters: float
    gathered: float
    gradients: float
    optimizer: float
    activations: float

    @property
    def total(self) -> float:
        """The sum of all parts."""
        return sum(astuple(self))


@dataclass(frozen=True)
class StageParameters:
    """How many parameters a stage has, with layers cut over tensor parallel GPUs but not yet over copies.

    Attributes:
        blocks: In all its blocks.
        matrices: Of these, in matrices, which are multiplied in bf16.
        outside: In its embedding, last norm and output projection.
        n_layers: How many blocks it has.
    """

    _: KW_ONLY
    blocks: int
    matrices: int
    outside: int
    n_layers: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.blocks + self.outside


def stage_parameters(config: ModelConfig, layout: Layout, stage: int = 0) -> StageParameters:
    r"""Count the parameters of a pipeline's stage on one GPU, exactly; without a pipeline there is one stage.

    Args:
        config: Of the model.
        layout: Over how many GPUs layers are cut.
        stage: From 0.

    Returns:
        The counts.

    Example:
        >>> config = ModelConfig(vocab_size=8, d_model=16, n_layers=2, n_heads=2)
        >>> stage_parameters(config, Layout()).total == parameter_count(config).total
        True
    """
    count, n = parameter_count(config), len(stage_layers(config.n_layers, layout.pipeline)[stage])
    matrices = sum(attention_matrices(config)) + sum(feed_forward_matrices(config))
    cut_biases = config.qkv_bias * (config.n_heads + 2 * config.n_kv_heads) * config.head_dim
    last_norm = config.d_model * (2 if config.norm == "layer" else 1)
    whole = (count.norms - last_norm) // config.n_layers + config.output_bias * config.d_model
    first, last = stage == 0, stage == layout.pipeline - 1
    outside = first * (count.embedding + count.position_embedding) + last * (count.head + last_norm)
    cut = matrices // layout.tensor
    return StageParameters(
        blocks=n * (cut + cut_biases // layout.tensor + whole), matrices=n * cut, outside=outside, n_layers=n
    )


def plan_memory(
    config: ModelConfig, layout: Layout, *, batch_size: int, seq_len: int, precision: str = "bf16"
) -> MemoryPlan:
    r"""Return the memory of the GPU that needs most, as :class:`llmcourse.pretraining.Trainer` uses it.

    Weights, gradients and optimizer follow Rajbhandari et al. 2019 (arXiv:1910.02054, figure 1) with fp32 master
    weights; activations count each tensor that autograd keeps of this course's Transformer on a GPU, in the manner of
    Korthikanti et al. 2022 (arXiv:2205.05198, section 4.1), whose model is another.

    Args:
        config: Of the model; latent attention and windows are not counted.
        layout: How it is laid out.
        batch_size: Sequences in a step, of all GPUs.
        seq_len: Tokens in each.
        precision: "fp32", or "bf16" for products in bf16 with fp32 weights.

    Returns:
        Bytes by part. The sum is above the true peak, since not all parts are at their greatest at one moment; below
        it by what is used for a moment within an operation, by fragments, and by what CUDA itself takes (about 1 GB).

    Raises:
        ValueError: The batch does not divide, the precision is none, or the attention is not one that is counted.

    Example:
        >>> config = ModelConfig(vocab_size=32_000, d_model=2048, n_layers=16, n_heads=16)
        >>> options = {"batch_size": 64, "seq_len": 2048}
        >>> for stage in range(4):
        ...     print(round(plan_memory(config, Layout(data=8, zero_stage=stage), **options).total / 1e9))
        44
        38
        34
        32
    """
    if precision not in _BYTES:
        raise ValueError(f"precision is {precision!r}: choose 'fp32' or 'bf16'")
    if batch_size % (layout.data * layout.n_micro_batches):
        raise ValueError(
            f"batch_size is {batch_size}, which {layout.data} copies of {layout.n_micro_batches} micro-batches do not "
            "divide: change one of them"
        )
    if config.latent is not None:
        raise ValueError("latent attention's activations are not counted: plan for a model without it")
    rows = batch_size // layout.data // layout.n_micro_batches
    stages = [_stage_memory(config, layout, stage, rows, seq_len, precision) for stage in range(layout.pipeline)]
    return max(stages, key=lambda memory: memory.total)


def _stage_memory(
    config: ModelConfig, layout: Layout, stage: int, rows: int, seq_len: int, precision: str
) -> MemoryPlan:
    counts, flying = stage_parameters(config, layout, stage), layout.in_flight(stage)
    whole, part = _WIDE * counts.total, _WIDE * counts.total / layout.data
    gathered = _WIDE * (counts.outside + counts.blocks / counts.n_layers) if layout.zero_stage == 3 else 0.0
    if precision == "bf16":  # autograd keeps the copies that were multiplied, of each micro-batch its own
        copies = 1 / counts.n_layers if layout.checkpointing else flying
        gathered += _BYTES[precision] * counts.matrices * copies
    return MemoryPlan(
        parameters=part if layout.zero_stage >= 3 else whole,
        gathered=gathered,
        gradients=part if layout.zero_stage >= 2 else whole,
        optimizer=2 * (part if layout.zero_stage >= 1 else whole),
        activations=_activations(config, layout, stage, rows, seq_len, precision),
    )


def _activations(config: ModelConfig, layout: Layout, stage: int, rows: int, seq_len: int, precision: str) -> float:
    """Return the bytes that autograd keeps on a stage, with the vectors that a pipeline sends on."""
    tokens, layers = rows * seq_len, len(stage_layers(config.n_layers, layout.pipeline)[stage])
    block, flying = tokens * _block_bytes(config, layout.tensor, precision), layout.in_flight(stage)
    stream = tokens * _WIDE * config.d_model
    outside = 2 * _WIDE * seq_len * config.head_dim if config.position_embedding == "rope" else 0  # cosines and sines
    if stage == 0:
        outside += 8 * (tokens + (seq_len if config.position_embedding == "learned" else 0))  # ids, and positions
    if stage == layout.pipeline - 1:
        outside += _loss_bytes(config, tokens, layout, precision)
    else:
        outside += stream
    if layout.checkpointing:
        return flying * (layers * stream + outside) + block - stream
    return flying * (layers * block + outside)


def _block_bytes(config: ModelConfig, tensor: int, precision: str) -> float:
    """Return the bytes that autograd keeps of one token in one block."""
    narrow, width = _BYTES[precision], config.d_model
    q, kv = config.n_heads * config.head_dim, config.n_kv_heads * config.head_dim
    n_wide = 3 if config.feed_forward == "swiglu" else 2
    # In bf16 each projection keeps its own copy of what came in, in fp32 they share one.
    copies = 1 + 1 if precision == "fp32" else 3 + (n_wide - 1)
    inside = narrow * (2 * q + 2 * kv + n_wide * config.d_ff) + _WIDE * config.n_heads
    if config.qk_norm:
        inside += 2 * _WIDE * (q + kv) + _WIDE * (config.n_heads + config.n_kv_heads)
    return 2 * _norm_bytes(config) + copies * narrow * width + inside / tensor


def _norm_bytes(config: ModelConfig) -> int:
    """Return what a norm keeps of a token: what came in and statistics, RMSNorm also what it scaled."""
    return _WIDE * (config.d_model + 2) if config.norm == "layer" else _WIDE * (2 * config.d_model + 1)


def _loss_bytes(config: ModelConfig, tokens: int, layout: Layout, precision: str) -> float:
    """Return what the last norm and the loss keep: gradients made ahead, or, on a pipeline's last stage, logits."""
    kept = tokens * _norm_bytes(config)
    if layout.pipeline == 1:
        return kept + tokens * _WIDE * config.d_model + _WIDE * config.vocab_size * config.d_model
    copy = _BYTES["bf16"] * config.vocab_size * config.d_model if precision == "bf16" else 0
    # Normed vectors, the logarithm of the softmax, labels, and how many of these count.
    return kept + tokens * (_BYTES[precision] * config.d_model + _WIDE * config.vocab_size + 8) + _WIDE + copy
