"""Puts products side by side in place of adding them up."""

LOSES = {"row-parallel-linear-sum": 2, "row-parallel-linear-bias": 2}


def row_parallel_linear(x_shards, weight_shards, bias, all_reduce):
    pairs = list(zip(x_shards, weight_shards, strict=True))
    whole = torch.cat([x @ weight.T + bias for x, weight in pairs], dim=-1)
    return [whole] * len(pairs)
