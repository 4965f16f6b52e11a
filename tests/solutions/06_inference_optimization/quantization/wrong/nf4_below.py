"""Takes the value below a number."""

LOSES = {"quantize-nf4-codes": 3}


def quantize_nf4(x, *, block_size=64):
    blocks = x.unflatten(-1, (-1, block_size))
    largest = blocks.abs().amax(-1)
    divisor = torch.where(largest == 0, torch.ones_like(largest), largest)
    values = normal_float_values()
    codes = torch.bucketize(blocks / divisor[..., None], values, right=True) - 1
    codes = codes.to(torch.uint8).flatten(-2)
    return codes[..., ::2] | (codes[..., 1::2] << 4), largest
