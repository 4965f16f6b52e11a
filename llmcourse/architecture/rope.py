"""Rotary position embedding: each pair of features turns by an angle that grows with the token's position."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from llmcourse.architecture.config import ModelConfig
from llmcourse.architecture.rope_scaling import scale_frequencies

__all__ = ["PAIRINGS", "RotaryEmbedding", "apply_rope", "convert_pairing", "rope_frequencies", "rotate"]

PAIRINGS = ("interleaved", "half")

Table = Float[Tensor, "*table T head_dim"]


def rope_frequencies(
    head_dim: int, *, theta: float = 10000.0, device: torch.device | str | None = None
) -> Float[Tensor, "pairs"]:
    r"""Return the angle by which each pair turns from one token to the next.

    Su et al. 2021 (arXiv:2104.09864), section 3.2.2: theta_i = 10000^(-2(i-1)/d) for i = 1, ..., d/2. Notation: the
    paper's d is ``head_dim``, its base 10000 is ``theta``; we count i from 0, so that the exponent is -2i/d.

    Args:
        head_dim: Features of a head, an even number.
        theta: The base: the larger, the more slowly the last pairs turn.
        device: Where the result is to be.

    Returns:
        ``head_dim / 2`` frequencies in radians per token, from 1 downwards, in fp32.

    Raises:
        ValueError: ``head_dim`` is odd or not positive, or ``theta`` is not positive.

    Example:
        >>> rope_frequencies(4, theta=100.0)
        tensor([1.0000, 0.1000])
    """
    if head_dim < 2 or head_dim % 2:
        raise ValueError(f"head_dim is {head_dim}: rotation turns pairs, so it has to be even and at least 2")
    if not theta > 0:
        raise ValueError(f"theta is {theta}: it has to be greater than 0")
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float32, device=device) / head_dim
    return 1.0 / theta**exponents


def apply_rope(
    x: Float[Tensor, "B H T head_dim"],
    positions: Int[Tensor, "*B T"],
    *,
    theta: float = 10000.0,
    pairing: str = "interleaved",
    frequencies: Float[Tensor, "pairs"] | None = None,
    attention_factor: float = 1.0,
) -> Float[Tensor, "B H T head_dim"]:
    r"""Rotate each pair of features of ``x`` by an angle that grows with its position.

    Su et al. 2021 (arXiv:2104.09864), section 3.2.2. Notation: the paper's d is ``head_dim``, its m is a position.
    A query at m and a key at n, both rotated, have a product that depends on m - n alone.

    Args:
        x: Queries or keys. Values are not rotated.
        positions: The position of each token, counted from 0; (B, T) where rows differ.
        theta: The base of the frequencies.
        pairing: "interleaved" turns features 2i and 2i + 1 (the paper, Meta's code); "half" turns i and
            i + head_dim / 2 (Hugging Face). See :func:`convert_pairing`.
        frequencies: Radians per token of each pair, in place of those that ``theta`` gives.
        attention_factor: Multiplies the result; YaRN wants one other than 1.

    Returns:
        Of the shape and dtype of ``x``; angles are taken in fp32 since bf16 cannot tell position 257 from 256.

    Raises:
        ValueError: The pairing is unknown, ``head_dim`` is odd, or shapes do not fit.

    Cost: 3 FLOP per feature (4 multiplications and 2 additions per pair).

    Example:
        >>> x = torch.tensor([1.0, 0.0]).expand(1, 1, 3, 2)
        >>> apply_rope(x, torch.tensor([0, 1, 2]))[0, 0]
        tensor([[ 1.0000,  0.0000],
                [ 0.5403,  0.8415],
                [-0.4161,  0.9093]])
    """
    _check(x, positions, pairing, frequencies)
    if frequencies is None:
        frequencies = rope_frequencies(x.shape[-1], theta=theta, device=x.device)
    cos, sin = angles_to_tables(positions, frequencies.to(x.device), attention_factor, pairing=pairing)
    return rotate(x, cos, sin, pairing=pairing)


def _check(x: Tensor, positions: Tensor, pairing: str, frequencies: Tensor | None) -> None:
    if pairing not in PAIRINGS:
        raise ValueError(f"pairing is {pairing!r}: choose 'interleaved' or 'half'")
    if x.ndim != 4 or x.shape[-1] % 2:
        raise ValueError(f"x has shape {tuple(x.shape)}: it has to be (B, H, T, head_dim) with an even head_dim")
    if positions.shape not in (x.shape[2:3], (x.shape[0], x.shape[2])):
        raise ValueError(f"positions have shape {tuple(positions.shape)} and x {tuple(x.shape)}: give (T,) or (B, T)")
    if frequencies is not None and frequencies.shape != (x.shape[-1] // 2,):
        raise ValueError(f"frequencies have shape {tuple(frequencies.shape)}: {x.shape[-1] // 2} pairs need one each")


def angles_to_tables(
    positions: Int[Tensor, "*B T"], frequencies: Float[Tensor, "pairs"], factor: float = 1.0, *, pairing: str
) -> tuple[Table, Table]:
    r"""Return cosine and sine of each feature's angle, times a factor; computed once, used by every layer.

    Args:
        positions: (T,) or (B, T).
        frequencies: Radians per token of each pair.
        factor: Multiplies both tables.
        pairing: Where the two features of a pair stand.

    Returns:
        Two tables in fp32, with an axis for heads where rows differ: (T, head_dim) or (B, 1, T, head_dim).
    """
    angles = positions.unsqueeze(-1).float() * frequencies
    angles = torch.cat([angles, angles], dim=-1) if pairing == "half" else angles.repeat_interleave(2, dim=-1)
    if positions.ndim == 2:
        angles = angles.unsqueeze(1)
    return angles.cos() * factor, angles.sin() * factor


def rotate(
    x: Float[Tensor, "B H T head_dim"], cos: Table, sin: Table, *, pairing: str
) -> Float[Tensor, "B H T head_dim"]:
    r"""Rotate pairs of features: (a, b) becomes (a cos - b sin, b cos + a sin).

    Args:
        x: Queries or keys.
        cos: Of each feature's angle; broadcasts to ``x``.
        sin: Likewise.
        pairing: "interleaved" or "half".

    Returns:
        Of the shape and dtype of ``x``.
    """
    if not torch.compiler.is_compiling():
        return _Rotate.apply(x, cos, sin, pairing)  # pyright: ignore[reportReturnType]
    first, second = _pairs(x, pairing)
    if pairing == "half":
        other = torch.cat([-second, first], dim=-1)
    else:
        other = torch.stack([-second, first], dim=-1).flatten(-2)
    return (x * cos + other * sin).to(x.dtype)


class _Rotate(torch.autograd.Function):
    """The same in three passes over memory; what turned forwards turns its gradient backwards."""

    @staticmethod
    def forward(ctx, x, cos, sin, pairing):  # pyright: ignore[reportIncompatibleMethodOverride]
        ctx.save_for_backward(cos, sin)
        ctx.pairing = pairing
        return _turn(x, cos, sin, pairing)

    @staticmethod
    def backward(ctx, grad):  # pyright: ignore[reportIncompatibleMethodOverride]
        cos, sin = ctx.saved_tensors
        return _turn(grad, cos, -sin, ctx.pairing), None, None, None


def _turn(x: Tensor, cos: Tensor, sin: Tensor, pairing: str) -> Tensor:
    turned = x * cos
    (first, second), (sin_first, sin_second) = _pairs(x, pairing), _pairs(sin, pairing)
    turned_first, turned_second = _pairs(turned, pairing)
    turned_first.addcmul_(second, sin_first, value=-1)
    turned_second.addcmul_(first, sin_second)
    return turned.to(x.dtype)


def _pairs(x: Tensor, pairing: str) -> tuple[Tensor, Tensor]:
    """Return views of the first and of the second feature of every pair."""
    if pairing == "half":
        half = x.shape[-1] // 2
        return x[..., :half], x[..., half:]
    return x[..., 0::2], x[..., 1::2]


def convert_pairing(
    weight: Float[Tensor, "rows *columns"], head_dim: int, *, to: str
) -> Float[Tensor, "rows *columns"]:
    r"""Reorder the rows of a query or key projection so that it suits the other pairing.

    The two pairings are one rotation written in two orders of features. Attention scores stay as they are when queries
    and keys are both converted; values and the output projection are left alone.

    Args:
        weight: The projection's weight (n_heads * head_dim, d_model) or its bias (n_heads * head_dim,).
        head_dim: Features of a head.
        to: "half" for rows that were "interleaved" (Meta's checkpoints to Hugging Face's), or "interleaved" for the
            way back.

    Returns:
        A new tensor of the same shape.

    Raises:
        ValueError: ``to`` is unknown, or the rows are no whole number of heads.

    Example:
        >>> convert_pairing(torch.arange(4.0), 4, to="half")
        tensor([0., 2., 1., 3.])
    """
    if to not in PAIRINGS:
        raise ValueError(f"to is {to!r}: choose 'interleaved' or 'half'")
    if head_dim < 2 or head_dim % 2 or weight.shape[0] % head_dim:
        raise ValueError(f"weight has {weight.shape[0]} rows, which are no heads of {head_dim} features in pairs")
    inner = (head_dim // 2, 2) if to == "half" else (2, head_dim // 2)
    heads = weight.reshape(-1, *inner, *weight.shape[1:])
    return heads.transpose(1, 2).reshape(weight.shape)


class RotaryEmbedding(nn.Module):
    r"""The cosines and sines of a model's positions, made once per forward pass and shared by its layers.

    Args:
        config: Gives the width that is rotated, ``rope_theta`` and ``rope_scaling``.
    """

    frequencies: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self._config = config
        exact, self.attention_factor = self._exact()
        self.register_buffer("frequencies", exact, persistent=False)

    def _exact(self) -> tuple[Tensor, float]:
        config = self._config
        width = config.latent.rope_head_dim if config.latent else config.head_dim
        exact = rope_frequencies(width, theta=config.rope_theta, device="cpu")
        return scale_frequencies(exact, config.rope_scaling, theta=config.rope_theta)

    def _apply(self, fn, recurse=True):  # pyright: ignore[reportIncompatibleMethodOverride]
        super()._apply(fn, recurse)
        # `.to(bfloat16)` would round the frequencies, and far positions with them; `.to_empty` would lose them.
        self.frequencies = self._exact()[0].to(self.frequencies.device)
        return self

    def forward(self, positions: Int[Tensor, "*B T"]) -> tuple[Table, Table]:
        """Return cosines and sines of the positions: see :func:`angles_to_tables`."""
        pairing = self._config.rope_pairing
        return angles_to_tables(positions, self.frequencies, self.attention_factor, pairing=pairing)
