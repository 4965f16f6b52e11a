"""Answers that are copied from the visible tests: they fail on inputs that are drawn when grading."""

LOSES = {
    "column-parallel-linear-parts": 3,
    "bubble-fraction-values": 2,
    "zero-memory-stages": 3,
    "zero-memory-precision": 1,
}


def column_parallel_linear(x, weight_shards, bias_shards):
    return [torch.tensor([[11.0, 25.0]]), torch.tensor([[32.0, 46.0]])]


def bubble_fraction(n_stages, n_microbatches):
    return 0.0 if n_stages == 1 else 3 / 9


def zero_memory(n_parameters, n_devices, stage, *, parameter_bytes=2, gradient_bytes=2, optimizer_bytes=12):
    return 11.0 if n_parameters == 1 else [160.0, 70.0, 55.0, 40.0][stage]
