"""The filter: its numbers against the kernel's headers, its decisions in a small model of the machine it runs on."""

import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from llmcourse.sandbox import seccomp
from llmcourse.sandbox.syscalls import ARCHITECTURES, DENIED, FATAL, INSPECTED

HEADERS = {
    "x86_64": [Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"), Path("/usr/include/asm/unistd_64.h")],
    "aarch64": [Path("/usr/include/asm-generic/unistd.h")],
}
KILL, EPERM, ENOSYS, ALLOW = 0x80000000, 0x00050001, 0x00050026, 0x7FFF0000


def decide(code, machine, number, *arguments, audit=None):
    """Run the filter on a system call, as the kernel does."""
    instructions = [struct.unpack_from("=HBBI", code, place) for place in range(0, len(code), 8)]
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    data = struct.pack("=IIQ6Q", number, audit or ARCHITECTURES[machine][0], 0, *padded)
    word, place = 0, 0
    while True:
        operation, yes, no, value = instructions[place]
        place += 1
        if operation == seccomp.RETURN:
            return value
        if operation == seccomp.LOAD:
            (word,) = struct.unpack_from("=I", data, value)
            continue
        true = {
            seccomp.JUMP_EQUAL: word == value,
            seccomp.JUMP_AT_LEAST: word >= value,
            seccomp.JUMP_ANY_BIT: bool(word & value),
        }[operation]
        place += yes if true else no


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_numbers_are_the_kernels(machine):
    header = next((path for path in HEADERS[machine] if path.is_file()), None)
    if header is None:
        pytest.skip("the kernel's headers are not installed")
    known = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text(encoding="utf-8")))
    column = ARCHITECTURES[machine][1]
    for name, numbers in (DENIED | FATAL | INSPECTED).items():
        if name in known:
            assert numbers[column] == int(known[name]), name
    assert sum(name in known for name in DENIED | FATAL | INSPECTED) > 60


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
@pytest.mark.parametrize("network", [False, True])
def test_decisions(machine, network):
    code, column = seccomp.assemble_filter(machine=machine, network=network), ARCHITECTURES[machine][1]
    for calls, verdict in ((DENIED, EPERM), (FATAL, KILL)):
        for numbers in calls.values():
            if numbers[column] is not None:
                assert decide(code, machine, numbers[column]) == verdict
    number = {name: numbers[column] for name, numbers in INSPECTED.items()}
    internet = ALLOW if network else EPERM
    for name, arguments, verdict in [
        ("clone", (0x01200011,), ALLOW),
        ("clone", (0x10000011,), EPERM),
        ("clone", (0x00020011,), EPERM),
        ("clone3", (), ENOSYS),
        ("socket", (1,), ALLOW),
        ("socket", (2,), internet),
        ("socket", (10,), internet),
        ("socket", (16,), EPERM),
        ("socket", (17,), EPERM),
        ("socketpair", (1,), ALLOW),
        ("ioctl", (0, 0x5412), EPERM),
        ("ioctl", (0, 0x541C), EPERM),
        ("ioctl", (0, 0x5413), ALLOW),
        ("personality", (0xFFFFFFFF,), ALLOW),
        ("personality", (0x0040000,), EPERM),
    ]:
        assert decide(code, machine, number[name], *arguments) == verdict, (name, arguments)
    assert decide(code, machine, 0) == ALLOW
    assert decide(code, machine, 0x40000000) == KILL
    assert decide(code, machine, 0, audit=0x40000003) == KILL


def test_another_architecture_has_no_filter():
    with pytest.raises(ValueError, match="'riscv64'"):
        seccomp.assemble_filter(machine="riscv64")


def run(code):
    setup = "import ctypes, os, socket, sys; from llmcourse.sandbox.seccomp import install_filter; install_filter()\n"
    return subprocess.run([sys.executable, "-c", setup + code], capture_output=True, text=True, check=False)


@pytest.mark.skipif(not seccomp.supported(), reason="there is no seccomp filter for this architecture")
def test_the_kernel_decides_the_same():
    done = run(
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "print(libc.ptrace(0, 0, 0, 0), ctypes.get_errno())\n"
        "for family in (socket.AF_UNIX, socket.AF_INET):\n"
        "    try: print(socket.socket(family).family.name)\n"
        "    except OSError as error: print(error.errno)\n"
        "import threading; thread = threading.Thread(target=print, args=['thread']); thread.start(); thread.join()\n"
        "import subprocess; subprocess.run(['echo', 'child'])\n"
    )
    assert sorted(done.stdout.split()) == sorted(["-1", "1", "AF_UNIX", "1", "thread", "child"]), done.stderr


@pytest.mark.skipif(not seccomp.supported(), reason="there is no seccomp filter for this architecture")
def test_the_worst_calls_kill():
    done = run("ctypes.CDLL(None).syscall({'x86_64': 175, 'aarch64': 105}[os.uname().machine], 0, 0, 0)")
    assert done.returncode == -31  # SIGSYS
