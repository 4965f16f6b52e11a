"""Has one scale, whatever dim says."""

LOSES = {"quantize-int8-dim": 2, "quantize-int8-zeros": 1}


def quantize_int8(x, *, dim=None):
    largest = x.abs().amax()
    scale = torch.where(largest == 0, torch.ones_like(largest), largest / 127)
    return (x / scale).round().to(torch.int8), scale
