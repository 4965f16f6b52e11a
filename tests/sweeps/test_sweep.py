"""The sweeps: grids, hashes, journals that survive anything, runs on processes, and tables."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from llmcourse.sweeps import NAMES, Journal, Sweep, find_sweep, header_of, load_table, run_sweep, write_table
from llmcourse.sweeps.table import read_table


def squares(n: int = 4, **constants: object) -> Sweep:
    return Sweep(
        name="squares",
        sizes={"cpu": [{"x": x, "seed": 0} for x in range(n)]},
        run=lambda settings, device: {"y": settings["x"] ** 2},
        cost=lambda settings: settings["x"],
        constants=constants,
    )


def finish(sweep: Sweep, path: Path) -> list[int]:
    with Journal(path, header_of(sweep, size="cpu")) as journal:
        return [settings["x"] for settings, _, _ in run_sweep(sweep, journal, size="cpu", jobs=0)]


def test_costly_runs_come_first_and_none_twice(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    assert finish(squares(), path) == [3, 2, 1, 0]
    assert finish(squares(), path) == []


def test_a_line_that_was_cut_off_is_run_again(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    finish(squares(), path)
    whole = path.read_bytes()
    for cut in (1, 5, 30):
        path.write_bytes(whole[:-cut])
        assert finish(squares(), path) == [0]
        assert sorted(json.loads(line).get("results", {}).get("y", -1) for line in path.read_text().splitlines()) == [
            *(-1, 0, 1, 4, 9)
        ]


def test_even_a_torn_header_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    finish(squares(), path)
    path.write_bytes(path.read_bytes()[:20])
    assert finish(squares(), path) == [3, 2, 1, 0]


@pytest.mark.parametrize("other", [squares(5), squares(lr=0.1)])
def test_a_file_of_other_settings_is_refused_and_left_alone(other: Sweep, tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    finish(squares(), path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="give another file, or remove that one"):
        finish(other, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", ["dear diary\n", "dear diary", "{}"])
def test_a_file_of_something_else_is_refused_and_left_alone(content: str, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(content)
    with pytest.raises(ValueError, match="is no journal of a sweep"):
        finish(squares(), path)
    assert path.read_text() == content


def test_two_sweeps_cannot_write_to_one_file(tmp_path: Path) -> None:
    header = header_of(squares(), size="cpu")
    with Journal(tmp_path / "j", header), pytest.raises(ValueError, match="another process writes to"):
        Journal(tmp_path / "j", header)
    with Journal(tmp_path / "j", header):
        pass


def test_a_result_that_is_no_number_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", {}) as journal:
        before = journal.path.read_bytes()
        with pytest.raises(ValueError, match="JSON compliant"):
            journal.append({"x": 1}, {"loss": float("nan")}, seconds=0.0)
        assert journal.path.read_bytes() == before


def test_hashes_tell_settings_constants_and_names_apart() -> None:
    assert squares().hash("cpu") == squares().hash("cpu")
    assert len({sweep.hash("cpu") for sweep in (squares(), squares(5), squares(lr=0.1), squares(lr=0.2))}) == 4


def test_sweeps_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="twice: give each a seed"):
        Sweep(name="twice", sizes={"cpu": [{"x": 1}, {"x": 1}]}, run=lambda settings, device: {})
    with pytest.raises(ValueError, match="has no size 'huge': choose cpu"):
        squares().runs("huge")
    with pytest.raises(
        ValueError,
        match="no sweep 'cooking': choose alignment or architecture or data_quality or quantization or scaling or",
    ):
        find_sweep("cooking")


def test_a_negative_number_of_processes_is_refused(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", {}) as journal, pytest.raises(ValueError, match="jobs is -1"):
        next(run_sweep(squares(), journal, size="cpu", jobs=-1), None)


def test_a_table_holds_all_rows_in_order_and_how_it_was_made(tmp_path: Path) -> None:
    sweep, path = squares(), tmp_path / "t.json"
    finish(sweep, tmp_path / "j")
    with Journal(tmp_path / "j", header_of(sweep, size="cpu")) as journal:
        write_table(sweep, journal, path, size="cpu", command="do it", device="cpu")
    table = read_table(path.read_text())
    assert table.column("y").tolist() == [0, 1, 4, 9]
    assert table.where(x=2).column("y").tolist() == [4]
    assert table.about["command"] == "do it"
    assert table.about["hash"] == sweep.hash("cpu")
    assert set(table.about["versions"]) == {"python", "torch", "numpy"}
    with pytest.raises(ValueError, match="there is no column 'z': a row has x, seed, y, seconds"):
        table.column("z")


def test_no_table_is_written_of_half_a_sweep(tmp_path: Path) -> None:
    with Journal(tmp_path / "j", {}) as journal, pytest.raises(ValueError, match="4 of 4 runs are not finished"):
        write_table(squares(), journal, tmp_path / "t.json", size="cpu", command="", device="cpu")
    assert not (tmp_path / "t.json").exists()


SLOW = """
    import sys, time
    from pathlib import Path
    from llmcourse.sweeps import Journal, Sweep, header_of, run_sweep

    def run(settings, device):
        Path(f"begun-{settings['x']}").touch()
        time.sleep(0.05 if settings["x"] < 2 else 600)
        return {"y": settings["x"]}

    SWEEP = Sweep(name="slow", sizes={"cpu": [{"x": x} for x in range(4)]}, run=run)

    if __name__ == "__main__":
        sys.modules["slow"] = sys.modules["__main__"]
        import slow
        run.__module__ = "slow"
        with Journal(Path("j.jsonl"), header_of(SWEEP, size="cpu")) as journal:
            for settings, _, _ in run_sweep(SWEEP, journal, size="cpu", jobs=2):
                print(settings["x"], flush=True)
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_sweep_that_is_stopped_keeps_what_is_finished_and_leaves_no_process(how: int, tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(textwrap.dedent(SLOW))
    environment = os.environ | {"PYTHONPATH": f"{Path.cwd()}:{tmp_path}"}
    main = subprocess.Popen(
        [sys.executable, "slow.py"],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while not all((tmp_path / f"begun-{x}").exists() for x in (2, 3)) and time.monotonic() < deadline:
        assert main.poll() is None, main.stderr.read().decode() if main.stderr else ""
        time.sleep(0.05)
    workers = [pid for pid in _processes_of(main.pid) if pid != main.pid]
    assert len(workers) >= 2
    main.send_signal(how)
    main.wait(30)
    while any(map(_runs, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_runs, workers))
    finished = [json.loads(line)["settings"]["x"] for line in (tmp_path / "j.jsonl").read_text().splitlines()[1:]]
    assert sorted(finished) == [0, 1]
    assert main.stderr is not None
    main.stderr.close()


def _processes_of(group: int) -> list[int]:
    """The processes of a session, by /proc."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == group:
            found.append(int(path.parent.name))
    return found


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("name", NAMES)
def test_the_tables_that_ship_are_of_the_sweeps_as_they_are(name: str) -> None:
    table, sweep = load_table(name), find_sweep(name)
    size = table.about["size"]
    assert table.about["hash"] == sweep.hash(size)
    assert table.about["command"] == f"llmcourse sweep {name} --size {size} --device {table.about['device']}"
    assert len(table.rows) == len(sweep.runs(size))
    for row, settings in zip(table.rows, sweep.runs(size), strict=True):
        assert row | settings == row
        assert all(np.isfinite(value) for value in row.values() if isinstance(value, float))


def test_a_table_that_does_not_ship_is_refused() -> None:
    with pytest.raises(
        ValueError,
        match="no table 'cooking': choose alignment or architecture or data_quality or quantization or scaling or",
    ):
        load_table("cooking")
