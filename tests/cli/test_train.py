"""The verb: a small run from text to checkpoint, stopped by a signal, resumed, refused."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llmcourse.cli import app
from llmcourse.pretraining import latest_checkpoint, load_checkpoint

SMALL = "--vocab-size 300 --d-model 16 --n-layers 1 --n-heads 2 --batch-size 4 --seq-len 16 --device cpu --warmup 2"


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("".join(f"the {n} cats sat on the {n % 7} mats.\n" for n in range(600)))
    return path


def arguments(text: Path, folder: Path, *more: str) -> list[str]:
    return ["train", "--corpus", str(text), "--folder", str(folder), *SMALL.split(), *more]


def invoke(*args) -> tuple[int, str]:
    done = CliRunner().invoke(app, arguments(*args))
    return done.exit_code, " ".join(re.sub(r"\x1b\[[0-9;]*m", "", done.output).split())


def test_a_run_goes_from_text_to_a_model(text: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    code, output = invoke(text, folder, "--steps", "20", "--checkpoint-every", "10")
    assert code == 0, output
    assert re.search(r"step 20: loss \d\.\d+, held out \d\.\d+ \(\d\.\d+ bits a byte\), .* tokens/s, MFU \d+%", output)
    assert sorted(path.name for path in folder.iterdir()) == [
        "step-00000010.pt", "step-00000020.pt", "tokenizer.json",
    ]  # fmt: skip
    code, output = invoke(text, folder, "--steps", "20", "--checkpoint-every", "10")
    assert code == 0
    assert "going on from step 20" in output


def test_other_settings_in_the_same_folder_are_refused(text: Path, tmp_path: Path) -> None:
    assert invoke(text, tmp_path / "run", "--steps", "3")[0] == 0
    code, output = invoke(text, tmp_path / "run", "--steps", "3", "--lr", "0.5")
    assert code == 2
    assert "max_lr is 0.5, but the checkpoint of step 3 was made with 0.002" in output


def test_bad_input_is_told_without_a_traceback(text: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("\n")
    for corpus, message in (("no-such", "corpus is 'no-such'"), (str(tmp_path / "empty.txt"), "is empty")):
        code, output = invoke(Path(corpus), tmp_path / "run")
        assert (code, message in output) == (2, True), output
    code, output = invoke(text, tmp_path / "run", "--seq-len", "100000")
    assert code == 2
    assert "needs 400001" in output


def test_ctrl_c_ends_after_a_step_and_the_same_command_goes_on(text: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-u", "-c", "from llmcourse.cli import app; app()"]
    command += arguments(text, folder, "--steps", "100000", "--checkpoint-every", "5")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"COLUMNS": "200"}) as process:
        for line in process.stdout:
            if "step 10:" in line:
                process.send_signal(signal.SIGINT)
                break
        rest = process.stdout.read()
    assert process.returncode == 130
    stopped = re.search(r"stopped after step (\d+); the same command goes on", rest)
    assert load_checkpoint(latest_checkpoint(folder))["step"] == int(stopped[1])


def test_processes_of_torchrun_train_and_resume_as_one_process_does(text: Path, tmp_path: Path) -> None:
    def train(folder: Path, *launcher: str) -> str:
        more = ("--steps", "10", "--checkpoint-every", "5")
        command = [sys.executable, *launcher, "-c" if not launcher else str(Path(__file__).with_name("train_main.py"))]
        command += ["from llmcourse.cli import app; app()"] if not launcher else []
        done = subprocess.run(
            [*command, *arguments(text, folder, *more)], capture_output=True, text=True, timeout=120,
            env=os.environ | {"COLUMNS": "200", "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    launcher = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    one, two = train(tmp_path / "one"), train(tmp_path / "two", *launcher)
    losses = [re.findall(r"step (\d+): loss ([\d.]+), held out ([\d.]+)", output) for output in (one, two)]
    assert [step for step, _, _ in losses[1]] == ["5", "10"]
    for mine, expected in zip(losses[1], losses[0], strict=True):
        assert [float(x) for x in mine] == pytest.approx([float(x) for x in expected], abs=2e-4)  # printed digits
    latest_checkpoint(tmp_path / "two").unlink()
    again = train(tmp_path / "two", *launcher)
    assert "going on from step 5" in again
    assert re.search(r"step 10: loss ([\d.]+)", again)[1] == losses[1][1][1]


def test_a_strategy_that_is_not_there_is_told(text: Path, tmp_path: Path) -> None:
    code, output = invoke(text, tmp_path / "run", "--parallel", "magic")
    assert (code, "parallel is 'magic': choose 'data'" in output) == (2, True), output
