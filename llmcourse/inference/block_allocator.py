"""Blocks of a cache's memory: who holds each, which can be found again by what it contains, and which is next to go."""

from collections import OrderedDict

__all__ = ["BlockAllocator", "OutOfBlocks"]


class OutOfBlocks(RuntimeError):
    """There are not as many blocks free as are needed. Nothing was taken: free some, and try again."""


class BlockAllocator:
    r"""Gives out blocks by number, counts who holds them, and takes them back.

    The memory of a cache is cut into blocks of equal size, as an operating system cuts memory into pages, so that a
    sequence can lie anywhere and nothing is lost between two sequences (Kwon et al. 2023, PagedAttention,
    arXiv:2309.06180). A block may have several holders, who only read it; one who wants to write takes a copy first.

    What a full block contains can be recorded under a key. A block that nobody holds any more then keeps its contents
    for as long as there is no need for it, and whoever asks for the key gets it without any computation. When room is
    needed, the block that has been out of use for longest goes first.

    Args:
        n_blocks: How many there are, numbered from 0.

    Attributes:
        n_evicted: How often a recorded block had to make room so far.

    Raises:
        ValueError: ``n_blocks`` is below 1.

    Cost: each call takes constant time.

    Example:
        >>> allocator = BlockAllocator(4)
        >>> ours = allocator.allocate()
        >>> allocator.share(ours)
        >>> mine = allocator.make_writable(ours)  # a second holder reads `ours`, so this is another block
        >>> (ours, mine), allocator.reference_count(ours), allocator.n_free
        ((0, 1), 1, 2)
    """

    def __init__(self, n_blocks: int) -> None:
        if n_blocks < 1:
            raise ValueError(f"n_blocks is {n_blocks}: give 1 or more")
        self.n_blocks, self.n_evicted = n_blocks, 0
        self._references = [0] * n_blocks
        self._empty = list(reversed(range(n_blocks)))
        self._cached: OrderedDict[int, None] = OrderedDict()  # held by nobody, still recorded; oldest first
        self._key_of: dict[int, bytes] = {}
        self._block_of: dict[bytes, int] = {}

    @property
    def n_free(self) -> int:
        """Blocks that can be had: those that hold nothing, and those that nobody holds."""
        return len(self._empty) + len(self._cached)

    @property
    def n_used(self) -> int:
        """Blocks that somebody holds, each counted once."""
        return self.n_blocks - self.n_free

    @property
    def n_cached(self) -> int:
        """Blocks that nobody holds and that could be found again."""
        return len(self._cached)

    def reference_count(self, block: int) -> int:
        """Return how many hold a block."""
        self._check(block)
        return self._references[block]

    def is_recorded(self, block: int) -> bool:
        """Return whether a block can be found by its contents."""
        self._check(block)
        return block in self._key_of

    def allocate(self) -> int:
        """Take a block; its contents are whatever was last written there.

        Returns:
            Its number.

        Raises:
            OutOfBlocks: All are held.
        """
        if self._empty:
            block = self._empty.pop()
        elif self._cached:
            block, _ = self._cached.popitem(last=False)
            self._forget(block)
            self.n_evicted += 1
        else:
            raise OutOfBlocks(f"all {self.n_blocks} blocks are in use: free a sequence, or make a larger cache")
        self._references[block] = 1
        return block

    def share(self, block: int) -> None:
        """Hold a block that somebody holds already.

        Args:
            block: Its number.

        Raises:
            ValueError: Nobody holds it.
        """
        self._check_held(block)
        self._references[block] += 1

    def free(self, block: int) -> None:
        """Hold a block no longer. When nobody does, it can be given out again.

        Args:
            block: Its number.

        Raises:
            ValueError: Nobody holds it: it was freed before.
        """
        self._check_held(block)
        self._references[block] -= 1
        if self._references[block]:
            return
        if block in self._key_of:
            self._cached[block] = None
        else:
            self._empty.append(block)

    def make_writable(self, block: int) -> int:
        r"""Return a block to write to in place of one that is held: itself, or another where others read it.

        Args:
            block: One that the caller holds.

        Returns:
            ``block`` if nobody else holds it, no longer recorded since its contents will change; otherwise a new one,
            which the caller holds in its place, and to which it has to copy the contents.

        Raises:
            OutOfBlocks: A copy is needed, and there is no block for it.
            ValueError: Nobody holds the block.
        """
        self._check_held(block)
        if self._references[block] == 1:
            self._forget(block)
            return block
        copy = self.allocate()
        self._references[block] -= 1
        return copy

    def record(self, block: int, key: bytes) -> None:
        r"""Make a block known by what it contains.

        Args:
            block: One that is held, full, and not written to again.
            key: Tells its contents and all that stands before them. If another block has it already, that one stays.

        Raises:
            ValueError: Nobody holds the block.
        """
        self._check_held(block)
        if key not in self._block_of and block not in self._key_of:
            self._key_of[block], self._block_of[key] = key, block

    def find(self, key: bytes) -> int | None:
        """Hold the block that was recorded under a key.

        Args:
            key: As it was recorded.

        Returns:
            Its number, or None if there is none, or no longer.
        """
        block = self._block_of.get(key)
        if block is not None:
            self._cached.pop(block, None)
            self._references[block] += 1
        return block

    def _forget(self, block: int) -> None:
        key = self._key_of.pop(block, None)
        if key is not None:
            del self._block_of[key]

    def _check(self, block: int) -> None:
        if not 0 <= block < self.n_blocks:
            raise ValueError(f"there is no block {block}: they are numbered from 0 to {self.n_blocks - 1}")

    def _check_held(self, block: int) -> None:
        self._check(block)
        if not self._references[block]:
            raise ValueError(f"block {block} is free: nobody holds it, so it cannot be shared, written to or freed")
