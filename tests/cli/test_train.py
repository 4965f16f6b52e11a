"""The verb: a small run from text to checkpoint, stopped by a signal, resumed, refused."""

import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import types
from pathlib import Path

import psutil
import pytest
import torch
from typer.testing import CliRunner

from llmcourse.cli import app
from llmcourse.pretraining import latest_checkpoint, load_checkpoint, open_corpus
from llmcourse.pretraining.prepared_corpus import write_corpus
from llmcourse.tokenization import train_bpe

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


def command(text: Path, folder: Path, *more: str, processes: int = 0) -> list[str]:
    """Return what trains in one process, or in those that torchrun starts."""
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)] if processes else []
    program = str(Path(__file__).with_name("train_main.py"))
    return [sys.executable, *launcher, program, *arguments(text, folder, *more)]


ENVIRONMENT = os.environ | {"COLUMNS": "200", "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}


def run(text: Path, folder: Path, *more: str, processes: int = 0, code: int = 0) -> str:
    line = command(text, folder, *more, processes=processes)
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, env=ENVIRONMENT)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def test_processes_of_torchrun_train_and_resume_as_one_process_does(text: Path, tmp_path: Path) -> None:
    def losses(output: str) -> list[list[float]]:
        found = re.findall(r"step (\d+): loss ([\d.]+), held out ([\d.]+)", output)
        return [[float(number) for number in line] for line in found]

    more = ("--steps", "10", "--checkpoint-every", "5", "--n-layers", "2", "--micro-batches", "2")
    one = losses(run(text, tmp_path / "one", *more))
    assert [step for step, *_ in one] == [5, 10]
    for parallel in ("data", "pipeline", "fsdp"):
        found = losses(run(text, tmp_path / parallel, *more, "--parallel", parallel, processes=2))
        for mine, expected in zip(found, one, strict=True):
            assert mine == pytest.approx(expected, abs=2e-4)  # printed digits
    # Another strategy goes on where one left off.
    latest_checkpoint(tmp_path / "pipeline").unlink()
    again = run(text, tmp_path / "pipeline", *more, "--parallel", "data", processes=2)
    assert "going on from step 5" in again
    assert losses(again)[-1] == pytest.approx(one[-1], abs=2e-4)


def test_where_a_process_of_torchrun_is_killed_all_end_soon_and_it_is_told(text: Path, tmp_path: Path) -> None:
    line = command(text, tmp_path / "run", "--steps", "100000", "--checkpoint-every", "5", processes=2)
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT
    ) as launcher:
        for said in launcher.stdout:
            if "step 10:" in said:
                children = psutil.Process(launcher.pid).children()
                victim = next(child for child in children if child.environ().get("RANK") == "1")
                victim.kill()
                break
        begun = time.monotonic()
        rest = " ".join(launcher.communicate(timeout=90)[0].split())
    assert time.monotonic() - begun < 60
    assert launcher.returncode == 1
    assert "process 0 lost another one, which died" in rest
    assert "exitcode : -9" in rest  # torchrun's own account
    assert latest_checkpoint(tmp_path / "run") is not None
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)


def test_a_layout_that_does_not_fit_is_told_once(text: Path, tmp_path: Path) -> None:
    output = run(text, tmp_path / "run", "--n-heads", "1", "--parallel", "tensor", processes=2, code=1)
    assert output.count("n_heads is 1, which 2 processes do not divide") == 1
    assert "tensor_parallel.py" not in output  # no traceback but torchrun's own


def test_a_strategy_that_is_not_there_is_told(text: Path, tmp_path: Path) -> None:
    code, output = invoke(text, tmp_path / "run", "--parallel", "magic")
    assert (code, "parallel is 'magic': choose one of data, zero1," in output) == (2, True), output
    code, output = invoke(text, tmp_path / "run", "--parallel", "tensor")
    assert (code, "torchrun --nproc-per-node 2 --no-python llmcourse train --parallel tensor" in output) == (2, True)


