import json
from pathlib import Path

import pytest

from llmcourse.bench import tokenization

pytest.importorskip("tokenizers")
pytest.importorskip("tiktoken")


def test_quick_measures_and_writes_all_fields(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "result.json"
    tokenization.main(["--quick", "--json", str(path)])
    printed = capsys.readouterr().out
    assert "ratio" in printed
    assert "processor" in printed
    found = json.loads(path.read_text())
    assert set(found) == {"machine", "versions", "rows"}
    assert [row["what"] for row in found["rows"]] == ["train", "encode"]
    for row in found["rows"]:
        assert row["equal"] is True
        assert min(row["ours_s"] + row["theirs_s"]) > 0
        assert min(row["ours_bytes"], row["theirs_bytes"]) > 0
        assert set(row["ratio"]) == {"median", "min", "max"}


def test_what_is_measured_in_full() -> None:
    tasks = tokenization.tasks(quick=False)
    assert {(task.what, task.size, task.vocab_size) for task in tasks} == {
        ("train", 1_000_000, 5_000),
        ("train", 10_000_000, 10_000),
        ("encode", 10_000_000, 10_000),
    }
    assert len(tasks) == 12  # prose and code, one thread and two
    assert {(task.corpus, task.threads) for task in tasks} == {(c, t) for c in ("prose", "code") for t in (1, 2)}


def test_a_process_that_fails_is_quoted(tmp_path: Path) -> None:
    path = tmp_path / "broken.txt"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="invalid start byte"):
        tokenization.compare(tokenization.tasks(quick=True)[0], path)


def test_packages_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenization.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SystemExit, match="tokenizers and tiktoken"):
        tokenization.main(["--quick"])
