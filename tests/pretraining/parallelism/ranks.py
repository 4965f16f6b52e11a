"""Four processes, forked from one that has imported torch, each of which runs a case: python ranks.py FOLDER CASE."""

import os
import shutil
import sys
import time
import traceback
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch.distributed.tensor.debug import CommDebugMode
from watched import bytes_of, held_by, kept_by_autograd, norms_as_on_a_gpu, sent_bytes

from llmcourse.architecture import LatentAttentionConfig, ModelConfig, Transformer
from llmcourse.pretraining import (
    AdamW,
    MicroBatch,
    NextToken,
    SingleProcess,
    Strategy,
    Trainer,
    TrainerConfig,
    checkpoint_activations,
)
from llmcourse.pretraining.parallelism import (
    DataParallel,
    Pipeline,
    TensorParallel,
    TorchDDP,
    TorchFSDP,
    TorchPipeline,
    TorchTensorParallel,
    Zero,
    ring_all_reduce_,
    sharded_parameter,
)
from llmcourse.pretraining.parallelism.processes import _is_lost

N_RANKS = 4
TEXT = torch.randint(32, (1000,), generator=torch.Generator().manual_seed(5)).cumsum(0) % 32
# All that a strategy has to get right: grouped heads, biases, norms within heads.
FULL = {
    "vocab_size": 32, "d_model": 16, "n_layers": 2, "n_heads": 8, "n_kv_heads": 4, "head_dim": 4,
    "qkv_bias": True, "output_bias": True, "qk_norm": True,
}  # fmt: skip


def train(strategy: Strategy | None = None, *, folder: Path | None = None, stop_after: int = 0, **options) -> dict:
    """Train for 5 steps; the weights that a process begins with depend on its rank, and should not matter."""
    torch.manual_seed(strategy.rank if strategy else 0)
    settings = {
        "total_steps": 5, "batch_size": 8, "seq_len": 8, "max_lr": 1e-2, "warmup_steps": 2, "max_norm": 0.5,
        "n_micro_batches": 2,
    }  # fmt: skip
    sizes = FULL | {name: options.pop(name) for name in list(options) if name in ModelConfig.__dataclass_fields__}
    run = Trainer(
        Transformer(ModelConfig(**sizes)), TEXT, TrainerConfig(**settings | options),
        validation=TEXT[:200], folder=folder, strategy=strategy,
    )  # fmt: skip
    run.resume()
    steps = []
    for step in run.steps():
        steps.append(step)
        if step.number == stop_after:
            run.stop()
    state = run.strategy.state_dict(run.model, run.optimizer)
    return {
        "losses": [step.loss for step in steps],
        "norms": [step.gradient_norm for step in steps],
        "validation": steps[-1].validation_loss,
        "weights": state.get("model", {}),
        "kept": sum(parameter.numel() for parameter in run.model.parameters()),
    }


def uneven(strategy: Strategy | None, rows: slice) -> dict:
    """Return the loss of a batch of 8 rows whose later rows keep fewer labels, the last none, and the clipped norm."""
    torch.manual_seed(0)
    model = Transformer(ModelConfig(**FULL | {"n_layers": 4}))
    text = TEXT[: 8 * 9].view(8, 9)
    mask = torch.arange(8)[None] < torch.tensor([8, 8, 7, 5, 2, 1, 0, 0])[:, None]
    documents = torch.arange(8)[None].expand(8, 8) // 3
    batch = MicroBatch(text[:, :-1], text[:, 1:], mask, documents).rows(rows.start, rows.stop)
    strategy = strategy or SingleProcess()
    model = strategy.wrap(model)
    loss = strategy.backward(model, list(batch.split(min(4, len(batch.inputs)))), NextToken(z_weight=1e-3), scale=2.0)
    return {"loss": float(loss), "norms": [float(strategy.clip(model, 0.1)) for _ in range(2)]}


