"""Explicit rotation matrices and permutation matrices; the last tasks turn by differences."""


def rope_frequencies(head_dim, *, theta=10000.0):
    return torch.tensor([1.0 / math.pow(theta, 2 * i / head_dim) for i in range(head_dim // 2)])


def apply_rope(x, positions, *, theta=10000.0, pairing="interleaved"):
    head_dim = x.shape[-1]
    frequencies = rope_frequencies(head_dim, theta=theta)
    rows = positions.expand(x.shape[0], x.shape[2])
    matrices = torch.zeros(*rows.shape, head_dim, head_dim)
    for i in range(head_dim // 2):
        a, b = (i, i + head_dim // 2) if pairing == "half" else (2 * i, 2 * i + 1)
        angle = rows.float() * frequencies[i]
        matrices[..., a, a] = matrices[..., b, b] = angle.cos()
        matrices[..., b, a] = angle.sin()
        matrices[..., a, b] = -matrices[..., b, a]
    return torch.einsum("btij,bhtj->bhti", matrices, x.float()).to(x.dtype)


def convert_pairing(weight, head_dim, *, to):
    permutation = torch.zeros(head_dim, head_dim)
    for pair in range(head_dim // 2):
        permutation[pair, 2 * pair] = permutation[head_dim // 2 + pair, 2 * pair + 1] = 1.0
    if to == "interleaved":
        permutation = permutation.T
    return torch.cat([permutation @ head for head in weight.split(head_dim)])


def cached_scores(q, k, cached_keys, rotate):
    n_new = q.shape[2]
    stay = torch.arange(n_new)
    # The cache is moved back in place of moving the new tokens on: distances are the same.
    moved = rotate(cached_keys, torch.full((cached_keys.shape[2],), -cached_keys.shape[2]))
    keys = torch.cat([moved, rotate(k, stay)], dim=2)
    return torch.einsum("bhtd,bhsd->bhts", rotate(q, stay), keys).div(math.sqrt(q.shape[3]))


def drop_oldest(cached_keys, n, rotate):
    for _ in range(n):
        cached_keys = rotate(cached_keys[:, :, 1:], -torch.ones(cached_keys.shape[2] - 1))
    return cached_keys.clone()
