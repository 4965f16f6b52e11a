"""``llmcourse serve``: a model behind an endpoint that speaks OpenAI's API."""

import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from llmcourse.cli.terminal import USAGE, console, problem

if TYPE_CHECKING:
    from llmcourse.inference import Engine
    from llmcourse.serving.served_model import ServedModel

_FOLDER = "A checkpoint in Hugging Face's format, with its tokenizer; without one, the small model of the course"


def serve(
    folder: Annotated[Path | None, typer.Argument(help=_FOLDER)] = None,
    host: Annotated[
        str, typer.Option(help="Where to listen. There are no passwords: keep to this machine")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes one that is free")] = 8000,
    name: Annotated[str, typer.Option(help="By which clients ask for the model; the folder's by default")] = "",
    max_context: Annotated[int, typer.Option(help="Tokens of prompt and answer; 0 is the model's")] = 0,
    cache_gib: Annotated[float, typer.Option(help="Memory for keys and values, 2**30 bytes each")] = 1.0,
    batch_size: Annotated[int, typer.Option(help="Requests in a step, at most")] = 32,
    step_tokens: Annotated[int, typer.Option(help="Tokens in a step, at most")] = 512,
    queue: Annotated[int, typer.Option(help="Requests that may wait beside these; more get a 429")] = 64,
    body_kib: Annotated[int, typer.Option(help="The largest request, in 1024 bytes")] = 1024,
    dtype: Annotated[str, typer.Option(help="fp32, bf16 or fp16; by default the checkpoint's")] = "",
    device: Annotated[str, typer.Option(help="cpu or cuda; by default the fastest")] = "",
) -> None:
    """Serve a model at /v1/completions and /v1/chat/completions, as OpenAI's clients expect it.

    Requests run together (continuous batching over a paged cache), and each gets the answer that it would get alone. A
    client that hangs up ends its request. Ctrl-C finishes what runs; pressed twice, it does not wait.

    It needs `pip install 'llmcourse[serve]'`.
    """
    import torch

    from llmcourse.runtime import best_device

    try:
        import uvicorn

        from llmcourse.serving import EngineThread
        from llmcourse.serving.http_server import ServerConfig, make_app

        served = _load(folder, name, dtype, torch.device(device) if device else best_device())
        engine = _engine(served, cache_gib, batch_size, step_tokens, queue)
        context = _context(engine, max_context)
        config = ServerConfig(model=served.name, max_context=context, max_body_bytes=body_kib * 1024)
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] == "llmcourse":
            raise
        problem(f"this needs {error.name}, which is not installed: pip install 'llmcourse[serve]'")
        raise typer.Exit(USAGE) from None
    except (ValueError, OSError) as error:
        problem(error)
        raise typer.Exit(USAGE) from None
    app = make_app(EngineThread(engine), served.codec, config)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
    at = f"[{host}]" if ":" in host else host
    console.print(f"Serving {served.name} ({context} tokens of context) at http://{at}:{listener.getsockname()[1]}/v1")
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    console.print("What ran is finished.")


def _load(folder: Path | None, name: str, dtype: str, device: object) -> "ServedModel":
    import torch

    from llmcourse.serving.served_model import ServedModel, load_served_model

    dtypes = {"": None, "fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
    if dtype not in dtypes:
        raise ValueError(f"dtype is {dtype!r}: choose fp32, bf16 or fp16")
    if folder is not None:
        return load_served_model(folder, name=name or None, dtype=dtypes[dtype], device=torch.device(str(device)))
    from llmcourse.alignment import GroceryLists
    from llmcourse.serving.text_codec import WordCodec
    from llmcourse.sweeps.grocery_models import load_grocery_model

    model = load_grocery_model("sft", device=str(device)).to(dtypes[dtype]).requires_grad_(False)
    return ServedModel(name or "grocery-sft", model, WordCodec(GroceryLists().words, stop=".", prompt_end=":"))


def _engine(served: "ServedModel", cache_gib: float, batch_size: int, step_tokens: int, queue: int) -> "Engine":
    from llmcourse.inference import Engine, PagedKVCache

    block_bytes = PagedKVCache.of(served.model, n_blocks=1).block_bytes
    n_blocks = int(cache_gib * 2**30 // block_bytes)
    if n_blocks < 1 or queue < 0:
        raise ValueError(
            f"cache_gib is {cache_gib} and queue is {queue}: give room for at least one block of {block_bytes} bytes, "
            "and a queue of 0 or more"
        )
    # No more than can ever be used: all requests of a batch at the model's longest.
    n_blocks = min(n_blocks, batch_size * -(-served.model.config.max_seq_len // 16))
    return Engine(
        served.model,
        n_blocks=max(1, n_blocks),
        max_batch_size=batch_size,
        max_step_tokens=max(step_tokens, batch_size),
        max_waiting=queue,
    )


def _context(engine: "Engine", asked: int) -> int:
    longest = min(engine.max_tokens, engine.model.config.max_seq_len)
    if not 0 <= asked <= longest:
        raise ValueError(f"max_context is {asked}: the model and the cache have room for {longest} tokens")
    return asked or longest
