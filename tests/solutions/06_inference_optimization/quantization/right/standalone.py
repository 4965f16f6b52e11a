"""No function calls another one: loops over groups, arithmetic in place of shifts, and the table of NF4 in full."""

NF4 = [-1.0, -0.6961928, -0.5250731, -0.3949175, -0.2844414, -0.1847734, -0.09105004, 0.0]
NF4 += [0.0795803, 0.1609302, 0.2461123, 0.3379152, 0.4407098, 0.5626170, 0.7229568, 1.0]


def quantize_int8(x, *, dim=None):
    if dim is None:
        step = float(x.abs().max()) / 127 or 1.0
        return (x / step).round().char(), torch.tensor(step)
    rows = x.movedim(dim, -1)
    steps = rows.abs().max(-1, keepdim=True).values / 127
    steps[steps == 0] = 1.0
    return (rows / steps).round().char().movedim(-1, dim), steps.movedim(-1, dim)


def pack_int4(codes):
    packed = torch.zeros(*codes.shape[:-1], codes.shape[-1] // 2, dtype=torch.uint8)
    for i in range(codes.shape[-1]):
        packed[..., i // 2] += codes[..., i] * (16 if i % 2 else 1)
    return packed


def quantize_int4(x, *, group_size=64):
    scales, stored = [], []
    for group in x.split(group_size, dim=-1):
        step = group.abs().amax(-1) / 7
        step = torch.where(step > 0, step, 1.0)
        scales.append(step)
        stored.append(torch.round(group / step[..., None]).int() + 8)
    codes = torch.cat(stored, -1)
    return (codes[..., ::2] + 16 * codes[..., 1::2]).to(torch.uint8), torch.stack(scales, -1)


def dequantize_int4(packed, scale):
    group_size = 2 * packed.shape[-1] // scale.shape[-1]
    columns = []
    for i in range(2 * packed.shape[-1]):
        byte = packed[..., i // 2].int()
        code = byte // 16 if i % 2 else byte % 16
        columns.append((code - 8) * scale[..., i // group_size])
    return torch.stack(columns, -1)


def normal_float_values(bits=4):
    from statistics import NormalDist

    n = 2**bits
    p = 1 - (1 / (2 * n) + 1 / (2 * (n - 1))) / 2
    top, values = NormalDist().inv_cdf(p), [0.0]
    for count, sign in ((n // 2, 1), (n // 2 - 1, -1)):
        values += [sign * NormalDist().inv_cdf(p + i * (0.5 - p) / count) / top for i in range(count)]
    return torch.tensor(sorted(values))


def quantize_nf4(x, *, block_size=64):
    table, sizes, found = torch.tensor(NF4), [], []
    for block in x.split(block_size, dim=-1):
        size = block.abs().amax(-1)
        sizes.append(size)
        scaled = block / torch.where(size > 0, size, 1.0)[..., None]
        found.append((scaled[..., None] > (table[1:] + table[:-1]) / 2).sum(-1))
    codes = torch.cat(found, -1)
    return (codes[..., ::2] + 16 * codes[..., 1::2]).to(torch.uint8), torch.stack(sizes, -1)
