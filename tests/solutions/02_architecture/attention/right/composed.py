"""Each task uses the ones before it, as far as it can; the block is made of parameters and functions."""


def rms_norm(x, weight, *, eps=1e-6):
    return F.rms_norm(x.float(), x.shape[-1:], None, eps).mul(weight).type_as(x)


def expand_kv_heads(x, n_heads):
    times = n_heads // x.shape[1]
    return torch.stack([x] * times, dim=2).flatten(1, 2)


def attention_weights(q, k, *, causal=False, scale=None):
    products = torch.einsum("bhtd,bhsd->bhts", q, expand_kv_heads(k, q.shape[1]))
    products = products * scale if scale is not None else products / math.sqrt(q.size(-1))
    if causal:
        query = torch.arange(k.shape[2])[-q.shape[2] :]
        products = torch.where(torch.arange(k.shape[2]) <= query[:, None], products, torch.finfo(products.dtype).min)
    exponentials = (products - products.amax(-1, keepdim=True)).exp()
    return exponentials / exponentials.sum(-1, keepdim=True)


def swiglu(x, w1, w_gate, w2):
    both = F.linear(x, torch.cat([w1, w_gate]))
    up, gate = both.chunk(2, dim=-1)
    return (up * F.silu(gate)) @ w2.mT


class Block(nn.Module):
    def __init__(self, config, layer):
        super().__init__()
        self.config, self.layer = config, layer
        d, q, kv = config.d_model, config.n_heads * config.head_dim, config.n_kv_heads * config.head_dim
        shapes = {"attention": {"q": (q, d), "k": (kv, d), "v": (kv, d), "out": (d, q)}}
        shapes["feed_forward"] = {"w1": (config.d_ff, d), "w_gate": (config.d_ff, d), "w2": (d, config.d_ff)}
        for part, matrices in shapes.items():
            norm = nn.ParameterDict({"weight": torch.ones(d)})
            self.add_module(f"{part}_norm", norm)
            one = {name: nn.ParameterDict({"weight": torch.randn(shape) * 0.02}) for name, shape in matrices.items()}
            self.add_module(part, nn.ModuleDict(one))

    def forward(self, x, rotation):
        w = dict(self.named_parameters())
        h = rms_norm(x, w["attention_norm.weight"], eps=self.config.norm_eps)
        q, k, v = (
            F.linear(h, w[f"attention.{name}.weight"]).view(*x.shape[:2], -1, self.config.head_dim).movedim(2, 1)
            for name in ("q", "k", "v")
        )
        weights = attention_weights(rotate(q, *rotation), rotate(k, *rotation), causal=True)
        mixed = torch.einsum("bhts,bhsd->bthd", weights, expand_kv_heads(v, self.config.n_heads)).flatten(2)
        x = x + F.linear(mixed, w["attention.out.weight"])
        h = rms_norm(x, w["feed_forward_norm.weight"], eps=self.config.norm_eps)
        return x + swiglu(h, *(w[f"feed_forward.{name}.weight"] for name in ("w1", "w_gate", "w2")))
