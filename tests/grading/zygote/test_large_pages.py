"""Memory is gathered into large pages, and holds what it held."""

import platform
import subprocess
import sys

import pytest

CODE = """
import re
from llmcourse.grading.zygote.large_pages import collapse
def large():
    return int(re.search(r"AnonHugePages: +(\\d+) kB", open("/proc/self/smaps_rollup").read())[1]) << 10
held = [str(number) * 3 for number in range(400_000)]
before, gathered = large(), collapse()
print(before, gathered, large(), all(text == str(number) * 3 for number, text in enumerate(held)))
"""


@pytest.mark.skipif(
    sys.platform != "linux" or tuple(map(int, platform.release().split(".")[:2])) < (6, 1),
    reason="pages are gathered by Linux 6.1 and newer",
)
def test_memory_is_gathered_and_unchanged():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    before, gathered, after, same = done.stdout.split()
    assert same == "True"
    assert int(gathered) > 8 << 20
    assert int(after) >= int(before) + (8 << 20)
