"""Raises its own limits again."""

POINTS = 0
HURTS = True
BOUNDS = "a dozen system calls"
FIRST = """\
import resource

for name in ("RLIMIT_AS", "RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_CPU", "RLIMIT_NOFILE", "RLIMIT_CORE"):
    try:
        resource.setrlimit(getattr(resource, name), (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print("ESC" "APED", name)
    except (ValueError, OSError):
        pass
"""
