"""Takes dim for the one that keeps a scale each, and shares over all others."""

LOSES = {"quantize-int8-dim": 2, "quantize-int8-zeros": 1}


def quantize_int8(x, *, dim=None):
    largest = (
        x.abs().amax() if dim is None else x.abs().amax([d for d in range(x.ndim) if d != dim % x.ndim], keepdim=True)
    )
    scale = torch.where(largest == 0, torch.ones_like(largest), largest / 127)
    return (x / scale).round().to(torch.int8), scale
