"""A fork that shuts itself off, tried from the inside."""

import signal
from pathlib import Path

import pytest

from llmcourse.sandbox import LIMIT_HIT, Limits, isolate_fork

TRY = """
import os, socket, sys, ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
def attempt(function, *arguments):
    try:
        return f"got {function(*arguments)}"
    except OSError as error:
        return errno.errorcode[error.errno]
"""


def test_honest_code_runs_and_its_exit_code_arrives(in_fork):
    out, seen = in_fork("print(sum(range(10))); raise SystemExit(7)")
    assert out == "45"
    assert seen["code"] == 7
    assert seen["limit"] == ""


def test_it_sees_neither_processes_nor_files_of_the_server(in_fork):
    code = TRY + (
        "print(os.listdir('/proc'), os.listdir('/tmp'), os.getpid() < 5)\n"
        "print(attempt(os.kill, neighbour, 9), attempt(open, '/tmp/secret'))"
    )
    out, seen = in_fork(code)
    assert out.splitlines() == ["[] [] True", "ESRCH ENOENT"]
    assert seen["neighbour"]
    assert "secret" in seen["tmp"]


def test_it_cannot_reach_sockets(in_fork):
    code = TRY + (
        "for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET, 40):\n"
        "    print(attempt(socket.socket, family, socket.SOCK_DGRAM))\n"
        "print(attempt(socket.socket(socket.AF_UNIX).connect, chr(0) + 'control'))"
    )
    out, _ = in_fork(code)
    assert out.split() == ["EPERM"] * 5 + ["ECONNREFUSED"]


def test_it_has_no_privileges_left(in_fork):
    code = TRY + (
        "from llmcourse.sandbox import kernel\n"
        "print(attempt(kernel.mount, 'tmpfs', '/tmp', 'tmpfs'))\n"
        "print(attempt(kernel.mount, 'none', '/', '', kernel.MS_REMOUNT | kernel.MS_BIND))\n"
        "print(attempt(kernel.unshare, kernel.CLONE_NEWUSER))\n"
        "print(attempt(os.setuid, 0), attempt(os.chroot, '/tmp'), attempt(os.mknod, '/tmp/d', 0o60600, 1))\n"
        "print(attempt(os.sethostname if hasattr(os, 'sethostname') else socket.sethostname, 'mine'))\n"
    )
    out, _ = in_fork(code)
    assert out.split() == ["EPERM", "EPERM", "EPERM", "EINVAL", "EPERM", "EPERM", "EPERM"]


def test_it_can_write_only_to_its_own_tmp_and_no_more_than_its_size(in_fork):
    code = TRY + (
        "for path in ('/x', '/dev/x', '/usr/x', '/proc/x', '/run/x', '/etc/x'):\n"
        "    print(attempt(open, path, 'w'))\n"
        "def flood():\n"
        "    for number in range(8):\n"
        "        with open(f'/tmp/{number}', 'wb') as file:\n"
        "            file.write(bytes(2**20))\n"
        "print(attempt(flood))\n"
        "print(attempt(open('/dev/shm/x', 'wb').write, b''))"
    )
    out, seen = in_fork(code)
    words = out.split()
    assert all(word in ("EROFS", "EACCES", "ENOENT") for word in words[:6]), out
    assert words[6] == "ENOSPC"
    assert "0" not in seen["tmp"]


def test_folders_are_kept_and_hidden(in_fork):
    code = TRY + "open('/tmp/mine/answer', 'w').close(); print(os.listdir('/tmp'), os.listdir('/etc'))"
    out, seen = in_fork(code, keep=["/tmp/mine"], hide=["/etc"])
    assert out == "['mine'] []"
    assert seen["mine"] == ["answer"]


def test_descriptors_of_the_server_are_closed(in_fork):
    out, _ = in_fork(TRY + "print([attempt(os.fstat, number) for number in range(3, 60)].count('EBADF'))")
    assert out == "57"


def test_memory_is_refused_beyond_the_limit(in_fork):
    out, seen = in_fork("try:\n    bytearray(2**30)\nexcept MemoryError:\n    print('refused')")
    assert out == "refused"
    assert seen["limit"] == ""


def test_memory_of_many_processes_is_counted_together(in_fork):
    code = (
        "import os, time\n"
        "for _ in range(6):\n"
        "    if os.fork() == 0:\n"
        "        held = b'x' * (30 * 2**20); time.sleep(5); os._exit(0)\n"
        "time.sleep(5)"
    )
    _, seen = in_fork(code, memory_bytes=100 * 2**20)
    assert (seen["code"], seen["limit"]) == (LIMIT_HIT, "memory")


def test_forks_end_at_the_limit(in_fork):
    code = (
        "import os, time\n"
        "for made in range(60):\n"
        "    try:\n"
        "        if os.fork() == 0:\n"
        "            time.sleep(1); os._exit(0)\n"
        "    except BlockingIOError:\n"
        "        break\n"
        "print(made)"
    )
    out, seen = in_fork(code)
    # init and the watcher count too: they are in the same user namespace
    assert 15 <= int(out) <= 19
    assert seen["left"] == 3  # bubblewrap's init, the server, its neighbour


@pytest.mark.parametrize("trick", ["pass", "signal.signal(signal.SIGXCPU, signal.SIG_IGN)"])
def test_a_busy_loop_ends_at_the_cpu_limit(in_fork, trick):
    _, seen = in_fork(f"import signal; {trick}\nwhile True: pass", cpu_s=1)
    assert seen["limit"] == "cpu" or seen["code"] in (128 + signal.SIGXCPU, 128 + signal.SIGKILL)


def test_cpu_time_of_children_counts(in_fork):
    code = (
        "import os, time\n"
        "for _ in range(8):\n"
        "    if os.fork() == 0:\n"
        "        end = time.process_time() + 0.5\n"
        "        while time.process_time() < end: pass\n"
        "        os._exit(0)\n"
        "    os.wait()\n"
    )
    _, seen = in_fork(code, cpu_s=1, wall_s=15)
    assert (seen["code"], seen["limit"]) == (LIMIT_HIT, "cpu")


def test_sleepers_and_daemons_end_at_the_wall_limit(in_fork):
    code = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(20)\n    os._exit(0)\n"
        "time.sleep(20)"
    )
    _, seen = in_fork(code, wall_s=1)
    assert (seen["code"], seen["limit"], seen["left"]) == (LIMIT_HIT, "wall", 3)


def test_a_daemon_ends_with_the_one_who_started_it(in_fork):
    code = "import os, time\nif os.fork() == 0:\n    os.setsid(); time.sleep(20)"
    _, seen = in_fork(code)
    assert (seen["code"], seen["left"]) == (0, 3)


BEGUN = "open('/tmp/mine/begun', 'w').close()"  # the server waits for it before it sends a signal


def test_an_interrupt_of_the_watcher_reaches_the_code(in_fork):
    code = f"import time\ntry:\n    {BEGUN}; time.sleep(6)\nexcept KeyboardInterrupt:\n    print('interrupted')"
    out, seen = in_fork(code, keep=["/tmp/mine"], signal=2)
    assert out == "interrupted"
    assert seen["code"] == 0


def test_killing_the_watcher_kills_all(in_fork):
    code = f"import os, time\nos.fork()\n{BEGUN}; time.sleep(20)"
    _, seen = in_fork(code, keep=["/tmp/mine"], signal=int(signal.SIGKILL))
    assert seen["code"] == -signal.SIGKILL


def test_a_relative_folder_is_refused_before_anything_happens():
    with pytest.raises(ValueError, match="'there' is no absolute path"):
        isolate_fork(Limits(), keep=[Path("there")])
