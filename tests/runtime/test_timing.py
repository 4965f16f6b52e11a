import subprocess
import sys

import pytest

from llmcourse.runtime import timing
from llmcourse.runtime.timing import machine, peak_bytes, ratio_of, take_turns


def test_contenders_take_turns_in_alternating_order() -> None:
    calls: list[str] = []
    times = take_turns({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, repeats=3, warm_up=1)
    assert calls == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert {name: len(seconds) for name, seconds in times.items()} == {"a": 3, "b": 3}


def test_seconds_are_those_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(timing.time, "perf_counter", lambda: next(clock) ** 2)
    assert take_turns({"a": int, "b": int}, repeats=1, warm_up=0) == {"a": [1], "b": [5]}


def test_no_rounds_are_refused() -> None:
    with pytest.raises(ValueError, match="repeats is 0"):
        take_turns({"a": int}, repeats=0)


def test_ratios_are_taken_round_by_round() -> None:
    assert ratio_of([1.0, 20.0, 3.0], [1.0, 10.0, 1.0]) == {"median": 2.0, "min": 1.0, "max": 3.0}
    with pytest.raises(ValueError, match="shorter"):
        ratio_of([1.0, 2.0], [1.0])


def test_the_peak_counts_what_has_been_freed_and_nothing_of_the_parent() -> None:
    held = b"1" * 300_000_000  # this process is large now
    code = (
        "from llmcourse.runtime.timing import peak_bytes\n"
        "before = peak_bytes(); block = b'1' * 100_000_000; del block\n"
        "print(before, peak_bytes() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    before, grown = map(int, done.stdout.split())
    assert 90_000_000 < grown < 120_000_000
    assert peak_bytes() > len(held)
    if sys.platform == "linux":
        assert before < peak_bytes()


def test_the_machine_is_named() -> None:
    found = machine()
    assert found["processor"]
    assert int(found["cores"]) >= 1
