import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llmcourse.bench import tokenization
from llmcourse.cli import app


def test_bench_runs_what_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given: dict[str, object] = {}
    monkeypatch.setattr(tokenization, "run", lambda **options: given.update(options))
    done = CliRunner().invoke(app, ["bench", "tokenization", "--quick", "--json", str(tmp_path / "x.json")])
    assert done.exit_code == 0, done.output
    assert given == {"quick": True, "json_path": tmp_path / "x.json"}


def test_an_unknown_benchmark_is_refused_by_name() -> None:
    done = CliRunner().invoke(app, ["bench", "cooking"])
    assert done.exit_code == 2
    assert "'cooking'" in re.sub(r"\x1b\[[0-9;]*m", "", done.output)
    assert "tokenization" in done.output
