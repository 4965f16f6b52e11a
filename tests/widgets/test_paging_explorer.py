"""The paging explorer gives out in JavaScript the blocks that the package's tables give, number by number."""

import random
import re

import pytest

from llmcourse.widgets import PagingExplorer, paging_explorer
from llmcourse.widgets.paging_explorer import BLOCK_SIZES, MAX_LEN, N_PLACES


def random_steps(rng):
    """Steps as they may come: some name requests that have ended, some ask for more blocks than there are."""
    steps, n_names = [], 0
    for _ in range(rng.randint(0, 25)):
        letter = chr(ord("A") + rng.randrange(max(n_names, 1)))
        wishes = ["add"] if n_names == 0 else ["add", "append", "append", "append", "fork", "free"]
        kind = rng.choice(wishes)
        if kind in ("add", "fork"):
            n_names += 1
        n_new = rng.choice([rng.randint(1, 6), rng.randint(1, 40)])
        steps.append({"add": f"add {n_new}", "append": f"append {letter} {n_new}"}.get(kind, f"{kind} {letter}"))
    return steps


def random_case(seed):
    rng = random.Random(seed)
    return {"steps": random_steps(rng), "block_size": rng.choice(BLOCK_SIZES)}


CASES = [random_case(seed) for seed in range(300)]
STORY = PagingExplorer().steps


@pytest.fixture(scope="module")
def javascript(run_javascript):
    harness = """
    const answer = ({ steps, block_size }) => {
      const memory = lib.replay(steps, block_size);
      return { ...memory, ...lib.measure(memory), said: lib.describe(memory.event) };
    };
    process.stdout.write(JSON.stringify({ answers: cases.map(answer),
      constants: [lib.BLOCK_SIZES, lib.N_PLACES, lib.MAX_LEN] }));"""
    story = [{"steps": STORY[:n], "block_size": 4} for n in range(len(STORY) + 1)]
    return run_javascript(paging_explorer, harness, [*CASES, *story])


def test_javascript_equals_the_package_on_random_steps(javascript):
    for case, found in zip(CASES, javascript["answers"], strict=False):
        explorer = PagingExplorer(**case)
        assert {name: tuple(table["blocks"]) for name, table in found["tables"].items()} == explorer.blocks, case
        assert {name: table["n_tokens"] for name, table in found["tables"].items()} == explorer.n_tokens, case
        assert {block: n for block, n in enumerate(found["references"]) if n} == explorer.references, case
        assert found["held"] == len(explorer.references), case
        assert found["waste"] == pytest.approx(explorer.waste, abs=1e-12), case
        assert found["contiguousWaste"] == pytest.approx(explorer.contiguous_waste, abs=1e-12), case


def test_random_steps_share_copy_and_are_refused(javascript):
    events = [found["event"] or {} for found in javascript["answers"][: len(CASES)]]
    assert any(event.get("copied") for event in events)
    assert any("more block" in event.get("refused", "") for event in events)
    assert any("not open" in event.get("refused", "") for event in events)
    assert any("at most 32" in event.get("refused", "") for event in events)
    assert any(n > 2 for found in javascript["answers"] for n in found["references"])


