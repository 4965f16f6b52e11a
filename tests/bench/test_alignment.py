import json
from pathlib import Path

import pytest

from llmcourse.bench import alignment


def test_quick_measures_and_writes_all_fields(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "result.json"
    alignment.main(["--quick", "--json", str(path)])
    assert "ratio" in capsys.readouterr().out
    found = json.loads(path.read_text())
    assert set(found) == {"machine", "device", "versions", "rows"}
    assert found["rows"][0]["other"] == "rows"
    assert {row["setting"]["method"] for row in found["rows"]} == {"dpo", "grpo"}
    for row in found["rows"]:
        assert row["equal"] is True
        assert min(row["ours_s"] + row["theirs_s"]) > 0
        assert set(row["ratio"]) == {"median", "min", "max"}


def test_what_is_measured_in_full() -> None:
    found = alignment.settings(quick=False)
    assert any(s.prompt_len >= 3 * s.answer_len for s in found)
    assert any(s.prompt_len < s.answer_len for s in found)
