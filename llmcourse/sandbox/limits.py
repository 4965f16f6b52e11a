"""How much a program that is not trusted may use, and the part of it that the kernel holds process by process.

Covered by :meth:`Limits.apply` (setrlimit): address space, CPU time, file size, processes, open files, core dumps,
locked memory, message queues. These bind *one process*, so a program of many processes has them many times over;
what they use together is watched from outside (:mod:`llmcourse.sandbox.usage`), as is the wall clock. The size of
/tmp is the mount's, the bytes of output are counted by who reads them.

Processes are counted by the kernel per user *and user namespace* (since Linux 5.14; before, per user), threads
included, those of the namespaces below too. Root is never held back. Hence the sandbox runs programs as an
unprivileged user in a user namespace of their own; without one, the user's other processes count as well.
"""

import resource
from dataclasses import asdict, dataclass
from typing import Any, Final

__all__ = ["Limits"]

KIB, MIB, GIB = 2**10, 2**20, 2**30
# Python sees SIGXCPU at the soft limit; the hard limit kills whoever ignores it.
CPU_GRACE_S: Final = 1


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one program may use, with all that it starts.

    Attributes:
        wall_s: Seconds from start to end.
        cpu_s: Seconds of CPU time, all processes together.
        memory_bytes: Address space of each process, and resident memory of all together.
        file_bytes: Size of one file, shared memory included.
        processes: Processes and threads at one time.
        open_files: Descriptors that one process holds open.
        output_bytes: Bytes on standard output, and as many on standard error.
        tmp_bytes: All files in /tmp and shared memory together; they lie in memory.

    Example:
        >>> Limits(wall_s=2).wall_s
        2
        >>> Limits(processes=0)
        Traceback (most recent call last):
        ...
        ValueError: processes=0 is no limit to run under: give an int of at least 1
    """

    wall_s: float = 60
    cpu_s: float = 60
    memory_bytes: int = 2 * GIB
    file_bytes: int = 64 * MIB
    processes: int = 64
    open_files: int = 256
    output_bytes: int = MIB
    tmp_bytes: int = 128 * MIB

    def __post_init__(self) -> None:
        """Refuse what no program could run under."""
        least: dict[str, float] = {
            "wall_s": 0.01,
            "cpu_s": 0.01,
            "memory_bytes": 16 * MIB,
            "file_bytes": 0,
            "processes": 1,
            "open_files": 16,
            "output_bytes": 0,
            "tmp_bytes": 64 * KIB,
        }
        for name, minimum in least.items():
            value, number = getattr(self, name), float if name.endswith("_s") else int
            allowed = (int, float) if number is float else (int,)
            # written so that NaN fails, and infinity too: setrlimit and size= take neither
            if isinstance(value, bool) or not isinstance(value, allowed) or not minimum <= value < 2**62:
                article = "an int" if number is int else "a number"
                raise ValueError(f"{name}={value!r} is no limit to run under: give {article} of at least {minimum:g}")

    def apply(self, *, address_space_in_use: int = 0, processes_in_use: int = 0) -> None:
        """Bind this process, and all that it will start, for good: soft and hard limits are set alike.

        Args:
            address_space_in_use: Bytes that do not count, since the process was forked from one that holds them.
            processes_in_use: Processes and threads of the same user that do not count, where no namespace parts them.
        """
        cpu_s = max(1, -int(-self.cpu_s // 1))
        wanted = {
            resource.RLIMIT_CPU: (cpu_s, cpu_s + CPU_GRACE_S),
            resource.RLIMIT_AS: self.memory_bytes + address_space_in_use,
            resource.RLIMIT_FSIZE: self.file_bytes,
            resource.RLIMIT_NPROC: self.processes + processes_in_use,
            resource.RLIMIT_NOFILE: self.open_files,
            resource.RLIMIT_CORE: 0,
            resource.RLIMIT_MEMLOCK: 0,
            resource.RLIMIT_MSGQUEUE: 0,
            resource.RLIMIT_SIGPENDING: 1024,
            resource.RLIMIT_RTPRIO: 0,
            resource.RLIMIT_NICE: 0,
        }
        for which, value in wanted.items():
            soft, hard = value if isinstance(value, tuple) else (value, value)
            _, ceiling = resource.getrlimit(which)
            if ceiling != resource.RLIM_INFINITY:  # an unprivileged process may not raise what it was given
                soft, hard = min(soft, ceiling), min(hard, ceiling)
            resource.setrlimit(which, (soft, hard))

    def as_dict(self) -> dict[str, Any]:
        """Return the limits as plain numbers, for JSON."""
        return asdict(self)
