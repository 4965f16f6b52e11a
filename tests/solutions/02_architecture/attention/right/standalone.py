"""No function calls another one: loops over heads and rows, and attention written out in the block."""


def rms_norm(x, weight, *, eps=1e-6):
    wide = x.double()
    length = torch.linalg.vector_norm(wide, dim=-1, keepdim=True)
    return (wide / torch.sqrt(length**2 / x.shape[-1] + eps) * weight).to(x.dtype)


def expand_kv_heads(x, n_heads):
    batch, heads, length, width = x.shape
    return x[:, :, None].expand(batch, heads, n_heads // heads, length, width).reshape(batch, n_heads, length, width)


def attention_weights(q, k, *, causal=False, scale=None):
    if scale is None:
        scale = q.shape[-1] ** -0.5
    rows = []
    for head in range(q.shape[1]):
        keys = k[:, head * k.shape[1] // q.shape[1]]
        weights = []
        for t in range(q.shape[2]):
            seen = k.shape[2] - q.shape[2] + t + 1 if causal else k.shape[2]
            scores = torch.einsum("bd,bsd->bs", q[:, head, t], keys[:, :seen]) * scale
            weights.append(F.pad(scores.softmax(-1), (0, k.shape[2] - seen)))
        rows.append(torch.stack(weights, dim=1))
    return torch.stack(rows, dim=1)


def swiglu(x, w1, w_gate, w2):
    gate = torch.einsum("...d,fd->...f", x, w_gate)
    return torch.einsum("...f,df->...d", torch.einsum("...d,fd->...f", x, w1) * gate * torch.sigmoid(gate), w2)


class Layer(nn.Module):
    """Matrices by name, under a name of their own."""

    def __init__(self, **shapes):
        super().__init__()
        for name, (outputs, inputs) in shapes.items():
            self.add_module(name, nn.Linear(inputs, outputs, bias=False))


class Norm(nn.Module):
    def __init__(self, width, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(width)), eps

    def forward(self, x):
        return x / (x.pow(2).mean(-1, keepdim=True) + self.eps) ** 0.5 * self.weight


class Block(nn.Module):
    def __init__(self, config, layer):
        super().__init__()
        self.config, d = config, config.d_model
        queries, keys = config.n_heads * config.head_dim, config.n_kv_heads * config.head_dim
        self.attention_norm, self.feed_forward_norm = Norm(d, config.norm_eps), Norm(d, config.norm_eps)
        self.attention = Layer(q=(queries, d), k=(keys, d), v=(keys, d), out=(d, queries))
        self.feed_forward = Layer(w1=(config.d_ff, d), w_gate=(config.d_ff, d), w2=(d, config.d_ff))

    def attend(self, x, rotation):
        config, found = self.config, []
        queries = self.attention.q(x).split(config.head_dim, dim=-1)
        keys, values = (layer(x).split(config.head_dim, dim=-1) for layer in (self.attention.k, self.attention.v))
        for head, q in enumerate(queries):
            shared = head * config.n_kv_heads // config.n_heads
            scores = rotate(q, *rotation) @ rotate(keys[shared], *rotation).mT / math.sqrt(config.head_dim)
            later = torch.full_like(scores, float("-inf")).triu(1)
            found.append((scores + later).softmax(-1) @ values[shared])
        return self.attention.out(torch.cat(found, dim=-1))

    def forward(self, x, rotation):
        x = x + self.attend(self.attention_norm(x), rotation)
        h = self.feed_forward_norm(x)
        gate = self.feed_forward.w_gate(h)
        return x + self.feed_forward.w2(self.feed_forward.w1(h) * (gate * gate.sigmoid()))
