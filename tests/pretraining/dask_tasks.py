"""What workers of a cluster run: a module of its own, which they can import by its name alone."""

import os
import signal
from pathlib import Path


def square(number):
    return number * number


def square_or_die_once(marker, number):
    """Take the process along, as a lack of memory does, the first time that a number comes."""
    if number == 5 and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


def refuse(number):
    raise ValueError(f"number is {number}")
