"""Serving: continuous against static batching on a skewed trace, and the engine against ``transformers``' own.

Run as ``llmcourse bench serving`` or ``python -m llmcourse.bench.serving``; ``--quick`` takes seconds and checks more
than it measures. Both sides have the same weights, the same requests and the same greedy answers; the cache of
``transformers`` is bounded as the engine's is, neither shares prefixes, and its manager is warm before the first round.
"""

import argparse
import importlib.util
import json
import random
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from llmcourse.architecture import Transformer, load_huggingface
from llmcourse.bench.architecture import Setting, llama
from llmcourse.inference import Arrival, ContinuousBatching, Engine, SamplingParams, StaticBatching, replay
from llmcourse.inference.arrival_trace import arrival_trace
from llmcourse.runtime import best_device, compute_dtype, device_line
from llmcourse.runtime.timing import machine, ratio_of, take_turns

__all__ = ["Served", "main", "run"]


@dataclass(frozen=True, kw_only=True)
class Served:
    """A trace served by both sides in each round.

    Args:
        what: The other side.
        n_requests: Of the trace.
        n_tokens: Tokens of all answers.
        batch_size: Requests in a step, at most.
        ours_s: Seconds of the engine in each round.
        theirs_s: Those of the other side.
        equal: Requests for which both wrote the same, if that was compared.
    """

    what: str
    n_requests: int
    n_tokens: int
    batch_size: int
    ours_s: list[float]
    theirs_s: list[float]
    equal: int | None = None

    @property
    def ratio(self) -> dict[str, float]:
        """How many times as long the other took: median, least and most over the rounds."""
        return ratio_of(self.theirs_s, self.ours_s)


def against_static(model: Transformer, trace: Sequence[Arrival], *, batch_size: int, rounds: int) -> Served:
    """Serve a trace with static and with continuous batching, in turns.

    Args:
        model: Any.
        trace: What comes.
        batch_size: Requests in a step, at most.
        rounds: That count; one before does not.

    Returns:
        Seconds from the first arrival to the last token, by the clock of each step.
    """
    seconds: dict[str, list[float]] = {"static": [], "continuous": []}

    def serve(name: str) -> None:
        server = (StaticBatching if name == "static" else ContinuousBatching)(model, batch_size=batch_size)
        report = replay(trace, server, batch_size=batch_size)
        seconds[name].append(report.n_tokens / report.tokens_per_s)

    take_turns({name: lambda name=name: serve(name) for name in seconds}, repeats=rounds)
    n_tokens = sum(arrival.n_new for arrival in trace)
    return Served(
        what="static batching", n_requests=len(trace), n_tokens=n_tokens, batch_size=batch_size,
        ours_s=seconds["continuous"][1:], theirs_s=seconds["static"][1:],
    )  # fmt: skip


def against_transformers(theirs: Any, trace: Sequence[Arrival], *, batch_size: int, rounds: int) -> Served:
    """Answer the requests of a trace, all of which are there at once, by the engine and by ``transformers``, in turns.

    Args:
        theirs: Its model.
        trace: Lengths of prompts and answers.
        batch_size: Requests in a step, at most.
        rounds: That count; one before does not.

    Returns:
        Seconds for all answers.
    """
    from transformers import ContinuousBatchingConfig, GenerationConfig

    draw = random.Random(0)
    prompts = [[draw.randrange(1, theirs.config.vocab_size) for _ in range(one.n_prompt)] for one in trace]
    params = [SamplingParams(max_new_tokens=one.n_new, temperature=0.0) for one in trace]
    model = load_huggingface(theirs).to(theirs.device).requires_grad_(False)
    engine = Engine(model, n_blocks=1024, max_batch_size=batch_size, max_step_tokens=256, share_prefixes=False)
    config = ContinuousBatchingConfig(
        num_blocks=1024,
        page_size=16,
        max_batch_tokens=256,
        max_requests_per_batch=batch_size,
        allow_block_sharing=False,
    )
    greedy = GenerationConfig(max_new_tokens=1, do_sample=False, eos_token_id=-1, pad_token_id=0)
    answers: dict[str, list[list[int]]] = {}
    with theirs.continuous_batching_context_manager(greedy, continuous_batching_config=config) as manager:
        contenders = {
            "ours": lambda: answers.update(ours=engine.generate(prompts, params)),
            "theirs": lambda: answers.update(theirs=_ask(manager, prompts, params)),
        }
        times = take_turns(contenders, repeats=rounds)
    return Served(
        what="transformers", n_requests=len(trace), n_tokens=sum(map(len, answers["ours"])), batch_size=batch_size,
        ours_s=times["ours"], theirs_s=times["theirs"],
        equal=sum(a == b for a, b in zip(answers["ours"], answers["theirs"], strict=True)),
    )  # fmt: skip


def _ask(manager: Any, prompts: list[list[int]], params: list[SamplingParams]) -> list[list[int]]:
    pairs = zip(prompts, params, strict=True)
    ids = [manager.add_request(prompt, max_new_tokens=one.max_new_tokens) for prompt, one in pairs]
    found: dict[str, list[int]] = {}
    while len(found) < len(ids):
        result = manager.get_result(timeout=1)
        if result is not None and result.is_finished():
            found[result.request_id] = result.generated_tokens
        elif result is None and not manager.is_running():
            raise ValueError("the manager of transformers has stopped")
    return [found[request] for request in ids]


def run(*, quick: bool = False, json_path: Path | None = None) -> list[Served]:
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
    size, rounds, n_requests, mean = ("tiny", 1, 8, 4.0) if quick else ("6M", 5, 64, 32.0)
    batch_size = 4 if quick else 16
    torch.manual_seed(0)
    device = best_device()
    theirs = llama(Setting(what="serve", size=size, seq_len=1024)).to(device, compute_dtype(device)).eval()
    lengths = {"prompt_tokens": mean, "new_tokens": mean, "max_tokens": 400}
    trace = arrival_trace(n_requests, rate_per_s=1000.0, seed=0, **lengths)
    ours = load_huggingface(theirs).to(device).requires_grad_(False)
    measurements: list[Callable[[], Served]] = [
        lambda: against_static(ours, trace, batch_size=batch_size, rounds=rounds),
        lambda: against_transformers(theirs, trace, batch_size=batch_size, rounds=rounds),
    ]
    found: list[Served] = []
    for measure in measurements:
        found.append(measure())
        print(_line(found[-1]), flush=True)
    print("Medians [least-most] of rounds in turns. Ratio: the other / the engine.")
    if json_path is not None:
        rows = [asdict(one) | {"ratio": one.ratio} for one in found]
        json_path.write_text(json.dumps(about | {"rows": rows}, indent=1) + "\n", encoding="utf-8")
    return found


def _line(found: Served) -> str:
    ratio, rates = found.ratio, [found.n_tokens / statistics.median(s) for s in (found.ours_s, found.theirs_s)]
    equal = "" if found.equal is None else f", {found.equal} of {found.n_requests} answers equal"
    return (
        f"against {found.what:<16} {found.n_requests} requests, {found.batch_size} at a time: tokens/s engine "
        f"{rates[0]:,.0f}, other {rates[1]:,.0f}, ratio {ratio['median']:.2f} "
        f"[{ratio['min']:.2f}-{ratio['max']:.2f}]{equal}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m llmcourse.bench.serving", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tiny model, one round")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write all times there")
    given = parser.parse_args(arguments)
    try:
        run(quick=given.quick, json_path=given.json)
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
