"""The trainer here against a plain loop over ``transformers``' Llama with torch's AdamW: tokens a second.

Run as ``llmcourse bench pretraining`` or ``python -m llmcourse.bench.pretraining``; ``--quick`` takes seconds and
checks more than it measures. Both sides begin with the same weights and take batches of the same text; both clip by the
global norm and read the loss at every step. The plain loop is eager, and once more compiled; the trainer likewise.
"""

import argparse
import importlib.util
import json
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llmcourse.architecture import Transformer, load_huggingface
from llmcourse.bench.architecture import Setting, llama
from llmcourse.pretraining import BatchStream, SingleProcess, Trainer, TrainerConfig
from llmcourse.runtime import best_device, device_line
from llmcourse.runtime.timing import machine, ratio_of, take_turns

__all__ = ["Found", "main", "run"]


@dataclass(frozen=True, kw_only=True)
class Found:
    """Seconds of both sides in each round.

    Args:
        size: Of the model.
        compiled: Whether both sides were compiled.
        parameters: How many the model has.
        tokens: In a step.
        ours_s: Seconds of a step in each round.
        theirs_s: Those of the plain loop.
        loading_s: Seconds of making one batch, the median: part of ours.
        equal: Whether the losses of the first step were equal within 1e-5.
    """

    size: str
    compiled: bool
    parameters: int
    tokens: int
    ours_s: list[float]
    theirs_s: list[float]
    loading_s: float
    equal: bool

    @property
    def ratio(self) -> dict[str, float]:
        """How many times as long the plain loop took: median, least and most over the rounds."""
        return ratio_of(self.theirs_s, self.ours_s)


def measure(setting: Setting) -> Found:
    """Measure one setting in this process.

    Args:
        setting: The size, the batch, and whether to compile.

    Returns:
        What was found.
    """
    torch.manual_seed(0)
    device = best_device()
    theirs = llama(setting).to(device).train()
    ours = load_huggingface(theirs).to(device)
    n_tokens = setting.batch_size * setting.seq_len
    text = torch.randint(0, setting.vocab_size, (n_tokens * 16 + 1,)).to(torch.int32)
    contenders = {"ours": _trainer(setting, ours, text), "theirs": _plain_loop(setting, theirs, text)}
    first = {name: step() for name, step in contenders.items()}
    times = take_turns(contenders, repeats=setting.repeats, warm_up=2)
    return Found(
        size=setting.size,
        compiled=setting.compiled,
        parameters=sum(parameter.numel() for parameter in ours.parameters()),
        tokens=n_tokens,
        ours_s=times["ours"],
        theirs_s=times["theirs"],
        loading_s=_loading(setting, text),
        equal=abs(first["ours"] - first["theirs"]) <= 1e-5 * first["theirs"],
    )


def _trainer(setting: Setting, model: Transformer, text: Tensor) -> Callable[[], float]:
    config = TrainerConfig(
        total_steps=10_000, batch_size=setting.batch_size, seq_len=setting.seq_len, max_lr=1e-4, warmup_steps=1
    )
    if setting.compiled:
        for block in model.blocks:
            block.compile()
    steps = Trainer(model, text, config, strategy=SingleProcess(next(model.parameters()).device)).steps()
    return lambda: next(steps).loss


def _plain_loop(setting: Setting, model: Any, text: Tensor) -> Callable[[], float]:
    """Return a step of what a user would write: the text cut in a row, transformers' model, torch's optimizer."""
    device = next(model.parameters()).device
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1)
    # The trainer's stream, once more: the first losses are compared.
    stream = BatchStream(text, batch_size=setting.batch_size, seq_len=setting.seq_len)

    def loss_of(inputs: Tensor, labels: Tensor) -> Tensor:
        # with labels that are shifted already, `labels=` would shift them again; a cache is of no use in training
        logits = model(inputs, use_cache=False).logits
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), labels.flatten())

    if setting.compiled:
        loss_of = torch.compile(loss_of)

    def step() -> float:
        batch = next(stream).to(device)
        loss = loss_of(batch.inputs, batch.labels)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return step


def _loading(setting: Setting, text: Tensor) -> float:
    stream, seconds = BatchStream(text, batch_size=setting.batch_size, seq_len=setting.seq_len), []
    for _ in range(50):
        begun = time.perf_counter()
        next(stream)
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def run(*, quick: bool = False, json_path: Path | None = None) -> list[Found]:
    """Measure everything, print a table, and write JSON if asked.

    Args:
        quick: A tiny model and one round: a check in seconds, no measurement.
        json_path: Where to write all times and what they depend on.

    Returns:
        What was found, in the order of the table.

    Raises:
        ValueError: ``transformers`` is not installed.
    """
    if importlib.util.find_spec("transformers") is None:
        raise ValueError("transformers is not installed, nothing to compare with: pip install 'llmcourse[bench]'")
    about = {"machine": machine(), "versions": {name: version(name) for name in ("torch", "transformers")}}
    print(f"{device_line()}, transformers {about['versions']['transformers']}", flush=True)
    tiny = Setting(what="train", size="tiny", repeats=1, vocab_size=64, batch_size=2, seq_len=16)
    full = [Setting(what="train", size=size, compiled=c) for c in (False, True) for size in ("6M", "25M")]
    found = []
    for setting in [tiny] if quick else full:
        found.append(measure(setting))
        print(_line(found[-1]), flush=True)
    print("Medians [least-most] of rounds in turns. Ratio: the plain loop's time / the trainer's.")
    if json_path is not None:
        rows = [asdict(one) | {"ratio": one.ratio} for one in found]
        json_path.write_text(json.dumps(about | {"rows": rows}, indent=1) + "\n", encoding="utf-8")
    return found


def _line(found: Found) -> str:
    ratio = found.ratio
    what = f"{found.size} ({found.parameters / 1e6:.2f} M) {'compiled' if found.compiled else 'eager'}"
    rates = [f"{found.tokens / statistics.median(s):,.0f}" for s in (found.ours_s, found.theirs_s)]
    spread = f"{ratio['median']:.2f} [{ratio['min']:.2f}-{ratio['max']:.2f}]"
    share = found.loading_s / statistics.median(found.ours_s)
    return (
        f"{what:<24} tokens/s trainer {rates[0]:>8}, plain loop {rates[1]:>8}, ratio {spread}, "
        f"loading {share:.2%} of a step, {'equal' if found.equal else 'NOT EQUAL'}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m llmcourse.bench.pretraining", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tiny model, one round")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write all times there")
    given = parser.parse_args(arguments)
    try:
        run(quick=given.quick, json_path=given.json)
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
