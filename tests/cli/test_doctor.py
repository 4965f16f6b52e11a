"""What ``llmcourse doctor`` says: each lack with its remedy, and an exit code that a script can use."""

import shutil
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from llmcourse import sandbox
from llmcourse.cli import doctor as verb

FOUND = sandbox.Probe(
    kernel="6.1",
    machine="x86_64",
    bubblewrap=Path("/usr/bin/bwrap"),
    version="0.8.0",
    isolates=True,
    nested=True,
    procfs=True,
    seccomp=True,
    lacks=(),
)
FORBIDDEN = sandbox.Lack(what="bubblewrap", reason="it cannot run: [EPERM]", remedy="Write a profile.")


@pytest.fixture
def run(monkeypatch):
    """Return a function that runs the verb on a machine with the given sandbox and programs."""
    app = typer.Typer()
    app.command()(verb.doctor)
    programs = {"make": "/usr/bin/make", "git": "/usr/bin/git", "chromium": "/usr/bin/chromium"}

    def invoke(*, found=FOUND, without=(), free_gb=50):
        monkeypatch.setattr(sandbox, "probe", lambda: found, raising=False)
        monkeypatch.setattr(shutil, "which", lambda name: programs.get(name) if name not in without else None)
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(0, 0, int(free_gb * 1e9)))
        result = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(app)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.output

    return invoke


def test_a_machine_that_has_all_that_is_needed(run):
    code, output = run()
    assert code == 0, output
    lines = output.splitlines()
    assert lines[0].startswith("ok       Python                 3.")
    assert "ok       sandbox                bubblewrap 0.8.0 runs, on Linux 6.1" in lines
    assert "ok       disk                   50.0 GB free at" in output
    assert "without  GPU                    none" in lines
    assert lines[-1] == "All that is needed is there."


def test_a_sandbox_that_does_not_run_is_named_with_its_remedy(run):
    lacking = sandbox.Probe(
        **{name: getattr(FOUND, name) for name in ("kernel", "machine", "bubblewrap", "version", "seccomp")},
        isolates=False,
        nested=False,
        procfs=False,
        lacks=(FORBIDDEN,),
    )
    code, output = run(found=lacking)
    assert code == 1
    assert "missing  sandbox                it cannot run: [EPERM]" in output
    assert "Write a profile." in output
    assert output.splitlines()[-1] == "Missing: sandbox"


def test_what_is_not_needed_does_not_fail(run):
    code, output = run(without=("chromium",))
    assert code == 0
    assert "without  Chromium               none" in output
    assert "sudo apt install chromium" in output


@pytest.mark.parametrize(
    ("machine", "missing"), [({"without": ("git",)}, "git"), ({"free_gb": 1}, "disk"), ({"without": ("make",)}, "make")]
)
def test_what_is_needed_fails(run, machine, missing):
    code, output = run(**machine)
    assert (code, output.splitlines()[-1]) == (1, f"Missing: {missing}")


def test_a_package_that_is_not_installed():
    check = verb._package("no-such-package-at-all", "install it")
    assert (check.passed, check.found, check.remedy) == (False, "not installed", "install it")


def test_a_gpu_is_named_as_its_driver_does(tmp_path, monkeypatch):
    driver = tmp_path / "nvidia-smi"
    driver.write_text("#!/bin/sh\necho 'GPU 0: NVIDIA H100 (UUID: GPU-1)'\n", encoding="utf-8")
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert verb._gpu().found == "GPU 0: NVIDIA H100"
    driver.write_text("#!/bin/sh\necho 'no driver'; exit 9\n", encoding="utf-8")
    assert (verb._gpu().found, verb._gpu().passed) == ("none", False)


def test_extensions_are_looked_for_where_jupyter_looks(tmp_path, monkeypatch):
    monkeypatch.setattr(verb, "_jupyter_folders", lambda: [tmp_path / "share" / "jupyter"])
    assert verb._extensions().found == "not enabled for: JupyterLab, server"
    (tmp_path / "share" / "jupyter" / "labextensions" / "@jupyter" / "nbgrader").mkdir(parents=True)
    assert verb._extensions().found == "not enabled for: server"
    config = tmp_path / "etc" / "jupyter" / "jupyter_server_config.d"
    config.mkdir(parents=True)
    (config / "nbgrader.json").write_text("{}", encoding="utf-8")
    assert verb._extensions().passed


def test_the_interpreter_is_named():
    assert sys.executable in verb._python().found
