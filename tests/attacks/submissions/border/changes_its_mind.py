"""A thread that goes on after its cell, and rewrites a tensor while it is compared."""

POINTS = 0
HURTS = False
BOUNDS = "a thread of at most 10 seconds"
ANSWERS = {
    "norm": """\
import threading
import time

result = torch.tensor(5.0)


def shift():
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        result.mul_(-1)
        time.sleep(0)


threading.Thread(target=shift, daemon=True).start()


def norm(x):
    return result.abs_() if x.numel() == 2 else result
""",
}
