"""What the code runs on: the device, its dtype, seeds and measured time."""

from llmcourse.runtime.device import best_device, compute_dtype, device_line
from llmcourse.runtime.hardware import GPU, GPUS, gpu_named
from llmcourse.runtime.matmul_peak import matmul_peak
from llmcourse.runtime.seeding import seed_everything

__all__ = [
    "GPU",
    "GPUS",
    "best_device",
    "compute_dtype",
    "device_line",
    "gpu_named",
    "matmul_peak",
    "seed_everything",
]
