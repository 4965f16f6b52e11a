"""Four processes, forked from one that has imported torch, each of which runs all cases: python ranks.py FOLDER."""

import os
import sys
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

from llmcourse.architecture import ModelConfig, Transformer
from llmcourse.pretraining import MicroBatch, NextToken, SingleProcess, Strategy, Trainer, TrainerConfig
from llmcourse.pretraining.parallelism import DataParallel, ring_all_reduce_

N_RANKS = 4
TEXT = torch.randint(32, (1000,), generator=torch.Generator().manual_seed(5)).cumsum(0) % 32


def train(strategy: Strategy | None = None, **options) -> dict:
    """Train for some steps; the weights that a process begins with depend on its rank, and should not matter."""
    torch.manual_seed(strategy.rank if strategy else 0)
    model = Transformer(ModelConfig(vocab_size=32, d_model=16, n_layers=2, n_heads=2))
    settings = {"total_steps": 8, "batch_size": 8, "seq_len": 8, "max_lr": 1e-2, "warmup_steps": 2} | options
    run = Trainer(model, TEXT, TrainerConfig(**settings), validation=TEXT[:200], strategy=strategy)
    steps = list(run.steps())
    return {
        "losses": [step.loss for step in steps],
        "norms": [step.gradient_norm for step in steps],
        "validation": steps[-1].validation_loss,
        "weights": torch.cat([parameter.detach().flatten() for parameter in run.model.parameters()]),
    }


def uneven(strategy: Strategy | None, rows: slice) -> dict:
    """Return loss and gradients of a batch of 8 rows whose later rows keep fewer labels, the last ones none."""
    torch.manual_seed(0)
    model = Transformer(ModelConfig(vocab_size=32, d_model=16, n_layers=1, n_heads=2))
    text = TEXT[: 8 * 9].view(8, 9)
    mask = torch.arange(8)[None] < torch.tensor([8, 8, 7, 5, 2, 1, 0, 0])[:, None]
    batch = MicroBatch(text[:, :-1], text[:, 1:], mask).rows(rows.start, rows.stop)
    strategy = strategy or SingleProcess()
    model = strategy.wrap(model)
    loss = strategy.backward(model, list(batch.split(1)), NextToken())
    return {"loss": float(loss), "gradients": torch.cat([p.grad.flatten() for p in model.parameters()])}


def rings(group) -> list[bool]:
    """Compare with the engine's own all-reduce, on sizes that divide, do not, and are fewer than ranks."""
    found = []
    for size in (0, 1, 3, 8, 1001):
        mine = torch.randn(size, generator=torch.Generator().manual_seed(dist.get_rank() * 100 + size))
        expected = mine.clone()
        dist.all_reduce(expected, group=group)
        found.append(torch.allclose(ring_all_reduce_(mine, group), expected, rtol=1e-5, atol=1e-6))
    return found


def cases(rank: int) -> dict:
    pairs = [dist.new_group([0, 1]), dist.new_group([2, 3])]
    found = {}
    for n, group in ((2, pairs[rank // 2]), (4, None)):
        strategy = DataParallel(group=group)
        share = 8 // n
        found[n] = {
            "ring": rings(group),
            "train": train(strategy),
            "micro": train(strategy, n_micro_batches=2),
            "uneven": uneven(strategy, slice(strategy.rank * share, (strategy.rank + 1) * share)),
            "any": [strategy.any(False), strategy.any(strategy.rank == n - 1)],
            "main": strategy.is_main,
        }
    return found


def dying(rank: int, folder: Path) -> None:
    """Let the last rank end without a word, and tell how the others fare."""
    if rank == N_RANKS - 1:
        os._exit(0)
    try:
        train(DataParallel())
    except RuntimeError as error:
        (folder / f"died-{rank}.txt").write_text(str(error))


def rank_main(rank: int, folder: Path) -> None:
    store = dist.FileStore(str(folder / "store"), N_RANKS)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=N_RANKS, timeout=timedelta(seconds=30))
    torch.save(cases(rank), folder / f"{rank}.pt")
    dying(rank, folder)


if __name__ == "__main__":
    torch.set_num_threads(1)
    where = Path(sys.argv[1])
    children = []
    for number in range(N_RANKS):
        if (child := os.fork()) == 0:
            code = 1
            try:
                rank_main(number, where)
                code = 0
            finally:
                sys.stderr.flush()
                os._exit(code)
        children.append(child)
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
