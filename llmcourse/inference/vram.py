"""What a model needs on each GPU: weights, keys and values, activations, and what the machine takes for itself."""

import math
from dataclasses import KW_ONLY, dataclass

from llmcourse.architecture import ModelConfig
from llmcourse.inference.kv_cache import kv_cache_bytes
from llmcourse.scaling import parameter_count

__all__ = ["VRAMEstimate", "estimate_vram", "weight_bytes"]

_CUDA_BYTES = 512 * 2**20  # a CUDA context with its kernels, and cuBLAS's workspace: about this much on an H100


def weight_bytes(n_parameters: float, *, bits: float = 16) -> int:
    r"""Return the bytes of a model's weights: parameters times bits over 8.

    Args:
        n_parameters: How many.
        bits: For each: 32, 16, 8, 4, or what they come to with their scales, such as NF4's 4.127.

    Returns:
        Bytes; a GB is 1e9 of them, a GiB 2**30.

    Raises:
        ValueError: A number is below 0.

    Example:
        >>> [f"{weight_bytes(70e9, bits=bits) / 1e9:.1f} GB" for bits in (16, 8, 4)]
        ['140.0 GB', '70.0 GB', '35.0 GB']
    """
    if n_parameters < 0 or bits < 0:
        raise ValueError(f"n_parameters is {n_parameters} and bits is {bits}: give 0 or more")
    return math.ceil(n_parameters * bits / 8)


@dataclass(frozen=True)
class VRAMEstimate:
    r"""Bytes on each of ``n_gpus`` equal GPUs.

    Attributes:
        weight_bytes: The GPU's share of the weights.
        kv_cache_bytes: Its keys and values.
        activation_bytes: The largest that is alive at once while the model reads.
        overhead_bytes: What the driver and libraries take, on every GPU anew.
        n_gpus: Over how many the model is spread.
    """

    _: KW_ONLY
    weight_bytes: int
    kv_cache_bytes: int
    activation_bytes: int
    overhead_bytes: int
    n_gpus: int = 1

    @property
    def total_bytes(self) -> int:
        """All that one GPU holds."""
        return self.weight_bytes + self.kv_cache_bytes + self.activation_bytes + self.overhead_bytes

    @property
    def total_gb(self) -> float:
        """The same in GB of 1e9 bytes, as discs and models are sold."""
        return self.total_bytes / 1e9

    @property
    def total_gib(self) -> float:
        """The same in GiB of 2**30 bytes, as nvidia-smi counts: an "80 GB" H100 has 79.6 of them."""
        return self.total_bytes / 2**30

    def __str__(self) -> str:
        """Return a table with both units."""
        parts = {"weights": self.weight_bytes, "KV cache": self.kv_cache_bytes, "activations": self.activation_bytes}
        parts |= {"overhead": self.overhead_bytes, "per GPU": self.total_bytes}
        return "\n".join(f"{name:<12}{n / 1e9:9.2f} GB{n / 2**30:9.2f} GiB" for name, n in parts.items())


def estimate_vram(
    config: ModelConfig,
    *,
    seq_len: int,
    batch_size: int = 1,
    bits: float = 16,
    kv_bits: float = 16,
    activation_bits: float = 16,
    chunk: int | None = None,
    n_gpus: int = 1,
    n_parameters: float | None = None,
    overhead_bytes: int = _CUDA_BYTES,
) -> VRAMEstimate:
    r"""Estimate what serving a model takes on each GPU, with its matrices cut over GPUs (tensor parallelism).

    Shoeybi et al. 2019 (arXiv:1909.08053), section 3: each GPU has 1/n of every matrix and of the heads. A head of
    keys and values is not cut, so that with more GPUs than heads some hold the same one; latent attention's one latent
    stands on all. The residual stream is whole on every GPU.

    Args:
        config: Sizes and choices.
        seq_len: Tokens of context for each sequence.
        batch_size: Sequences at a time.
        bits: Of each weight.
        kv_bits: Of each key's or value's number.
        activation_bits: Of each activation.
        chunk: Tokens that a sequence reads at once; all of ``seq_len`` unless given, 1 for decoding alone.
        n_gpus: Over how many the model is spread.
        n_parameters: In place of the exact count, such as 70e9 for "70B".
        overhead_bytes: For each GPU.

    Returns:
        Bytes by part, on one GPU.

    Raises:
        ValueError: A size is below 1, or the heads of queries cannot be spread equally.

    Example:
        >>> llama_70b = ModelConfig(
        ...     vocab_size=128_256, d_model=8192, n_layers=80, n_heads=64, n_kv_heads=8, d_ff=28_672
        ... )
        >>> print(estimate_vram(llama_70b, seq_len=8192, bits=4, n_parameters=70e9, chunk=1))
        weights         35.00 GB    32.60 GiB
        KV cache         2.68 GB     2.50 GiB
        activations      0.00 GB     0.00 GiB
        overhead         0.54 GB     0.50 GiB
        per GPU         38.22 GB    35.60 GiB
    """
    chunk = seq_len if chunk is None else chunk
    for name, size in {"seq_len": seq_len, "batch_size": batch_size, "chunk": chunk, "n_gpus": n_gpus}.items():
        if size < 1:
            raise ValueError(f"{name} is {size}: give 1 or more")
    if config.n_heads % n_gpus:
        raise ValueError(f"n_gpus is {n_gpus} and n_heads is {config.n_heads}: each GPU takes equally many heads")
    n_parameters = parameter_count(config).total if n_parameters is None else n_parameters
    return VRAMEstimate(
        weight_bytes=weight_bytes(n_parameters / n_gpus, bits=bits),
        kv_cache_bytes=math.ceil(_kv_elements(config, seq_len, n_gpus) * batch_size * kv_bits / 8),
        activation_bytes=math.ceil(_activations(config, batch_size, min(chunk, seq_len), n_gpus) * activation_bits / 8),
        overhead_bytes=overhead_bytes,
        n_gpus=n_gpus,
    )


def _kv_elements(config: ModelConfig, seq_len: int, n_gpus: int) -> int:
    """Return the numbers that one sequence's cache holds on one GPU."""
    held = sum(min(seq_len, config.window_of(layer) or seq_len) for layer in range(config.n_layers))
    if config.latent is not None:
        return held * (config.latent.kv_rank + config.latent.rope_head_dim)
    heads = -(-config.n_kv_heads // n_gpus)
    return kv_cache_bytes(n_layers=1, n_kv_heads=heads, head_dim=config.head_dim, seq_len=held, bytes_per_element=1)


def _activations(config: ModelConfig, batch_size: int, chunk: int, n_gpus: int) -> int:
    """Return how many numbers are alive at the widest place: inside a feed-forward, inside attention, or the logits.

    The residual stream and its norm stay alive throughout. SwiGLU holds both of its branches and their product;
    attention its queries, keys and values, before and after they are turned, and what it has found.
    """
    heads = config.n_heads // n_gpus
    kv_heads = -(-config.n_kv_heads // n_gpus)
    feed_forward = (3 if config.feed_forward == "swiglu" else 2) * -(-config.d_ff // n_gpus)
    attention = (3 * heads + 3 * kv_heads) * config.head_dim
    inside = batch_size * chunk * (2 * config.d_model + max(feed_forward, attention))
    last_logits = batch_size * config.vocab_size
    return max(inside, batch_size * chunk * config.d_model + last_logits)
