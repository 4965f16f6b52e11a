"""Writing one text: against ``transformers``' generate, with speculation and without, and over contexts of any length.

Run as ``llmcourse bench inference`` or ``python -m llmcourse.bench.inference``; ``--quick`` takes seconds and checks
more than it measures. Both sides have the same weights and dtype and write the same greedy text. Speculation is by
prompt look-up on a text that repeats itself, where its draft is good; elsewhere it gains less.
"""

import argparse
import importlib.util
import json
import statistics
import sys
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from llmcourse.architecture import Transformer, generate, load_huggingface
from llmcourse.bench.architecture import Setting, llama
from llmcourse.inference import KVCache, PromptLookup, speculative_decode
from llmcourse.runtime import best_device, compute_dtype, device_line
from llmcourse.runtime.timing import machine, ratio_of, take_turns

__all__ = ["Written", "main", "run"]

CONTEXTS = (128, 512, 1024, 2048)


@dataclass(frozen=True, kw_only=True)
class Written:
    """Seconds for one text on both sides, in each round.

    Args:
        what: The other side.
        size: Of the model, by its name.
        n_tokens: That were written.
        ours_s: Seconds of this side.
        theirs_s: Of the other.
        equal: Whether both wrote the same.
    """

    what: str
    size: str
    n_tokens: int
    ours_s: list[float]
    theirs_s: list[float]
    equal: bool

    @property
    def ratio(self) -> dict[str, float]:
        """How many times as long the other took: median, least and most over the rounds."""
        return ratio_of(self.theirs_s, self.ours_s)


def against_transformers(theirs: Any, size: str, *, n_tokens: int, rounds: int) -> Written:
    """Write a greedy text by this package and by ``transformers``, in turns.

    Args:
        theirs: Its model.
        size: What it is called.
        n_tokens: To write, after a prompt of 32.
        rounds: That count.

    Returns:
        Seconds for the text.
    """
    model = load_huggingface(theirs).to(theirs.device).eval()
    prompt = _prompt(theirs.config.vocab_size, theirs.device)
    cache = KVCache.of(model, max_seq_len=prompt.shape[1] + n_tokens)
    options = {"max_new_tokens": n_tokens, "do_sample": False, "attention_mask": torch.ones_like(prompt)}
    contenders = {
        "ours": lambda: generate(model, prompt, n_tokens, temperature=0.0, cache=cache),
        "theirs": lambda: theirs.generate(prompt, **options),
    }
    equal = torch.equal(contenders["ours"](), contenders["theirs"]())
    times = take_turns(contenders, repeats=rounds)
    return Written(
        what="transformers", size=size, n_tokens=n_tokens, ours_s=times["ours"], theirs_s=times["theirs"], equal=equal
    )


def against_plain(model: Transformer, size: str, *, n_tokens: int, rounds: int) -> Written:
    """Write a text that repeats itself, with prompt look-up and without, in turns.

    Args:
        model: Writes greedily, and so, with random weights, soon in a circle.
        size: What it is called.
        n_tokens: To write.
        rounds: That count.

    Returns:
        Seconds for the text.
    """
    device, vocab_size = model.embedding.weight.device, model.config.vocab_size
    cache = KVCache.of(model, max_seq_len=64 + 2 * n_tokens)
    begun = generate(model, _prompt(vocab_size, device), n_tokens, temperature=0.0, cache=cache)
    draft = PromptLookup(vocab_size, device=device)
    contenders = {
        "ours": lambda: speculative_decode(model, begun, n_tokens, draft=draft, draft_length=8, temperature=0.0).tokens,
        "theirs": lambda: generate(model, begun, n_tokens, temperature=0.0, cache=cache),
    }
    equal = torch.equal(contenders["ours"](), contenders["theirs"]())
    times = take_turns(contenders, repeats=rounds)
    return Written(
        what="plain decoding", size=size, n_tokens=n_tokens, ours_s=times["ours"], theirs_s=times["theirs"], equal=equal
    )


