"""Which blocks each sequence lies in: its table, as an operating system keeps one of pages for each process."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from llmcourse.inference.block_allocator import BlockAllocator, OutOfBlocks

__all__ = ["BlockTables", "block_key"]


def block_key(previous: bytes, tokens: Sequence[int]) -> bytes:
    r"""Return a key for a block's tokens and, through the key of the block before it, for all that stand before them.

    The keys and values of a token depend on every token before it, so that equal tokens alone are not enough. The hash
    is a cryptographic one: with another, who knows it could write a prompt that is given someone else's blocks.

    Args:
        previous: The key of the block before, or nothing for the first.
        tokens: Those of the block.

    Returns:
        32 bytes.

    Example:
        >>> first = block_key(b"", [5, 6])
        >>> block_key(b"", [5, 6]) == first, block_key(first, [5, 6]) == first
        (True, False)
    """
    return hashlib.sha256(previous + b"".join(token.to_bytes(8, "little") for token in tokens)).digest()


@dataclass
class _Table:
    blocks: list[int] = field(default_factory=list)
    n_tokens: int = 0
    keys: list[bytes] = field(default_factory=list)  # of its first blocks, as far as they were recorded


class BlockTables:
    r"""The blocks of many sequences, which grow, fork, shrink and end independently of each other.

    Token i of a sequence lies in block ``i // block_size`` of its table, so that only the last block can have empty
    places. This is bookkeeping alone: :class:`llmcourse.inference.PagedKVCache` has the memory.

    Args:
        n_blocks: In the whole cache.
        block_size: Tokens in a block.

    Attributes:
        allocator: Gives the blocks out.

    Raises:
        ValueError: A size is below 1.

    Example:
        >>> tables = BlockTables(8, block_size=4)
        >>> first = tables.open()
        >>> tables.extend({first: 6})
        []
        >>> second = tables.fork(first)
        >>> tables.extend({second: 1})  # its last block is shared, so block 1 has to be copied to block 2
        [(1, 2)]
        >>> tables.blocks(first), tables.blocks(second)
        ((0, 1), (0, 2))
    """

    def __init__(self, n_blocks: int, *, block_size: int = 16) -> None:
        if block_size < 1:
            raise ValueError(f"block_size is {block_size}: give 1 token or more")
        self.allocator, self.block_size = BlockAllocator(n_blocks), block_size
        self._tables: dict[int, _Table] = {}
        self._next = 0

    @property
    def sequences(self) -> tuple[int, ...]:
        """Those that are open, oldest first."""
        return tuple(self._tables)

    @property
    def waste(self) -> float:
        """The share of the memory in use that holds no token: the empty places of last blocks."""
        filled: dict[int, int] = {}
        for table in self._tables.values():
            for place, block in enumerate(table.blocks):
                n_here = min(table.n_tokens - place * self.block_size, self.block_size)
                filled[block] = max(n_here, filled.get(block, 0))
        return 1 - sum(filled.values()) / (len(filled) * self.block_size) if filled else 0.0

    def n_tokens(self, sequence: int) -> int:
        """Return how many tokens a sequence has a place for."""
        return self._table(sequence).n_tokens

    def blocks(self, sequence: int) -> tuple[int, ...]:
        """Return a sequence's blocks in order."""
        return tuple(self._table(sequence).blocks)

    def open(self, tokens: Sequence[int] = ()) -> int:
        r"""Begin a sequence with as much of a text as is in the cache already.

        Args:
            tokens: What the sequence will read. Full blocks that were recorded are taken over, but never all of the
                text: its last token has to be read, since what follows it is asked for.

        Returns:
            A number for the sequence; :meth:`n_tokens` says how many of its tokens need not be read.
        """
        table, key = _Table(), b""
        for start in range(0, len(tokens) - self.block_size, self.block_size):
            key = block_key(key, tokens[start : start + self.block_size])
            block = self.allocator.find(key)
            if block is None:
                break
            table.blocks.append(block)
            table.keys.append(key)
        table.n_tokens = len(table.blocks) * self.block_size
        self._next += 1
        self._tables[self._next - 1] = table
        return self._next - 1

    def n_needed(self, n_new: Mapping[int, int]) -> int:
        """Return how many free blocks :meth:`extend` would take."""
        needed, writers = 0, Counter[int]()
        for sequence, n_tokens in n_new.items():
            table = self._table(sequence)
            needed += -(-(table.n_tokens + n_tokens) // self.block_size) - len(table.blocks)
            if n_tokens and table.n_tokens % self.block_size:
                writers[table.blocks[-1]] += 1
        # Each who writes to a shared block takes a copy, but for the last of its holders, who is alone by then.
        return needed + sum(min(n, self.allocator.reference_count(block) - 1) for block, n in writers.items())

    def extend(self, n_new: Mapping[int, int]) -> list[tuple[int, int]]:
        r"""Make room for the next tokens of some sequences, for all of them or for none.

        Args:
            n_new: For each sequence's number, how many.

        Returns:
            Copies to be made before anything is written, each from one block to another.

        Raises:
            OutOfBlocks: There are not enough; every table is as it was.
            ValueError: A number is negative, or there is no such sequence.
        """
        if any(n_tokens < 0 for n_tokens in n_new.values()):
            raise ValueError(f"new tokens are {dict(n_new)}: give 0 or more, or call truncate")
        needed, free = self.n_needed(n_new), self.allocator.n_free
        if needed > free:
            n_tokens = sum(n_new.values())
            raise OutOfBlocks(f"{n_tokens} more tokens need {needed} blocks, and {free} are free: end a sequence first")
        copies: list[tuple[int, int]] = []
        for sequence, n_tokens in n_new.items():
            table = self._table(sequence)
            if n_tokens and table.n_tokens % self.block_size:
                last = table.blocks[-1]
                table.blocks[-1] = self.allocator.make_writable(last)
                copies += [(last, table.blocks[-1])] if last != table.blocks[-1] else []
            table.n_tokens += n_tokens
            while len(table.blocks) * self.block_size < table.n_tokens:
                table.blocks.append(self.allocator.allocate())
        return copies

    def truncate(self, sequence: int, n_tokens: int) -> None:
        """Forget a sequence's newest tokens, and give back the blocks that they alone were in.

        Args:
            sequence: Its number.
            n_tokens: Those that stay.

        Raises:
            ValueError: It has fewer.
        """
        table = self._table(sequence)
        if not 0 <= n_tokens <= table.n_tokens:
            raise ValueError(f"sequence {sequence} has {table.n_tokens} tokens: {n_tokens} of them cannot be kept")
        table.n_tokens = n_tokens
        while len(table.blocks) * self.block_size >= n_tokens + self.block_size:
            self.allocator.free(table.blocks.pop())
        del table.keys[n_tokens // self.block_size :]

    def fork(self, sequence: int) -> int:
        """Begin a sequence with all tokens of another; the blocks are shared until one of them writes.

        Args:
            sequence: The other.

        Returns:
            A number for the new one.
        """
        table = self._table(sequence)
        for block in table.blocks:
            self.allocator.share(block)
        self._next += 1
        self._tables[self._next - 1] = _Table(list(table.blocks), table.n_tokens, list(table.keys))
        return self._next - 1

    def close(self, sequence: int) -> None:
        """End a sequence. Its last blocks are given back first, so that they are also the first to be evicted.

        Args:
            sequence: Its number.

        Raises:
            ValueError: There is no such sequence.
        """
        for block in reversed(self._table(sequence).blocks):
            self.allocator.free(block)
        del self._tables[sequence]

    def record(self, sequence: int, tokens: Sequence[int]) -> None:
        r"""Let other sequences find a sequence's full blocks, once keys and values have been written there.

        Args:
            sequence: Its number.
            tokens: All that it holds, or more: what lies in no full block does not count.

        Raises:
            ValueError: These are fewer than it holds.
        """
        table = self._table(sequence)
        if len(tokens) < table.n_tokens:
            raise ValueError(f"sequence {sequence} holds {table.n_tokens} tokens, and {len(tokens)} are given")
        for place in range(len(table.keys), table.n_tokens // self.block_size):
            part = tokens[place * self.block_size : (place + 1) * self.block_size]
            table.keys.append(block_key(table.keys[-1] if place else b"", part))
            self.allocator.record(table.blocks[place], table.keys[-1])

    def _table(self, sequence: int) -> _Table:
        if sequence not in self._tables:
            raise ValueError(f"there is no sequence {sequence}: open are {list(self._tables)}")
        return self._tables[sequence]
