"""Divides zeros by zero."""

LOSES = {"quantize-int8-zeros": 1}


def quantize_int8(x, *, dim=None):
    largest = x.abs().amax() if dim is None else x.abs().amax(dim, keepdim=True)
    scale = largest / 127
    return (x / scale).round().to(torch.int8), scale
