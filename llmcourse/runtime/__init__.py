"""What the code runs on: the device, its dtype, seeds and measured time."""

from llmcourse.runtime.device import best_device, compute_dtype, device_line
from llmcourse.runtime.seeding import seed_everything

__all__ = ["best_device", "compute_dtype", "device_line", "seed_everything"]
