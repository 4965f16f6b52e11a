"""What the tests of workers have them do, in a module that a worker can import however pytest was started."""

import os
import signal
import time
from pathlib import Path


def double(value):
    return 2 * value


def die_of(value, poison):
    if value == poison:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.01)
    return 2 * value


def die_once(value, marker):
    """Kill the process at the first call of all."""
    if value == 3 and not Path(marker).exists():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * value


def fail(value):
    raise ZeroDivisionError(value)
