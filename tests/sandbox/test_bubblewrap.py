"""Bubblewrap's command line, word by word where a word matters."""

import itertools
from pathlib import Path

import pytest

from llmcourse.sandbox import Bind, Sandbox, bubblewrap


def pairs(command):
    return list(itertools.pairwise(command))


def test_root_drops_everything_but_the_right_to_become_nobody(monkeypatch):
    monkeypatch.setattr(bubblewrap.os, "geteuid", lambda: 0)
    command = Sandbox().command(["true"])
    assert "--unshare-user" not in command
    assert [after for word, after in pairs(command) if word == "--cap-add"] == ["CAP_SETUID", "CAP_SETGID"]
    assert any('"user": 65534' in word for word in command)


def test_an_unprivileged_user_gets_a_namespace(monkeypatch):
    monkeypatch.setattr(bubblewrap.os, "geteuid", lambda: 1000)
    command = Sandbox().command(["true"])
    assert ("--uid", "65534") in pairs(command)
    assert "--cap-add" not in command


def test_the_network_is_left_out_unless_asked_for():
    assert "--unshare-net" in Sandbox().command(["true"])
    shared = Sandbox(network=True).command(["true"])
    assert "--unshare-net" not in shared
    assert any('"network": true' in word for word in shared)


def test_parents_are_made_so_that_nobody_may_pass(tmp_path):
    inside = Path("/data/deep/set")
    command = Sandbox(binds=(Bind(source=tmp_path, target=inside),)).command(["true"])
    for parent in ("/data", "/data/deep"):
        place = command.index(parent)
        assert command[place - 3 : place] == ["--perms", "0755", "--dir"]


def test_the_root_is_read_only_after_all_mounts():
    command = Sandbox().command(["true"])
    last = max(place for place, word in enumerate(command) if word in ("--ro-bind", "--bind", "--tmpfs"))
    assert command.index("--remount-ro", last) > last
    assert ("--remount-ro", "/") in pairs(command)


def test_an_installed_course_is_hidden(tmp_path, monkeypatch):
    prefix = tmp_path / "environment"
    package = prefix / "lib" / "llmcourse"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "sandbox").mkdir()
    monkeypatch.setattr(bubblewrap, "_PACKAGE", package)
    monkeypatch.setattr(bubblewrap, "interpreter_folders", lambda python: [prefix])
    command = Sandbox().command(["true"])
    assert ("--tmpfs", str(package)) in pairs(command)
    assert ("--remount-ro", str(package)) in pairs(command)


@pytest.mark.parametrize("path", ["relative", "/", "/a/../etc"])
def test_binds_that_lead_astray_are_refused(path):
    with pytest.raises(ValueError, match="cannot be bound"):
        Bind(source=Path("/usr"), target=Path(path))
    with pytest.raises(ValueError, match="no such file"):
        Sandbox(binds=(Bind(source=Path("/no/such/thing")),)).command(["true"])


def test_nothing_to_run_is_refused():
    with pytest.raises(ValueError, match="names nothing to run"):
        Sandbox().command([])
