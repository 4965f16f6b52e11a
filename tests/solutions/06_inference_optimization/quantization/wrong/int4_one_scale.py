"""Has one scale for each row."""

LOSES = {"quantize-int4-scales": 2, "quantize-int4-codes": 2}


def quantize_int4(x, *, group_size=64):
    largest = x.abs().amax(-1, keepdim=True)
    scale = torch.where(largest == 0, torch.ones_like(largest), largest / 7)
    codes = ((x / scale).round() + 8).to(torch.uint8)
    return codes[..., ::2] | (codes[..., 1::2] << 4), scale
