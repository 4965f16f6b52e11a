"""Takes d_model / n_heads for head_dim."""

LOSES = {"block-parameters": 2, "block-attention": 3, "block-feed-forward": 2, "block-order": 1}


class Block(nn.Module):
    def __init__(self, config, layer):
        super().__init__()
        width, self.head_dim = config.d_model, config.d_model // config.n_heads
        q_width, kv_width = config.n_heads * self.head_dim, config.n_kv_heads * self.head_dim
        self.attention_norm = nn.RMSNorm(width, eps=config.norm_eps)
        self.attention = nn.Module()
        self.attention.q = nn.Linear(width, q_width, bias=False)
        self.attention.k = nn.Linear(width, kv_width, bias=False)
        self.attention.v = nn.Linear(width, kv_width, bias=False)
        self.attention.out = nn.Linear(q_width, width, bias=False)
        self.feed_forward_norm = nn.RMSNorm(width, eps=config.norm_eps)
        self.feed_forward = nn.Module()
        self.feed_forward.w1 = nn.Linear(width, config.d_ff, bias=False)
        self.feed_forward.w_gate = nn.Linear(width, config.d_ff, bias=False)
        self.feed_forward.w2 = nn.Linear(config.d_ff, width, bias=False)

    def heads(self, x):
        return x.unflatten(-1, (-1, self.head_dim)).transpose(1, 2)

    def forward(self, x, rotation):
        f = self.feed_forward
        normed = self.attention_norm(x)
        q, k, v = (
            self.heads(self.attention.q(normed)),
            self.heads(self.attention.k(normed)),
            self.heads(self.attention.v(normed)),
        )
        q, k = rotate(q, *rotation), rotate(k, *rotation)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        x = x + self.attention.out(mixed.transpose(1, 2).flatten(2))
        normed = self.feed_forward_norm(x)
        return x + f.w2(f.w1(normed) * F.silu(f.w_gate(normed)))
