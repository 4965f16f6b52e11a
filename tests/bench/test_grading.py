"""The benchmark of grading runs both sides on a course, and finds their marks equal."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "grading"))
from runs import needs_sandbox
from small_course import ASSIGNMENT, make_course

from llmcourse.bench.grading import run


def test_quick_measures_both_sides(tmp_path, monkeypatch, capsys):
    if (lack := needs_sandbox()) is not None:
        pytest.skip(lack)
    monkeypatch.chdir(make_course(tmp_path / "course"))
    ((theirs, ours),) = run(quick=True, json_path=tmp_path / "found.json")
    assert theirs.marks == ours.marks == {"student0000": 6, "student0001": 3, "student0002": 0}
    assert theirs.seconds > 0 and ours.seconds > 0
    assert theirs.worker_bytes == 0 < 20 << 20 < ours.worker_bytes < ours.peak_bytes
    said = capsys.readouterr().out
    assert ASSIGNMENT in said and "3 marks equal" in said
    stored = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert stored["rows"][0]["here"]["marks"] == ours.marks


def test_elsewhere_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"holds no nbgrader_config\.py"):
        run(quick=True)
    monkeypatch.chdir(make_course(tmp_path / "course"))
    with pytest.raises(ValueError, match="there is no assignment '09_none'"):
        run(quick=True, assignment="09_none")
