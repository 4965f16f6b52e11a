"""What the code runs on: the device, its dtype, seeds and measured time."""

from llmcourse.runtime.device import best_device, compute_dtype, device_line
from llmcourse.runtime.matmul_peak import matmul_peak
from llmcourse.runtime.seeding import seed_everything

__all__ = ["best_device", "compute_dtype", "device_line", "matmul_peak", "seed_everything"]
