"""Asks the kernel for what would let it out: other namespaces, mounts, another root, another user."""

POINTS = 0
HURTS = True
BOUNDS = "a dozen system calls"
FIRST = """\
import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)
tries = {
    "unshare": lambda: libc.unshare(0x10000000),
    "mount": lambda: libc.mount(b"none", b"/tmp", b"tmpfs", 0, None),
    "umount": lambda: libc.umount2(b"/tmp", 2),
    "chroot": lambda: libc.chroot(b"/tmp"),
    "setuid": lambda: libc.setuid(0),
    "setns": lambda: libc.setns(os.open("/", os.O_RDONLY), 0),
    "mknod": lambda: libc.mknod(b"/tmp/disk", 0o060666, os.makedev(8, 0)),
    "keyctl": lambda: libc.syscall(250, 0, -3, 1),
    "bpf": lambda: libc.syscall(321, 5, 0, 0),
    "io_uring": lambda: libc.syscall(425, 4, ctypes.create_string_buffer(256)),
    "userfaultfd": lambda: libc.syscall(323, 0),
}
for name, attempt in tries.items():
    try:
        if attempt() >= 0:
            print("ESC" "APED", name)
    except OSError:
        pass
"""
