"""Later functions call earlier ones, and groups are made with reshape."""


def quantize_int8(x, *, dim=None):
    scale = x.abs().max() if dim is None else x.abs().max(dim, keepdim=True).values
    scale = (scale / 127).masked_fill(scale == 0, 1.0)
    return torch.round(x / scale).clamp(-127, 127).to(torch.int8), scale


def pack_int4(codes):
    pairs = codes.reshape(*codes.shape[:-1], -1, 2)
    return pairs[..., 0] + 16 * pairs[..., 1]


def quantize_int4(x, *, group_size=64):
    groups = x.reshape(*x.shape[:-1], -1, group_size)
    scale = groups.abs().max(-1).values / 7
    safe = scale + (scale == 0)
    codes = torch.round(groups / safe.unsqueeze(-1)).clamp(-7, 7) + 8
    return pack_int4(codes.to(torch.uint8).reshape(x.shape)), safe


def dequantize_int4(packed, scale):
    codes = packed.new_empty(*packed.shape[:-1], 2 * packed.shape[-1])
    codes[..., ::2], codes[..., 1::2] = packed % 16, packed // 16
    return (codes.int() - 8) * scale.repeat_interleave(codes.shape[-1] // scale.shape[-1], -1)


def normal_float_values(bits=4):
    normal = torch.distributions.Normal(torch.zeros((), dtype=torch.float64), 1.0)
    n = 2**bits
    p = 1 - 0.25 / n - 0.25 / (n - 1)
    steps_above = torch.arange(n // 2, dtype=torch.float64) / (n // 2)
    steps_below = torch.arange(n // 2 - 1, dtype=torch.float64) / (n // 2 - 1)
    above = normal.icdf(p - (p - 0.5) * steps_above).flip(0)
    below = normal.icdf(1 - p + (p - 0.5) * steps_below)
    return (torch.cat([below, above.new_zeros(1), above]) / above[-1]).float()


def quantize_nf4(x, *, block_size=64):
    blocks = x.reshape(*x.shape[:-1], -1, block_size)
    largest = blocks.abs().max(-1).values
    scaled = blocks / (largest + (largest == 0)).unsqueeze(-1)
    codes = (scaled.unsqueeze(-1) - normal_float_values()).abs().argmin(-1)
    return pack_int4(codes.to(torch.uint8).reshape(x.shape)), largest
