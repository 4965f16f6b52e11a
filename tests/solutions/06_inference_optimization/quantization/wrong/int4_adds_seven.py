"""Adds 7, so that 0 is stored as 7."""

LOSES = {"quantize-int4-codes": 2}


def quantize_int4(x, *, group_size=64):
    groups = x.unflatten(-1, (-1, group_size))
    largest = groups.abs().amax(-1)
    scale = torch.where(largest == 0, torch.ones_like(largest), largest / 7)
    codes = ((groups / scale[..., None]).round() + 7).to(torch.uint8).flatten(-2)
    return codes[..., ::2] | (codes[..., 1::2] << 4), scale
