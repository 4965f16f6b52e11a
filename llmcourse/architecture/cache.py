"""What a Transformer asks of a cache of keys and values; ``llmcourse.inference`` has several that do it."""

from typing import Protocol, runtime_checkable

from jaxtyping import Bool, Float, Int
from torch import Tensor

__all__ = ["Cache", "read_and_write"]


@runtime_checkable
class Cache(Protocol):
    r"""The keys and values of tokens that were already read, layer by layer.

    What comes back from :meth:`update` ends with the new tokens, oldest first, so that the last query belongs to the
    last key. A cache may drop what lies outside a layer's window. Latent attention stores the compressed latent as
    ``k`` and the shared rotated key as ``v``, each as one head.

    A cache may also have

    - ``n_tokens``: tokens held so far, from which positions are counted where the caller gives none;
    - ``mask(layer, positions) -> (B, 1, T, S)``, True where allowed: for rows of different lengths, in which some of
      the keys that :meth:`update` returned are padding. Causality is added to it.
    """

    def update(
        self,
        layer: int,
        k: Float[Tensor, "B H_kv T head_dim"],
        v: Float[Tensor, "B H_kv T value_dim"],
        positions: Int[Tensor, "*B T"],
    ) -> tuple[Float[Tensor, "B H_kv S head_dim"], Float[Tensor, "B H_kv S value_dim"]]:
        """Store the keys and values of new tokens in a layer, and return those of all tokens.

        Args:
            layer: The layer's number, from 0.
            k: Keys, rotated already.
            v: Values.
            positions: The new tokens' positions, (T,) or (B, T).

        Returns:
            All keys and all values, S of them with the new ones last.
        """
        ...

    def reset(self) -> None:
        """Forget everything, so that another sequence can begin at position 0."""
        ...


def read_and_write(
    cache: Cache,
    layer: int,
    k: Float[Tensor, "B H_kv T head_dim"],
    v: Float[Tensor, "B H_kv T value_dim"],
    positions: Int[Tensor, "*B T"] | None,
    mask: Bool[Tensor, "*#batch T S"] | None = None,
) -> tuple[Tensor, Tensor, Tensor | None]:
    r"""Store new keys and values, and return all of them with the mask that belongs to them.

    Args:
        cache: Where to store them.
        layer: The layer's number.
        k: New keys.
        v: New values.
        positions: Of the new tokens.
        mask: Used where the cache has none of its own.

    Returns:
        Keys, values, and a mask or None.

    Raises:
        ValueError: ``positions`` is None.
    """
    if positions is None:
        raise ValueError("positions is None: a cache has to be told where the new tokens stand")
    k, v = cache.update(layer, k, v, positions)
    own_mask = getattr(cache, "mask", None)
    return k, v, mask if own_mask is None else own_mask(layer, positions)
