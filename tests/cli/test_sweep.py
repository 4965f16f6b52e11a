"""The verb: a sweep in miniature from start to table, resumed and refused."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llmcourse import sweeps
from llmcourse.cli import app
from llmcourse.sweeps import Sweep


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def squares(stop_at: int | None = None) -> Sweep:
    def run(settings: dict, device: str) -> dict:
        if settings["x"] == stop_at:
            raise KeyboardInterrupt
        return {"y": settings["x"] ** 2, "device": device}

    return Sweep(name="scaling", sizes={"cpu": [{"x": x, "seed": x} for x in range(3)]}, run=run)


def invoke(folder: Path, *more: str) -> tuple[int, str]:
    done = CliRunner().invoke(
        app, ["sweep", "scaling", "--device", "cpu", "--jobs", "0", "--folder", str(folder), *more]
    )
    return done.exit_code, plain(done.output)


def test_a_sweep_that_is_stopped_goes_on_and_writes_its_table(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sweeps, "find_sweep", lambda name: squares(stop_at=1))
    code, output = invoke(tmp_path)
    assert code == 130
    assert "the same command goes on from there" in output
    assert not (tmp_path / "scaling-cpu.json").exists()
    monkeypatch.setattr(sweeps, "find_sweep", lambda name: squares())
    code, output = invoke(tmp_path)
    assert code == 0, output
    assert "3 runs are in" in output
    found = json.loads((tmp_path / "scaling-cpu.json").read_text())
    assert [run["results"]["y"] for run in found["runs"]] == [0, 1, 4]
    assert found["about"]["command"] == "llmcourse sweep scaling --size cpu --device cpu"
    assert found["about"]["seeds"] == [0, 1, 2]


def test_the_smallest_real_sweep_runs_on_a_process_of_its_own(tmp_path: Path) -> None:
    options = ["sweep", "scaling", "--size", "quick", "--device", "cpu", "--jobs", "1", "--folder", str(tmp_path)]
    done = CliRunner().invoke(app, options)
    assert done.exit_code == 0, done.output
    rows = json.loads((tmp_path / "scaling-quick.json").read_text())["runs"]
    assert [(row["settings"]["d_model"], row["settings"]["tokens"]) for row in rows] == [
        *((8, 4096), (8, 8192), (16, 4096), (16, 8192))
    ]
    assert all(0 < row["results"]["excess"] < 3 for row in rows)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cooking"], "there is no sweep 'cooking': choose alignment or architecture or data_quality"),
        (["scaling", "--size", "huge"], "has no size 'huge'"),
        (["scaling", "--folder", "/nowhere/at/all"], "cannot write '/nowhere/at/all/"),
    ],
)
def test_what_is_unknown_is_refused_by_name(arguments: list[str], message: str) -> None:
    done = CliRunner().invoke(app, ["sweep", *arguments])
    assert done.exit_code == 2
    assert message in " ".join(plain(done.output).split())