@torch.no_grad()
def over_contexts(model: Transformer, contexts: tuple[int, ...], *, rounds: int) -> dict[int, float]:
    """Return the median seconds of one more token after so many.

    Args:
        model: With room for them.
        contexts: Tokens before.
        rounds: That count; a round is eight tokens.

    Returns:
        Seconds by context.
    """
    device, vocab_size = model.embedding.weight.device, model.config.vocab_size
    one = _prompt(vocab_size, device, 1)
    caches = {n: KVCache.of(model, max_seq_len=n + 1) for n in contexts}
    for n, cache in caches.items():
        model(_prompt(vocab_size, device, n), cache=cache)

    def eight(n: int) -> None:
        for _ in range(8):
            caches[n].truncate(n)
            model(one, cache=caches[n], positions=torch.tensor([n], device=device)).sum().item()  # waits for a GPU

    times = take_turns({str(n): lambda n=n: eight(n) for n in contexts}, repeats=rounds)
    return {n: statistics.median(times[str(n)]) / 8 for n in contexts}


def _prompt(vocab_size: int, device: Any, n: int = 32) -> torch.Tensor:
    return torch.randint(1, vocab_size, (1, n), generator=torch.Generator().manual_seed(0)).to(device)


def run(*, quick: bool = False, json_path: Path | None = None) -> list[Written]:
    """Measure everything, print a table, and write JSON if asked.

    Args:
        quick: A tiny model and one round: a check in seconds, no measurement.
        json_path: Where to write all times and what they depend on.

    Returns:
        What was found, in the order of the table.

    Raises:
        SystemExit: ``transformers`` is not installed.
    """
    if importlib.util.find_spec("transformers") is None:
        sys.exit("transformers is not installed: pip install transformers")
    device = best_device()
    sizes, n_tokens, rounds = (("tiny",), 8, 1) if quick else (("6M", "25M"), 128, 7)
    print(device_line(), f"transformers {version('transformers')}", sep=", ", flush=True)
    found, contexts = list[Written](), dict[str, dict[int, float]]()
    for size in sizes:
        theirs = llama(Setting(what="generate", size=size, seq_len=4096)).to(device, compute_dtype(device)).eval()
        theirs.generation_config.update(eos_token_id=None, pad_token_id=0)
        model = load_huggingface(theirs).to(device).eval()
        found.append(against_transformers(theirs, size, n_tokens=n_tokens, rounds=rounds))
        found.append(against_plain(model, size, n_tokens=n_tokens, rounds=rounds))
        contexts[size] = over_contexts(model, CONTEXTS[:1] if quick else CONTEXTS, rounds=rounds)
        print(*map(_line, found[-2:]), sep="\n", flush=True)
        print(f"{size:5} ms a token after", ", ".join(f"{n}: {1e3 * s:.2f}" for n, s in contexts[size].items()))
    print("Medians [least-most] of rounds in turns, on one machine. Ratio: other / ours.")
    if json_path is not None:
        versions = {name: version(name) for name in ("torch", "transformers")}
        rows = [asdict(one) | {"ratio": one.ratio} for one in found]
        about = {"machine": machine(), "versions": versions, "rows": rows, "seconds_after": contexts}
        json_path.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return found


def _line(found: Written) -> str:
    ratio = found.ratio
    rates = [f"{found.n_tokens / statistics.median(s):.0f}" for s in (found.ours_s, found.theirs_s)]
    return (
        f"{found.size:5} against {found.what:14} tokens/s ours {rates[0]:>6}, other {rates[1]:>6}, "
        f"ratio {ratio['median']:.2f} [{ratio['min']:.2f}-{ratio['max']:.2f}], "
        f"{'equal' if found.equal else 'NOT EQUAL'}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m llmcourse.bench.inference", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tiny model, one round")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write all times there")
    given = parser.parse_args(arguments)
    run(quick=given.quick, json_path=given.json)


if __name__ == "__main__":
    main()
