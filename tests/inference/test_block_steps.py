import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.inference import BlockTables, OutOfBlocks
from llmcourse.inference.block_steps import allocate_block, extend_blocks, fork_blocks, free_blocks, gather_blocks


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_they_do_what_the_tables_do(data):
    n_blocks, size = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 3))
    tables, references, ours = BlockTables(n_blocks, block_size=size), [0] * n_blocks, {}
    for _ in range(data.draw(st.integers(1, 20))):
        what = data.draw(st.sampled_from(["open", "extend", "fork", "close"])) if ours else "open"
        sequence = data.draw(st.sampled_from(sorted(ours))) if ours else None
        if what == "open":
            ours[tables.open()] = ([], 0)
            continue
        blocks, n_tokens = ours[sequence]
        if what == "fork":
            ours[tables.fork(sequence)] = (fork_blocks(references, blocks), n_tokens)
        elif what == "close":
            tables.close(sequence)
            free_blocks(references, ours.pop(sequence)[0])
        else:
            n_new, before = data.draw(st.integers(0, 7)), ([*references], [*blocks])
            try:
                copies = tables.extend({sequence: n_new})
            except OutOfBlocks:
                with pytest.raises(MemoryError, match="blocks are needed, and"):
                    extend_blocks(references, blocks, n_tokens, n_new, block_size=size)
                assert (references, blocks) == before
            else:
                found = extend_blocks(references, blocks, n_tokens, n_new, block_size=size)
                assert [old for old, _ in found] == [before[1][-1] for _ in copies]
                ours[sequence] = (blocks, n_tokens + n_new)
        assert sorted(references) == sorted(map(tables.allocator.reference_count, range(n_blocks)))
        for sequence, (blocks, _) in ours.items():  # the same blocks but for their numbers
            theirs = tables.blocks(sequence)
            assert [references[block] for block in blocks] == [tables.allocator.reference_count(b) for b in theirs]


def test_what_cannot_be_is_refused_and_changes_nothing():
    references = [1, 2, 0]
    for blocks in ([0, 2], [0, 0]):
        with pytest.raises(ValueError, match=r"it cannot be freed \d times"):
            free_blocks(references, blocks)
    assert references == [1, 2, 0] and allocate_block(references) == 2
    with pytest.raises(MemoryError, match="all 3 blocks are held"):
        allocate_block(references)


def test_what_is_gathered_is_in_order_and_ends_with_the_text():
    pool = torch.arange(2 * 3 * 4).view(2, 3, 4)
    assert gather_blocks(pool, [1, 0], 4)[:, 0].tolist() == [12, 16, 20, 0]
    assert gather_blocks(pool, [1, 0], 4).shape == (4, 4) and gather_blocks(pool, [], 0).shape == (0, 4)
