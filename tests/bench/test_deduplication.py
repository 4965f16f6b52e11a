import itertools
import json
from pathlib import Path

import pytest

from llmcourse.bench import deduplication
from llmcourse.pretraining import jaccard, shingles_of


def test_quick_measures_and_writes_all_fields(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("datasketch")
    path = tmp_path / "result.json"
    deduplication.main(["--quick", "--json", str(path)])
    assert "recall of" in capsys.readouterr().out
    found = json.loads(path.read_text())
    assert set(found) == {"machine", "versions", "threshold", "bands_and_rows", "rows"}
    assert [row["hash_function"] for row in found["rows"]] == ["sha1", "crc32"]
    for row in found["rows"]:
        assert min([*row["ours_s"], *row["theirs_s"]]) > 0
        assert row["n_pairs"] > 5
        assert row["our_recall"] >= row["their_recall"] >= 0.9


def test_the_pairs_are_those_of_comparing_all() -> None:
    documents = deduplication.polluted(10, max_bytes=60_000)
    sets = [shingles_of(document) for document in documents]
    pairs = {(a, b) for a, b in itertools.combinations(range(len(sets)), 2) if jaccard(sets[a], sets[b]) >= 0.8}
    assert deduplication._alike(documents) == pairs


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deduplication.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="datasketch is not installed"):
        deduplication.main(["--quick"])
