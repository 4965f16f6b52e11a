"""Where bubblewrap runs, hostile programs; elsewhere these tests are skipped and counted.

Every hostile program here is bounded in itself (so many forks, bytes, seconds), runs inside of a working sandbox as an
unprivileged user, and addresses nothing but loopback.
"""

import json
import os
import subprocess
import sys

import pytest

from llmcourse.sandbox import Limits, Sandbox, probe

MIB = 2**20

# A server with a secret in /tmp, a neighbour, an abstract socket and a control socket's folder; it forks one child.
SERVER = r"""
import json, os, signal, socket, sys, time
from pathlib import Path
from llmcourse.sandbox import Limits, isolate_fork

order = json.loads(sys.argv[1])
Path("/tmp/secret").write_text("secret")
for folder in ("control", "mine", "other"):
    Path("/tmp/" + folder).mkdir()
listener = socket.socket(socket.AF_UNIX)
listener.bind("\0control")
listener.listen()
neighbour = os.fork()
if neighbour == 0:
    time.sleep(30)
    os._exit(0)
readable, writable = os.pipe()
child = os.fork()
if child == 0:
    os.close(readable)
    try:
        isolate_fork(
            Limits(**order["limits"]), keep=[Path(p) for p in order["keep"]],
            hide=[Path(p) for p in order["hide"]], report=writable,
        )
        exec(compile(order["code"], "submission", "exec"), {"neighbour": neighbour, "server": os.getppid()})
    except SystemExit as stop:
        sys.stdout.flush()
        os._exit(stop.code or 0)
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", flush=True)
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)
os.close(writable)
if order["signal"]:
    deadline = time.monotonic() + 20  # the code says by a file that it has begun
    while not Path("/tmp/mine/begun").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(child, order["signal"])
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
left = [name for name in os.listdir("/proc") if name.isdigit()]
print(json.dumps({
    "code": code, "limit": os.read(readable, 100).decode(), "left": len(left),
    "mine": os.listdir("/tmp/mine"), "tmp": sorted(os.listdir("/tmp")),
    "neighbour": os.waitpid(neighbour, os.WNOHANG)[0] == 0,
}))
os.kill(neighbour, signal.SIGKILL)
"""


@pytest.fixture(scope="session")
def bubblewrap():
    """Skip where no sandbox can be had."""
    found = probe()
    if not found.isolates:
        pytest.skip(f"no working sandbox: {'; '.join(lack.reason for lack in found.lacks)}")
    return found


@pytest.fixture
def in_fork(bubblewrap):
    """Return a function that runs code in an isolated fork, and returns its output and what the server saw."""
    if not bubblewrap.nested:
        pytest.skip("the sandbox permits no namespaces inside of it")

    def run(code, *, keep=(), hide=(), signal=0, **limits):
        limits = {"wall_s": 8, "cpu_s": 4, "processes": 20, "tmp_bytes": 4 * MIB, "memory_bytes": 256 * MIB} | limits
        order = {"code": code, "limits": limits, "keep": list(keep), "hide": list(hide), "signal": signal}
        outer = Sandbox(limits=Limits(wall_s=30, processes=100, memory_bytes=2048 * MIB), nested=True)
        command = outer.command([sys.executable, "-c", SERVER, json.dumps(order)], bwrap=str(bubblewrap.bubblewrap))
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd="/")
        assert done.stdout, done.stderr
        *lines, last = done.stdout.splitlines()
        return "\n".join(lines) + done.stderr, json.loads(last)

    return run


@pytest.fixture(scope="session")
def as_nobody():
    """Return a function that runs Python as an unprivileged user, with the system's interpreter and this package."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))  # noqa: PTH100, PTH120
    python = "/usr/bin/python3"
    if os.geteuid() != 0:
        pytest.skip("the tests are not run by root, so all of them are run by an unprivileged user already")

    def run(code):
        return subprocess.run(
            [python, "-c", code],
            user=65534,
            group=65534,
            extra_groups=[],
            env={"PYTHONPATH": root, "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    probed = run("import sys; assert sys.version_info >= (3, 11); import llmcourse.sandbox")
    if probed.returncode:
        pytest.skip(f"{python} as nobody cannot import this package, or is older than 3.11")
    return run
