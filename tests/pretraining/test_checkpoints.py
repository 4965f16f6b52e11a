import os
import resource
import signal
import subprocess
import sys
import textwrap

import pytest
import torch

from llmcourse.pretraining import latest_checkpoint, load_checkpoint, save_checkpoint


def test_a_checkpoint_comes_back_as_it_was(tmp_path):
    state = {
        "model": {"w": torch.randn(3, 2), "half": torch.randn(4).bfloat16()},
        "optimizer": {"state": {0: {"step": 3}}, "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.95)}]},
        "random": torch.get_rng_state(),
    }
    back = load_checkpoint(save_checkpoint(state, tmp_path / "run", 7))
    assert torch.equal(back["model"]["w"], state["model"]["w"])
    assert torch.equal(back["model"]["half"], state["model"]["half"])
    assert torch.equal(back["random"], state["random"])
    assert back["optimizer"] == state["optimizer"]


def test_the_latest_is_by_number_of_steps_and_the_oldest_go(tmp_path):
    assert latest_checkpoint(tmp_path / "none") is None
    for step in (900, 1000, 5):
        save_checkpoint({"step": step}, tmp_path, step, keep=2)
    assert latest_checkpoint(tmp_path).name == "step-00001000.pt"
    assert len(list(tmp_path.iterdir())) == 2


def test_what_is_no_checkpoint_is_left_alone(tmp_path):
    for name in ("step-1.pt.bak", "notes.txt", ".step-00000009.1.partial"):
        (tmp_path / name).write_text("mine")
    save_checkpoint({}, tmp_path, 1, keep=1)
    save_checkpoint({}, tmp_path, 2, keep=1)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".step-00000009.1.partial", "notes.txt", "step-00000002.pt", "step-1.pt.bak",
    ]  # fmt: skip


def test_a_full_disk_leaves_the_old_one(tmp_path):
    good = save_checkpoint({"w": torch.ones(10)}, tmp_path, 1)
    # The limit on a file's size fails a write in the middle, as a full disk does.
    old, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, old[1]))
    try:
        with pytest.raises(OSError, match=r"the last good one is .*step-00000001"):
            save_checkpoint({"w": torch.ones(1_000_000)}, tmp_path, 2, keep=1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)
    assert [path.name for path in tmp_path.iterdir()] == [good.name]
    assert load_checkpoint(good)["w"].sum() == 10


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="there is none from before"):
        save_checkpoint({}, tmp_path / "file" / "folder", 1)


def test_a_process_killed_while_writing_leaves_the_old_one(tmp_path):
    save_checkpoint({"w": torch.ones(3)}, tmp_path, 1)
    program = """
        import os, signal, sys, torch
        from llmcourse.pretraining import checkpoints
        def killed(descriptor):
            os.kill(os.getpid(), signal.SIGKILL)
        checkpoints.os.fsync = killed
        checkpoints.save_checkpoint({"w": torch.zeros(3)}, sys.argv[1], 2)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)]
    assert subprocess.run(command, timeout=60, check=False).returncode == -signal.SIGKILL
    assert load_checkpoint(latest_checkpoint(tmp_path))["w"].sum() == 3


@pytest.mark.parametrize("damage", [b"", b"no zip file", None])
def test_a_damaged_file_is_refused(tmp_path, damage):
    path = save_checkpoint({"w": torch.ones(1000)}, tmp_path, 1)
    path.write_bytes(path.read_bytes()[:-200] if damage is None else damage)
    with pytest.raises(ValueError, match=r"step-00000001\.pt' is no whole checkpoint"):
        load_checkpoint(path)


def test_a_file_that_would_run_code_is_refused(tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "run"),)

    path = tmp_path / "step-00000001.pt"
    torch.save({"w": Hostile()}, path)
    with pytest.raises(ValueError, match="is no whole checkpoint"):
        load_checkpoint(path)
    assert not (tmp_path / "run").exists()


def test_numbers_out_of_range_are_quoted(tmp_path):
    with pytest.raises(ValueError, match="step is -1"):
        save_checkpoint({}, tmp_path, -1)
    with pytest.raises(ValueError, match="keep 0"):
        save_checkpoint({}, tmp_path, 1, keep=0)
    with pytest.raises(ValueError, match=r"there is no checkpoint .*none\.pt"):
        load_checkpoint(tmp_path / "none.pt")
