"""The Transformer here against ``transformers``' Llama: a training step, and greedy generation.

Run as ``llmcourse bench architecture`` or ``python -m llmcourse.bench.architecture``; ``--quick`` takes seconds and
checks more than it measures. Both sides are the same model with the same weights, take the same batch, and use torch's
AdamW; both run eagerly, or both compiled. Each setting is measured in a process of its own.
"""

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from llmcourse.architecture import Transformer, generate, load_huggingface
from llmcourse.runtime import best_device, compute_dtype, device_line
from llmcourse.runtime.timing import machine, ratio_of, take_turns

__all__ = ["Found", "Setting", "llama", "main", "run", "settings"]

_SIZES: dict[str, dict[str, int]] = {
    "tiny": {"hidden_size": 32, "intermediate_size": 88, "num_hidden_layers": 2, "num_attention_heads": 4},
    "6M": {"hidden_size": 256, "intermediate_size": 688, "num_hidden_layers": 5, "num_attention_heads": 4},
    "25M": {"hidden_size": 512, "intermediate_size": 1376, "num_hidden_layers": 7, "num_attention_heads": 8},
}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is measured: a training step, of a size, compiled or not; or generation."""

    what: str
    size: str
    compiled: bool = False
    repeats: int = 7
    vocab_size: int = 4096
    batch_size: int = 8
    seq_len: int = 256

    @property
    def tokens(self) -> int:
        """How many tokens a round takes in or gives out."""
        return self.batch_size * self.seq_len if self.what == "train" else self.seq_len // 4


@dataclass(frozen=True, kw_only=True)
class Found:
    """Seconds of both sides in each round, and what they agree on.

    Args:
        setting: What was measured.
        parameters: How many the model has.
        ours_s: Seconds in each round.
        theirs_s: Those of ``transformers``.
        equal: Whether both gave the same: losses of the first step within 1e-5, or the same tokens.
    """

    setting: Setting
    parameters: int
    ours_s: list[float]
    theirs_s: list[float]
    equal: bool

    @property
    def ratio(self) -> dict[str, float]:
        """How many times as long the other took: median, least and most over the rounds."""
        return ratio_of(self.theirs_s, self.ours_s)


def settings(*, quick: bool) -> list[Setting]:
    """Return what is measured."""
    if quick:
        tiny = {"size": "tiny", "repeats": 1, "vocab_size": 64, "batch_size": 2, "seq_len": 16}
        return [Setting(what="train", **tiny), Setting(what="generate", **tiny)]
    trained = [Setting(what="train", size=size, compiled=c) for c in (False, True) for size in ("6M", "25M")]
    return [*trained, Setting(what="generate", size="6M", repeats=5)]


def measure(setting: Setting) -> Found:
    """Measure one setting in this process.

    Args:
        setting: What to measure.

    Returns:
        What was found.
    """
    torch.manual_seed(0)
    device = best_device()
    theirs = llama(setting).to(device, compute_dtype(device))
    ours = load_huggingface(theirs).to(device, compute_dtype(device))
    if setting.what == "train":
        contenders, equal = _training(setting, ours, theirs)
    else:
        contenders, equal = _generating(setting, ours.eval(), theirs.eval())
    times = take_turns(contenders, repeats=setting.repeats, warm_up=2)
    parameters = sum(parameter.numel() for parameter in ours.parameters())
    return Found(setting=setting, parameters=parameters, ours_s=times["ours"], theirs_s=times["theirs"], equal=equal)


def llama(setting: Setting) -> Any:
    """Return ``transformers``' Llama of a setting's size."""
    from transformers import LlamaConfig, LlamaForCausalLM  # heavy, and not needed to import this module

    sizes: dict[str, Any] = dict(_SIZES[setting.size])
    sizes["num_key_value_heads"] = sizes["num_attention_heads"] // 2
    config = LlamaConfig(vocab_size=setting.vocab_size, max_position_embeddings=setting.seq_len, **sizes)
    return LlamaForCausalLM(config)


def _training(setting: Setting, ours: Transformer, theirs: Any) -> tuple[dict[str, Callable[[], object]], bool]:
    """Return a step of each side, and whether the first losses are equal."""
    device = next(ours.parameters()).device
    text = torch.randint(0, setting.vocab_size, (setting.batch_size, setting.seq_len + 1), device=device)
    tokens, labels = text[:, :-1].contiguous(), text[:, 1:].contiguous()

    def their_loss(tokens: Tensor, labels: Tensor) -> Tensor:
        # with labels that are shifted already, `labels=` would shift them again; a cache is of no use in training
        logits = theirs(tokens, use_cache=False).logits
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), labels.flatten())

    losses: dict[str, Callable[..., Tensor]] = {"ours": ours.loss, "theirs": their_loss}
    models = {"ours": ours.train(), "theirs": theirs.train()}
    if setting.compiled:
        losses = {name: torch.compile(loss) for name, loss in losses.items()}
    fused = device.type == "cuda"
    optimizers = {name: torch.optim.AdamW(m.parameters(), lr=1e-4, fused=fused) for name, m in models.items()}

    def step(name: str) -> float:
        loss = losses[name](tokens, labels)
        loss.backward()
        optimizers[name].step()
        optimizers[name].zero_grad(set_to_none=True)
        return loss.item()  # waits for a GPU

    first = {name: step(name) for name in losses}
    tolerance = 1e-5 if next(ours.parameters()).dtype == torch.float32 else 3e-2  # bf16 keeps 8 bits of a loss of 8
    equal = abs(first["ours"] - first["theirs"]) <= tolerance * abs(first["theirs"])
    return {name: lambda name=name: step(name) for name in losses}, equal


def _generating(setting: Setting, ours: Transformer, theirs: Any) -> tuple[dict[str, Callable[[], object]], bool]:
    """Return greedy generation by each side, and whether the tokens are equal."""
    device = next(ours.parameters()).device
    new = setting.tokens
    prompt = torch.randint(0, setting.vocab_size, (1, setting.seq_len // 4), device=device)

    def here() -> Tensor:
        return generate(ours, prompt, new, temperature=0.0)

    def there() -> Tensor:
        return theirs.generate(
            prompt, max_new_tokens=new, min_new_tokens=new, do_sample=False, use_cache=False, pad_token_id=0
        )

    return {"ours": here, "theirs": there}, here().flatten()[-new:].tolist() == there().flatten()[-new:].tolist()


def run(*, quick: bool = False, json_path: Path | None = None) -> list[Found]:
    """Measure everything, print a table, and write JSON if asked.

    Args:
        quick: A tiny model and one round: a check in seconds, no measurement.
        json_path: Where to write all times and what they depend on.

    Returns:
        What was found, in the order of the table.

    Raises:
        ValueError: ``transformers`` is not installed, or a process failed.
    """
    if importlib.util.find_spec("transformers") is None:
        raise ValueError("transformers is not installed, nothing to compare with: pip install 'llmcourse[bench]'")
    about = {"machine": machine(), "versions": {name: version(name) for name in ("torch", "transformers")}}
    print(f"{device_line()}, transformers {about['versions']['transformers']}", flush=True)
    found = []
    for setting in settings(quick=quick):
        found.append(measure(setting) if quick else _in_a_process(setting))
        print(_line(found[-1]), flush=True)
    print("Medians [least-most] of rounds in turns. Ratio: transformers / ours. Generation is without a cache on both.")
    if json_path is not None:
        rows = [asdict(one) | {"ratio": one.ratio} for one in found]
        json_path.write_text(json.dumps(about | {"rows": rows}, indent=1) + "\n", encoding="utf-8")
    return found


def _in_a_process(setting: Setting) -> Found:
    command = [sys.executable, "-m", "llmcourse.bench.architecture", "--child", json.dumps(asdict(setting))]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or ["nothing was said"]
        raise ValueError(f"measuring {setting} failed: {last[0]}")
    values = json.loads(done.stdout.splitlines()[-1])
    return Found(**values | {"setting": setting})


def _line(found: Found) -> str:
    setting, ratio = found.setting, found.ratio
    what = (
        f"{setting.what} {setting.size} ({found.parameters / 1e6:.2f} M) {'compiled' if setting.compiled else 'eager'}"
    )
    rates = [f"{setting.tokens / statistics.median(s):,.0f}" for s in (found.ours_s, found.theirs_s)]
    spread = f"{ratio['median']:.2f} [{ratio['min']:.2f}-{ratio['max']:.2f}]"
    return (
        f"{what:<36} tokens/s ours {rates[0]:>8}, other {rates[1]:>8}, ratio {spread}, "
        f"{'equal' if found.equal else 'NOT EQUAL'}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m llmcourse.bench.architecture", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tiny model, one round")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write all times there")
    parser.add_argument("--child", metavar="SETTING", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.child:
        print(json.dumps(asdict(measure(Setting(**json.loads(given.child))))))
        return
    try:
        run(quick=given.quick, json_path=given.json)
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