@pytest.fixture
def shards(text: Path, tmp_path: Path) -> Path:
    tokenizer = train_bpe(text.read_text(), 290, special_tokens=("<|endoftext|>",))
    end = tokenizer.special_tokens["<|endoftext|>"]
    documents = [[*tokenizer.encode(line + "\n"), end] for line in text.read_text().splitlines()]
    folder = tmp_path / "shards"
    folder.mkdir()
    write_corpus(documents, folder, tokenizer=tokenizer, shard_tokens=2000, about={})
    return folder


def test_a_run_on_shards_takes_their_tokenizer_and_goes_on(shards: Path, tmp_path: Path) -> None:
    assert len(open_corpus(shards).shards) > 1
    run = ("--shards", str(shards), "--checkpoint-every", "5")
    code, output = invoke(Path("documentation"), tmp_path / "whole", *run, "--steps", "10")
    assert code == 0, output
    losses = re.findall(r"step 10: loss (\S+), held out (\S+) \((\S+) bits a byte\)", output)
    assert len(losses) == 1
    corpus = open_corpus(shards)
    held_out = corpus.tokens[-(len(corpus.tokens) // 20) :]
    text = corpus.tokenizer.decode(held_out.tolist()).replace("<|endoftext|>", "")
    expected = float(losses[0][1]) / math.log(2) * len(held_out) / len(text.encode())
    assert float(losses[0][2]) == pytest.approx(expected, abs=2e-3)
    state = load_checkpoint(latest_checkpoint(tmp_path / "whole"))
    assert any(tensor.shape[0] == 290 for tensor in state["model"].values())
    # One that was cut short after five steps ends with the same weights.
    (tmp_path / "cut").mkdir()
    for name in ("tokenizer.json", "step-00000005.pt"):
        shutil.copy(tmp_path / "whole" / name, tmp_path / "cut" / name)
    code, output = invoke(Path("documentation"), tmp_path / "cut", *run, "--steps", "10")
    assert (code, "going on from step 5" in output) == (0, True), output
    again = load_checkpoint(latest_checkpoint(tmp_path / "cut"))
    assert all(torch.equal(tensor, state["model"][name]) for name, tensor in again["model"].items())


def test_shards_that_are_not_there_or_of_another_tokenizer_are_refused(
    text: Path, shards: Path, tmp_path: Path
) -> None:
    code, output = invoke(text, tmp_path / "run", "--shards", str(tmp_path / "absent"), "--steps", "2")
    assert (code, "holds no prepared corpus" in output) == (2, True), output
    assert invoke(text, tmp_path / "run", "--steps", "2")[0] == 0
    code, output = invoke(text, tmp_path / "run", "--shards", str(shards), "--steps", "2")
    assert (code, "began with another tokenizer than that of" in output) == (2, True), output


@pytest.mark.parametrize("corpus", ["tiny-stories", "fineweb-edu"])
def test_a_corpus_of_the_hub_is_taken_when_asked_for(
    corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = types.ModuleType("datasets")
    rows = [{"text": f"Once there were {n} cats and {n % 7} mats."} for n in range(300)]
    hub.load_dataset = lambda path, **options: iter(rows)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", hub)
    code, output = invoke(Path(corpus), tmp_path / "run", "--steps", "2")
    assert code == 0, output
    monkeypatch.setitem(sys.modules, "datasets", None)
    code, output = invoke(Path(corpus), tmp_path / "other", "--steps", "2")
    assert (code, "pip install 'llmcourse[streaming]'" in output, "documentation()" in output) == (2, True, True)


def test_a_hub_that_cannot_be_reached_is_told_with_what_does_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = types.ModuleType("datasets")

    def refuse(path: str, **options: object) -> None:
        raise OSError("connection refused")

    hub.load_dataset = refuse  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "datasets", hub)
    code, output = invoke(Path("tiny-stories"), tmp_path / "run", "--steps", "2")
    assert (code, "connection refused" in output, "documentation()" in output) == (1, True, True), output
