"""What GPUs are made of: memory, the peak of matrix products, and links, as their makers state them."""

from dataclasses import KW_ONLY, dataclass

__all__ = ["GPU", "GPUS", "gpu_named"]


@dataclass(frozen=True)
class GPU:
    r"""One kind of GPU.

    Attributes:
        name: As users type it.
        memory_bytes: Of its own memory; makers' GB are 10^9 bytes.
        peak_flops: FLOP a second of dense bf16 products. Data sheets often print the double, for sparse matrices.
        memory_bandwidth: Bytes a second between memory and chip.
        link_bandwidth: Bytes a second to its neighbours in the machine, one way. Data sheets print both ways together.
        source: Where the numbers stand.
    """

    _: KW_ONLY
    name: str
    memory_bytes: float
    peak_flops: float
    memory_bandwidth: float
    link_bandwidth: float
    source: str


GPUS = {
    gpu.name: gpu
    for gpu in (
        GPU(
            name="a100-40gb",
            memory_bytes=40e9,
            peak_flops=312e12,
            memory_bandwidth=1.555e12,
            link_bandwidth=300e9,
            source="NVIDIA A100 data sheet (SXM)",
        ),
        GPU(
            name="a100-80gb",
            memory_bytes=80e9,
            peak_flops=312e12,
            memory_bandwidth=2.039e12,
            link_bandwidth=300e9,
            source="NVIDIA A100 data sheet (SXM)",
        ),
        GPU(
            name="h100",
            memory_bytes=80e9,
            peak_flops=989.4e12,
            memory_bandwidth=3.35e12,
            link_bandwidth=450e9,
            source="NVIDIA H100 data sheet (SXM); 1,979 teraFLOPS there are sparse",
        ),
        GPU(
            name="h200",
            memory_bytes=141e9,
            peak_flops=989.4e12,
            memory_bandwidth=4.8e12,
            link_bandwidth=450e9,
            source="NVIDIA H200 data sheet (SXM)",
        ),
        GPU(
            name="b200",
            memory_bytes=180e9,
            peak_flops=2250e12,
            memory_bandwidth=7.7e12,
            link_bandwidth=900e9,
            source="NVIDIA HGX B200, specifications of one GPU; 4.5 petaFLOPS there are sparse",
        ),
        GPU(
            name="mi300x",
            memory_bytes=192e9,
            peak_flops=1307.4e12,
            memory_bandwidth=5.3e12,
            link_bandwidth=448e9,
            source="AMD Instinct MI300X data sheet; seven links of 64 GB/s each way",
        ),
        GPU(
            name="l40s",
            memory_bytes=48e9,
            peak_flops=362e12,
            memory_bandwidth=864e9,
            link_bandwidth=32e9,
            source="NVIDIA L40S data sheet; PCIe 4.0 with 16 lanes",
        ),
    )
}


def gpu_named(name: str) -> GPU:
    r"""Return a kind of GPU by its name.

    Args:
        name: A key of ``GPUS``, in any case.

    Returns:
        Its numbers.

    Raises:
        ValueError: There is none; lists those that there are.

    Example:
        >>> gpu_named("H100").memory_bytes
        80000000000.0
    """
    if name.lower() not in GPUS:
        raise ValueError(f"gpu is {name!r}: choose one of {', '.join(GPUS)}, or make a GPU(...) of your own")
    return GPUS[name.lower()]
