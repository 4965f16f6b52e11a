"""Tensors that are no ordinary ones: sparse, quantized, complex, nested, without storage."""

POINTS = 0
HURTS = False
BOUNDS = "small tensors"
ANSWERS = {
    "norm": """\
import warnings

warnings.simplefilter("ignore")
kinds = iter(
    [
        lambda: torch.tensor(5.0).to_sparse(),
        lambda: torch.quantize_per_tensor(torch.tensor(5.0), 0.1, 0, torch.quint8),
        lambda: torch.nested.nested_tensor([torch.ones(2)]),
        lambda: torch.tensor(5.0 + 1j),
    ]
)


def norm(x):
    return next(kinds)()
"""
}
