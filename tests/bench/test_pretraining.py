import json
from pathlib import Path

import pytest

from llmcourse.bench import pretraining

pytest.importorskip("transformers")


def test_quick_measures_and_writes_all_fields(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "result.json"
    pretraining.main(["--quick", "--json", str(path)])
    assert "ratio" in capsys.readouterr().out
    found = json.loads(path.read_text())
    assert set(found) == {"machine", "versions", "rows"}
    (row,) = found["rows"]
    assert row["equal"] is True
    assert min([*row["ours_s"], *row["theirs_s"], row["loading_s"]]) > 0
    assert set(row["ratio"]) == {"median", "min", "max"}


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretraining.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="transformers is not installed"):
        pretraining.main(["--quick"])
