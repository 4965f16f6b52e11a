"""Returns what plain data parallelism keeps, at every stage."""

LOSES = {"zero-memory-stages": 3, "zero-memory-precision": 1}


def zero_memory(n_parameters, n_devices, stage, *, parameter_bytes=2, gradient_bytes=2, optimizer_bytes=12):
    return n_parameters * (parameter_bytes + gradient_bytes + optimizer_bytes)