def written(explorer):
    """Who wrote each token of each open request, kept as one list for each, with no blocks at all."""
    texts, names = {}, iter("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    for n, step in enumerate(explorer.steps, 1):
        after = PagingExplorer(explorer.steps, block_size=explorer.block_size, step=n).n_tokens
        kind, *words = step.split()
        name = next(names) if kind in ("add", "fork") else words[0]
        if kind == "fork" and name in after:
            texts[name] = list(texts[words[0]])
        elif kind != "free" and name in after:
            texts[name] = texts.get(name, []) + [name] * (after[name] - len(texts.get(name, [])))
        texts = {name: text for name, text in texts.items() if name in after}
    return texts


def test_no_request_writes_into_the_text_of_another(javascript):
    for case, found in list(zip(CASES, javascript["answers"], strict=False))[:100]:
        expected = written(PagingExplorer(**case))
        for name, table in found["tables"].items():
            places = [place for block in table["blocks"] for place in found["places"][block]]
            assert places[: table["n_tokens"]] == expected[name], case


def test_each_step_of_the_story_in_words(javascript):
    assert [found["said"] for found in javascript["answers"][len(CASES) :]] == [
        "No request has come yet: all blocks are free.",
        "A comes with 10 tokens and takes blocks 0, 1, 2.",
        "B forks from A and takes no block: its 3 blocks have one more holder.",
        "A writes 3 tokens: others read block 2, so it takes a copy, block 3; it takes block 4.",
        "B writes 5 tokens: it takes block 5.",
        "C comes with 7 tokens and takes blocks 6, 7.",
        "A ends: blocks 3, 4 free again, and 2 blocks stay with others.",
        "C writes 9 tokens: it takes blocks 3, 4.",
        "B writes 12 tokens: it takes blocks 8, 9, 10.",
        "D forks from C and takes no block: its 4 blocks have one more holder.",
        "D writes 2 tokens: it takes block 11.",
    ]


def test_less_than_a_block_of_each_request_is_empty():
    for case in CASES:
        explorer = PagingExplorer(**case)
        n_places = len(explorer.references) * explorer.block_size
        assert explorer.waste * n_places <= len(explorer.blocks) * (explorer.block_size - 1) + 1e-9


def test_contiguous_memory_reserves_the_greatest_length():
    explorer = PagingExplorer(["add 10", "fork A", "append A 3", "add 7"])
    assert explorer.contiguous_waste == pytest.approx(1 - (13 + 10 + 7) / (3 * 32))
    assert explorer.waste == pytest.approx(1 - (8 + 2 + 4 + 1 + 7) / (7 * 4))
    assert PagingExplorer([]).contiguous_waste == PagingExplorer([]).waste == 0


def test_page_and_package_have_the_same_sizes(javascript):
    assert javascript["constants"] == [list(BLOCK_SIZES), N_PLACES, MAX_LEN]


@pytest.mark.browser
def test_the_buttons_take_steps_from_the_place_that_is_shown(browser):
    page = browser.new_page()
    page.set_content(PagingExplorer(["add 9", "free A"], step=1).static_html())
    page.fill("input[type=number]", "3")
    for name in ("Fork", "Write", "Add a request", "End"):
        page.get_by_role("button", name=name, exact=True).click()
    taken = PagingExplorer(["add 9", "fork A", "append A 3", "add 3", "free A"])
    assert page.locator("output").first.inner_text() == "5 of 5"
    assert page.locator(".name").all_inner_texts() == list(taken.blocks) == ["B", "C"]
    chips = [chip.split()[-1] for chip in page.locator(".chip").all_inner_texts()]
    assert chips == [str(block) for blocks in taken.blocks.values() for block in blocks]
    figures = page.locator("dd").all_inner_texts()
    assert figures[0] == f"{len(taken.references) * 4} of 64"
    assert figures[1] == f"{taken.waste:.1%}"
    page.close()


def test_output_is_stable():
    assert PagingExplorer().static_html() == PagingExplorer().static_html()
    assert repr(PagingExplorer([])) == "PagingExplorer(blocks of 4, 0 of 0 steps, 0 requests in 0 blocks)"


@pytest.mark.parametrize(
    ("steps", "options", "message"),
    [
        (["add 0"], {}, "step 'add 0' is none: write 'add 10', 'append A 3', 'fork A' or 'free A'"),
        (["add 4", "grow A"], {}, "step 'grow A' is none"),
        (["add 4", "fork B"], {}, "step 'fork B' names B, and 1 requests have come until then"),
        (["append A 3"], {}, "step 'append A 3' names A, and 0 requests have come until then"),
        (["add 1"] * 27, {}, "27 requests come, and there are 26 letters for them"),
        (["add 4"], {"block_size": 3}, "block_size is 3: choose one of 1, 2, 4, 8, 16"),
        (["add 4"], {"step": 2}, "step is 2: it has to be from 0 to the number of steps, 1"),
    ],
)
def test_bad_input_is_refused(steps, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        PagingExplorer(steps, **options)
