import json
from pathlib import Path

import pytest

from llmcourse.bench import inference

pytest.importorskip("transformers")


@pytest.mark.filterwarnings("ignore")  # transformers'
def test_quick_measures_and_writes_all_fields(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "result.json"
    inference.main(["--quick", "--json", str(path)])
    assert "ratio" in capsys.readouterr().out
    found = json.loads(path.read_text())
    assert set(found) == {"machine", "versions", "rows", "seconds_after"}
    assert [row["what"] for row in found["rows"]] == ["transformers", "plain decoding"]
    for row in found["rows"]:
        assert row["equal"] is True
        assert min(row["ours_s"] + row["theirs_s"]) > 0 and set(row["ratio"]) == {"median", "min", "max"}
    assert found["seconds_after"]["tiny"]["128"] > 0


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="transformers is not installed"):
        inference.main(["--quick"])
