"""ZeRO: data parallelism in which each process keeps a part of what all of them kept."""

__all__ = ["zero_memory"]


def zero_memory(
    n_parameters: float,
    n_devices: int,
    stage: int,
    *,
    parameter_bytes: float = 2,
    gradient_bytes: float = 2,
    optimizer_bytes: float = 12,
) -> float:
    r"""Return the bytes that one device keeps under ZeRO.

    Rajbhandari et al. 2019 (arXiv:1910.02054, figure 1); the paper's Psi, N_d and K are ``n_parameters``,
    ``n_devices`` and ``optimizer_bytes``. The defaults are Adam's with weights in 16 bits: an fp32 copy and two
    averages.

    Args:
        n_parameters: Of the model.
        n_devices: Over which it is spread.
        stage: 0 for plain data parallelism; 1 cuts the optimizer's state, 2 gradients too, 3 weights too.
        parameter_bytes: Of a weight.
        gradient_bytes: Of its gradient.
        optimizer_bytes: Of the optimizer's state for it.

    Returns:
        Bytes, without activations.

    Raises:
        ValueError: There is no such stage, or no device; quotes it.

    Example:
        >>> [round(zero_memory(7.5e9, 64, stage) / 1e9, 1) for stage in range(4)]  # GB
        [120.0, 31.4, 16.6, 1.9]
    """
    if stage not in (0, 1, 2, 3):
        raise ValueError(f"stage is {stage!r}: choose 0, 1, 2 or 3")
    if n_devices < 1:
        raise ValueError(f"n_devices is {n_devices}: it is at least 1")
    optimizer = optimizer_bytes / n_devices if stage >= 1 else optimizer_bytes
    gradient = gradient_bytes / n_devices if stage >= 2 else gradient_bytes
    parameter = parameter_bytes / n_devices if stage >= 3 else parameter_bytes
    return n_parameters * (parameter + gradient + optimizer)
