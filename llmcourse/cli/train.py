"""``llmcourse train``: pre-train a model, watch it, stop it, and go on."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmcourse.cli.terminal import USAGE, console, problem, shown
from llmcourse.cli.training_text import TrainingText, from_corpus, from_shards

if TYPE_CHECKING:
    from llmcourse.architecture import ModelConfig
    from llmcourse.pretraining import Step, Strategy, Trainer, TrainerConfig


_PARALLEL = "data, zero1, zero2, zero3, tensor, pipeline, gpipe; ddp, fsdp, dtensor, torch-pipeline, torch-gpipe"


_CORPORA = "documentation, stdlib, or a text file; tiny-stories and fineweb-edu need a network"


def train(
    corpus: Annotated[str, typer.Option(help=_CORPORA)] = "documentation",
    shards: Annotated[Path | None, typer.Option(help="A folder of llmcourse prepare, in place of a corpus")] = None,
    folder: Annotated[Path, typer.Option(help="Where the tokenizer and the checkpoints are")] = Path("run"),
    vocab_size: Annotated[int, typer.Option(help="Of the tokenizer that is trained on the text")] = 1024,
    d_model: Annotated[int, typer.Option(help="Width of the model")] = 128,
    n_layers: Annotated[int, typer.Option(help="Blocks")] = 4,
    n_heads: Annotated[int, typer.Option(help="Attention heads")] = 4,
    steps: Annotated[int, typer.Option(help="Steps of the optimizer")] = 500,
    batch_size: Annotated[int, typer.Option(help="Sequences in a step")] = 16,
    seq_len: Annotated[int, typer.Option(help="Tokens in a sequence")] = 128,
    micro_batches: Annotated[int, typer.Option(help="In how many parts a batch is taken")] = 1,
    lr: Annotated[float, typer.Option(help="The highest learning rate; the least is a tenth of it")] = 2e-3,
    warmup: Annotated[int | None, typer.Option(help="Steps in which it rises; a tenth of all by default")] = None,
    schedule: Annotated[str, typer.Option(help="cosine or wsd (which decays over the last fifth)")] = "cosine",
    precision: Annotated[str, typer.Option(help="fp32, bf16 or fp16; by default bf16 where the GPU has it")] = "",
    checkpoint_every: Annotated[int, typer.Option(help="Steps between checkpoints")] = 100,
    device: Annotated[str, typer.Option(help="Where to compute, cpu or cuda; by default the fastest")] = "",
    parallel: Annotated[str, typer.Option(help="Under torchrun, how the work is spread: " + _PARALLEL)] = "data",
    seed: Annotated[int, typer.Option(help="Of the weights and of the order of the batches")] = 0,
) -> None:
    """Pre-train a Transformer on a text, or on shards, of which the last twentieth is held out.

    Ctrl-C ends after the step that is being made, with a checkpoint. The same command goes on from the latest one,
    also after the process was killed, and gives the losses of a run that was never stopped.

    On several processes or GPUs: torchrun --nproc-per-node 2 --no-python llmcourse train, with the same options; all
    processes need the same folder.
    """
    import torch

    from llmcourse.architecture import ModelConfig
    from llmcourse.pretraining import TrainerConfig, TrainingStopped
    from llmcourse.runtime import best_device, compute_dtype

    try:
        device = device or best_device().type
        if not precision:
            precision = "bf16" if compute_dtype(device) == torch.bfloat16 else "fp32"
        config = TrainerConfig(
            total_steps=steps,
            batch_size=batch_size,
            seq_len=seq_len,
            n_micro_batches=micro_batches,
            max_lr=lr,
            min_lr=lr / 10,
            warmup_steps=steps // 10 if warmup is None else warmup,
            schedule=schedule,
            decay_steps=steps // 5 if schedule == "wsd" else 0,
            precision=precision,
            checkpoint_every=checkpoint_every,
            validate_every=checkpoint_every,
            seed=seed,
        )
        model_config = ModelConfig(
            vocab_size=vocab_size, d_model=d_model, n_layers=n_layers, n_heads=n_heads, max_seq_len=seq_len
        )
        with _strategy(parallel, device) as strategy:
            if shards is None:
                text = from_corpus(corpus, folder, vocab_size=vocab_size, strategy=strategy)
            else:
                text = from_shards(shards, folder, strategy=strategy)
            code = _run(text, replace(model_config, vocab_size=text.vocab_size), config, folder, strategy)
    except ConnectionError as error:
        problem(error)  # in each process, since the first may be the one that is lost
        raise typer.Exit(1) from None
    except (ValueError, OSError, ImportError) as error:
        _problem_once(error)
        raise typer.Exit(USAGE) from None
    except TrainingStopped as error:
        _problem_once(f"{error}. The latest checkpoint in {folder} is from before.")
        raise typer.Exit(1) from None
    raise typer.Exit(code)


@contextmanager
def _strategy(parallel: str, device: str) -> "Iterator[Strategy]":
    """Give what spreads the work over the processes that torchrun started, or one process alone."""
    from llmcourse.pretraining import SingleProcess
    from llmcourse.pretraining.parallelism import STRATEGIES, join_processes, make_strategy

    if parallel not in STRATEGIES:
        raise ValueError(f"parallel is {parallel!r}: choose one of {', '.join(STRATEGIES)}")
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        if parallel != "data":
            raise ValueError(
                f"parallel is {parallel!r}, but this is one process alone: start with "
                f"torchrun --nproc-per-node 2 --no-python llmcourse train --parallel {parallel}"
            )
        yield SingleProcess(device)
        return
    with join_processes(device=device) as own_device:
        yield make_strategy(parallel, own_device)


def _run(
    text: TrainingText, model_config: "ModelConfig", config: "TrainerConfig", folder: Path, strategy: "Strategy"
) -> int:
    """Train, and return the exit code."""
    import torch

    from llmcourse.architecture import Transformer
    from llmcourse.pretraining import Trainer

    torch.manual_seed(config.seed)
    model = Transformer(model_config)
    run = Trainer(model, text.tokens, config, validation=text.held_out, folder=folder, strategy=strategy)
    done = run.resume()
    tell = console.print if strategy.is_main else _say_nothing
    if done:
        tell(f"going on from step {done}")
    with _ending_after_a_step(run.stop):
        _watch(run, model_config, text.held_out_bytes / len(text.held_out))
    if run.step < config.total_steps:
        tell(f"stopped after step {run.step}; the same command goes on from there")
        return 130
    tell(f"the model and its tokenizer are in {shown(folder)}")
    return 0


def _problem_once(message: object) -> None:
    """Say what is wrong in one process: what all of them were given is wrong in all."""
    if os.environ.get("RANK", "0") == "0":
        problem(message)


def _say_nothing(message: str) -> None:
    """Let one process speak for all."""


@contextmanager
def _ending_after_a_step(stop: Callable[[], None]) -> Iterator[None]:
    """Let the first Ctrl-C end the run in good order, and one that comes later at once.

    torchrun sends its own to processes that the terminal has told already: what comes within a second is the same.
    """
    received: list[float] = []

    def handle(number: int, frame: Any) -> None:
        received.append(time.monotonic())
        if received[-1] - received[0] > 1:
            raise KeyboardInterrupt
        stop()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(run: "Trainer", config: "ModelConfig", bytes_per_token: float) -> None:
    """Make the steps, with a line that tells where the run stands."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from llmcourse.pretraining import bits_per_byte
    from llmcourse.runtime import matmul_peak
    from llmcourse.scaling import training_flops

    batch = run.config.batch_size * run.config.seq_len
    flops = training_flops(config, batch, seq_len=run.config.seq_len).total
    peak = matmul_peak(run.strategy.device) * run.strategy.world_size
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    main = run.strategy.is_main
    with Progress(*columns, console=console, disable=not main) as progress:
        task = progress.add_task("begins", total=run.config.total_steps, completed=run.step)
        seconds = 0.0
        for step in run.steps():
            seconds = step.seconds if not seconds else 0.9 * seconds + 0.1 * step.seconds
            rate = f"{batch / seconds:,.0f} tokens/s, MFU {flops / seconds / peak:.0%}"
            progress.update(task, completed=step.number, description=f"loss {step.loss:.3f}, {rate}")
            if step.validation_loss is not None and main:
                bits = bits_per_byte(step.validation_loss * 1e6, round(1e6 * bytes_per_token))
                progress.console.print(_line(step, bits, rate))


def _line(step: "Step", bits: float, rate: str) -> str:
    return (
        f"step {step.number}: loss {step.loss:.4f}, held out {step.validation_loss:.4f} ({bits:.3f} bits a byte), "
        f"lr {step.lr:.2e}, gradient {step.gradient_norm:.2f}, {rate}"
    )
