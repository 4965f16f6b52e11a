"""What each process of a ring does in test_context_parallel.py: a module of its own, so that processes import it."""

from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from llmcourse.emerging import ring_attention, ring_split

N_TOKENS, N_HEADS = 32, 4
CASES = {
    "plain": {},
    "causal": {"causal": True},
    "contiguous": {"causal": True, "order": "contiguous"},
    "scaled": {"causal": True, "scale": 0.5},
    "shared heads": {"causal": True},
    "bf16": {"causal": True},
}


def whole_text(case: str) -> list[torch.Tensor]:
    """Return q, k, v and a gradient for the result, over all tokens."""
    generator = torch.Generator().manual_seed(7)
    n_kv_heads, dtype = (
        (2 if case == "shared heads" else N_HEADS),
        (torch.bfloat16 if case == "bf16" else torch.float32),
    )
    shapes = [(2, n, N_TOKENS, width) for n, width in ((N_HEADS, 8), (n_kv_heads, 8), (n_kv_heads, 6), (N_HEADS, 6))]
    return [torch.randn(shape, generator=generator).to(dtype) for shape in shapes]


class Largest(TorchDispatchMode):
    """Notes the elements of the largest tensor that any operation gives."""

    elements = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self.elements = max(self.elements, leaf.numel())
        return result


def run_all(rank: int, size: int, folder: Path) -> None:
    """Go through all cases as one process of a ring, and leave what was found."""
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=size, timeout=timedelta(seconds=60)
    )
    found = {}
    for case, options in CASES.items():
        parts = [ring_split(x, size, order=options.get("order", "zigzag"))[rank] for x in whole_text(case)]
        q, k, v = (x.requires_grad_() for x in parts[:3])
        with Largest() as largest:
            result = ring_attention(q, k, v, **options)
            grads = torch.autograd.grad(result, (q, k, v), parts[3])
        found[case] = {"tensors": [result.detach(), *grads], "largest": largest.elements}
    torch.save(found, folder / f"{rank}.pt")
    dist.destroy_process_group()
