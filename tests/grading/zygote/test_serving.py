"""Warm servers: what forks get, how they end, and what is left when a server dies."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from llmcourse.grading.zygote import serving
from llmcourse.grading.zygote.client import Zygote, ZygoteError
from llmcourse.sandbox import Limits, NotIsolatedError, probe

needs_sandbox = pytest.mark.skipif(not (probe().isolates and probe().nested), reason="needs a sandbox that works")
pytestmark = needs_sandbox


@pytest.fixture(scope="module")
def judges():
    server = Zygote("judge", [])
    yield server
    server.close()


@pytest.fixture
def judge(judges):
    """Return a judge that waits for cells, and its sockets."""
    ours, theirs = socket.socketpair()
    border, other = socket.socketpair()
    request = {
        "limits": Limits(wall_s=20).as_dict(),
        "border_limits": {},
        "may_mutate": None,
        "processes_in_use": 0,
        "environment": {"LLMCOURSE_GRADING_SEED": "7"},
    }
    forked = judges.address.fork(request, {"command": theirs.fileno(), "border": border.fileno()})
    for item in (theirs, border):
        item.close()
    yield forked, ours, other
    forked.close()
    ours.close()
    other.close()


def test_a_fork_lives_until_it_is_killed(judge):
    forked, _, _ = judge
    assert forked.poll() is None
    forked.kill()
    assert forked.wait(10) == -signal.SIGKILL
    assert forked.poll() == -signal.SIGKILL


def test_a_fork_dies_with_its_connection(judges):
    ours, theirs = socket.socketpair()
    border, other = socket.socketpair()
    request = {"limits": Limits().as_dict(), "border_limits": {}, "may_mutate": None, "processes_in_use": 0}
    with ours, theirs, border, other:
        forked = judges.address.fork(request, {"command": theirs.fileno(), "border": border.fileno()})
        theirs.close()
        forked.close()
        ours.settimeout(60)  # a machine that is busy is slow to fork
        assert ours.recv(1) == b""  # its end was the last


def test_a_fork_that_has_not_ended_says_so(judge):
    with pytest.raises(subprocess.TimeoutExpired):
        judge[0].wait(0.05)


def test_a_bad_request_is_answered_by_an_exit_and_no_more(judges):
    forked = judges.address.fork({"limits": {"wall_s": -1}}, {})
    assert forked.wait(10) == 125
    assert "wall_s=-1" in forked.said
    assert judges.alive()


def test_garbage_does_not_end_the_server(judges):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(judges.address.path)
        connection.sendall(b"\0\0\0\5nope!")
        connection.settimeout(10)
        assert connection.recv(10) == b""
    assert judges.alive()


def test_a_server_that_died_is_replaced():
    serving.start("judge", [])
    first = serving._own["judge"]
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait(10)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        request = {"limits": Limits().as_dict(), "border_limits": {}, "may_mutate": None, "processes_in_use": 0}
        numbers = {"command": theirs.fileno(), "border": ours.fileno()}
        forked = serving.fork("judge", [], request, numbers)
    assert forked.poll() is None
    assert serving._own["judge"] is not first
    forked.close()


def test_shared_servers_are_used_and_then_end():
    with serving.shared_servers([]):
        address = serving.start("kernel", [])
        assert address != serving._own.get("kernel", None)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(address.path)
    with pytest.raises(ZygoteError, match="does not answer"):
        address.fork({}, {})


def test_without_a_sandbox_nothing_starts(monkeypatch):
    lacking = type(probe())(**{**vars(probe()), "isolates": False})
    monkeypatch.setattr("llmcourse.grading.zygote.client.probe", lambda: lacking)
    with pytest.raises(NotIsolatedError, match="cannot be isolated"):
        Zygote("kernel", [])
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(NotIsolatedError, match="as root"):
        Zygote("kernel", [], accept_unisolated=True)


def test_nothing_is_left_of_a_server():
    server = Zygote("judge", [])
    folder = Path(server.address.path).parent
    server.address.fork({"limits": {"wall_s": -1}}, {}).wait(20)  # it is up
    server.close()
    assert not folder.exists()
    until = time.monotonic() + 5
    while server.alive() and time.monotonic() < until:
        time.sleep(0.01)
    assert not server.alive()
