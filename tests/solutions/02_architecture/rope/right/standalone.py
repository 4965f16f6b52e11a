"""Five functions that do not call each other: complex numbers, index lists, and scores row by row."""


def rope_frequencies(head_dim, *, theta=10000.0):
    return torch.exp(torch.arange(0, head_dim, 2) * (-math.log(theta) / head_dim))


def apply_rope(x, positions, *, theta=10000.0, pairing="interleaved"):
    pairs = x.shape[-1] // 2
    angles = torch.einsum("...t,p->...tp", positions.float(), theta ** (-torch.arange(pairs) / pairs))
    turn = torch.polar(torch.ones_like(angles), angles).reshape(-1, 1, *angles.shape[-2:])
    if pairing == "interleaved":
        z = torch.view_as_complex(x.float().unflatten(-1, (pairs, 2)).contiguous()) * turn
        return torch.view_as_real(z).flatten(-2).to(x.dtype)
    z = torch.complex(x[..., :pairs].float(), x[..., pairs:].float()) * turn
    return torch.cat([z.real, z.imag], dim=-1).type_as(x)


def convert_pairing(weight, head_dim, *, to):
    half = head_dim // 2
    rows = []
    for head in range(0, len(weight), head_dim):
        if to == "half":
            rows += [*range(head, head + head_dim, 2), *range(head + 1, head + head_dim, 2)]
        else:
            for pair in range(half):
                rows += [head + pair, head + half + pair]
    return weight[rows]


def cached_scores(q, k, cached_keys, rotate):
    scores = []
    for b in range(q.shape[0]):
        for t in range(q.shape[2]):
            at = torch.tensor([cached_keys.shape[2] + t])
            scores.append(rotate(q[b : b + 1, :, t : t + 1], at))
            cached = rotate(k[b : b + 1, :, t : t + 1], at)
            keys = cached if t == 0 else torch.cat([keys, cached], dim=2)
        everything = torch.cat([cached_keys[b : b + 1], keys], dim=2)
        scores[b:] = [torch.cat(scores[b:], dim=2) @ everything.mT * q.shape[-1] ** -0.5]
    return torch.cat(scores)


def drop_oldest(cached_keys, n, rotate):
    moved = rotate(cached_keys, torch.full(cached_keys.shape[2:3], -n))
    return moved.narrow(2, n, cached_keys.shape[2] - n)
