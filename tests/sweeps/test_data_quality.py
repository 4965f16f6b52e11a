"""The corpora of the sweep, what its table says, and that the table is of these corpora."""

from importlib.metadata import version

import numpy as np
import pytest

from llmcourse.sweeps import load_table
from llmcourse.sweeps.data_quality import DATA_QUALITY, VARIANTS, _corpora, _in_random_order, _passages, run

pytest.importorskip("sklearn")


@pytest.fixture(scope="module")
def corpora() -> dict[str, list[str]]:
    return _corpora()


def test_nothing_that_is_measured_is_in_a_corpus_and_cleaning_only_drops(corpora: dict[str, list[str]]) -> None:
    clean, held_out = _passages()
    raw = set(corpora["raw"])
    assert not raw & set(held_out)
    assert len(clean) == len(set(clean)) and set(clean) <= raw
    for variant in VARIANTS:
        assert set(corpora[variant]) <= raw
    assert set(corpora["both"]) <= set(corpora["deduplicated"])


def test_what_was_planted_is_found(corpora: dict[str, list[str]]) -> None:
    clean = set(_passages()[0])
    sizes = {name: sum(map(len, documents)) for name, documents in corpora.items()}
    assert sizes["raw"] == pytest.approx(4 * sizes["clean"], rel=0.05)
    # Copies are half of the crawl; nearly all go, and no clean passage but by a copy of it that came before.
    assert sizes["deduplicated"] == pytest.approx(2 * sizes["clean"], rel=0.05)
    assert len(clean & set(corpora["deduplicated"])) > 0.95 * len(clean)
    assert len(clean & set(corpora["both"])) > 0.9 * len(clean)
    junk = {name: len(set(corpora[name]) - clean) for name in ("deduplicated", "both")}
    assert junk["both"] < 0.2 * junk["deduplicated"]


def test_a_corpus_is_read_whole_before_it_is_read_again() -> None:
    ids = [np.array([number]) for number in range(5)]
    tokens = _in_random_order(ids, 12, seed=1).tolist()
    assert sorted(tokens[:5]) == sorted(tokens[5:10]) == list(range(5))
    assert tokens[:5] != tokens[5:10]
    assert _in_random_order(ids, 12, seed=1).tolist() == tokens != _in_random_order(ids, 12, seed=2).tolist()


def test_the_table_is_of_these_corpora(corpora: dict[str, list[str]]) -> None:
    table = load_table("data_quality")
    if table.about["versions"]["torch"].split("+")[0] != version("torch").split("+")[0]:
        pytest.skip("the corpora are of another version of torch")
    for settings in DATA_QUALITY.runs("quick"):
        found = run(settings, "cpu")
        (row,) = table.where(variant=settings["variant"], seed=0).rows
        for name in ("digest", "documents", "corpus_tokens", "clean_share"):
            assert found[name] == row[name], name


def test_cleaning_is_worth_what_the_table_says() -> None:
    table = load_table("data_quality")
    loss = {variant: table.where(variant=variant).column("loss") for variant in VARIANTS}
    assert all(len(losses) >= 3 for losses in loss.values())
    # For each seed, and by more than the seeds differ.
    for better, worse in (("deduplicated", "raw"), ("both", "deduplicated"), ("both", "filtered"), ("clean", "both")):
        assert (loss[better] < loss[worse]).all(), (better, worse)
    spread = max(losses.std(ddof=1) for losses in loss.values())
    assert loss["raw"].mean() - loss["both"].mean() > 5 * spread
