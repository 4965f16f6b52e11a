"""Limits that cannot be meant are refused; those that can are set for good."""

import json
import subprocess
import sys

import pytest

from llmcourse.sandbox import Limits


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("wall_s", 0),
        ("wall_s", float("nan")),
        ("cpu_s", float("inf")),
        ("cpu_s", True),
        ("memory_bytes", 1.5e9),
        ("memory_bytes", 1024),
        ("processes", -1),
        ("open_files", 3),
        ("output_bytes", "1"),
    ],
)
def test_what_cannot_be_meant_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name}="):
        Limits(**{name: value})


def test_limits_are_set_soft_and_hard():
    code = (
        "import json, resource as r, sys; from llmcourse.sandbox import Limits\n"
        "Limits(cpu_s=2.5, memory_bytes=2**30, file_bytes=5, open_files=32).apply(address_space_in_use=4096)\n"
        "print(json.dumps([r.getrlimit(w) for w in (r.RLIMIT_CPU, r.RLIMIT_AS, r.RLIMIT_FSIZE, r.RLIMIT_NOFILE,"
        " r.RLIMIT_CORE)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    space = 2**30 + 4096
    assert json.loads(done.stdout) == [[3, 4], [space, space], [5, 5], [32, 32], [0, 0]]
