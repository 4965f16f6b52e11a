"""Gives every rank the first part of the bias."""

LOSES = {"column-parallel-linear-parts": 3}


def column_parallel_linear(x, weight_shards, bias_shards):
    pairs = zip(weight_shards, bias_shards, strict=True)
    return [x @ weight.T + bias_shards[0] for weight, _ in pairs]
