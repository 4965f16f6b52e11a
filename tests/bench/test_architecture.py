import json
from pathlib import Path

import pytest

from llmcourse.bench import architecture

pytest.importorskip("transformers")


def test_quick_measures_and_writes_all_fields(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "result.json"
    architecture.main(["--quick", "--json", str(path)])
    assert "ratio" in capsys.readouterr().out
    found = json.loads(path.read_text())
    assert set(found) == {"machine", "versions", "rows"}
    assert [row["setting"]["what"] for row in found["rows"]] == ["train", "generate"]
    for row in found["rows"]:
        assert row["equal"] is True
        assert min(row["ours_s"] + row["theirs_s"]) > 0
        assert set(row["ratio"]) == {"median", "min", "max"}


def test_what_is_measured_in_full() -> None:
    found = architecture.settings(quick=False)
    assert [(s.what, s.size, s.compiled) for s in found] == [
        ("train", "6M", False),
        ("train", "25M", False),
        ("train", "6M", True),
        ("train", "25M", True),
        ("generate", "6M", False),
    ]
    assert {(s.vocab_size, s.batch_size, s.seq_len) for s in found} == {(4096, 8, 256)}


def test_a_process_that_fails_is_quoted() -> None:
    with pytest.raises(ValueError, match="failed: KeyError: 'huge'"):
        architecture._in_a_process(architecture.Setting(what="train", size="huge"))


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(architecture.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="transformers is not installed"):
        architecture.main(["--quick"])
