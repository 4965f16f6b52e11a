"""Byte pair encoding here against ``tokenizers`` (training) and ``tiktoken`` (encoding), both written in Rust.

Run as ``llmcourse bench tokenization`` or ``python -m llmcourse.bench.tokenization``; ``--quick`` takes seconds and
checks more than it measures. Each measurement runs in a process of its own, because the number of threads of
``tokenizers`` is fixed when it starts; peaks of memory are measured in processes that do the one thing once. This
package always runs in one thread, is given the whole text at once and starts cold: with a fresh tokenizer each round.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from llmcourse.bench.bpe_contenders import Encoding, Task, Training, corpus
from llmcourse.bench.comparison import Comparison, as_table, write_json
from llmcourse.runtime.timing import machine, peak_bytes, take_turns

__all__ = ["compare", "main", "run", "tasks"]


def tasks(*, quick: bool) -> list[Task]:
    """Return what is measured."""
    if quick:
        shapes = [("train", 200_000, 600), ("encode", 200_000, 600)]
    else:
        shapes = [("train", 1_000_000, 5_000), ("train", 10_000_000, 10_000), ("encode", 10_000_000, 10_000)]
    return [
        Task(what=what, corpus=corpus, size=size, vocab_size=vocab, threads=threads, repeats=1 if quick else 5)
        for what, size, vocab in shapes
        for corpus in (("prose",) if quick else ("prose", "code"))
        for threads in ((1,) if quick else (1, 2))
    ]


def _in_this_process(task: Task, text: str, side: str) -> object:
    """Measure; this is what the processes of ``compare`` run."""
    setting = Training(task, text) if task.what == "train" else Encoding(task, text)
    if side == "both":
        if isinstance(setting, Encoding):
            setting.prepare(task.repeats + 1)
        times = take_turns({"ours": setting.ours, "theirs": setting.theirs}, repeats=task.repeats)
        return {"times": times, "equal": setting.equal()}
    if isinstance(setting, Encoding):
        setting.prepare(1)
    work: Callable[[], object] = getattr(setting, side)
    before = peak_bytes()
    result = work()
    used = peak_bytes() - before
    del result
    return used


def compare(task: Task, path: Path) -> Comparison:
    """Measure one task, in three processes.

    Args:
        task: What to measure.
        path: A file with the text.

    Returns:
        What was found.

    Raises:
        ValueError: A process failed; quotes the last line that it wrote.
    """
    both = _child(task, path, "both")
    other = "tokenizers" if task.what == "train" else "tiktoken"
    return Comparison(
        what=task.what,
        corpus=task.corpus,
        size_bytes=path.stat().st_size,
        vocab_size=task.vocab_size,
        other=f"{other} {version(other)}",
        threads=task.threads,
        ours_s=both["times"]["ours"],
        theirs_s=both["times"]["theirs"],
        ours_bytes=_child(task, path, "ours"),
        theirs_bytes=_child(task, path, "theirs"),
        equal=both["equal"],
    )


def _child(task: Task, path: Path, side: str) -> Any:
    threads = {"RAYON_NUM_THREADS": str(task.threads), "TOKENIZERS_PARALLELISM": str(task.threads > 1).lower()}
    command = [
        sys.executable,
        "-m",
        "llmcourse.bench.tokenization",
        "--child",
        json.dumps(asdict(task)),
        str(path),
        side,
    ]
    done = subprocess.run(command, env=os.environ | threads, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["nothing was said"]
        raise ValueError(f"measuring {task} failed: {last[0]}")
    return json.loads(done.stdout.splitlines()[-1])


def run(*, quick: bool = False, json_path: Path | None = None) -> list[Comparison]:
    """Measure everything, print a table, and write JSON if asked.

    Args:
        quick: Small texts and one round: a check in seconds, no measurement.
        json_path: Where to write all times and what they depend on.

    Returns:
        What was found, in the order of the table.

    Raises:
        ValueError: ``tokenizers`` or ``tiktoken`` is not installed, or a process failed.
    """
    missing = [name for name in ("tokenizers", "tiktoken") if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(
            f"{' and '.join(missing)} not installed, nothing to compare with: pip install 'llmcourse[bench]'"
        )
    about = {"machine": machine(), "versions": {name: version(name) for name in ("numpy", "tokenizers", "tiktoken")}}
    print(", ".join(f"{key} {value}" for part in about.values() for key, value in part.items()), flush=True)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for task in tasks(quick=quick):
            path = Path(folder, f"{task.corpus}-{task.size}.txt")
            if not path.exists():
                path.write_text(corpus(task), encoding="utf-8", newline="")
            print(
                f"{task.what} {task.corpus} {path.stat().st_size / 1e6:.3g} MB, {task.threads} thread(s)",
                file=sys.stderr,
            )
            found.append(compare(task, path))
    print(as_table(found))
    print("Seconds and ratios: median [least-most] of rounds in turns. Ratio: other / ours. Peak: ours and other.")
    if json_path is not None:
        write_json(json_path, found, **about)
    return found


def main(arguments: list[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m llmcourse.bench.tokenization", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small texts, one round")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write all times there")
    parser.add_argument("--child", nargs=3, metavar=("TASK", "PATH", "SIDE"), help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child:
        task, path, side = given.child
        text = Path(path).read_bytes().decode()
        print(json.dumps(_in_this_process(Task(**json.loads(task)), text, side)))
        return
    try:
        run(quick=given.quick, json_path=given.json)
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
