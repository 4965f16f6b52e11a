"""Puts the parts side by side."""

LOSES = {"column-parallel-linear-parts": 3}


def column_parallel_linear(x, weight_shards, bias_shards):
    pairs = zip(weight_shards, bias_shards, strict=True)
    return torch.cat([x @ weight.T + bias for weight, bias in pairs], dim=-1)
