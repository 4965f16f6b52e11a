"""Takes 4 bytes for weights and gradients, and counts the master copy as well."""

LOSES = {"zero-memory-stages": 3}


def zero_memory(n_parameters, n_devices, stage, *, parameter_bytes=4, gradient_bytes=4, optimizer_bytes=12):
    optimizer = optimizer_bytes / n_devices if stage >= 1 else optimizer_bytes
    gradient = gradient_bytes / n_devices if stage >= 2 else gradient_bytes
    parameter = parameter_bytes / n_devices if stage >= 3 else parameter_bytes
    return n_parameters * (parameter + gradient + optimizer)
