import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from llmcourse.inference import BlockTables, OutOfBlocks


class TablesMachine(RuleBasedStateMachine):
    """Sequences whose tokens are kept twice: as lists, and in a memory of blocks to which the tables lead."""

    @initialize(n_blocks=st.integers(1, 9), block_size=st.integers(1, 3))
    def make(self, n_blocks, block_size):
        self.tables = BlockTables(n_blocks, block_size=block_size)
        self.size = block_size
        self.memory = {}
        self.texts = {}

    def read(self, sequence):
        blocks = self.tables.blocks(sequence)
        n = self.tables.n_tokens(sequence)
        return [self.memory[blocks[i // self.size], i % self.size] for i in range(n)]

    def pick(self, data):
        return data.draw(st.sampled_from(sorted(self.texts)))

    @rule(tokens=st.lists(st.integers(0, 1), max_size=7))
    def open(self, tokens):
        sequence = self.tables.open(tokens)
        found = self.tables.n_tokens(sequence)
        assert found % self.size == 0 and (found < len(tokens) or not tokens)
        self.texts[sequence] = tokens[:found]  # what was found has to be this text's beginning: `contents` looks

    @precondition(lambda self: self.texts)
    @rule(data=st.data())
    def extend(self, data):
        tokens = st.lists(st.integers(0, 1), max_size=7)
        new = data.draw(st.dictionaries(st.sampled_from(sorted(self.texts)), tokens, min_size=1, max_size=3))
        n_new = {sequence: len(tokens) for sequence, tokens in new.items()}
        needed, free = self.tables.n_needed(n_new), self.tables.allocator.n_free
        if needed > free:
            before = {s: self.tables.blocks(s) for s in self.texts}
            with pytest.raises(OutOfBlocks, match=f"need {needed} blocks, and {free} are free"):
                self.tables.extend(n_new)
            assert {s: self.tables.blocks(s) for s in self.texts} == before
            assert self.tables.allocator.n_free == free
            return
        for source, target in self.tables.extend(n_new):
            for place in range(self.size):
                self.memory[target, place] = self.memory.get((source, place))
        assert self.tables.allocator.n_free == free - needed
        for sequence, tokens in new.items():
            for i, token in enumerate(tokens, len(self.texts[sequence])):
                block = self.tables.blocks(sequence)[i // self.size]
                assert self.tables.allocator.reference_count(block) == 1
                assert not self.tables.allocator.is_recorded(block)
                self.memory[block, i % self.size] = token
            self.texts[sequence] = self.texts[sequence] + tokens

    @precondition(lambda self: self.texts)
    @rule(data=st.data(), share=st.floats(0, 1))
    def truncate(self, data, share):
        sequence = self.pick(data)
        n = round(share * len(self.texts[sequence]))
        self.tables.truncate(sequence, n)
        self.texts[sequence] = self.texts[sequence][:n]

    @precondition(lambda self: self.texts)
    @rule(data=st.data())
    def fork(self, data):
        sequence, free = self.pick(data), self.tables.allocator.n_free
        self.texts[self.tables.fork(sequence)] = self.texts[sequence]
        assert self.tables.allocator.n_free == free

    @precondition(lambda self: self.texts)
    @rule(data=st.data())
    def close(self, data):
        sequence = self.pick(data)
        self.tables.close(sequence)
        del self.texts[sequence]

    @precondition(lambda self: self.texts)
    @rule(data=st.data())
    def record(self, data):
        sequence = self.pick(data)
        self.tables.record(sequence, self.texts[sequence])

    @invariant()
    def contents_are_each_sequences_own(self):
        for sequence, text in self.texts.items():
            assert self.read(sequence) == text
            assert len(self.tables.blocks(sequence)) == -(-len(text) // self.size)

    @invariant()
    def each_holder_is_a_table(self):
        allocator = self.tables.allocator
        held = [block for sequence in self.texts for block in self.tables.blocks(sequence)]
        counts = [allocator.reference_count(block) for block in range(allocator.n_blocks)]
        assert counts == [held.count(block) for block in range(allocator.n_blocks)]
        assert allocator.n_used == len(set(held)) and self.tables.sequences == tuple(self.texts)


TestTables = TablesMachine.TestCase
TestTables.settings = settings(max_examples=80, stateful_step_count=30, deadline=None)


def test_a_prefix_is_found_with_what_stands_before_it_only():
    tables = BlockTables(8, block_size=2)
    text = tables.open()
    tables.extend({text: 6})
    tables.record(text, [1, 2, 3, 4, 1, 2])
    for tokens, n_found in (([1, 2, 3, 4, 5], 4), ([1, 2, 3, 4], 2), ([3, 4, 5], 0), ([1, 2, 1, 2, 9], 2)):
        assert tables.n_tokens(tables.open(tokens)) == n_found
    assert tables.allocator.n_used == 3


def test_ends_are_evicted_before_beginnings():
    tables = BlockTables(3, block_size=1)
    text = tables.open()
    tables.extend({text: 3})
    tables.record(text, [7, 8, 9])
    tables.close(text)
    other = tables.open()
    tables.extend({other: 1})
    assert tables.n_tokens(tables.open([7, 8, 9, 1])) == 2


def test_a_refused_draft_does_not_change_what_others_find():
    tables = BlockTables(4, block_size=2)
    text = tables.open()
    tables.extend({text: 4})
    tables.record(text, [1, 2, 3, 4])
    tables.truncate(text, 3)
    assert tables.n_tokens(tables.open([1, 2, 3, 4, 5])) == 4  # the block is still as it was: found, and now shared
    assert tables.extend({text: 1}) == [(1, 2)]
    tables.record(text, [1, 2, 3, 9])
    assert tables.n_tokens(tables.open([1, 2, 3, 9, 5])) == 4


def test_of_two_holders_who_both_write_one_copies():
    tables = BlockTables(2, block_size=4)
    first = tables.open()
    tables.extend({first: 2})
    second = tables.fork(first)
    assert tables.extend({first: 1, second: 1}) == [(0, 1)]
    assert tables.blocks(first) == (1,) and tables.blocks(second) == (0,)


def test_waste_is_in_last_blocks_alone():
    tables = BlockTables(200, block_size=16)
    for n_tokens in (1, 16, 17, 300):
        tables.extend({tables.open(): n_tokens})
    assert tables.waste == pytest.approx(1 - 334 / (16 * (1 + 1 + 2 + 19)))
    tables.fork(tables.sequences[-1])
    assert tables.waste == pytest.approx(1 - 334 / (16 * 23))
    assert BlockTables(3).waste == 0


def test_what_cannot_be_is_refused():
    tables = BlockTables(4, block_size=2)
    text = tables.open()
    tables.extend({text: 3})
    with pytest.raises(ValueError, match="there is no sequence 7: open are "):
        tables.close(7)
    with pytest.raises(ValueError, match="has 3 tokens: 4 of them cannot be kept"):
        tables.truncate(text, 4)
    with pytest.raises(ValueError, match=r"new tokens are \{0: -1\}"):
        tables.extend({text: -1})
    with pytest.raises(ValueError, match="holds 3 tokens, and 2 are given"):
        tables.record(text, [1, 2])
    with pytest.raises(ValueError, match="block_size is 0"):
        BlockTables(4, block_size=0)
