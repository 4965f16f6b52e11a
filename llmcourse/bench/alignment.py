"""A step of DPO and of GRPO with each prompt computed once, against whole rows as TRL computes them, and TRL itself.

Run as ``llmcourse bench alignment`` or ``python -m llmcourse.bench.alignment``; ``--quick`` takes seconds and checks
more than it measures. All sides have the same weights, the same answers and torch's AdamW, and have to find the same
loss; DPO's reference is computed in the step. "rows" is this package's model on a row for each answer: for DPO chosen
and rejected rows in one batch with the logits of every token from the first answer on, as ``DPOTrainer`` has it with
``use_logits_to_keep``, for GRPO as ``grpo_step`` has it unless asked to share. Where TRL is installed (``pip install
trl==0.24.0 "transformers<5" "datasets<4.5"`` in an environment of its own), its own methods on ``transformers``' model
are measured as well; without it, torch is all that this needs.
"""

import argparse
import importlib.util
import json
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import torch

from llmcourse.architecture import load_huggingface
from llmcourse.bench.alignment_sides import SIZES, Setting, dpo_sides, grpo_sides, new_transformer
from llmcourse.bench.trl_contenders import llama
from llmcourse.runtime import best_device, compute_dtype, device_line
from llmcourse.runtime.timing import machine, ratio_of, take_turns

__all__ = ["Found", "main", "measure", "run", "settings"]


@dataclass(frozen=True, kw_only=True)
class Found:
    """Seconds of both sides in each round, and whether they agree.

    Args:
        setting: What was measured.
        other: What it was measured against.
        ours_s: Seconds of a step in each round.
        theirs_s: Those of the other.
        ours_bytes: The most memory that a step took on the GPU; 0 on a CPU.
        theirs_bytes: Of the other.
        equal: Whether the first losses are the same: within 1e-5 in fp32, 3e-2 in bf16.
    """

    setting: Setting
    other: str
    ours_s: list[float]
    theirs_s: list[float]
    ours_bytes: int
    theirs_bytes: int
    equal: bool

    @property
    def ratio(self) -> dict[str, float]:
        """How many times as long the other took: median, least and most over the rounds."""
        return ratio_of(self.theirs_s, self.ours_s)


def settings(*, quick: bool) -> list[Setting]:
    """Return what is measured: prompts three times as long as answers, as long, and a quarter as long."""
    methods: tuple[Literal["dpo", "grpo"], ...] = ("dpo", "grpo")
    if quick:
        tiny: dict[str, Any] = {"size": "tiny", "batch_size": 2, "group_size": 2, "vocab_size": 64, "repeats": 1}
        return [Setting(prompt_len=6, answer_len=4, method=method, **tiny) for method in methods]
    if torch.cuda.is_available():
        lengths = [(1536, 512), (1024, 1024), (256, 1024)]
        sizes: dict[str, Any] = {"size": "350M", "vocab_size": 32_000}
    else:
        lengths = [(384, 128), (192, 64), (128, 128), (32, 128)]
        sizes = {"size": "6M"}
    batch = {"dpo": 8, "grpo": 2}  # 16 rows each
    return [
        Setting(prompt_len=p, answer_len=a, method=method, batch_size=batch[method], **sizes)
        for method in methods
        for p, a in lengths
    ]


def measure(setting: Setting) -> list[Found]:
    """Measure one setting against everything that is there.

    Args:
        setting: What to measure.

    Returns:
        What was found, one for each contender.
    """
    device = best_device()
    dtype = compute_dtype(device)
    with_trl = importlib.util.find_spec("trl") is not None
    longest = setting.prompt_len + setting.answer_len
    theirs = [llama(SIZES[setting.size], setting.vocab_size, longest, seed=seed) for seed in (0, 1)] if with_trl else []
    theirs = [model.to(device, dtype) for model in theirs]
    made = [load_huggingface(model) for model in theirs] or [new_transformer(setting, seed) for seed in (0, 1)]
    policy, reference = (model.to(device=device, dtype=dtype) for model in made)
    sides = dpo_sides if setting.method == "dpo" else grpo_sides
    steps = sides(setting, policy, reference, theirs)
    first = {name: step() for name, step in steps.items()}
    peaks = {name: _peak(step) for name, step in steps.items()}
    times = take_turns(steps, repeats=setting.repeats, warm_up=1)
    tolerance = 1e-5 if dtype == torch.float32 else 3e-2
    return [
        Found(
            setting=setting,
            other=name,
            ours_s=times["ours"],
            theirs_s=times[name],
            ours_bytes=peaks["ours"],
            theirs_bytes=peaks[name],
            equal=abs(first[name] - first["ours"]) <= tolerance * max(abs(first["ours"]), 0.1),
        )
        for name in list(steps)[1:]
    ]


def _peak(step: Callable[[], float]) -> int:
    if not torch.cuda.is_available():
        return 0
    torch.cuda.reset_peak_memory_stats()
    step()
    return torch.cuda.max_memory_allocated()


def run(*, quick: bool = False, json_path: Path | None = None) -> list[Found]:
    """Measure everything, print a table, and write JSON if asked.

    Args:
        quick: A tiny model and one round: a check in seconds, no measurement.
        json_path: Where to write all times and what they depend on.

    Returns:
        What was found, in the order of the table.
    """
    names = [name for name in ("torch", "transformers", "trl") if importlib.util.find_spec(name) is not None]
    about = {"machine": machine(), "device": device_line(), "versions": {name: version(name) for name in names}}
    print(device_line(), *(f"{name} {version(name)}" for name in names[1:]), sep=", ", flush=True)
    found = []
    for setting in settings(quick=quick):
        found += (rows := measure(setting))
        print(*map(_line, rows), sep="\n", flush=True)
    print("Medians [least-most] of rounds in turns, on one machine. Ratio: other / ours.")
    if json_path is not None:
        rows = [asdict(one) | {"ratio": one.ratio} for one in found]
        json_path.write_text(json.dumps(about | {"rows": rows}, indent=1) + "\n", encoding="utf-8")
    return found


def _line(found: Found) -> str:
    setting, ratio = found.setting, found.ratio
    unit, n = ("pairs", 1) if setting.method == "dpo" else ("answers", setting.group_size)
    rates = [f"{setting.batch_size * n / statistics.median(s):.2f}" for s in (found.ours_s, found.theirs_s)]
    memory = (
        f", peak GiB {found.ours_bytes / 2**30:.2f} and {found.theirs_bytes / 2**30:.2f}" if found.ours_bytes else ""
    )
    what = f"{setting.method.upper():4} {setting.size} prompt {setting.prompt_len:>4} answers {setting.answer_len:>4}"
    spread = f"{ratio['median']:.2f} [{ratio['min']:.2f}-{ratio['max']:.2f}]"
    return (
        f"{what}, {unit}/s ours {rates[0]:>7}, {found.other} {rates[1]:>7}, ratio {spread}{memory}, "
        f"{'equal' if found.equal else 'NOT EQUAL'}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m llmcourse.bench.alignment", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tiny model, one round")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write all times there")
    given = parser.parse_args(arguments)
    run(quick=given.quick, json_path=given.json)


if __name__ == "__main__":
    main()
