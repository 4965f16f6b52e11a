"""Spreads parameters at stage 2, and gradients at stage 3."""

LOSES = {"zero-memory-precision": 1}


def zero_memory(n_parameters, n_devices, stage, *, parameter_bytes=2, gradient_bytes=2, optimizer_bytes=12):
    optimizer = optimizer_bytes / n_devices if stage >= 1 else optimizer_bytes
    gradient = gradient_bytes / n_devices if stage >= 3 else gradient_bytes
    parameter = parameter_bytes / n_devices if stage >= 2 else parameter_bytes
    return n_parameters * (parameter + gradient + optimizer)
