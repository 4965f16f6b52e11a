"""``llmcourse plan``: which ways to spread a model over GPUs fit, and what they cost."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from llmcourse.cli.terminal import USAGE, console, problem

if TYPE_CHECKING:
    from llmcourse.pretraining.parallelism import Plan


def plan(
    vocab_size: Annotated[int, typer.Option(help="Of the model's vocabulary")] = 32_000,
    d_model: Annotated[int, typer.Option(help="Width of the model")] = 4096,
    n_layers: Annotated[int, typer.Option(help="Blocks")] = 32,
    n_heads: Annotated[int, typer.Option(help="Attention heads")] = 32,
    n_kv_heads: Annotated[int | None, typer.Option(help="Heads of keys and values; all by default")] = None,
    d_ff: Annotated[int | None, typer.Option(help="Width inside feed-forward layers; 8/3 of the model's")] = None,
    gpus: Annotated[int, typer.Option(help="How many, in one machine")] = 8,
    gpu: Annotated[str, typer.Option(help="a100-40gb, a100-80gb, h100, h200, b200, mi300x or l40s")] = "h100",
    batch_size: Annotated[int, typer.Option(help="Sequences in a step, of all GPUs")] = 64,
    seq_len: Annotated[int, typer.Option(help="Tokens in a sequence")] = 4096,
    precision: Annotated[str, typer.Option(help="bf16, or fp32")] = "bf16",
    top: Annotated[int, typer.Option(help="How many layouts to show; 0 is all")] = 12,
) -> None:
    """Show memory by part, bytes sent and the bubble of each layout of a model over GPUs, the quickest that fit first.

    The numbers are those of llmcourse train with AdamW and fp32 weights. Times add up computing and sending, of which
    real engines hide one behind the other: use them to compare. Where --parallel is empty, the layout is a combination,
    which llmcourse train does not start by itself.
    """
    from llmcourse.architecture import ModelConfig
    from llmcourse.pretraining.parallelism import plan as plan_run
    from llmcourse.scaling import parameter_count

    try:
        given: dict[str, Any] = {"n_kv_heads": n_kv_heads, "d_ff": d_ff}  # None is worked out
        config = ModelConfig(vocab_size=vocab_size, d_model=d_model, n_layers=n_layers, n_heads=n_heads, **given)
        plans = plan_run(config, n_gpus=gpus, gpu=gpu, batch_size=batch_size, seq_len=seq_len, precision=precision)
    except ValueError as error:
        problem(error)
        raise typer.Exit(USAGE) from None
    n_fit = sum(found.fits for found in plans)
    console.print(
        f"{parameter_count(config).total:,} parameters on {gpus} x {gpu}: {n_fit} of {len(plans)} layouts fit"
    )
    _show(plans[: top or None])


def _show(plans: "list[Plan]") -> None:
    from rich.table import Table

    table = Table(title="Gigabytes (10^9) of the GPU that needs most", title_justify="left")
    for name in ("data x tensor x pipeline", "--parallel"):
        table.add_column(name)
    for name in (
        "micro-batches", "checkpointing", "weights", "copies", "gradients", "optimizer", "activations", "all",
        "sent", "bubble", "seconds a step", "fits",
    ):  # fmt: skip
        table.add_column(name, justify="right")
    for found in plans:
        table.add_row(*_row(found))
    console.print(table)


def _row(found: "Plan") -> list[str]:
    layout, memory = found.layout, found.memory
    parts = (memory.parameters, memory.gathered, memory.gradients, memory.optimizer, memory.activations, memory.total)
    zero = f", ZeRO {layout.zero_stage}" if layout.zero_stage else ""
    return [
        f"{layout.data} x {layout.tensor} x {layout.pipeline}{zero}",
        layout.parallel,
        str(layout.n_micro_batches),
        "yes" if layout.checkpointing else "no",
        *(f"{part / 1e9:.1f}" for part in parts),
        f"{found.communication.total / 1e9:.1f}",
        f"{found.bubble:.0%}",
        f"{found.step_s:.2f}",
        "yes" if found.fits else "no",
    ]
