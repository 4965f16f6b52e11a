"""A step of DPO with the prompt computed once, against both rows of each pair as TRL computes them, and TRL itself.

Run as ``llmcourse bench alignment`` or ``python -m llmcourse.bench.alignment``; ``--quick`` takes seconds and checks
more than it measures. All sides have the same weights, the same pairs and torch's AdamW, compute the reference in the
step, and have to find the same loss. "concatenated" is this package's model on chosen and rejected rows in one batch,
with the logits of every token from the first answer on, as ``DPOTrainer`` has it with ``use_logits_to_keep``. Where TRL
is installed (``pip install trl==0.24.0 "transformers<5" "datasets<4.5"`` in an environment of its own), its own method
on ``transformers``' model is measured as well; without it, torch is all that this needs.
"""

import argparse
import copy
import importlib.util
import json
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from llmcourse.alignment import AnswerPairs, Answers, dpo_loss, dpo_step, join_answers, share_prompts
from llmcourse.architecture import ModelConfig, Transformer, load_huggingface
from llmcourse.runtime import best_device, compute_dtype, device_line
from llmcourse.runtime.timing import machine, ratio_of, take_turns

__all__ = ["Found", "Setting", "main", "run", "settings"]

BETA = 0.1
_SIZES: dict[str, dict[str, int]] = {
    "tiny": {"d_model": 32, "d_ff": 88, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2},
    "6M": {"d_model": 256, "d_ff": 688, "n_layers": 5, "n_heads": 4, "n_kv_heads": 2},
    "350M": {"d_model": 1024, "d_ff": 2816, "n_layers": 24, "n_heads": 16, "n_kv_heads": 8},
}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is measured.

    Args:
        size: Of the model.
        prompt_len: Tokens of a prompt.
        answer_len: Tokens of the longest answer; others are down to half as long.
        batch_size: Pairs in a step.
        vocab_size: Rows of the embedding.
        repeats: Rounds.
    """

    size: str
    prompt_len: int
    answer_len: int
    batch_size: int = 8
    vocab_size: int = 4096
    repeats: int = 7


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
    if quick:
        return [Setting(size="tiny", prompt_len=6, answer_len=4, batch_size=2, vocab_size=64, repeats=1)]
    if torch.cuda.is_available():
        lengths = [(1536, 512), (1024, 1024), (256, 1024)]
        return [Setting(size="350M", prompt_len=p, answer_len=a, vocab_size=32_000) for p, a in lengths]
    return [Setting(size="6M", prompt_len=p, answer_len=a) for p, a in [(384, 128), (192, 64), (128, 128), (32, 128)]]


def measure(setting: Setting) -> list[Found]:
    """Measure one setting against everything that is there.

    Args:
        setting: What to measure.

    Returns:
        What was found, one for each contender.
    """
    device = best_device()
    pairs = _pairs(setting, device)
    rows = share_prompts(*pairs)
    dtype = compute_dtype(device)
    with_trl = importlib.util.find_spec("trl") is not None
    theirs = [_llama(setting, seed).to(device, dtype) for seed in (0, 1)] if with_trl else []
    made = [load_huggingface(model) for model in theirs] or [_transformer(setting, seed) for seed in (0, 1)]
    policy, reference = (model.to(device=device, dtype=dtype) for model in made)
    steps: dict[str, Callable[[], float]] = {"ours": _step(policy, reference, rows)}
    steps["concatenated"] = _concatenated(copy.deepcopy(policy), reference, pairs)
    if with_trl:
        steps[f"trl {version('trl')}"] = _trl(theirs[0], theirs[1], pairs)
    first = {name: step() for name, step in steps.items()}
    peaks = {name: _peak(step) for name, step in steps.items()}
    times = take_turns(steps, repeats=setting.repeats, warm_up=1)
    tolerance = 1e-5 if next(policy.parameters()).dtype == torch.float32 else 3e-2
    return [
        Found(
            setting=setting,
            other=name,
            ours_s=times["ours"],
            theirs_s=times[name],
            ours_bytes=peaks["ours"],
            theirs_bytes=peaks[name],
            equal=abs(first[name] - first["ours"]) <= tolerance * abs(first["ours"]),
        )
        for name in list(steps)[1:]
    ]


def _transformer(setting: Setting, seed: int) -> Transformer:
    torch.manual_seed(seed)  # policy and reference differ, or every loss were ln 2
    sizes: dict[str, Any] = dict(_SIZES[setting.size])
    return Transformer(ModelConfig(vocab_size=setting.vocab_size, **sizes))


def _llama(setting: Setting, seed: int) -> Any:
    """Return the same in transformers, whose models TRL takes."""
    from transformers import LlamaConfig, LlamaForCausalLM  # heavy, and needed beside TRL alone

    torch.manual_seed(seed)
    ours = _SIZES[setting.size]
    names = {
        "d_model": "hidden_size", "d_ff": "intermediate_size", "n_layers": "num_hidden_layers",
        "n_heads": "num_attention_heads", "n_kv_heads": "num_key_value_heads",
    }  # fmt: skip
    sizes: dict[str, Any] = {names[name]: value for name, value in ours.items()}
    longest = setting.prompt_len + setting.answer_len
    return LlamaForCausalLM(LlamaConfig(vocab_size=setting.vocab_size, max_position_embeddings=longest, **sizes))


def _pairs(setting: Setting, device: torch.device) -> AnswerPairs:
    generator = torch.Generator().manual_seed(0)

    def texts(shortest: int, longest: int) -> list[list[int]]:
        lengths = torch.randint(shortest, longest + 1, (setting.batch_size,), generator=generator).tolist()
        return [torch.randint(1, setting.vocab_size, (n,), generator=generator).tolist() for n in lengths]

    prompts = texts(setting.prompt_len, setting.prompt_len)
    sides = [join_answers(prompts, texts(setting.answer_len // 2, setting.answer_len)) for _ in range(2)]
    chosen, rejected = (Answers(side.tokens.to(device), side.mask.to(device)) for side in sides)
    return AnswerPairs(chosen, rejected)


def _optimizer(model: torch.nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)


def _step(policy: Transformer, reference: Transformer, rows: Any) -> Callable[[], float]:
    optimizer = _optimizer(policy)
    return lambda: dpo_step(policy, reference, optimizer, rows, beta=BETA).loss


def _finish(model: torch.nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> float:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item()  # waits for a GPU


def _concatenated(policy: Transformer, reference: Transformer, pairs: AnswerPairs) -> Callable[[], float]:
    optimizer = _optimizer(policy)
    width = max(side.tokens.shape[1] for side in pairs)
    tokens, mask = (
        torch.cat([torch.nn.functional.pad(side[part], (0, width - side.tokens.shape[1])) for side in pairs])
        for part in (0, 1)
    )
    start = int(mask.int().argmax(1).min()) - 1

    def log_probs(model: Transformer) -> tuple[Tensor, ...]:
        logits = model.output(model.hidden(tokens[:, :-1])[:, start:])
        picked = -torch.nn.functional.cross_entropy(
            logits.flatten(0, 1).float(), tokens[:, start + 1 :].flatten(), reduction="none"
        )
        return picked.view(len(tokens), -1).where(mask[:, start + 1 :], 0.0).sum(1).chunk(2)

    def step() -> float:
        with torch.no_grad():
            before = log_probs(reference)
        return _finish(policy, optimizer, dpo_loss(*log_probs(policy), *before, beta=BETA).mean())

    return step


def _trl(policy: Any, reference: Any, pairs: AnswerPairs) -> Callable[[], float]:
    """Return a step whose loss is computed by DPOTrainer's own method, on an object with its settings alone."""
    from trl import DPOTrainer  # pyright: ignore[reportMissingImports]  # an environment of its own has it

    trainer = object.__new__(DPOTrainer)
    trainer.__dict__ |= {
        "is_encoder_decoder": False, "aux_loss_enabled": False, "pad_token_id": 0, "label_pad_token_id": -100,
        "max_length": None, "use_logits_to_keep": True, "padding_free": False, "use_weighting": False,
        "loss_type": ["sigmoid"], "loss_weights": None, "beta": BETA, "label_smoothing": 0.0, "reference_free": False,
        "f_divergence_type": "reverse_kl", "f_divergence_params": None, "_peft_has_been_casted_to_bf16": False,
        "args": SimpleNamespace(rpo_alpha=None, ld_alpha=None, use_liger_loss=False), "ref_model": reference,
        "accelerator": SimpleNamespace(gather_for_metrics=lambda x: x, device=policy.device),
    }  # fmt: skip
    prompt = pairs.chosen.tokens[:, : int(pairs.chosen.mask[0].int().argmax())]
    batch = {"prompt_input_ids": prompt, "prompt_attention_mask": torch.ones_like(prompt)}
    for name, side in zip(("chosen", "rejected"), pairs, strict=True):
        batch[f"{name}_input_ids"] = side.tokens[:, prompt.shape[1] :]
        batch[f"{name}_attention_mask"] = side.mask[:, prompt.shape[1] :].long()
    optimizer = _optimizer(policy)
    return lambda: _finish(policy, optimizer, trainer.get_batch_loss_metrics(policy, batch)[0])


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
    rates = [f"{setting.batch_size / statistics.median(s):.2f}" for s in (found.ours_s, found.theirs_s)]
    memory = (
        f", peak GiB {found.ours_bytes / 2**30:.2f} and {found.theirs_bytes / 2**30:.2f}" if found.ours_bytes else ""
    )
    what = f"DPO {setting.size} prompt {setting.prompt_len:>4} answers {setting.answer_len:>4}"
    spread = f"{ratio['median']:.2f} [{ratio['min']:.2f}-{ratio['max']:.2f}]"
    return (
        f"{what}, pairs/s ours {rates[0]:>7}, {found.other} {rates[1]:>7}, ratio {spread}{memory}, "
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