def whole_story(make, folder: Path, **options) -> dict:
    """Run what every strategy has to do, on 2 and on 4 processes, beside the checkpoint of one process."""
    rank = dist.get_rank()
    pairs = [dist.new_group([0, 1]), dist.new_group([2, 3])]
    found = {}
    for n, group in ((2, pairs[rank // 2]), (4, None)):
        strategy = make(group)
        own, other = folder / f"own-{n}-{rank // n}", folder / f"other-{n}-{rank // n}"
        if strategy.is_main:
            shutil.copytree(folder / "one", other)
        strategy.any(False)  # the others wait for the copy
        share = 8 // strategy.data_size
        found[n] = {
            "train": train(strategy, **options),
            "stopped": train(strategy, folder=own, stop_after=2, **options),
            "resumed": train(strategy, folder=other, **options),
            "uneven": uneven(strategy, slice(strategy.data_rank * share, (strategy.data_rank + 1) * share)),
            "any": [strategy.any(False), strategy.any(strategy.rank == n - 1)],
            "main": strategy.is_main,
        }
    return found


def rings() -> list[bool]:
    """Compare with the engine's own all-reduce, on sizes that divide, do not, and are fewer than ranks."""
    found = []
    for size in (0, 1, 3, 8, 1001):
        mine = torch.randn(size, generator=torch.Generator().manual_seed(dist.get_rank() * 100 + size))
        expected = mine.clone()
        dist.all_reduce(expected)
        found.append(torch.allclose(ring_all_reduce_(mine), expected, rtol=1e-5, atol=1e-6))
    return found


def refused(strategy: Strategy, **sizes) -> str:
    try:
        strategy.wrap(Transformer(ModelConfig(**FULL | sizes)))
    except ValueError as error:
        return str(error)
    return "not refused"


def data(folder: Path) -> dict:
    return {"ring": rings()} | whole_story(lambda group: DataParallel(group=group), folder)


def tensor(folder: Path) -> dict:
    strategy = TensorParallel()
    latent = LatentAttentionConfig(kv_rank=4, nope_head_dim=4, rope_head_dim=4, value_head_dim=4)
    plain = {"head_dim": None, "n_kv_heads": None, "qkv_bias": False, "output_bias": False, "qk_norm": False}
    return whole_story(lambda group: TensorParallel(group=group), folder) | {
        "gelu": train(strategy, feed_forward="gelu", tie_embeddings=True),
        "refused": [
            refused(strategy, n_kv_heads=2),
            refused(strategy, d_ff=30),
            refused(strategy, latent=latent, **plain),
        ],
    }


def sent(stage: int) -> dict[str, int]:
    """Count the numbers that a step with one micro-batch gathers and scatters, after a step has changed the weights."""
    found = {"gathered": 0, "scattered": 0}

    def counting(collective, key):
        def count(output, given, group=None):
            found[key] += max(output.numel(), given.numel())
            return collective(output, given, group=group)

        return count

    gather, scatter = sharded_parameter._all_gather, sharded_parameter._reduce_scatter
    strategy = Zero(stage)
    model = strategy.wrap(Transformer(ModelConfig(**FULL)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    batch = MicroBatch(TEXT[:64].view(8, 8), TEXT[1:65].view(8, 8))
    for _ in range(2):
        optimizer.zero_grad()
        try:
            sharded_parameter._all_gather = counting(gather, "gathered")
            sharded_parameter._reduce_scatter = counting(scatter, "scattered")
            found.update(gathered=0, scattered=0)
            strategy.backward(model, [batch], NextToken())
        finally:
            sharded_parameter._all_gather, sharded_parameter._reduce_scatter = gather, scatter
        optimizer.step()
    return found


def held(stage: int) -> dict[str, list[int]]:
    """Count the numbers kept while the second micro-batch begins: of weights, and of gradients."""
    found = {"weights": [], "gradients": []}

    class Watching(NextToken):
        def __call__(self, whole, batch):
            tensors = [*whole.parameters(), *model.parameters()]
            for key, kept in (("weights", tensors), ("gradients", [t.grad for t in tensors if t.grad is not None])):
                storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage() for tensor in kept}
                found[key].append(sum(storage.nbytes() // 4 for storage in storages.values() if storage.nbytes()))
            return super().__call__(whole, batch)

    strategy = Zero(stage)
    model = strategy.wrap(Transformer(ModelConfig(**FULL)))
    strategy.backward(model, list(MicroBatch(TEXT[:64].view(8, 8), TEXT[1:65].view(8, 8)).split(2)), Watching())
    return found


def zero(stage: int):
    def case(folder: Path) -> dict:
        story = whole_story(lambda group: Zero(stage, group=group), folder)
        return story | {"sent": sent(stage), "held": held(stage), "odd": losses_of(Zero(stage), odd_model())}

    return case


def odd_model() -> Transformer:
    """Return one with sizes that processes do not divide, and with tied embeddings."""
    torch.manual_seed(0)
    return Transformer(ModelConfig(vocab_size=33, d_model=6, n_layers=2, n_heads=3, d_ff=5, tie_embeddings=True))


def losses_of(strategy: Strategy, model: Transformer) -> dict:
    """Train with checkpointed activations and a frozen parameter."""
    checkpoint_activations(model)
    model.norm.weight.requires_grad_(False)
    model = strategy.wrap(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    batch = MicroBatch(TEXT[:64].view(8, 8), TEXT[1:65].view(8, 8))
    share = 8 // strategy.data_size
    own = batch.rows(strategy.data_rank * share, (strategy.data_rank + 1) * share)
    losses = []
    for _ in range(4):
        optimizer.zero_grad()
        losses.append(float(strategy.backward(model, [own], NextToken())))
        strategy.clip(model, 0.5)
        optimizer.step()
    weights = strategy.state_dict(model, optimizer)["model"]
    return {"losses": losses, "total": float(sum(weight.double().sum() for weight in weights.values()))}


def live(strategy: Strategy, n_microbatches: int) -> int:
    """Return the most bytes of activations that autograd keeps at one time in a step."""
    kept, most = 0, 0

    class Saved:
        def __init__(self, tensor):
            nonlocal kept, most
            self.tensor = tensor
            # Weights are kept anyway, and the loss's own tensors are the same for all micro-batches' sizes.
            self.nbytes = 0 if tensor.is_leaf else tensor.nbytes
            kept += self.nbytes
            most = max(most, kept)

        def __del__(self):
            nonlocal kept
            kept -= self.nbytes

    model = strategy.wrap(Transformer(ModelConfig(**FULL | {"n_layers": 4})))
    batches = [MicroBatch(TEXT[:16].view(2, 8), TEXT[1:17].view(2, 8))] * n_microbatches
    with torch.autograd.graph.saved_tensors_hooks(Saved, lambda saved: saved.tensor):
        strategy.backward(model, batches, NextToken())
    return most


def pipeline(schedule: str):
    def case(folder: Path) -> dict:
        story = whole_story(lambda group: Pipeline(schedule, group=group), folder, n_layers=4, n_micro_batches=4)
        strategy = Pipeline(schedule)
        return story | {
            "live": [live(strategy, m) for m in (1, 2, 6)],
            "odd": train(strategy, n_layers=5, position_embedding="learned", norm="layer", precision="bf16"),
            "refused": [refused(strategy, n_layers=3), refused(strategy, tie_embeddings=True, n_layers=4)],
        }

    return case


def ddp(folder: Path) -> dict:
    return whole_story(lambda group: TorchDDP(group=group), folder)


def fsdp(folder: Path) -> dict:
    return whole_story(lambda group: TorchFSDP(group=group), folder) | {"odd": losses_of(TorchFSDP(), odd_model())}


def dtensor(folder: Path) -> dict:
    strategy = TorchTensorParallel()
    return whole_story(lambda group: TorchTensorParallel(group=group), folder) | {
        "gelu": train(strategy, feed_forward="gelu", tie_embeddings=True),
        "refused": refused(strategy, n_kv_heads=2),
        "sums": sums(strategy),
    }


def sums(strategy: Strategy) -> int:
    """Count the engine's all-reduces in a forward and a backward pass."""
    model = strategy.wrap(Transformer(ModelConfig(**FULL)))
    batch = MicroBatch(TEXT[:16].view(2, 8), TEXT[1:17].view(2, 8))
    with CommDebugMode() as counted:
        NextToken()(model, batch).backward()
    return sum(n for kind, n in counted.get_comm_counts().items() if "all_reduce" in str(kind))


def too_few(strategy: Strategy) -> str:
    try:
        train(strategy, n_layers=4, n_micro_batches=2)
    except ValueError as error:
        return str(error)
    return "not refused"


def torch_pipeline(schedule: str):
    def case(folder: Path) -> dict:
        return whole_story(
            lambda group: TorchPipeline(schedule, group=group), folder, n_layers=4, n_micro_batches=4
        ) | {
            "odd": train(TorchPipeline(schedule), n_layers=5, precision="bf16", n_micro_batches=4),
            "few": too_few(TorchPipeline(schedule)),
        }

    return case


PLANNED = {
    "data": DataParallel,
    "zero1": lambda **options: Zero(1, **options),
    "zero2": lambda **options: Zero(2, **options),
    "zero3": lambda **options: Zero(3, **options),
    "tensor": TensorParallel,
    "pipeline": Pipeline,
    "gpipe": lambda **options: Pipeline("gpipe", **options),
}
# Sizes that processes divide, so that nothing is filled up; no QK-norm, whose gains' gradients no plan counts.
PLAIN = FULL | {"n_layers": 4, "qk_norm": False, "n_heads": 4, "d_ff": 48}


def measured(strategy: Strategy, precision: str) -> dict:
    """Count bytes in a step with 4 micro-batches, the second, so that weights have changed and averages are there."""
    model = strategy.wrap(Transformer(ModelConfig(**PLAIN)))
    optimizer = AdamW(model.parameters(), lr=1e-3)
    rows = 16 // strategy.data_size
    whole = MicroBatch(*(TEXT[i : i + 128].view(16, 8)[:rows] for i in (0, 1)))
    parts = [MicroBatch(part.inputs.clone(), part.labels.clone()) for part in whole.split(4)]  # each its own storage
    gradients, gathered = [], []

    class Watching(NextToken):
        def __call__(self, *args):
            gradients.append(bytes_of(p.grad for p in held_by(model) if p.grad is not None))
            return super().__call__(*args)

    for block in getattr(model.__dict__.get("whole"), "blocks", ()):
        block.feed_forward.register_forward_hook(lambda *_: gathered.append(bytes_of(held_by(model))))
    held = held_by(model)  # to go through all modules at each tensor that is kept would take most of the time
    for _ in range(2):
        optimizer.zero_grad(set_to_none=True)
        with sent_bytes(strategy.world_size) as sent, kept_by_autograd(lambda: held) as kept:
            strategy.backward(model, parts, Watching(precision=precision))
        gradients.append(bytes_of(p.grad for p in held_by(model) if p.grad is not None))
        optimizer.step()
    states = [state[key] for state in optimizer.state.values() for key in ("exp_avg", "exp_avg_sq")]
    parameters = bytes_of(held_by(model))
    return {
        "parameters": parameters,
        "gathered": max(gathered, default=parameters) - parameters,
        "gradients": max(gradients),
        "optimizer": bytes_of(states),
        "kept": kept["most"],
        "sent": sent["sent"],
    }


def planned(folder: Path) -> dict:
    pairs = [dist.new_group([0, 1]), dist.new_group([2, 3])]
    with norms_as_on_a_gpu():
        return {
            f"{name}-{n}-{precision}": measured(make(group=group), precision)
            for name, make in PLANNED.items()
            for n, group in ((2, pairs[dist.get_rank() // 2]), (4, None))
            for precision in ("fp32", "bf16")
        }


def dying(make):
    def case(folder: Path) -> dict:
        """Let the last rank end without a word in the middle of a run, and tell how the others fare."""
        strategy, begun = make(), time.monotonic()
        asking, asked = strategy.any, []

        def answer(flag: bool) -> bool:  # the trainer asks before each step
            asked.append(flag)
            return asking(flag) if len(asked) == 1 else os._exit(0)

        if dist.get_rank() == N_RANKS - 1:
            strategy.any = answer
        try:
            train(strategy, n_layers=4)
        except RuntimeError as error:
            return {"error": str(error), "lost": _is_lost(error), "seconds": time.monotonic() - begun}
        return {}

    return case


def silent(folder: Path) -> dict:
    """Let the last rank fall silent, and tell when the others have waited enough."""
    group = dist.new_group(timeout=timedelta(seconds=2))
    strategy, begun = DataParallel(group=group), time.monotonic()
    if dist.get_rank() == N_RANKS - 1:
        time.sleep(6)
        return {}
    try:
        train(strategy)
    except RuntimeError as error:
        return {"error": str(error), "lost": _is_lost(error), "seconds": time.monotonic() - begun}
    return {}


CASES = {
    "data": data,
    "tensor": tensor,
    "zero1": zero(1),
    "zero2": zero(2),
    "zero3": zero(3),
    "gpipe": pipeline("gpipe"),
    "1f1b": pipeline("1f1b"),
    "ddp": ddp,
    "fsdp": fsdp,
    "dtensor": dtensor,
    "torch_gpipe": torch_pipeline("gpipe"),
    "torch_1f1b": torch_pipeline("1f1b"),
    "silent": silent,
    "planned": planned,
    "dying-data": dying(DataParallel),
    "dying-zero3": dying(lambda: Zero(3)),
    "dying-tensor": dying(TensorParallel),
    "dying-pipeline": dying(Pipeline),
}


def rank_main(rank: int, folder: Path, case: str) -> None:
    store = dist.FileStore(str(folder / "store"), N_RANKS)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=N_RANKS, timeout=timedelta(seconds=30))
    torch.save(CASES[case](folder), folder / f"{rank}.pt")


if __name__ == "__main__":
    torch.set_num_threads(1)
    where, chosen = Path(sys.argv[1]), sys.argv[2]
    children = []
    for number in range(N_RANKS):
        if (child := os.fork()) == 0:
            code = 1
            try:
                rank_main(number, where, chosen)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        children.append(child)
    sys.exit(max(abs(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])) for child in children))
