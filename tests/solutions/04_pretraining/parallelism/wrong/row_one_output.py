"""Returns one output in place of each rank's."""

LOSES = {"row-parallel-linear-sum": 2, "row-parallel-linear-bias": 2}


def row_parallel_linear(x_shards, weight_shards, bias, all_reduce):
    pairs = list(zip(x_shards, weight_shards, strict=True))
    return sum(x @ weight.T for x, weight in pairs) + bias
