"""The paging explorer lays out in JavaScript the blocks that the package's tables give."""

import random
import re

import pytest

from llmcourse.widgets import PagingExplorer, paging_explorer


def random_case(seed):
    rng = random.Random(seed)
    return {
        "block_size": rng.randint(1, 16),
        "n_prompt": rng.randint(1, 40),
        "n_first": rng.choice([0, rng.randint(0, 24)]),
        "n_second": rng.choice([0, rng.randint(0, 24)]),
    }


CASES = [random_case(seed) for seed in range(200)]


@pytest.fixture(scope="module")
def javascript(run_javascript):
    harness = """process.stdout.write(JSON.stringify(cases.map((one) => (
      { ...lib.layOut(one), unshared: lib.unshared(one) }))));"""
    return run_javascript(paging_explorer, harness, CASES)


def test_javascript_equals_the_package_on_random_sizes(javascript):
    for case, found in zip(CASES, javascript, strict=True):
        explorer = PagingExplorer(**case)
        assert tuple(map(len, found["tables"])) == tuple(map(len, explorer.blocks)), case
        assert len(found["blocks"]) == explorer.n_blocks, case
        assert found["waste"] == pytest.approx(explorer.waste), case
        assert found["unshared"] == explorer.n_unshared, case
        held = [set(table) for table in explorer.blocks]
        assert len(set(found["tables"][0]) & set(found["tables"][1])) == len(held[0] & held[1]), case


def test_what_stands_in_the_blocks(javascript):
    for case, found in zip(CASES, javascript, strict=True):
        for table, owner in zip(found["tables"], ("first", "second"), strict=True):
            places = [place for block in table for place in found["blocks"][block]]
            expected = ["prompt"] * case["n_prompt"] + [owner] * case[f"n_{owner}"]
            assert places[: len(expected)] == expected, case


def test_output_is_stable():
    assert PagingExplorer().static_html() == PagingExplorer().static_html()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"block_size": 0}, "block_size is 0: it has to be from 1 to 16"),
        ({"n_prompt": 41}, "n_prompt is 41: it has to be from 1 to 40"),
        ({"n_first": -1}, "n_first is -1"),
    ],
)
def test_bad_input_is_refused(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        PagingExplorer(**options)
