"""Ignores the bytes that are given."""

LOSES = {"zero-memory-precision": 1}


def zero_memory(n_parameters, n_devices, stage, *, parameter_bytes=2, gradient_bytes=2, optimizer_bytes=12):
    parts = {0: 16, 1: 4 + 12 / n_devices, 2: 2 + 14 / n_devices, 3: 16 / n_devices}
    return n_parameters * parts[stage]
