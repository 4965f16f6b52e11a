"""Memory is gathered into large pages, and holds what it held."""

import platform
import subprocess
import sys
from pathlib import Path

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
    not Path("/sys/kernel/mm/transparent_hugepage").is_dir()
    or tuple(map(int, platform.release().split(".")[:2])) < (6, 1),
    reason="pages are gathered by Linux 6.1 and newer, built with large pages",
)
def test_memory_is_gathered_and_unchanged():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    before, gathered, after, same = done.stdout.split()
    assert same == "True"
    if int(gathered) == 0:
        pytest.skip("the kernel had no large pages to give")
    assert int(after) >= int(before) + min(int(gathered), 8 << 20)
