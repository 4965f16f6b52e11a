from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from llmcourse.inference import BlockAllocator, OutOfBlocks

N = 5


class AllocatorMachine(RuleBasedStateMachine):
    """The allocator beside a model of it: who holds what, what was written where, and in which order things rest."""

    def __init__(self):
        super().__init__()
        self.allocator = BlockAllocator(N)
        self.held = Counter()  # block -> holders
        self.contents = {}  # block -> what was last written
        self.recorded = {}  # block -> key
        self.resting = []  # recorded blocks that nobody holds, the one resting longest first

    def n_free(self):
        return N - len(self.held)

    def take_back(self, block):
        self.held[block] -= 1
        if not self.held[block]:
            del self.held[block]
            if block in self.recorded:
                self.resting.append(block)

    def given(self, block):
        """A block was given out: nobody held it, and a recorded one goes only where there is no other."""
        assert block not in self.held
        if block in self.recorded:
            assert self.n_free() == len(self.resting) and self.resting[0] == block
            self.resting.pop(0)
            del self.recorded[block]
        self.held[block] = 1
        self.contents[block] = object()

    @rule()
    def allocate(self):
        if self.n_free():
            self.given(self.allocator.allocate())
        else:
            with pytest.raises(OutOfBlocks, match="all 5 blocks are in use"):
                self.allocator.allocate()

    @rule(block=st.integers(0, N - 1))
    def share(self, block):
        if block in self.held:
            self.allocator.share(block)
            self.held[block] += 1
        else:
            with pytest.raises(ValueError, match=f"block {block} is free"):
                self.allocator.share(block)

    @rule(block=st.integers(0, N - 1))
    def free(self, block):
        if block in self.held:
            self.allocator.free(block)
            self.take_back(block)
        else:
            with pytest.raises(ValueError, match=f"block {block} is free"):
                self.allocator.free(block)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def write(self, data):
        block = data.draw(st.sampled_from(sorted(self.held)))
        if self.held[block] > 1 and not self.n_free():
            with pytest.raises(OutOfBlocks):
                self.allocator.make_writable(block)
            return
        writable = self.allocator.make_writable(block)
        if self.held[block] > 1:
            assert writable != block
            self.given(writable)
            self.take_back(block)
        else:
            assert writable == block
            self.recorded.pop(block, None)
        assert self.held[writable] == 1
        self.contents[writable] = object()

    @precondition(lambda self: self.held)
    @rule(data=st.data(), key=st.sampled_from([b"a", b"b", b"c"]))
    def record(self, data, key):
        block = data.draw(st.sampled_from(sorted(self.held)))
        self.allocator.record(block, key)
        if key not in self.recorded.values() and block not in self.recorded:
            self.recorded[block] = key

    @rule(key=st.sampled_from([b"a", b"b", b"c"]))
    def find(self, key):
        expected = {key: block for block, key in self.recorded.items()}.get(key)
        before = dict(self.contents)
        assert self.allocator.find(key) == expected
        assert self.contents == before
        if expected is not None:
            if expected in self.resting:
                self.resting.remove(expected)
            self.held[expected] += 1

    @invariant()
    def counts_agree(self):
        assert [self.allocator.reference_count(block) for block in range(N)] == [self.held[b] for b in range(N)]
        assert self.allocator.n_free == self.n_free() and self.allocator.n_used == N - self.n_free()
        assert self.allocator.n_cached == len(self.resting)
        assert [b for b in range(N) if self.allocator.is_recorded(b)] == sorted(self.recorded)
        self.held += Counter()  # drop the zeros that looking has left


TestAllocator = AllocatorMachine.TestCase
TestAllocator.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_a_shared_block_outlives_its_first_holder():
    allocator = BlockAllocator(1)
    block = allocator.allocate()
    allocator.share(block)
    allocator.free(block)
    assert allocator.n_free == 0
    with pytest.raises(OutOfBlocks):
        allocator.allocate()
    allocator.free(block)
    assert allocator.allocate() == block


def test_the_block_out_of_use_for_longest_goes_first():
    allocator = BlockAllocator(3)
    blocks = [allocator.allocate() for _ in range(3)]
    for block in blocks:
        allocator.record(block, bytes([block]))
    for block in (1, 0, 2):
        allocator.free(block)
    assert allocator.find(bytes([1])) == 1  # used again, and so no longer the oldest
    allocator.free(1)
    assert [allocator.allocate() for _ in range(3)] == [0, 2, 1]
    assert allocator.n_evicted == 3 and allocator.find(bytes([0])) is None


def test_a_free_block_is_taken_before_one_that_could_be_found():
    allocator = BlockAllocator(2)
    first, second = allocator.allocate(), allocator.allocate()
    allocator.record(first, b"first")
    allocator.free(first)
    allocator.free(second)
    assert allocator.allocate() == second and allocator.n_cached == 1


@pytest.mark.parametrize("block", [-1, 4])
def test_blocks_that_are_none_are_refused(block):
    allocator = BlockAllocator(4)
    for call in (allocator.share, allocator.free, allocator.reference_count, allocator.make_writable):
        with pytest.raises(ValueError, match=rf"there is no block {block}: they are numbered from 0 to 3"):
            call(block)


def test_there_is_at_least_one_block():
    with pytest.raises(ValueError, match="n_blocks is 0"):
        BlockAllocator(0)
