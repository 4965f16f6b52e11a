"""Paging in plain lists, as one writes it down first: a count for each block is all that there is to keep.

:class:`llmcourse.inference.BlockTables` does the same for many sequences at once, finds a free block without a search,
and remembers what blocks contain.
"""

from collections import Counter

from jaxtyping import Shaped
from torch import Tensor

__all__ = ["allocate_block", "extend_blocks", "fork_blocks", "free_blocks", "gather_blocks"]


def allocate_block(references: list[int]) -> int:
    r"""Take the free block with the lowest number.

    Args:
        references: How many hold each block, 0 where it is free; changed.

    Returns:
        The block's number.

    Raises:
        MemoryError: None is free; nothing is changed.

    Example:
        >>> references = [1, 0, 0]
        >>> allocate_block(references), references
        (1, [1, 1, 0])
    """
    if 0 not in references:
        raise MemoryError(f"all {len(references)} blocks are held")
    block = references.index(0)
    references[block] = 1
    return block


def free_blocks(references: list[int], blocks: list[int]) -> None:
    r"""Hold some blocks no longer, all of them or none.

    Args:
        references: How many hold each block; changed.
        blocks: Those of a sequence that ends.

    Raises:
        ValueError: A block is not held as often; nothing is changed.

    Example:
        >>> references = [2, 1, 0]
        >>> free_blocks(references, [0, 1])
        >>> references
        [1, 0, 0]
    """
    for block, n_times in Counter(blocks).items():
        if references[block] < n_times:
            raise ValueError(f"block {block} is held {references[block]} times: it cannot be freed {n_times} times")
    for block in blocks:
        references[block] -= 1


def fork_blocks(references: list[int], blocks: list[int]) -> list[int]:
    r"""Begin a sequence with all tokens of another, whose blocks both hold from now on.

    Args:
        references: How many hold each block; changed.
        blocks: The other's.

    Returns:
        A table of its own, so that one can grow without the other.

    Example:
        >>> references = [1, 1, 0]
        >>> fork_blocks(references, [1, 0]), references
        ([1, 0], [2, 2, 0])
    """
    for block in blocks:
        references[block] += 1
    return list(blocks)


def extend_blocks(
    references: list[int], blocks: list[int], n_tokens: int, n_new: int, *, block_size: int
) -> list[tuple[int, int]]:
    r"""Make room for a sequence's next tokens, for all of them or for none.

    Args:
        references: How many hold each block; changed.
        blocks: The sequence's; changed.
        n_tokens: That it has.
        n_new: That it will have beside these.
        block_size: Tokens in a block.

    Returns:
        Copies to make before anything is written, from one block to another: one where the new tokens begin in a block
        that others read too, otherwise none.

    Raises:
        MemoryError: There are not enough free blocks; nothing is changed.

    Example:
        >>> references, blocks = [1, 2, 0, 0], [0, 1]
        >>> extend_blocks(references, blocks, 6, 3, block_size=4)
        [(1, 2)]
        >>> blocks, references
        ([0, 2, 3], [1, 1, 1, 1])
    """
    shared = n_new > 0 and n_tokens % block_size > 0 and references[blocks[-1]] > 1
    n_more = -(-(n_tokens + n_new) // block_size) - len(blocks)
    if n_more + shared > references.count(0):
        raise MemoryError(f"{n_more + shared} blocks are needed, and {references.count(0)} are free")
    copies: list[tuple[int, int]] = []
    if shared:
        old, blocks[-1] = blocks[-1], allocate_block(references)
        references[old] -= 1
        copies.append((old, blocks[-1]))
    blocks += [allocate_block(references) for _ in range(n_more)]
    return copies


def gather_blocks(
    pool: Shaped[Tensor, "N block_size ..."], blocks: list[int], n_tokens: int
) -> Shaped[Tensor, "T ..."]:
    r"""Put together what a sequence has in its blocks.

    Args:
        pool: All blocks.
        blocks: The sequence's, in order.
        n_tokens: That it has.

    Returns:
        A copy, oldest token first, without the empty places of the last block.

    Example:
        >>> import torch
        >>> gather_blocks(torch.arange(8).view(4, 2), [3, 1], 3)
        tensor([6, 7, 2])
    """
    return pool[blocks].flatten(0, 1)[:n_tokens]
