"""What the probe says of machines that cannot isolate, played by a bwrap that fails as theirs do."""

import pytest

from llmcourse.sandbox import probing


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Return a function that probes a machine with the given bwrap (a shell script) and kernel settings."""

    def probe(script, settings=None, uid=1000):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        if script is not None:
            (folder / "bwrap").write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            (folder / "bwrap").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
        monkeypatch.setattr(probing, "_setting", lambda name: (settings or {}).get(name, ""))
        monkeypatch.setattr(probing.os, "geteuid", lambda: uid)
        return probing.probe.__wrapped__()

    return probe


VERSION = '[ "$1" = --version ] && echo bubblewrap 0.9.0 && exit 0; '


def test_no_bubblewrap(machine):
    found = machine(None)
    assert not found.isolates
    assert found.lacks[0].remedy == "Install it: sudo apt install bubblewrap"


def test_an_old_bubblewrap(machine):
    found = machine("echo bubblewrap 0.6.1")
    assert not found.isolates
    assert "0.6.1" in found.lacks[0].reason


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"kernel/apparmor_restrict_unprivileged_userns": "1"}, "/etc/apparmor.d/bwrap"),
        ({"user/max_user_namespaces": "0"}, "sysctl user.max_user_namespaces"),
        ({"kernel/unprivileged_userns_clone": "0"}, "sysctl kernel.unprivileged_userns_clone=1"),
        ({}, "docker run --security-opt"),
    ],
)
def test_a_bubblewrap_that_is_forbidden(machine, settings, remedy):
    found = machine(VERSION + "echo 'bwrap: setting up uid map: not allowed' >&2; exit 1", settings)
    assert (found.isolates, found.nested, found.procfs) == (False, False, False)
    assert found.lacks[0].reason == "it cannot run: bwrap: setting up uid map: not allowed"
    assert remedy in found.lacks[0].remedy


def test_a_proc_that_cannot_be_mounted_is_done_without(machine):
    report = '{"uid": 65534, "capabilities": 0, "nested": "", "seccomp": ""}'
    script = f"for w in \"$@\"; do [ \"$w\" = --proc ] && echo 'no proc' >&2 && exit 1; done; echo '{report}'"
    found = machine(VERSION + script)
    assert (found.isolates, found.nested, found.procfs) == (True, True, False)
    assert found.lacks[0].reason == "no proc"


def test_a_sandbox_that_leaves_root_in_charge_is_none(machine):
    found = machine(VERSION + 'echo \'{"uid": 0, "capabilities": 7, "nested": "", "seccomp": ""}\'', uid=0)
    assert not found.isolates
    assert "keep user 0" in found.lacks[0].reason


def test_no_filter_is_no_isolation(machine):
    found = machine(VERSION + 'echo \'{"uid": 65534, "capabilities": 0, "nested": "EPERM", "seccomp": "EINVAL"}\'')
    assert (found.isolates, found.nested, found.seccomp) == (False, False, False)
    assert {lack.what for lack in found.lacks} == {"seccomp", "namespaces inside of the sandbox"}
