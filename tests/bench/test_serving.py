import json
from pathlib import Path

import pytest

from llmcourse.bench import serving

pytest.importorskip("transformers")


@pytest.mark.filterwarnings("ignore")  # transformers'
def test_quick_measures_and_writes_all_fields(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "result.json"
    serving.main(["--quick", "--json", str(path)])
    assert "ratio" in capsys.readouterr().out
    found = json.loads(path.read_text())
    assert set(found) == {"machine", "versions", "rows"}
    assert [row["what"] for row in found["rows"]] == ["static batching", "transformers"]
    for row in found["rows"]:
        assert min(row["ours_s"] + row["theirs_s"]) > 0 and set(row["ratio"]) == {"median", "min", "max"}
        assert row["equal"] in (None, row["n_requests"])
    assert found["rows"][0]["n_tokens"] == found["rows"][1]["n_tokens"]


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="transformers is not installed"):
        serving.main(["--quick"])
