"""Leaves out the bias."""

LOSES = {"row-parallel-linear-bias": 2}


def row_parallel_linear(x_shards, weight_shards, bias, all_reduce):
    pairs = list(zip(x_shards, weight_shards, strict=True))
    return all_reduce([x @ weight.T for x, weight in pairs])
